"""The decorator @measured."""
from __future__ import annotations

import functools
import inspect
from typing import Any, AsyncGenerator, Callable, Generator, Optional, Union

from heliograd._meter import Meter

MeterOf = Callable[[], Meter]


def measured(name: Union[str, Callable[..., Any], None], meter_of: MeterOf) -> Any:
    """`@measured`, `@measured()` or `@measured("load")`."""
    if callable(name):
        return _wrap(name, name.__qualname__, meter_of)
    return lambda function: _wrap(function, name or function.__qualname__, meter_of)


def _wrap(function: Callable[..., Any], name: str, meter_of: MeterOf) -> Callable[..., Any]:
    if inspect.isasyncgenfunction(function):
        return _async_generator(function, name, meter_of)
    if inspect.iscoroutinefunction(function):
        return _coroutine(function, name, meter_of)
    if inspect.isgeneratorfunction(function):
        return _generator(function, name, meter_of)

    @functools.wraps(function)
    def call(*args: Any, **keywords: Any) -> Any:
        with meter_of().window(name):
            return function(*args, **keywords)

    return call


def _coroutine(function: Callable[..., Any], name: str, meter_of: MeterOf) -> Callable[..., Any]:
    @functools.wraps(function)
    async def call(*args: Any, **keywords: Any) -> Any:
        with meter_of().window(name):
            return await function(*args, **keywords)

    return call


def _generator(function: Callable[..., Any], name: str, meter_of: MeterOf) -> Callable[..., Any]:
    """A window while the generator runs, none while its caller does."""

    @functools.wraps(function)
    def call(*args: Any, **keywords: Any) -> Generator[Any, Any, Any]:
        generator = function(*args, **keywords)
        sent: Any = None
        thrown: Optional[BaseException] = None
        while True:
            try:
                with meter_of().window(name):
                    item = generator.send(sent) if thrown is None else generator.throw(thrown)
            except StopIteration as stop:
                return stop.value
            sent, thrown = None, None
            try:
                sent = yield item
            except GeneratorExit:
                with meter_of().window(name):
                    generator.close()
                raise
            except BaseException as error:
                thrown = error

    return call


def _async_generator(function: Callable[..., Any], name: str, meter_of: MeterOf) -> Callable[..., Any]:
    @functools.wraps(function)
    async def call(*args: Any, **keywords: Any) -> AsyncGenerator[Any, Any]:
        generator = function(*args, **keywords)
        sent: Any = None
        thrown: Optional[BaseException] = None
        while True:
            try:
                with meter_of().window(name):
                    item = await (generator.asend(sent) if thrown is None else generator.athrow(thrown))
            except StopAsyncIteration:
                return
            sent, thrown = None, None
            try:
                sent = yield item
            except GeneratorExit:
                with meter_of().window(name):
                    await generator.aclose()
                raise
            except BaseException as error:
                thrown = error

    return call

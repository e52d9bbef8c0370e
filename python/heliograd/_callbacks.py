"""What the callbacks of Hugging Face and Lightning share."""
from __future__ import annotations

import functools
from typing import Any, Callable, Optional, TypeVar

from heliograd._default import default_meter
from heliograd._energy import Summary
from heliograd._meter import Meter, Window
from heliograd.torch import Steps

Method = TypeVar("Method", bound=Callable[..., None])


def harmless(method: Method) -> Method:
    """A callback's method whose failure ends measuring alone."""

    @functools.wraps(method)
    def call(self: Training, *arguments: Any, **keywords: Any) -> None:
        try:
            method(self, *arguments, **keywords)
        except Exception as error:
            self._give_up(error)

    return call  # type: ignore[return-value]


class Training:
    """The window "train", with the steps within it."""

    summary: Optional[Summary] = None  # after training

    def __init__(self, meter: Optional[Meter] = None, dither: float = 0.05, print_summary: bool = True) -> None:
        super().__init__()
        self._meter, self._dither, self._prints = meter, dither, print_summary
        self._steps: Optional[Steps] = None
        self._train: Optional[Window] = None

    def _start(self, **given: Any) -> Steps:
        meter = self._meter or default_meter()
        self._train = meter.begin("train")
        self._steps = Steps(meter=meter, dither=self._dither, **given)
        return self._steps

    def _stop(self) -> None:
        steps, train = self._steps, self._train
        self._steps = self._train = None
        if steps is not None:
            steps.remove()
        if train is not None:
            train.end()

    def _finish(self) -> None:
        steps = self._steps
        self._stop()
        if steps is not None:
            self.summary = steps.summary()
            if self._prints:
                print(self.summary)

    def _give_up(self, error: Exception) -> None:
        steps, self._steps = self._steps, None
        if steps is not None:
            steps._give_up(error)

"""The meter that the functions of the module share, opened when the first of them is called."""
from __future__ import annotations

import multiprocessing
import os
import threading
from typing import Any, Optional, Union

from heliograd._energy import Summary
from heliograd._meter import Gpus, Meter, Window

_lock = threading.Lock()
_meter: Optional[Meter] = None
_options: Any = {}


def configure(gpus: Gpus = None, output: Union[str, "os.PathLike[str]", None] = None, period_ms: float = 2.0, *,
              processor: bool = False, pin_cpu: Optional[int] = None, strict: bool = False) -> None:
    """How the shared meter is to be opened (see Meter). One that is open already is closed first."""
    global _options
    close()
    _options = {"gpus": gpus, "output": output, "period_ms": period_ms, "processor": processor, "pin_cpu": pin_cpu,
                "strict": strict}


def default_meter() -> Meter:
    """The shared meter. Processes that only serve another one, such as a DataLoader's workers, get one that is off."""
    global _meter
    meter = _meter
    if meter is None:
        with _lock:
            if _meter is None:
                _meter = _Off("this process is a worker of the one that measures") if _is_worker() else Meter(**_options)
            meter = _meter
    return meter


class _Off(Meter):
    """A meter that measures nothing, without a warning."""

    def __init__(self, reason: str) -> None:
        self._prepare(strict=False)
        self.reason = reason
        self._warned = True


def _is_worker() -> bool:
    return multiprocessing.current_process().daemon


def _renew_lock() -> None:
    global _lock
    _lock = threading.Lock()


os.register_at_fork(after_in_child=_renew_lock)


def window(name: str) -> Window:
    """`with heliograd.window("step") as w:` - a stretch of time; w.energy_j afterwards."""
    return default_meter().window(name)


def begin(name: str) -> Window:
    """Begins a window; end() ends it, on any thread."""
    return default_meter().begin(name)


def end(window: Window) -> Window:
    """Ends what begin() gave, whichever meter it is of."""
    if not isinstance(window, Window):
        return default_meter().end(window)
    window.end()
    return window


def rest(fraction: float) -> float:
    """See Meter.rest."""
    return default_meter().rest(fraction)


def summary() -> Summary:
    """All windows of the shared meter so far."""
    return default_meter().summary()


def close() -> None:
    """Closes the shared meter; the next call opens another."""
    global _meter
    with _lock:
        meter, _meter = _meter, None
    if meter is not None:
        meter.close()


def measured(name: Any = None) -> Any:
    """Decorator, `@measured("load")` or plain `@measured`: each call of the function is a window. Generators are measured
    while they run, not while their caller does; coroutines from the first step to the last, with what they await."""
    from heliograd._measured import measured as wrap
    return wrap(name, default_meter)

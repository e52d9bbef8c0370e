"""Meter: samples GPUs behind the program's back. Window: a stretch of its time, and the joules of it."""
from __future__ import annotations

import atexit
import ctypes
import os
import sys
import threading
import warnings
import weakref
from collections import deque
from types import TracebackType
from typing import Any, Callable, Deque, Dict, List, Optional, Sequence, Tuple, Type, Union

from heliograd import _library
from heliograd._energy import DeviceEnergy, Interval, Summary, both, parse_summary

Gpus = Union[str, int, Sequence[Union[str, int]], None]

_HERE = os.path.dirname(__file__)
_FORKED = "this process was forked from the one that measures: the parent's meter counts its work too"
_CLOSED = "the meter is closed"
_MOST_KEPT = 200  # of the latest windows that are still in use, whose energies are worked out when the meter closes


def _level_of_caller() -> int:
    """How many frames above the calling function the package was called, as warnings.warn counts."""
    level, frame = 1, sys._getframe(1)
    while frame.f_back is not None and os.path.dirname(frame.f_code.co_filename) == _HERE:
        level, frame = level + 1, frame.f_back
    return level


class Error(RuntimeError):
    """Why measuring failed; raised by Meter(strict=True) alone."""


class Window:
    """A stretch of time. `with meter.window("step") as w:` or begin and end; ask for the energy afterwards: it is worked
    out then, which waits until the sensor has shown what followed the window, at most 1.2 s."""

    __slots__ = ("__weakref__", "_devices", "_meter", "_number", "_open", "name")

    def __init__(self, meter: Meter, name: str) -> None:
        self.name = name
        self._meter = meter
        self._number = -1
        self._open = False
        self._devices: Optional[Tuple[DeviceEnergy, ...]] = None

    def __enter__(self) -> Window:
        if self._open or self._number >= 0:
            self._meter._failed(f"window {self.name!r} was begun before: make another one")
            return self
        self._number = self._meter._begin(self.name)
        self._open = True
        return self

    def __exit__(self, kind: Optional[Type[BaseException]], error: Optional[BaseException],
                 trace: Optional[TracebackType]) -> None:
        self.end()

    def end(self) -> None:
        """Ends it; a second end is refused like every wrong use: one warning, or Error where the meter is strict."""
        if not self._open:
            self._meter._failed(f"window {self.name!r} is not open")
            return
        self._open = False
        meter = self._meter
        meter._end(self._number)
        meter._ended.append(weakref.ref(self))

    @property
    def devices(self) -> Tuple[DeviceEnergy, ...]:
        """The window on each device; empty where nothing is measured."""
        if self._devices is None:
            found = self._meter._energies(self)
            if found is None:
                return ()
            self._devices = found
        return self._devices

    @property
    def resolved(self) -> bool:
        """Whether the sensors can tell its energy."""
        devices = self.devices
        return bool(devices) and all(device.resolved for device in devices)

    @property
    def reason(self) -> str:
        """Why there is no energy; empty where there is."""
        devices = self.devices
        if not devices:
            return "the window is still open" if self._open and self._meter.measuring else self._meter.reason or _CLOSED
        return "; ".join(device.reason for device in devices if device.reason)

    @property
    def energy_j(self) -> Optional[float]:
        """Joules of all the meter's devices together."""
        if not self.resolved:
            return None
        return sum(device.energy_j for device in self.devices if device.energy_j is not None)

    @property
    def interval(self) -> Optional[Interval]:
        """Of 95 %; the sum of the devices' limits."""
        if not self.resolved:
            return None
        limits = [device.interval for device in self.devices if device.interval is not None]
        return (sum(low for low, _ in limits), sum(high for _, high in limits))

    @property
    def duration_s(self) -> Optional[float]:
        devices = self.devices
        return devices[0].duration_s if devices else None

    @property
    def mean_power_w(self) -> Optional[float]:
        powers = [device.mean_power_w for device in self.devices if device.mean_power_w is not None]
        return sum(powers) if self.resolved else None

    def __repr__(self) -> str:
        state = "open" if self._open else f"number {self._number}"
        return f"<heliograd.Window {self.name!r}, {state}>"

    def __reduce__(self) -> Any:
        raise TypeError("a heliograd window belongs to this process and cannot be pickled: pass on its energy_j")


class Meter:
    """Samples GPUs from now until close() or the end of the `with` block, on a thread outside the interpreter.

    gpus: numbers or starts of UUIDs; None takes CUDA_VISIBLE_DEVICES, else all. output: keeps the recording in this
    file, which must not exist. processor: measures the processor too, and adds its joules to each window's energy_j.
    pin_cpu: the processor that the sampler stays on. Where measuring is not possible there is one warning, everything
    goes on without effect, and energies are None (`reason` says why); strict=True raises Error instead.

    All of it may be used from any thread. A forked child has no meter.
    """

    def __init__(self, gpus: Gpus = None, output: Union[str, "os.PathLike[str]", None] = None, period_ms: float = 2.0, *,
                 processor: bool = False, pin_cpu: Optional[int] = None, strict: bool = False) -> None:
        self._prepare(strict)
        try:
            self._library = _library.load()
            self._open(gpus, output, period_ms, processor, pin_cpu)
        except Exception as error:  # measuring must never end a training
            self._off(str(error))
        _meters.add(self)

    # --- life ---

    def _prepare(self, strict: bool) -> None:
        self.reason: Optional[str] = None
        self._strict = strict
        self._warned = False
        self._pointer: Optional[int] = None
        self._reset_locks()
        self._names: Dict[str, bytes] = {}
        self._devices: List[Tuple[str, str]] = []  # uuid, name
        self._ended: Deque[weakref.ref[Window]] = deque(maxlen=_MOST_KEPT)
        self._flushers: List[Callable[[], Optional[Callable[[], None]]]] = []
        self._summary: Optional[Summary] = None

    def _open(self, gpus: Gpus, output: Union[str, "os.PathLike[str]", None], period_ms: float, processor: bool,
              pin_cpu: Optional[int]) -> None:
        options = _library.Options()
        options.size = ctypes.sizeof(options)
        if gpus is not None:
            chosen = [gpus] if isinstance(gpus, (str, int)) else list(gpus)
            options.gpus = ",".join(map(str, chosen)).encode()
        if output is not None:
            options.output = os.fsencode(output)
        options.period_ms = float(period_ms)
        options.pin_cpu = 0 if pin_cpu is None else pin_cpu + 1
        options.without_processor = 0 if processor else 1
        pointer = ctypes.c_void_p()
        if self._library.open(ctypes.byref(options), ctypes.byref(pointer)) != _library.OK:
            raise Error(self._library.why())
        self._pointer = pointer.value
        for device in range(self._library.device_count(self._pointer)):
            uuid, name = self._library.device_uuid(self._pointer, device), self._library.device_name(self._pointer, device)
            self._devices.append((uuid.decode("utf-8", "replace"), name.decode("utf-8", "replace")))

    def _reset_locks(self) -> None:
        self._idle = threading.Condition(threading.Lock())
        self._users = 0  # threads within a call that gave the interpreter's lock up

    def _enter_call(self) -> Optional[int]:
        with self._idle:
            if self._pointer is not None:
                self._users += 1
            return self._pointer

    def _leave_call(self) -> None:
        with self._idle:
            self._users -= 1
            self._idle.notify_all()

    def close(self) -> None:
        """Ends measuring; an output is whole afterwards. Windows in use (of the latest 200) and the summary are worked out
        first, so that they may be asked for
        later."""
        if self._pointer is None:
            return
        self._flush()
        for weak in list(self._ended):
            window = weak()
            if window is not None:
                window.devices  # noqa: B018 - worked out and kept
        if self._names:
            self._summary = self.summary()
        self._shut()

    def _shut(self) -> None:
        with self._idle:
            pointer, self._pointer = self._pointer, None
            self._idle.wait_for(lambda: self._users == 0)
        if pointer is None:
            return
        if self.reason is None:
            self.reason = _CLOSED
        if self._library.close(pointer) != _library.OK:
            self._failed(self._library.why())

    def _forget(self) -> None:
        """In a forked child: the sampler's threads are the parent's, and the library's locks may be held for ever."""
        self._reset_locks()
        if self._pointer is not None:
            self._pointer = None
            self.reason = _FORKED
        self._warned = True
        self._strict = False

    def __enter__(self) -> Meter:
        return self

    def __exit__(self, kind: Optional[Type[BaseException]], error: Optional[BaseException],
                 trace: Optional[TracebackType]) -> None:
        self.close()

    def __del__(self) -> None:
        if getattr(self, "_pointer", None) is not None and not sys.is_finalizing():
            self._shut()

    def __reduce__(self) -> Any:
        raise TypeError("a heliograd meter belongs to this process and cannot be pickled: open one in each process")

    @property
    def measuring(self) -> bool:
        return self._pointer is not None

    @property
    def device_names(self) -> List[str]:
        return [name for _, name in self._devices]

    # --- failures ---

    def _off(self, reason: str) -> None:
        self.reason = reason
        self._failed(reason)

    def _failed(self, reason: str) -> None:
        """One warning, whatever goes wrong later; Error where the meter is strict."""
        if self._strict:
            raise Error(reason)
        if self._warned:
            return
        self._warned = True
        try:
            warnings.warn(f"heliograd: {reason}", RuntimeWarning, stacklevel=_level_of_caller())
        except Warning:  # warnings are errors here, but a training does not end because of ours
            print(f"heliograd: {reason}", file=sys.stderr)

    # --- windows ---

    def window(self, name: str) -> Window:
        """For `with`: begins on entering the block and ends on leaving it, also by an exception."""
        return Window(self, name)

    def begin(self, name: str) -> Window:
        """Begins a window now; end() ends it, on any thread. Windows may lie within others."""
        return Window(self, name).__enter__()

    def end(self, window: Window) -> Window:
        """Ends a window of begin(); something else is refused like every wrong use."""
        if not isinstance(window, Window):
            self._failed(f"end() takes what begin() gave, not {window!r:.60}")
            return self.window("")
        window.end()
        return window

    def measured(self, name: Any = None) -> Any:
        """Decorator: each call of the function is a window (heliograd.measured says how)."""
        from heliograd._measured import measured
        return measured(name, lambda: self)

    def rest(self, fraction: float) -> float:
        """Sleeps at random, on average `fraction` (0 to 0.5) of the time since the thread's last rest; the seconds slept.
        Loads that repeat in step with their sensor can be told apart only if such rests move them."""
        pointer = self._enter_call()
        if pointer is None:
            return 0.0
        try:
            slept = float(self._library.rest(pointer, fraction))
            if slept == 0 and not 0 <= fraction <= 0.5:
                self._failed(self._library.why())
            return slept
        finally:
            self._leave_call()

    def summary(self) -> Summary:
        """All windows so far, names that repeat estimated together."""
        self._flush()
        pointer = self._enter_call()
        if pointer is None:
            return self._summary or Summary((), (), (), (f"nothing was measured: {self.reason}",))
        try:
            text = self._library.summary(pointer)
            if text is None:
                reason = self._library.why()
                self._failed(reason)
                return Summary((), (), (), (reason,))
            try:
                return parse_summary(ctypes.string_at(text).decode("utf-8", "replace"))
            finally:
                self._library.free(text)
        finally:
            self._leave_call()

    # --- what Window and Steps call ---

    def _encoded(self, name: str) -> bytes:
        encoded = self._names.get(name)
        if encoded is None:
            encoded = self._names[name] = name.encode("utf-8", "replace")
        return encoded

    def _begin(self, name: str) -> int:
        if self._pointer is None:
            return -1
        number: int = self._library.begin(self._pointer, self._names.get(name) or self._encoded(name))
        if number < 0:
            self._failed(self._library.why())
        return number

    def _end(self, number: int) -> None:
        if number >= 0 and self._pointer is not None and self._library.end(self._pointer, number) != _library.OK:
            self._failed(self._library.why())

    def _now(self) -> int:
        return int(self._library.now(self._pointer)) if self._pointer is not None else 0

    def _depth(self) -> int:
        return int(self._library.depth(self._pointer)) if self._pointer is not None else 0

    def _add(self, name: str, begin_ns: int, end_ns: int, depth: int) -> None:
        if self._pointer is not None and self._library.add(
                self._pointer, self._encoded(name), begin_ns, max(end_ns, begin_ns + 1), depth) < 0:
            self._failed(self._library.why())

    def _energies(self, window: Window) -> Optional[Tuple[DeviceEnergy, ...]]:
        """None while there is nothing to say: the window is open, or nothing is measured."""
        if window._open or window._number < 0:
            return None
        pointer = self._enter_call()
        if pointer is None:
            return None
        try:
            return tuple(self._energy(pointer, window._number, device) for device in range(len(self._devices)))
        finally:
            self._leave_call()

    def _energy(self, pointer: int, number: int, device: int) -> DeviceEnergy:
        found = _library.Energy()
        found.size = ctypes.sizeof(found)
        uuid, name = self._devices[device]
        if self._library.window_energy(pointer, number, device, ctypes.byref(found)) != _library.OK:
            reason = self._library.why()
            self._failed(reason)
            return DeviceEnergy(uuid, name, None, None, 0.0, None, None, 0.0, 0, False, reason)
        if not found.resolved:
            return DeviceEnergy(uuid, name, None, None, found.duration_s, None, found.peak_power_w, found.gain_half_width,
                                found.samples, False, self._library.why())
        return DeviceEnergy(uuid, name, found.energy_j, both(found.energy_low_j, found.energy_high_j), found.duration_s,
                            found.mean_power_w, found.peak_power_w, found.gain_half_width, found.samples, True, "")

    def _before_reading(self, flush: Callable[[], None]) -> None:
        """`flush`, a bound method, is called before energies are worked out, while its object lives."""
        self._flushers.append(weakref.WeakMethod(flush))

    def _flush(self) -> None:
        for weak in list(self._flushers):
            flush = weak()
            if flush is not None:
                flush()


_meters: weakref.WeakSet[Meter] = weakref.WeakSet()


def _close_all() -> None:
    for meter in list(_meters):
        if meter._pointer is not None:
            meter._flush()
            meter._shut()


def _forget_all() -> None:
    for meter in list(_meters):
        meter._forget()


atexit.register(_close_all)
os.register_at_fork(after_in_child=_forget_all)

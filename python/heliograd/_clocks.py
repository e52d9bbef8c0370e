"""When a step of a training began and ended: on the host, or on a CUDA device that computes behind the program's back."""
from __future__ import annotations

from typing import Any, Callable, List, Optional, Protocol

from heliograd._meter import Meter

# A reference is used this long: float32 milliseconds, which events give, are 2 us fine at 30 s.
REFERENCE_LASTS_NS = 30_000_000_000
_TRIES = 5
_LEAST_FOR_A_RATE_NS = 1_000_000_000


class Clock(Protocol):
    """Marks are made at once and told in ns of the meter's clock later; a mark is told once."""

    rest_every: int  # iterations between two rests

    def mark(self) -> Any:
        """Now; None where no mark can be made."""

    def is_told(self, mark: Any) -> bool:
        """Whether `stamp` may be asked, without waiting."""

    def stamp(self, mark: Any) -> int: ...

    def wait(self) -> None:
        """Until all work handed out so far is done."""

    def wants_reference(self) -> bool:
        """Whether `refer` is due. All marks are to be stamped before."""

    def refer(self) -> None: ...


class HostClock:
    """For work that is over when the call returns: on the CPU."""

    rest_every = 1

    def __init__(self, meter: Meter) -> None:
        self._meter = meter

    def mark(self) -> int:
        return self._meter._now()

    def is_told(self, mark: int) -> bool:
        return True

    def stamp(self, mark: int) -> int:
        return mark

    def wait(self) -> None:
        pass

    def wants_reference(self) -> bool:
        return False

    def refer(self) -> None:
        pass


class CudaClock:
    """Marks are CUDA events on the current stream: nothing waits for them. Their times are the device's; a reference
    event whose end the host waited for ties them to the meter's clock, and two of them tell how much faster one clock
    runs than the other. The host sees a reference's end some microseconds late: half of the shortest of five such waits
    is taken off."""

    # A rest is one only when the device has nothing left to do, so it costs a wait for the device.
    rest_every = 8

    def __init__(self, meter: Meter, new_event: Callable[[], Any], wait: Callable[[], None],
                 is_capturing: Callable[[], bool] = lambda: False) -> None:
        self._meter = meter
        self._new_event = new_event
        self._wait = wait
        self._is_capturing = is_capturing
        self._spare: List[Any] = []
        self._rate = 1.0  # host ns in a device ns
        self._reference: Optional[Any] = None
        self._reference_ns = 0
        self.reference_half_width_ns = 0
        self._wait()
        self.refer()

    def mark(self) -> Any:
        if self._is_capturing():  # an event within a CUDA graph has no time of its own
            return None
        event = self._spare.pop() if self._spare else self._new_event()
        event.record()
        return event

    def is_told(self, mark: Any) -> bool:
        return bool(mark.query())

    def stamp(self, mark: Any) -> int:
        assert self._reference is not None
        after_ns = float(self._reference.elapsed_time(mark)) * 1e6
        self._spare.append(mark)
        return self._reference_ns + round(after_ns * self._rate)

    def wait(self) -> None:
        self._wait()

    def wants_reference(self) -> bool:
        return self._meter._now() - self._reference_ns > REFERENCE_LASTS_NS

    def refer(self) -> None:
        best: Optional[Any] = None
        best_ns, best_took_ns = 0, 0
        for _ in range(_TRIES):
            event = self._new_event()
            begin_ns = self._meter._now()
            event.record()
            event.synchronize()
            end_ns = self._meter._now()
            if best is None or end_ns - begin_ns < best_took_ns:
                best, best_ns, best_took_ns = event, (begin_ns + end_ns) // 2, end_ns - begin_ns
        if self._reference is not None:
            device_ns = float(self._reference.elapsed_time(best)) * 1e6
            if device_ns > _LEAST_FOR_A_RATE_NS:
                self._rate = (best_ns - self._reference_ns) / device_ns
        self._reference, self._reference_ns = best, best_ns
        self.reference_half_width_ns = best_took_ns // 2

"""CudaClock with a stand-in for CUDA's streams and events: work runs behind the program's back, on a clock of its own.
No CUDA device took part."""
import queue
import struct
import threading
import time
import unittest

from heliograd._clocks import CudaClock
from heliograd.torch import Steps
from simulated import Added, Device, SimulatedTest


class Stream:
    """Does what it is handed, in order, on a thread of its own. Its clock starts elsewhere and runs 200 ppm fast."""

    def __init__(self):
        self._work = queue.Queue()
        self.open_events = 0
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self):
        while True:
            self._work.get()()
            self._work.task_done()

    def now_ms(self):
        return time.monotonic_ns() * 1e-6 * (1 + 200e-6) - 12345.6

    def hand(self, work):
        self._work.put(work)

    def wait(self):
        self._work.join()


class Event:
    """What CudaClock uses of torch.cuda.Event."""

    def __init__(self, stream):
        self._stream = stream
        self._at_ms = None

    def record(self):
        self._at_ms = None
        self._stream.hand(self._happen)

    def _happen(self):
        self._at_ms = self._stream.now_ms()

    def query(self):
        return self._at_ms is not None

    def synchronize(self):
        while self._at_ms is None:
            time.sleep(0)

    def elapsed_time(self, end):
        if self._at_ms is None or end._at_ms is None:
            raise RuntimeError("CUDA error: device not ready")
        return struct.unpack("f", struct.pack("f", end._at_ms - self._at_ms))[0]


class CudaClockTest(SimulatedTest):
    def setUp(self):
        super().setUp()
        self.stream = Stream()
        self.events = 0

    def new_event(self):
        self.events += 1
        return Event(self.stream)

    def clock(self, meter, **options):
        return CudaClock(meter, self.new_event, self.stream.wait, **options)

    def test_marks_do_not_wait_and_are_told_in_the_meters_time(self):
        meter = self.meter()
        clock = self.clock(meter)
        self.stream.hand(lambda: time.sleep(0.3))
        begin_ns = meter._now()
        mark = clock.mark()
        self.assertLess(meter._now() - begin_ns, 0.1e9)
        self.assertFalse(clock.is_told(mark))
        clock.wait()
        end_ns = meter._now()
        self.assertTrue(clock.is_told(mark))
        stamp = clock.stamp(mark)
        self.assertGreaterEqual(stamp, begin_ns + 0.295e9)
        self.assertLessEqual(stamp, end_ns + clock.reference_half_width_ns)

    def test_a_second_reference_tells_the_clocks_apart(self):
        meter = self.meter()
        clock = self.clock(meter)
        first_ns = clock.reference_half_width_ns
        time.sleep(3)
        clock.refer()
        # Each end of the 3 s is known to the half-width of its reference.
        self.assertAlmostEqual(clock._rate, 1 / (1 + 200e-6), delta=(first_ns + clock.reference_half_width_ns + 2000) / 3e9)

    def test_a_reference_is_wanted_again_rarely(self):
        meter = self.meter()
        clock = self.clock(meter)
        self.assertFalse(clock.wants_reference())
        clock._reference_ns -= 31_000_000_000
        self.assertTrue(clock.wants_reference())

    def test_events_are_used_again(self):
        meter = self.meter()
        steps = Steps(meter=meter, clock=self.clock(meter), dither=0)
        before = self.events
        for _ in range(50):
            with steps.forward():
                pass
            with steps.optimizer():
                pass
            self.stream.wait()
        self.assertLessEqual(self.events - before, 8)

    def test_no_mark_is_made_within_a_cuda_graph(self):
        meter = self.meter()
        added = Added(meter)
        steps = Steps(meter=meter, clock=self.clock(meter, is_capturing=lambda: True), dither=0)
        with steps.forward():
            pass
        steps.summary()
        self.assertEqual(added.names, [])

    def test_steps_of_a_device_that_computes_behind_hold_the_truth(self):
        """The host hands 60 + 120 ms of work over within microseconds. Stamps of the host would give the steps next to
        no energy; stamps of the device give each its own."""
        device = Device()
        meter = self.meter()
        added = Added(meter)
        steps = Steps(meter=meter, clock=self.clock(meter), dither=0.05)
        host_s = 0.0
        for _ in range(24):
            begin = time.monotonic()
            with steps.forward():
                self.stream.hand(lambda: device.compute(60))
            with steps.backward():
                self.stream.hand(lambda: device.compute(120))
            host_s += time.monotonic() - begin
            with steps.optimizer():
                self.stream.hand(lambda: time.sleep(0.05))
        steps.summary()
        self.assertEqual(added.names, ["forward", "backward", "optimizer"] * 24)
        windows = [window[1:3] for window in added.windows]
        for (_, end), (begin, _) in zip(windows, windows[1:]):
            self.assertLessEqual(end, begin + 2000)  # the events' grain
        truth = {}
        for name, begin_ns, end_ns, _ in added.windows:
            truth[name] = truth.get(name, 0) + self.truth(begin_ns, end_ns)
        seconds = {name: sum(end - begin for other, begin, end, _ in added.windows if other == name) * 1e-9 for name in truth}
        self.assertGreaterEqual(seconds["forward"], 24 * 0.06)
        self.assertGreaterEqual(seconds["backward"], 24 * 0.12)
        self.assertLess(host_s, 0.2 * (seconds["forward"] + seconds["backward"]))
        # Twice the work, twice the joules; what lies between kernel and event differs by some milliseconds of 15 to 236 W.
        self.assertAlmostEqual(truth["backward"] / truth["forward"], 2, delta=0.2)
        self.assertLess(truth["optimizer"], 0.2 * truth["forward"])


if __name__ == "__main__":
    unittest.main()

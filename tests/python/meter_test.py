"""Windows, decorator, summary, failures: on the simulated GPU, against the joules it really drew."""
import asyncio
import copy
import gc
import os
import pathlib
import pickle
import sqlite3
import subprocess
import sys
import threading
import time
import unittest
import warnings

import heliograd
from simulated import SimulatedTest


class Joules(SimulatedTest):
    def test_a_window_holds_the_truth(self):
        self.load("--seconds", 60, "--phases", "a:150:1,b:150:0.3")
        meter = self.meter()
        begin_ns = meter._now()
        with meter.window("outer") as outer:
            with meter.window("inner") as inner:
                time.sleep(1.5)
            time.sleep(1.5)
        end_ns = meter._now()
        truth = self.truth(begin_ns, end_ns)
        self.assertTrue(outer.resolved, outer.reason)
        low, high = outer.interval
        self.assertLess(low, truth)
        self.assertGreater(high, truth)
        self.assertTrue(low < outer.energy_j < high)
        self.assertAlmostEqual(outer.duration_s, (end_ns - begin_ns) * 1e-9, delta=0.01)
        self.assertAlmostEqual(outer.mean_power_w, outer.energy_j / outer.duration_s, delta=1)
        self.assertLess(inner.energy_j, outer.energy_j)
        self.assertEqual(outer.reason, "")
        (device,) = outer.devices
        self.assertEqual(device.energy_j, outer.energy_j)
        self.assertEqual(device.interval, outer.interval)

    def test_too_short_a_window_says_so(self):
        meter = self.meter()
        with meter.window("short") as short:
            pass
        self.assertFalse(short.resolved)
        self.assertIsNone(short.energy_j)
        self.assertIsNone(short.interval)
        self.assertIsNone(short.mean_power_w)
        self.assertIn("shorter", short.reason)

    def test_the_summary_has_all_windows_as_typed_values_and_as_a_table(self):
        meter = self.meter()
        with meter.window("epoch"):
            for _ in range(3):
                with meter.window("step"):
                    time.sleep(0.2)
        summary = meter.summary()
        self.assertIn("step", summary)
        self.assertEqual(summary["step"].count, 3)
        self.assertEqual(summary["step"].depth, 1)
        self.assertEqual(summary["epoch"].depth, 0)
        self.assertGreater(summary["epoch"].energy_j, 5)
        self.assertIsNone(summary["step"].energy_j)
        self.assertIn("heliograd calibrate", summary["step"].devices[0].reason)
        with self.assertRaisesRegex(KeyError, "epoch, step"):
            summary["stop"]
        lines = str(summary).splitlines()
        self.assertIn("RTX 4070", lines[0])
        self.assertRegex(lines[2], r"epoch +1 +0\.6\d\d s +[\d.]+ J \+- [\d.]+ % ")
        self.assertRegex(lines[3], r"  step +3 +0\.6\d\d s +not known")

    def test_after_closing_what_was_in_use_can_still_be_asked(self):
        with self.meter() as meter:
            with meter.window("kept") as kept:
                time.sleep(0.6)
        self.assertFalse(meter.measuring)
        self.assertGreater(kept.energy_j, 5)
        self.assertEqual(meter.summary()["kept"].count, 1)
        with meter.window("late") as late:
            pass
        self.assertIsNone(late.energy_j)
        self.assertEqual(late.reason, "the meter is closed")
        meter.close()

    def test_a_window_may_be_ended_by_another_thread_and_many_threads_mark(self):
        meter = self.meter()
        handle = meter.begin("handed over")
        ender = threading.Thread(target=meter.end, args=(handle,))
        ender.start()
        ender.join()

        def mark():
            for _ in range(2000):
                with meter.window("many"):
                    pass

        threads = [threading.Thread(target=mark) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        summary = meter.summary()
        self.assertEqual(summary["handed over"].count, 1)
        self.assertEqual(summary["many"].count, 8000)
        self.assertEqual(summary["many"].depth, 0)

    def test_a_rest_is_a_share_of_the_time_and_no_window(self):
        meter = self.meter()
        self.assertEqual(meter.rest(0.5), 0)
        time.sleep(0.1)
        slept = meter.rest(0.5)
        self.assertTrue(0 <= slept <= 0.2, slept)
        self.assertEqual(meter.summary().names, ())


class SharedMeter(SimulatedTest):
    def test_functions_of_the_module_share_one_meter(self):
        with heliograd.window("one") as one:
            two = heliograd.begin("two")
            time.sleep(0.5)
            heliograd.end(two)
        self.assertGreater(one.energy_j, 5)
        self.assertEqual({entry.name for entry in heliograd.summary().names}, {"one", "two"})
        heliograd.close()
        self.assertGreater(two.energy_j, 5)

    def test_configure_names_the_file_that_is_kept(self):
        heliograd.configure(output=self.folder / "run.helio")
        with heliograd.window("one"):
            pass
        heliograd.close()
        self.assertTrue((self.folder / "run.helio").is_file())
        self.assertFalse((self.folder / "run.helio-wal").exists())

    def names(self):
        return {entry.name: entry.count for entry in heliograd.summary().names}

    def test_decorated_functions_are_windows(self):
        @heliograd.measured("load")
        def load(number):
            """Loads."""
            return number + 1

        @heliograd.measured
        def fail():
            raise ValueError("mine")

        self.assertEqual(load(1), 2)
        self.assertEqual(load.__doc__, "Loads.")
        with self.assertRaisesRegex(ValueError, "mine"):
            fail()
        self.assertEqual(self.names(), {"load": 1, fail.__qualname__: 1})

    def test_a_generator_is_measured_while_it_runs_only(self):
        events = []

        @heliograd.measured("generate")
        def generate():
            try:
                received = yield 1
                events.append(received)
                try:
                    yield 2
                except KeyError:
                    events.append("thrown")
                yield 3
                return "end"
            finally:
                events.append("closed")

        generator = generate()
        self.assertEqual(next(generator), 1)
        time.sleep(0.3)
        self.assertEqual(generator.send("sent"), 2)
        self.assertEqual(generator.throw(KeyError()), 3)
        with self.assertRaises(StopIteration) as stopped:
            next(generator)
        self.assertEqual(stopped.exception.value, "end")
        self.assertEqual(events, ["sent", "thrown", "closed"])
        self.assertEqual(self.names(), {"generate": 4})
        self.assertLess(heliograd.summary()["generate"].duration_s, 0.1)
        left = generate()
        next(left)
        left.close()
        self.assertEqual(events[-1], "closed")

    def test_a_coroutine_is_measured_with_what_it_awaits(self):
        @heliograd.measured("serve")
        async def serve():
            await asyncio.sleep(0.3)
            return 7

        @heliograd.measured("stream")
        async def stream():
            for number in range(3):
                yield number

        async def main():
            return [await serve(), [number async for number in stream()]]

        self.assertEqual(asyncio.run(main()), [7, [0, 1, 2]])
        self.assertGreaterEqual(heliograd.summary()["serve"].duration_s, 0.29)
        self.assertEqual(self.names(), {"serve": 1, "stream": 4})


class Failures(SimulatedTest):
    def assert_off(self, meter, messages, *words):
        self.assertEqual(len(messages), 1, messages)
        for word in words:
            self.assertIn(word, messages[0])
        self.assertFalse(meter.measuring)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            with meter.window("x") as window:
                pass
            meter.end(meter.begin("y"))
            self.assertEqual(meter.rest(0.05), 0)
            self.assertIsNone(window.energy_j)
            self.assertIn(words[0], window.reason)
            self.assertIn(words[0], str(meter.summary()))
            meter.close()

    def test_without_a_driver_all_goes_on(self):
        code = """
import heliograd, warnings
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    with heliograd.window("x") as w: pass
    with heliograd.window("x") as w: pass
print(len(caught), caught[0].message, w.energy_j, "|", w.reason)
try: heliograd.Meter(strict=True)
except heliograd.Error as error: print("strict:", error)
"""
        out = self.run_python(code, env={"LD_LIBRARY_PATH": ""}).stdout
        self.assertRegex(out, r"^1 heliograd: .*libnvidia-ml\.so\.1.* None \| .*libnvidia-ml\.so\.1")
        self.assertIn("strict:", out)

    def test_warnings_that_are_errors_do_not_end_a_training(self):
        done = self.run_python("import warnings; warnings.simplefilter('error'); import heliograd\n"
                               "with heliograd.window('x'): print('trained')", env={"LD_LIBRARY_PATH": ""})
        self.assertEqual(done.stdout, "trained\n")
        self.assertIn("heliograd: ", done.stderr)

    def test_without_the_library_all_goes_on_and_it_says_where_it_looked(self):
        code = """
import heliograd
from heliograd import _library
_library.places = lambda: []
with heliograd.window("x") as w: pass
print(w.energy_j, w.reason)
"""
        done = self.run_python(code, env={"HELIOGRAD_LIBRARY": "/nowhere/libheliograd.so"})
        self.assertIn("None HELIOGRAD_LIBRARY names '/nowhere/libheliograd.so', which is no file", done.stdout)
        done = self.run_python("import os; del os.environ['HELIOGRAD_LIBRARY']" + code)
        self.assertIn("libheliograd.so was not found", done.stdout)
        self.assertIn("make build", done.stdout)
        self.assertEqual(done.stderr.count("RuntimeWarning"), 1, done.stderr)

    def test_something_else_under_the_librarys_name(self):
        text = self.folder / "libheliograd.so"
        text.write_text("no library")
        done = self.run_python("import heliograd; print(heliograd.Meter().reason)", env={"HELIOGRAD_LIBRARY": str(text)})
        self.assertIn(f"{text} cannot be loaded", done.stdout)
        other = next(pathlib.Path("/lib").glob("*-linux-gnu*/libm.so.6"))
        done = self.run_python("import heliograd; print(heliograd.Meter().reason)", env={"HELIOGRAD_LIBRARY": str(other)})
        self.assertIn("another version", done.stdout)

    def test_wrong_options(self):
        for options, words in (({"gpus": 7}, ("7",)), ({"period_ms": 5000}, ("period_ms",)), ({"period_ms": "x"}, ("x",)),
                               ({"output": "/nowhere/run.helio"}, ("/nowhere/run.helio",))):
            meter, messages = self.quiet_meter(**options)
            self.assert_off(meter, messages, *words)

    def test_wrong_use_warns_once_and_raises_where_strict(self):
        meter = heliograd.Meter()
        self.addCleanup(meter.close)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            window = meter.begin("x")
            meter.end(window)
            meter.end(window)
            with meter.window("") as empty:
                pass
            with meter.window("long" * 100):
                pass
            meter.rest(3)
        self.assertEqual(len(caught), 1)
        self.assertIsNone(empty.energy_j)
        strict = self.meter()
        for action in (lambda: strict.begin(""), lambda: strict.rest(3), lambda: strict.begin("sleep")):
            with self.assertRaises(heliograd.Error):
                action()

    def test_ending_what_is_no_window_warns_and_goes_on(self):
        self.addCleanup(heliograd.close)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            nothing = heliograd.end(12345)
        self.assertEqual([entry.category for entry in caught], [RuntimeWarning])
        self.assertIn("12345", str(caught[0].message))
        self.assertIsNone(nothing.energy_j)
        with self.assertRaises(heliograd.Error):
            self.meter().end(None)

    def test_an_exception_in_a_window_ends_it_and_goes_on(self):
        meter = self.meter()
        with self.assertRaisesRegex(ValueError, "mine"):
            with meter.window("x"):
                raise ValueError("mine")
        with meter.window("y"):
            pass
        summary = meter.summary()
        self.assertEqual((summary["x"].count, summary["y"].depth), (1, 0))

    def test_meters_and_windows_are_not_pickled(self):
        meter = self.meter()
        for thing in (meter, meter.window("x")):
            with self.assertRaisesRegex(TypeError, "heliograd .* cannot be pickled"):
                pickle.dumps(thing)
            with self.assertRaises(TypeError):
                copy.deepcopy(thing)

    def test_a_meter_that_is_dropped_ends(self):
        before = len(os.listdir("/proc/self/task"))
        meter = heliograd.Meter()
        self.assertGreater(len(os.listdir("/proc/self/task")), before)
        del meter
        gc.collect()
        self.assertEqual(len(os.listdir("/proc/self/task")), before)


class LostGpu(SimulatedTest):
    gpu = SimulatedTest.gpu + "[[gpu.fault]]\nat_s = 2.5\nlasts_s = 1000\nkind = \"lost\"\n"

    def test_nothing_raises_and_what_was_before_is_known(self):
        meter = heliograd.Meter()
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            with meter.window("before") as before:
                time.sleep(0.8)
            self.assertGreater(before.energy_j, 5)
            with meter.window("within") as within:
                time.sleep(2)
            with meter.window("after") as after:
                time.sleep(0.5)
            self.assertIsNone(after.energy_j)
            self.assertNotEqual(after.reason, "")
            if within.resolved:  # from what came before the loss: the interval says how little that is
                self.assertLess(within.interval[0], 15 * within.duration_s)
                self.assertGreater(within.interval[1], 15 * within.duration_s)
            str(meter.summary())
            meter.close()
        self.assertLessEqual(len(caught), 1)
        self.assertGreater(before.energy_j, 5)


class Processes(SimulatedTest):
    def test_a_forked_child_has_no_meter_and_leaves_the_parents_alone(self):
        code = """
import heliograd, os, sys, time
heliograd.configure(output="run.helio")
with heliograd.window("parent") as parent:
    child = os.fork()
    if child == 0:
        with heliograd.window("child") as window: pass
        print("child", window.energy_j, window.reason, heliograd.rest(0.05), heliograd.summary(), flush=True)
        sys.exit(0)
    os.waitpid(child, 0)
    time.sleep(0.6)
print("parent", parent.energy_j > 5, [entry.name for entry in heliograd.summary().names], flush=True)
"""
        out = self.run_python(code)
        self.assertIn("child None this process was forked from the one that measures", out.stdout)
        self.assertIn("parent True ['parent']", out.stdout)
        self.assertEqual(out.stderr, "")

    def test_a_data_loaders_workers_do_not_measure(self):
        code = """
import heliograd, torch
class Data(torch.utils.data.Dataset):
    def __len__(self): return 4
    @heliograd.measured("get")
    def __getitem__(self, place): return float(heliograd.default_meter().measuring)
if __name__ == "__main__":
    for started_before in (False, True):
        loader = torch.utils.data.DataLoader(Data(), num_workers=2)
        print([batch.item() for batch in loader])
        with heliograd.window("x"): pass
"""
        out = self.run_python("import warnings; warnings.simplefilter('ignore')  # PyTorch's, of machines with one core\n" + code)
        self.assertEqual(out.stdout, "[0.0, 0.0, 0.0, 0.0]\n" * 2)
        self.assertEqual(out.stderr, "")

    def test_a_child_may_open_a_meter_of_its_own(self):
        code = """
import heliograd, os, time
with heliograd.Meter(strict=True) as meter:
    child = os.fork()
    if child == 0:
        with heliograd.Meter(strict=True) as own:
            with own.window("x") as window: time.sleep(0.6)
        os._exit(0 if window.energy_j > 5 else 1)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""
        self.assertEqual(self.run_python(code).stdout, "0\n")

    def test_a_kept_file_is_whole_when_the_program_ends_by_itself_or_by_an_exception(self):
        for ending, expect in (("", 0), ("raise ValueError", 1), ("import sys; sys.exit(3)", 3)):
            name = f"run{expect}.helio"
            code = f"import heliograd\nheliograd.configure(output={name!r})\nwindow = heliograd.begin('ended')\n" \
                   f"heliograd.end(window)\nopen_one = heliograd.begin('open')\n{ending}\n"
            self.run_python(code, expect=expect)
            self.assertFalse((self.folder / (name + "-wal")).exists())
            with sqlite3.connect(self.folder / name) as store:
                self.assertEqual(store.execute("PRAGMA integrity_check").fetchone(), ("ok",))
                tables = [row[0] for row in store.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
            self.assertIn("window", tables)

    def test_a_thread_that_marks_while_the_program_ends_does_no_harm(self):
        code = """
import heliograd, threading
def mark():
    while True:
        with heliograd.window("x"): pass
        heliograd.rest(0.01)
for _ in range(3): threading.Thread(target=mark, daemon=True).start()
with heliograd.window("y"): pass
"""
        for _ in range(5):
            self.assertEqual(self.run_python(code).stderr, "")


class Progress(SimulatedTest):
    def test_totals_go_to_the_pipe(self):
        code = """
import heliograd, os
heliograd.progress(17)
heliograd.progress()
heliograd.progress("x")
heliograd.progress(40)
"""
        self.run_python(code)  # nobody listens
        read, write = os.pipe()
        subprocess.run([sys.executable, "-B", "-c", code], env={**os.environ, "HELIOGRAD_PROGRESS_FD": str(write)},
                       pass_fds=[write], check=True)
        os.close(write)
        with os.fdopen(read) as pipe:
            self.assertEqual(pipe.read(), "17\n18\n40\n")

    def test_a_full_or_broken_pipe_neither_waits_nor_raises(self):
        read, write = os.pipe()
        os.environ["HELIOGRAD_PROGRESS_FD"] = str(write)
        self.addCleanup(os.environ.pop, "HELIOGRAD_PROGRESS_FD")
        told = heliograd._progress.Progress()
        for number in range(100000):  # 64 KiB fit
            told.tell(number)
        os.close(read)
        told.tell(1)
        told.tell(2)
        os.close(write)
        told.tell(3)
        os.environ["HELIOGRAD_PROGRESS_FD"] = "none"
        heliograd._progress.Progress().tell(4)


if __name__ == "__main__":
    unittest.main()

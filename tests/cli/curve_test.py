"""`heliograd curve` on the simulated GPU, whose energy at each limit is known."""
import json
import os
import pty
import signal
import subprocess
import time
import tomllib
import unittest

from program import SIM, SimulatedGpuTest


class CurveTest(SimulatedGpuTest):
    def setUp(self):
        super().setUp()
        # Twenty times as fast as real: a window of one second holds 190 iterations.
        self.write("gpu.toml", "speed = 20\n[[gpu]]\nsensor_window_ms = 100\n")

    def curve(self, *args, expect=0):
        return self.run_program("curve", *args, expect=expect, env=self.env)

    def quick(self, *args, expect=0):
        """A sweep of a running job that takes seconds; simulated temperatures move twenty times as fast as real ones."""
        return self.curve("--progress", "step ([0-9]+)", "--settle", "0.1s", "--window", "0.5s", "--warm-up", "0s",
                          *(() if "--most-drift-k" in args else ("--most-drift-k", 100)), *args, expect=expect)


class Curve(CurveTest):
    def test_finds_the_knee_of_the_study_and_plans_with_it(self):
        done = self.curve("--progress", "step ([0-9]+)", "--limits", "110,140,170,200,250,290", "--rounds", 2, "--most-rounds", 2,
                          "--settle", "0.2s", "--window", "2s", "--warm-up", "0s", "--most-drift-k", 100,
                          "--figure", "curve.svg", "--json", "--", SIM / "sim-train")
        found = json.loads(done.stdout)
        # The simulated job needs least at 170 W (docs/simulated_gpu.md); of these limits that is 170 W itself.
        self.assertEqual(found["knee_w"], 170)
        self.assertLessEqual(found["knee_low_w"], 170)
        self.assertGreaterEqual(found["knee_high_w"], 170)
        points = {point["limit_w"]: point for point in found["points"]}
        # 105.4 ms an iteration where no limit binds. On a busy machine a line may be read 50 ms late, at either end of a
        # window of 2 s: 5 %.
        self.assertAlmostEqual(points[290]["seconds_per_unit"], 0.1054, delta=0.1054 * 0.05)
        # E / E_min of the physics: 1.25 where the limit no longer binds.
        self.assertAlmostEqual(points[290]["energy_j_per_unit"] / points[170]["energy_j_per_unit"], 1.25, delta=0.09)
        for point in found["points"]:
            self.assertLess(point["energy_j_per_unit_low"], point["energy_j_per_unit"])
            self.assertGreater(point["energy_j_per_unit_high"], point["energy_j_per_unit"])
            self.assertEqual(point["windows"], 2)
        # 2800 MHz where no limit binds; at 110 W the memory phase still reaches it, the compute phase about 1200 MHz.
        self.assertAlmostEqual(points[290]["sm_clock_mhz"], 2800, delta=30)
        self.assertLess(points[110]["sm_clock_mhz"], points[170]["sm_clock_mhz"])
        for name in ("least_energy_time", "binding_until"):
            self.assertLessEqual(found[name + "_low_w"], found[name + "_w"])
            self.assertGreaterEqual(found[name + "_high_w"], found[name + "_w"])
        text = (self.folder / "curve.toml").read_text()
        for word in ("Least energy (the knee) at 170 W", "Least energy x time at", "no longer binds from"):
            self.assertIn(word, text)
        for point in tomllib.loads(text)["points"]:
            self.assertAlmostEqual(point["sm_clock_mhz"], points[point["limit_w"]]["sm_clock_mhz"], delta=1)
        self.assertIn("SM clock", (self.folder / "curve.svg").read_text())
        self.assertEqual(found["figure"], "curve.svg")
        plan = self.run_json("plan", "builtin:paper", "--set", "gpu.curve=curve.toml", "--set", "job.units=469000")
        self.assertEqual(plan["status"], "optimal")
        estimate = self.run_json("estimate", "curve.toml", "--units", "469000", "--limit-w", "290")["points"][0]
        self.assertAlmostEqual(estimate["duration_s"], 469000 * points[290]["seconds_per_unit"], delta=1)
        # The interval of an energy is the curve's and the gain's together.
        half = (estimate["energy_high_j"] - estimate["energy_low_j"]) / 2 / estimate["energy_j"]
        self.assertGreater(half, found["gain_half_width_percent"] / 100 * 0.99)
        self.assertFalse(list((self.folder / "state" / "heliograd" / "leases").glob("*.lease")))

    def test_repeated_runs_are_windows_of_one_unit(self):
        begin = time.monotonic()
        done = self.curve("--limits", "120,170,290", "--rounds", 2, "--most-rounds", 2, "--cooldown", "0.3s", "--json", "--",
                          SIM / "sim-train", "--iterations", 150)
        # One run to warm up and six that count, each followed by the pause.
        self.assertGreater(time.monotonic() - begin, 7 * 0.3)
        self.assertIn("one run that does not count", done.stderr)
        found = json.loads(done.stdout)
        self.assertEqual(found["windows"], 6)
        self.assertEqual(found["knee_w"], 170)
        self.assertEqual(len(found["points"]), 3)


class Adaptive(CurveTest):
    def test_finds_the_knee_in_less_time_than_the_full_grid(self):
        found = {}
        for name, flags in (("full", ["--rounds", 2]), ("adaptive", ["--adaptive"])):
            done = self.quick("--limits", "100:320:20", "--knee-width-w", 45, "--most-rounds", 3, *flags, "--json", "--",
                              SIM / "sim-train")
            found[name] = json.loads(done.stdout)
        print({name: {key: sweep[key] for key in ("knee_low_w", "knee_w", "knee_high_w", "windows", "elapsed_s")}
               for name, sweep in found.items()})
        for sweep in found.values():
            self.assertLessEqual(sweep["knee_low_w"], 170)
            self.assertGreaterEqual(sweep["knee_high_w"], 170)
        self.assertLess(found["adaptive"]["windows"], found["full"]["windows"])
        self.assertLess(found["adaptive"]["elapsed_s"], found["full"]["elapsed_s"])


class Hook(CurveTest):
    # A job that starts the simulated load and passes its progress on, as a training loop would tell it.
    JOB = ("import os, re, subprocess, sys\n"
           "fd = int(os.environ['HELIOGRAD_PROGRESS_FD'])\n"
           "train = subprocess.Popen([sys.argv[1]], stdout=subprocess.PIPE, text=True)\n"
           "try:\n"
           "    for line in train.stdout:\n"
           "        os.write(fd, (line.split()[1] + '\\n').encode())\n"
           "finally:\n"
           "    train.kill()\n")

    def test_progress_comes_through_the_inherited_pipe(self):
        self.write("job.py", self.JOB)
        done = self.curve("--progress-hook", "--limits", "120,170,290", "--rounds", 2, "--most-rounds", 2, "--settle", "0.1s",
                          "--window", "1s", "--warm-up", "0s", "--most-drift-k", 100, "--json", "--", "python3", "job.py",
                          SIM / "sim-train")
        found = json.loads(done.stdout)
        self.assertEqual(found["knee_w"], 170)
        points = {point["limit_w"]: point for point in found["points"]}
        # As in the test of lines above, with windows half as long.
        self.assertAlmostEqual(points[290]["seconds_per_unit"], 0.1054, delta=0.1054 * 0.1)

    def test_job_that_ends_without_a_word_is_named(self):
        done = self.curve("--progress-hook", "--warm-up", "0s", "--", "true", expect=1)
        self.assert_one_clear_sentence(done.stderr, "told no progress", "HELIOGRAD_PROGRESS_FD")
        done = self.curve("--progress", "nomatch ([0-9]+)", "--warm-up", "0s", "--", "true", expect=1)
        self.assert_one_clear_sentence(done.stderr, "no line matched 'nomatch ([0-9]+)'")


class Kept(CurveTest):
    def test_a_curve_of_an_idle_gpu_is_not_kept_for_plans(self):
        done = self.curve("--limits", "120,170,290", "--rounds", 2, "--most-rounds", 2, "--warm-up", "0s", "--cooldown", "0s", "--",
                          "sleep", "0.5")
        self.assertIn("is not kept for heliograd run and plan: the GPU drew", done.stderr)
        self.assertTrue((self.folder / "curve.toml").exists())
        self.assertEqual(list((self.folder / "state").rglob("*.toml")), [])
        self.quick("--limits", "120,170,290", "--rounds", 2, "--most-rounds", 2, "--", SIM / "sim-train")
        self.assertEqual(len(list((self.folder / "state").rglob("*.toml"))), 1)


class Guard(CurveTest):
    def test_window_with_thermal_slowdown_is_measured_again(self):
        # The fault lasts for simulated seconds 0 to 60: three real seconds from the driver's start.
        self.write("gpu.toml", "speed = 20\n[[gpu]]\nsensor_window_ms = 100\n[[gpu.fault]]\nkind = \"thermal_slowdown\"\n"
                               "at_s = 0\nlasts_s = 60\n")
        done = self.quick("--limits", "120,170,290", "--rounds", 2, "--most-rounds", 2, "--most-repeats", 50, "--json", "--",
                          SIM / "sim-train")
        found = json.loads(done.stdout)
        self.assertGreater(found["repeated_windows"], 0)
        self.assertEqual(found["windows"], 6)
        self.assertIn("because of heat: measured again", done.stderr)

    def test_window_that_never_gets_steady_is_kept_and_said(self):
        # At twenty times the speed the temperature moves within half a second: 18 K between the ends.
        done = self.quick("--limits", "120,170,290", "--rounds", 2, "--most-rounds", 2, "--most-drift-k", 0,
                          "--most-repeats", 1, "--json", "--", SIM / "sim-train")
        found = json.loads(done.stdout)
        self.assertIn("temperature moved by", done.stderr)
        self.assertTrue(any("kept after 2 tries" in note for note in found["notes"]), found["notes"])

    def test_limit_of_someone_else_ends_the_sweep_and_stays(self):
        sweep = self.start("curve", "--progress", "step ([0-9]+)", "--limits", "120,170,290", "--warm-up", "0s", "--window", "5s", "--",
                           SIM / "sim-train")
        self.wait_for(lambda: self.limit_now() in (120, 170, 290) and self.limit_now() != 320)
        time.sleep(1)
        self.nvml("n.nvmlDeviceSetPowerManagementLimit(d, 211000)")
        _, told = sweep.communicate(timeout=60)
        self.assertEqual(sweep.returncode, 1, told)
        self.assert_one_clear_sentence(told, "someone else set its power limit to 211 W")
        self.assertEqual(self.limit_now(), 211)
        self.assertFalse((self.folder / "curve.toml").exists())


class Interrupted(CurveTest):
    def sweep(self, rounds):
        return self.start("curve", "--progress", "step ([0-9]+)", "--limits", "120,170,290", "--rounds", rounds, "--most-rounds", 20,
                          "--knee-width-w", 1, "--settle", "0.1s", "--window", "0.6s", "--warm-up", "0s", "--most-drift-k", 100,
                          "--", SIM / "sim-train", start_new_session=True)

    def interrupt_at_round(self, sweep, number):
        told = ""
        for line in sweep.stderr:
            told += line
            if line.startswith(f"round {number}:"):
                os.killpg(sweep.pid, signal.SIGINT)  # as Ctrl-C from a terminal does
                break
        output, rest = sweep.communicate(timeout=60)
        return output, told + rest

    def test_too_early_says_what_is_missing_and_puts_the_limit_back(self):
        sweep = self.sweep(2)
        _, told = self.interrupt_at_round(sweep, 2)
        self.assertEqual(sweep.returncode, 130, told)
        self.assert_one_clear_sentence(told, "interrupted", "1 whole round", "2 whole rounds")
        self.assertEqual(self.limit_now(), 320)
        self.assertFalse((self.folder / "curve.toml").exists())

    def test_signal_is_the_commands_and_not_the_sweeps(self):
        sweep = self.sweep(20)
        for line in sweep.stderr:
            if line.startswith("round 1:"):
                os.kill(sweep.pid, signal.SIGUSR1)
                break
        _, told = sweep.communicate(timeout=60)
        self.assertEqual(sweep.returncode, 1, told)  # not 138: the command died of it
        self.assert_one_clear_sentence(told, "the command ended (138)")
        self.assertEqual(self.limit_now(), 320)

    def test_whole_rounds_give_a_curve(self):
        sweep = self.sweep(20)
        output, told = self.interrupt_at_round(sweep, 4)
        self.assertEqual(sweep.returncode, 130, told)
        self.assertIn("Least energy (the knee) at 170 W", output)
        self.assertIn("interrupted; the curve is from", told)
        self.assertEqual(self.limit_now(), 320)
        self.assertEqual(len(tomllib.loads((self.folder / "curve.toml").read_text())["points"]), 3)

    def test_terminal_shows_the_time_left(self):
        master, terminal = pty.openpty()
        sweep = self.start("curve", "--progress", "step ([0-9]+)", "--limits", "120,170,290", "--rounds", 2, "--most-rounds", 2,
                           "--settle", "0.1s", "--window", "0.5s", "--warm-up", "0s", "--most-drift-k", 100, "--",
                           SIM / "sim-train", stderr=terminal)
        sweep.communicate(timeout=60)
        os.close(terminal)
        shown = os.read(master, 1 << 16).decode()
        os.close(master)
        self.assertRegex(shown, r"round 2: \d+ W, \d left of this round, about [\d.]+ s to go")


class Estimate(CurveTest):
    def test_table_of_the_study(self):
        # Table IV: 14.39 h at 170 W; the draw is taken equal to the limit.
        point = self.run_json("estimate", "builtin:paper", "--limit-w", "170")["points"][0]
        self.assertAlmostEqual(point["duration_s"] / 3600, 14.39, places=6)
        self.assertAlmostEqual(point["energy_j"] / 3600, 14.39 * 170, places=3)

    def test_unknown_limit_and_absent_file_are_one_sentence(self):
        done = self.run_program("estimate", "builtin:paper", "--limit-w", "171", expect=2)
        self.assert_one_clear_sentence(done.stderr, "it has 100, 110")
        done = self.run_program("estimate", "absent.toml", expect=1)
        self.assert_one_clear_sentence(done.stderr, "absent.toml")


class Wrong(CurveTest):
    def test_wrong_use_is_one_sentence(self):
        train = ["--", SIM / "sim-train", "--iterations", "1"]
        for args, word, code in (([], "after --", 2), (["--progress", "step (", *train], "regular expression", 2),
                                 (["--limits", "50:90:10", *train], "out of range", 2),
                                 (["--limits", "100,200", *train], "fewer than three", 2),
                                 (["--limits", "a:b:c", *train], "is no number", 2), (["--gpu", "7", *train], "--gpu", 2),
                                 (["--window", "soon", *train], "--window", 2), (["--figure", "curve.gif", *train], "curve.gif", 2),
                                 (["--progress", "a", "--progress-hook", *train], "one of --progress", 2),
                                 (["--rounds", "4", "--most-rounds", "3", *train], "--most-rounds 3", 2),
                                 (["--progress", "step ([0-9]+)", "--warm-up", "0s", *train], "before the sweep did", 1),
                                 (["--limits", "120,170,290", "--", "false"], "runs that succeed", 1)):
            with self.subTest(args=args):
                self.assert_one_clear_sentence(self.curve(*args, expect=code).stderr, word)
        self.assertFalse((self.folder / "curve.toml").exists())

    def test_what_cannot_be_written_is_told_before_a_sweep_of_minutes(self):
        self.write("mine.toml", "[scenario]\n")
        for path in ("mine.toml", "nowhere/curve.toml"):
            began = time.monotonic()
            done = self.curve("-o", path, "--", "sleep", "60", expect=2)
            self.assertLess(time.monotonic() - began, 10)
            self.assert_one_clear_sentence(done.stderr, path, "another name")
        self.assertEqual((self.folder / "mine.toml").read_text(), "[scenario]\n")

    def test_without_permission_there_is_no_curve(self):
        self.write("gpu.toml", "[[gpu]]\nprivileged = false\n")
        done = self.curve("--", SIM / "sim-train", "--iterations", 1, expect=4)
        self.assert_one_clear_sentence(done.stderr, "was not set", "root")


if __name__ == "__main__":
    unittest.main()

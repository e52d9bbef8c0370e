"""`heliograd run` where no curve of the GPU is stored: it is measured in the first minutes of the job, which then goes on."""
import json
import signal
import time
import tomllib
import unittest

from program import SIM, SimulatedGpuTest

TRAIN = SIM / "sim-train"
TOLD = ("--progress", "step ([0-9]+)")
# J and s per unit of the simulated job (docs/simulated_gpu.md), as `heliograd curve` finds them within 0.3 % (README).
TRUTH = {100: (21.21, 0.2131), 160: (16.84, 0.1144), 200: (18.6, 0.1072), 320: (20.9, 0.1054)}


class FirstCurveTest(SimulatedGpuTest):
    SPEED = 200
    STEPS = 30000

    def setUp(self):
        super().setUp()
        self.gpu()
        self.env["HOME"] = str(self.folder)
        self.run_program("init", "--yes", env=self.env)

    def gpu(self, keys="", speed=None):
        self.write("gpu.toml", f"speed = {speed or self.SPEED}\n[[gpu]]\nsensor_window_ms = 100\ncall_latency_us = 5\n{keys}")

    def args(self, *args, told=TOLD, steps=None, train=()):
        counted = ("--steps", steps or self.STEPS) if told is not None else ()
        return ("run", "--deadline", "+75min", "--simulated-clock", *(told or ()), *counted, "-o", "run", *args, "--",
                *(train or (TRAIN, "--iterations", steps or self.STEPS)))

    def curves(self):
        return list((self.folder / "state" / "heliograd" / "curves").glob("*.toml"))

    def journal(self):
        lines = (self.folder / "run" / "journal.jsonl").read_text().splitlines()
        return [json.loads(line) for line in lines]

    def has_event(self, kind, count=1):
        path = self.folder / "run" / "journal.jsonl"
        return path.exists() and path.read_text().count(f'"kind":"{kind}"') >= count

    def summary(self):
        return json.loads((self.folder / "run" / "summary.json").read_text())


class OneLine(FirstCurveTest):
    def test_measures_plans_and_goes_on_with_the_same_process_and_the_next_run_knows_the_curve(self):
        done = self.run_program(*self.args("--json"), env=self.env)
        run = json.loads(done.stdout)
        self.assertEqual(run, self.summary())
        self.assertEqual((run["status"], run["exit_code"]), ("finished", 0))
        for words in ("no power curve of", "is measured now", "coarse curve from 12 windows at 6 limits"):
            self.assertIn(words, done.stderr)
        # One process from the first step to the last: it is started once and counts each step once.
        kinds = [line["kind"] for line in self.journal()]
        self.assertEqual((kinds.count("job_started"), kinds.count("job"), kinds.count("curve_window")), (1, 1, 12))
        self.assertLess(kinds.index("job_started"), kinds.index("curve_measured"))
        self.assertLess(kinds.index("curve_measured"), kinds.index("state"))
        steps = [int(line.split()[1]) for line in done.stderr.splitlines() if line.startswith("step ")]
        self.assertEqual(steps, sorted(steps))
        self.assertEqual(steps[-1], self.STEPS)
        # The measuring is a part of its own, and with the plan's work it is the whole job.
        part = run["curve_measured"]
        print(part, {key: run[key] for key in ("work", "gpu_energy_wh", "planned_load_wh", "end", "deadline", "plan_start")})
        self.assertGreater(part["gpu_energy_wh"], 0)
        self.assertAlmostEqual(part["work"] + run["work"], 1, places=6)
        self.assertAlmostEqual(part["units"] / self.STEPS, part["work"], places=6)
        self.assertAlmostEqual(run["work_done"], run["work"], places=6)
        self.assertGreaterEqual(run["plan_start"], part["begin"])
        # Six limits of 100 to 320 W draw means between those: 100 W and 220 W, which full power draws.
        self.assertGreater(part["gpu_energy_wh"] * 3600 / part["duration_s"], 100)
        self.assertLess(part["gpu_energy_wh"] * 3600 / part["duration_s"], 220)
        # Energy of both parts is that of the whole job: no less than its least, no more than its most and idling.
        joules = (part["gpu_energy_wh"] + run["gpu_energy_wh"]) * 3600
        idle_j = sum(slot["actual"]["off_s"] for slot in run["slots"]) * 15
        self.assertGreater(joules, 0.99 * 16.8 * self.STEPS)
        self.assertLess(joules, 1.01 * 21.3 * self.STEPS + idle_j)
        self.assertEqual(self.limit_now(), 320)
        self.look_at_curve(part["curve"])
        self.look_at_report(part)
        self.second_run()

    def look_at_curve(self, path):
        self.assertEqual([str(found) for found in self.curves()], [path])
        curve = tomllib.loads(self.curves()[0].read_text())
        self.assertTrue(curve["curve"]["coarse"])
        self.assertEqual([point["limit_w"] for point in curve["points"]], [100, 125, 160, 200, 255, 320])
        for point in curve["points"]:
            for key, truth in zip(("energy_j_per_unit", "seconds_per_unit"), TRUTH.get(point["limit_w"], ())):
                # Its interval; and 5 %, for a word of progress is read up to 20 ms late on a busy machine, at either end of
                # a window of 0.4 s.
                half = (point[key + "_high"] - point[key + "_low"]) / 2
                self.assertAlmostEqual(point[key], truth, delta=half + 0.05 * truth, msg=(point["limit_w"], key))

    def look_at_report(self, part):
        report = self.run_json("report", "run", env=self.env)
        self.assertEqual(report["curve_measured"], part)
        text = self.run_program("report", "run", env=self.env).stdout
        self.assertIn("Curve measured before the plan", " ".join(text.split()))

    def second_run(self):
        done = self.run_program("run", "--deadline", "+75min", "--simulated-clock", *TOLD, "--steps", 9000, "--set",
                                "job.work=0.3", "-o", "second", "--", TRAIN, "--iterations", 9000, env=self.env)
        self.assertRegex(done.stderr, r"power curve: .* coarse, measured in the first minutes of a run 20\d\d-\d\d-\d\dT")
        second = json.loads((self.folder / "second" / "summary.json").read_text())
        self.assertEqual((second["status"], second["curve_measured"]), ("finished", None))
        # The steps are those of the 30 % that are left: at least the least energy of 9000 units, to the curve's 5 %.
        self.assertGreater(second["planned_load_wh"], 0.95 * 16.8 * 9000 / 3600)
        # `curve` replaces it with one of its own.
        self.run_program("curve", *TOLD, "--limits", "100,200,320", "--rounds", 2, "--most-rounds", 2, "--settle", "0.1s", "--window",
                         "0.4s", "--warm-up", "0s", "--most-drift-k", 1000, "--", TRAIN, env=self.env)
        self.assertNotIn("coarse", self.curves()[0].read_text())

    def test_python_hook_and_a_deadline_that_cannot_be_kept(self):
        # Several times the work that full power does by then: the job is not given up, what can be done is planned.
        told = self.write("told.py", "import os, subprocess, sys\npipe = os.fdopen(int(os.environ['HELIOGRAD_PROGRESS_FD']), 'w', "
                          "buffering=1)\nfor line in subprocess.Popen(sys.argv[1:], stdout=subprocess.PIPE, text=True).stdout:\n"
                          "    if line.startswith('step '):\n        pipe.write(line.split()[1] + '\\n')\n")
        done = self.run_program("run", "--deadline", "+40min", "--slot-minutes", 10, "--simulated-clock", "--steps", 150000, "--on-late",
                                "stop", "-o", "run", "--", "python3", told, TRAIN, "--iterations", 150000, expect=3, env=self.env)
        self.assertIn("no plan keeps the deadline", done.stderr)
        run = self.summary()
        self.assertEqual((run["status"], run["progress_from"]), ("stopped_late", "the job"))
        self.assertLess(run["work"] + run["curve_measured"]["work"], 0.2)

    def test_dry_run_says_it_and_does_nothing(self):
        done = self.run_program("run", "--deadline", "+75min", *TOLD, "--steps", 30000, "--dry-run", env=self.env)
        for words in ("no power curve of", "100, 125, 160, 200, 255 and 320 W", "then what is left is planned"):
            self.assertIn(words, done.stdout)
        answer = self.run_json("run", "--deadline", "+75min", *TOLD, "--steps", 30000, "--dry-run", env=self.env)
        self.assertEqual((answer["status"], answer["measured_limits_w"]), ("curve_not_measured", [100, 125, 160, 200, 255, 320]))
        self.assertAlmostEqual(answer["measuring_s"], 7 * 25)  # six limits of 25 s, and as long to warm up
        self.assertEqual(self.curves(), [])
        self.assertFalse((self.folder / "run").exists())


class Refused(FirstCurveTest):
    def test_what_is_missing_is_said_before_anything_begins(self):
        for args, code, words in (
                (self.args(told=None), 2, ["--steps N", "--progress", "heliograd curve", "--curve builtin:paper"]),
                (("run", "--deadline", "+75min", "--simulated-clock", *TOLD, "--steps", 9, "-o", "run", "--curve-seconds", 900, "--",
                  "true"), 2, ["about 1 h 45 min of the", "--curve-seconds"]),
                (self.args("--set", "gpu.min_limit_w=319"), 2, ["gpu.min_limit_w", "fewer than three"]),
                (self.args("--set", "pv.tilt_deg=95"), 2, ["pv.tilt_deg", "95"])):
            with self.subTest(args=args):
                done = self.run_program(*args, expect=code, env=self.env)
                self.assert_one_clear_sentence(done.stderr, *words)
                self.assertFalse((self.folder / "run").exists())
        self.gpu("privileged = false")
        done = self.run_program(*self.args(), expect=4, env=self.env)
        self.assert_one_clear_sentence(done.stderr, "no power curve of", "the right to set power limits", "root", "--curve FILE")
        self.assertFalse((self.folder / "run").exists())

    def test_a_job_that_tells_nothing_is_ended_and_said(self):
        done = self.run_program(*self.args(told=("--progress", "never ([0-9]+)")), expect=2, env=self.env)
        self.assert_one_clear_sentence(done.stderr, "told no progress", "no line matched")
        self.assertEqual(self.summary()["status"], "failed")
        self.assertEqual((self.limit_now(), self.curves()), (320, []))


class CutShort(FirstCurveTest):
    def test_job_over_in_the_sweep(self):
        done = self.run_program(*self.args(steps=3000), env=self.env)
        self.assertIn("while its curve was measured", done.stdout)
        run = self.summary()
        self.assertEqual((run["status"], run["planned"], run["slots"]), ("finished", False, []))
        self.assertEqual(run["curve_measured"]["units"], 3000)
        self.assertGreater(run["curve_measured"]["gpu_energy_wh"], 0)
        self.assertEqual((self.limit_now(), self.curves()), (320, []))
        done = self.run_program("report", "run", expect=1, env=self.env)
        self.assert_one_clear_sentence(done.stderr, "has no plan", "curve was being measured")
        done = self.run_program("run", "--resume", "run", "--simulated-clock", expect=2, env=self.env)
        self.assert_one_clear_sentence(done.stderr, "nothing to go on with")
        # What the command's own exit code says goes through.
        self.assertEqual(self.run_program(*("second" if word == "run" and i > 5 else word for i, word in enumerate(
            self.args(train=("sh", "-c", "echo step 1; sleep 1; exit 7")))), expect=7, env=self.env).returncode, 7)

    def test_interrupted_in_the_sweep_and_resumed(self):
        program = self.start(*self.args())
        self.wait_for(lambda: self.has_event("curve_window", 2))
        program.send_signal(signal.SIGINT)
        out, err = program.communicate(timeout=60)
        self.assertEqual(program.returncode, 130, err)
        self.assertIn("--resume run", err)
        run = self.summary()
        self.assertEqual((run["status"], run["planned"]), ("interrupted", False))
        self.assertEqual(self.journal()[-1]["kind"], "end")
        self.assertEqual((self.limit_now(), self.curves()), (320, []))
        before = run["curve_measured"]
        self.assertGreater(before["units"], 0)
        self.go_on(before)

    def go_on(self, before):
        """The rest is a job of so many steps fewer, as its variables tell it."""
        left = self.STEPS - int(before["units"])
        count = (f"{TRAIN} --iterations {left} | while read word count rest; do "
                 "if [ \"$word\" = step ]; then echo step $((HELIOGRAD_UNITS_DONE + count)); fi; done")
        done = self.run_program("run", "--resume", "run", "--", "sh", "-c", count, env=self.env)
        run = self.summary()
        self.assertIn("no power curve of", done.stderr)
        self.assertEqual(run["status"], "finished")
        part = run["curve_measured"]
        self.assertGreater(part["gpu_energy_wh"], before["gpu_energy_wh"])
        self.assertGreater(part["units"], before["units"])
        self.assertEqual(part["begin"], before["begin"])
        self.assertAlmostEqual(part["work"] + run["work"], 1, places=6)
        self.assertEqual(len(self.curves()), 1)
        self.assertEqual(self.limit_now(), 320)

    def test_killed_in_the_sweep(self):
        program = self.start(*self.args())
        self.wait_for(lambda: self.has_event("curve_window", 3))
        program.kill()
        program.communicate(timeout=60)
        self.wait_for(lambda: self.limit_now() == 320)
        facts = json.loads((self.folder / "run" / "run.json").read_text())
        self.assertGreaterEqual(facts["curve_measured"]["windows"], 3)
        self.assertGreater(facts["curve_measured"]["units"], 0)
        lines = (self.folder / "run" / "journal.jsonl").read_text().split("\n")
        for line in lines[:-1]:
            json.loads(line)
        self.go_on({**self.journal_part(facts["curve_measured"])})

    def journal_part(self, facts):
        begin = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(facts["begin_unix_ns"] // 10**9))
        return {"units": facts["units"], "gpu_energy_wh": facts["gpu_energy_j"] / 3600, "begin": begin}

    def test_killed_after_the_sweep_the_steps_before_still_count(self):
        program = self.start(*self.args())
        self.wait_for(lambda: self.has_event("state", 5), 60)
        program.kill()
        program.communicate(timeout=60)
        facts = json.loads((self.folder / "run" / "run.json").read_text())
        states = [line for line in self.journal() if line["kind"] == "state"]
        self.assertGreaterEqual(states[-1]["units_done"], facts["curve_measured"]["units"])
        left = self.STEPS - int(states[-1]["units_done"])
        count = (f"{TRAIN} --iterations {left} | while read word count rest; do "
                 "if [ \"$word\" = step ]; then echo step $((HELIOGRAD_UNITS_DONE + count)); fi; done")
        self.run_program("run", "--resume", "run", "--", "sh", "-c", count, env=self.env)
        run = self.summary()
        self.assertEqual(run["status"], "finished")
        # Neither forgotten nor done twice: by the job's own count the rest was no more than was left.
        self.assertAlmostEqual(run["work_done"], run["work"], places=6)
        self.assertEqual(run["curve_measured"]["units"], facts["curve_measured"]["units"])


if __name__ == "__main__":
    unittest.main()

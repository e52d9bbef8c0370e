"""`heliograd run` on the simulated GPU, which follows limits and lets time pass faster."""
import json
import os
import pathlib
import pty
import random
import signal
import subprocess
import time
import unittest

from program import PROGRAM, SIM, SimulatedGpuTest

TRAIN = SIM / "sim-train"
# A tenth of the study's job in four hours that hold a dear and a cheap tariff: levels mix, and there is time to be off.
JOB = ["--set", "job.work=0.1", "--hours", "4"]
STEPS = 46900
# Cheap hours (F3) until 8 and from 23, dear ones between: a run that is broken by a long pause.
BROKEN = ["--start", "2025-01-02 06:00", "--hours", "20", "--set", "job.work=0.25", "--set", "battery.capacity_wh=0", "--set",
          "pv.dc_capacity_w=0", "--formulation", "levels"]
BROKEN_STEPS = 117250
KILLS = int(os.environ.get("HELIOGRAD_KILLS", "8"))


class RunTest(SimulatedGpuTest):
    SPEED = 1000

    def setUp(self):
        super().setUp()
        self.gpu()

    def gpu(self, keys="", speed=None):
        """Another text of the file is another machine; its state begins anew."""
        self.write("gpu.toml", f"speed = {speed or self.SPEED}\n[[gpu]]\nsensor_window_ms = 100\ncall_latency_us = 5\n{keys}")

    def plan(self, *flags, name="plan.json"):
        self.run_program("plan", "builtin:paper", *(flags or JOB), "-o", name)
        return json.loads((self.folder / name).read_text())

    def run_plan(self, *args, expect=0, train=("--iterations", STEPS), plan="plan.json", progress=True):
        told = ("--progress", "step ([0-9]+)", "--steps", STEPS) if progress else ()
        return self.run_program("run", plan, "--simulated-clock", *told, *args, "--", TRAIN, *train, expect=expect, env=self.env)

    def journal(self, folder="run"):
        lines = []
        for line in (self.folder / folder / "journal.jsonl").read_text().splitlines():
            try:
                lines.append(json.loads(line))
            except json.JSONDecodeError:
                pass  # cut off by a kill
        return lines

    def stale_events(self, folder="run"):
        return (self.folder / folder / "journal.jsonl").read_text().count('"kind":"stale"')

    def summary(self, folder="run"):
        return json.loads((self.folder / folder / "summary.json").read_text())

    def has_event(self, kind, folder="run"):
        path = self.folder / folder / "journal.jsonl"
        return path.exists() and f'"kind":"{kind}"' in path.read_text()


class CarriedOut(RunTest):
    def test_limits_pauses_energy_and_books(self):
        plan = self.plan()
        done = self.run_plan("-o", "run", "--json")
        run = json.loads(done.stdout)
        print({key: run[key] for key in ("work_done", "gpu_energy_wh", "planned_load_wh", "cost_eur", "planned_cost_eur", "end",
                                         "deadline", "plans", "pauses")})
        self.assertEqual(run["status"], "finished")
        self.assertTrue(run["in_time"])
        self.assertEqual(run, self.summary())
        self.assertTrue(run["limits_reached"])
        self.assertAlmostEqual(run["work_done"], 0.1)
        # The books are complete: what the slots say adds up.
        for total, key in ((run["gpu_energy_wh"], "gpu_energy_wh"), (run["work_done"], "progress")):
            self.assertAlmostEqual(sum(slot["actual"][key] for slot in run["slots"]), total, places=6)
        # Each slot ran at limits that its plan has, or at none; the journal has each of them, read back.
        planned = {part["limit_w"] for slot in run["slots"] for part in slot["planned"]["levels"]}
        set_limits = [line for line in self.journal() if line["kind"] == "limit"]
        self.assertGreaterEqual(len(set_limits), 1)
        for line in set_limits:
            self.assertEqual(line["set_w"], line["read_back_w"])
        self.assertLessEqual(planned & {line["set_w"] for line in set_limits}, planned)
        # At whatever levels it runs (a busy machine starts it late, and full power then keeps the deadline), the simulated job
        # draws 1.0 to 1.25 times what it needs at 170 W, and the plan is near that least; off-time draws idle power.
        idle_wh = sum(slot["actual"]["off_s"] for slot in run["slots"]) / 3600 * 15
        self.assertLess(run["gpu_energy_wh"], run["planned_load_wh"] * 1.3 + idle_wh)
        self.assertGreater(run["gpu_energy_wh"], run["planned_load_wh"] * 0.85)
        self.assertEqual(self.limit_now(), 320)
        self.assertEqual(len(plan["slots"]), len(run["slots"]))
        self.assertTrue((self.folder / "run" / "power.helio").exists())
        names = [rung["name"] for rung in run["baselines"]]
        self.assertIn("full power from the grid", names)

    def test_off_slots_pause_the_job_and_draw_idle_power(self):
        self.plan(*BROKEN)
        self.gpu(speed=3000)
        done = self.run_program("run", "plan.json", "--simulated-clock", "-o", "run", "--json", "--progress", "step ([0-9]+)",
                                "--steps", BROKEN_STEPS, "--", TRAIN, "--iterations", BROKEN_STEPS, env=self.env)
        run = json.loads(done.stdout)
        self.assertTrue(run["in_time"], run["end"])
        # Off through the dear hours, 08 to 23 local; between two cheap ones, a new plan may choose the other.
        off = [slot for slot in run["slots"] if "2025-01-02T07" <= slot["start"] < "2025-01-02T22"]
        self.assertEqual([slot["planned"]["levels"] for slot in off], 15 * [[]])
        self.assertGreaterEqual(run["pauses"], 1)
        for slot in off:
            # On a busy machine a pause comes some tenths of a real second late, and ends as late.
            ran_s = sum(level["duration_s"] for level in slot["actual"]["levels"])
            self.assertLess(ran_s, 0.4 * 3000, slot["start"])
            if ran_s == 0:
                self.assertLess(slot["actual"]["gpu_power_w"], 100)
        # Most of the off hours have no such edge: idle power, 15 W.
        self.assertLess(min(slot["actual"]["gpu_power_w"] for slot in off), 20)

    def test_exit_code_output_and_untold_progress(self):
        self.plan()
        done = self.run_program("run", "plan.json", "--simulated-clock", "-o", "run", "--", "sh", "-c", "echo spoken; exit 7",
                                expect=7, env=self.env)
        self.assertIn("spoken", done.stdout)
        run = self.summary()
        self.assertEqual((run["status"], run["exit_code"], run["progress_from"]), ("failed", 7, "time"))
        self.assertIn("--resume run", done.stderr)

    def test_scenario_is_planned_first_and_dry_run_does_nothing(self):
        done = self.run_program("run", "builtin:paper", "--dry-run", *JOB)
        self.assertRegex(done.stdout, r"2025-01-01 \d\d:\d\d(:\d\d)? \+01:00  \d+ W\n")
        self.assertIn("the deadline", done.stdout)
        self.assertEqual([path.name for path in self.folder.iterdir()], ["gpu.toml"])


class Refused(RunTest):
    def test_what_cannot_be_carried_out(self):
        self.plan()
        for args, code, words in (
                (["plan.json", "--", "true"], 2, ["ended at", "plan anew"]),
                (["plan.json", "--simulated-clock"], 2, ["no command"]),
                (["nowhere.json", "--", "true"], 1, ["nowhere.json"]),
                (["plan.json", "--simulated-clock", "--progress", "a", "--", "true"], 2, ["--steps"]),
                (["plan.json", "--simulated-clock", "--progress", "(", "--steps", 1, "--", "true"], 2, ["--progress"]),
                (["plan.json", "--simulated-clock", "--progress", "step", "--steps", 1, "--", "true"], 2,
                 ["--progress 'step'", "no group", "'step ([0-9]+)'"]),
                (["builtin:paper", "--hours", "3", "--simulated-clock", "--", "true"], 3, ["infeasible"]),
                (["--resume", "nowhere"], 2, ["nowhere"]),
                (["plan.json", "--simulated-clock", "--safe-limit-w", "9999", "--", "true"], 2,
                 ["--safe-limit-w 9999", "100 to 320 W"]),
                (["plan.json", "--simulated-clock", "--safe-limit-w", "20", "--", "true"], 2, ["--safe-limit-w 20", "100 to 320 W"]),
                (["plan.json", "--simulated-clock", "--gpu", "7", "--", "true"], 2, ["--gpu"])):
            with self.subTest(args=args):
                done = self.run_program("run", *args, expect=code, env=self.env)
                self.assert_one_clear_sentence(done.stderr, *words)
        self.write("broken.json", '{"format": "heliograd-plan-1"}')
        self.assert_one_clear_sentence(self.run_program("run", "broken.json", "--", "true", expect=1, env=self.env).stderr,
                                       "broken.json")
        self.assertEqual([path for path in self.folder.iterdir() if path.is_dir() and path.name != "state"], [])

    def test_plan_by_the_curve_of_another_gpu(self):
        """Limits that both cards take do not make one card's curve the other's."""
        points = "".join(f"[[points]]\nlimit_w = {limit}\nseconds_per_unit = {seconds}\n" for limit, seconds in ((150, 0.2), (250, 0.15)))

        def run_by_curve_of(name, expect):
            self.write("curve.toml", f'[curve]\ngpu = "{name}"\ngpu_uuid = "GPU-h"\n' + points)
            self.plan("--set", "gpu.curve=curve.toml", "--set", "job.units=30000", "--hours", 8)
            return self.run_plan("-o", "run", "--on-late", "stop", expect=expect)

        self.gpu('name = "NVIDIA RTX A2000"\n')
        other = run_by_curve_of("NVIDIA H200", 2)
        self.assert_one_clear_sentence(other.stderr, "the power curve of another GPU, NVIDIA H200 (GPU-h)", "--gpu GPU-h")
        self.assertFalse((self.folder / "run").exists())
        self.assertIn("another card of this model", run_by_curve_of("NVIDIA RTX A2000", 0).stderr)

    def test_the_curve_of_the_study_on_another_gpu_is_said(self):
        self.plan()
        self.assertNotIn("RTX 4070", self.run_plan("-o", "own").stderr)
        self.gpu('name = "NVIDIA RTX A2000"\n')
        done = self.run_plan("-o", "other")
        self.assertIn("note: the plan follows the power curve of the study's RTX 4070 (builtin:paper), and this GPU is NVIDIA RTX A2000",
                      done.stderr)

    def test_plan_beyond_the_limits_and_a_folder_in_use(self):
        self.plan()
        self.gpu("limit_min_w = 150\n")
        done = self.run_plan("-o", "run", expect=2)
        self.assert_one_clear_sentence(done.stderr, "takes 150 to 320 W")
        self.gpu()
        self.write("run", "mine")
        self.assert_one_clear_sentence(self.run_plan("-o", "run", expect=2).stderr, "run")
        self.assertEqual((self.folder / "run").read_text(), "mine")
        self.assertEqual(self.limit_now(), 320)


class Interrupted(RunTest):
    SPEED = 200

    def test_ctrl_c_puts_the_limit_back_and_keeps_the_data(self):
        self.plan()
        run = self.start("run", "plan.json", "--simulated-clock", "-o", "run", "--progress", "step ([0-9]+)", "--steps", STEPS, "--",
                         TRAIN, "--iterations", STEPS)
        self.wait_for(lambda: self.has_event("job_started") and self.has_event("state"))
        self.assertNotEqual(self.limit_now(), 320)
        run.send_signal(signal.SIGINT)
        output, told = run.communicate(timeout=60)
        self.assertEqual(run.returncode, 130, told)
        self.assertIn("--resume run", told)
        self.assertEqual(self.limit_now(), 320)
        self.assertEqual(self.summary()["status"], "interrupted")
        self.assertEqual(self.journal()[-1]["kind"], "end")


class OnATerminal(RunTest):
    SPEED = 200

    def test_command_has_the_terminal_and_ctrl_c_reaches_it(self):
        self.plan()
        clean = {"PATH": os.environ["PATH"], "HOME": str(self.folder), "LANG": "C.UTF-8", "TERM": "dumb", **self.env}
        words = [PROGRAM, "run", "plan.json", "--simulated-clock", "-o", "run", "--", "sh", "-c",
                 f"test -t 0 && echo has the terminal; exec {TRAIN} --iterations {STEPS}"]
        pid, terminal = pty.fork()
        if pid == 0:
            os.chdir(self.folder)
            os.execve(PROGRAM, words, clean)
        shown = b""
        until = time.monotonic() + 60
        while b"step" not in shown and time.monotonic() < until:
            shown += os.read(terminal, 4096)
        self.assertIn(b"has the terminal", shown)
        os.write(terminal, b"\x03")
        try:
            while True:
                shown += os.read(terminal, 4096)
        except OSError:
            pass  # the last one that had the terminal is gone
        self.assertEqual(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), 130, shown[-2000:])
        os.close(terminal)
        self.assertEqual(self.limit_now(), 320)
        self.assertEqual(self.summary()["status"], "interrupted")


class Killed(RunTest):
    # A job that goes on where its last word was, as one with checkpoints does.
    JOB_WITH_CHECKPOINTS = (f"{TRAIN} --iterations $HELIOGRAD_UNITS_LEFT | while read -r word n; do "
                            "case $word in step) echo step $((n + HELIOGRAD_UNITS_DONE));; esac; done")

    def test_signal_9_at_random_points_leaves_what_resume_needs(self):
        """HELIOGRAD_KILLS=200 is the slow mode."""
        random_points, kills, finished, at_once = random.Random(3), 0, 0, 0
        self.plan()
        number = 0
        while kills < KILLS:
            number += 1
            folder = f"run{number}"
            args = ("plan.json", "--simulated-clock", "-o", folder, "--progress", "step ([0-9]+)", "--steps", STEPS, "--", "sh",
                    "-c", self.JOB_WITH_CHECKPOINTS)
            while True:
                run = self.start("run", *args)
                path = self.folder / folder / "journal.jsonl"
                self.wait_for(lambda: path.exists() or run.poll() is not None)
                try:
                    output, told = run.communicate(timeout=random_points.uniform(0, 4))
                except subprocess.TimeoutExpired:
                    run.kill()
                    run.communicate()
                    kills += 1
                else:
                    if run.returncode == 2:  # the kill before came after the end of the job
                        self.assertIn("this run is finished", told)
                    else:
                        self.assertEqual(run.returncode, 0, told)
                    finished += 1
                    break
                args = ("--resume", folder)
            summary = self.summary(folder)
            if run.returncode == 0:
                self.assertEqual(summary["status"], "finished")
                self.assertAlmostEqual(summary["work_done"], 0.1)
                self.assertAlmostEqual(sum(slot["actual"]["progress"] for slot in summary["slots"]) +
                                       ((summary["after_deadline"] or {}).get("progress", 0)), 0.1, places=6)
            steps = [line["units_done"] for line in self.journal(folder) if line["kind"] == "state"]
            self.assertLessEqual(max(steps), STEPS)
            self.wait_for(lambda: self.limit_now() == 320)
            with self.subTest("no second time"):
                done = self.run_program("run", "--resume", folder, expect=2, env=self.env)
                self.assert_one_clear_sentence(done.stderr, "finished")
        print({"kills": kills, "runs": number, "finished": finished})
        self.assertGreaterEqual(kills, KILLS)

    def test_command_killed_at_random_points_ends_the_run_well_and_resume_goes_on(self):
        """The command alone, or with everything that it started. HELIOGRAD_KILLS=200 is the slow mode."""
        random_points, kills, finished = random.Random(4), 0, 0
        self.plan()
        while kills < KILLS:
            folder = f"run{finished + 1}"
            args = ("plan.json", "--simulated-clock", "-o", folder, "--progress", "step ([0-9]+)", "--steps", STEPS, "--", "sh",
                    "-c", self.JOB_WITH_CHECKPOINTS)
            jobs = []
            while True:
                before = len(jobs)
                run = self.start("run", *args)

                def has_begun():
                    if (self.folder / folder / "journal.jsonl").exists():
                        jobs[:] = [line["pid"] for line in self.journal(folder) if line["kind"] == "job"]
                    return len(jobs) > before or run.poll() is not None
                self.wait_for(has_begun)
                try:
                    output, told = run.communicate(timeout=random_points.uniform(0, 3))
                except subprocess.TimeoutExpired:
                    try:
                        random_points.choice([os.kill, os.killpg])(jobs[-1], signal.SIGKILL)
                    except ProcessLookupError:
                        pass  # it ended by itself
                    output, told = run.communicate(timeout=60)
                self.assertEqual(self.limit_now(), 320)
                # What it wrote is whole, to the last line.
                lines = [json.loads(line) for line in (self.folder / folder / "journal.jsonl").read_text().splitlines()]
                self.assertEqual(lines[-1]["kind"], "end")
                summary = self.summary(folder)
                if run.returncode == 137:
                    kills += 1
                    self.assertEqual((summary["status"], summary["exit_code"]), ("failed", 137))
                    self.assertIn(f"--resume {folder}", told)
                elif run.returncode == 2:  # the kill before came after the end of the work
                    self.assertIn("this run is finished", told)
                    break
                else:
                    self.assertEqual((run.returncode, summary["status"]), (0, "finished"), told)
                    self.assertAlmostEqual(summary["work_done"], 0.1)
                    self.assertAlmostEqual(sum(slot["actual"]["progress"] for slot in summary["slots"]) +
                                           ((summary["after_deadline"] or {}).get("progress", 0)), 0.1, places=6)
                    break
                args = ("--resume", folder)
            finished += 1
        print({"kills of the command": kills, "runs": finished})

    def test_killed_while_paused_nothing_is_left_behind(self):
        self.plan(*BROKEN)
        self.gpu(speed=3000)
        run = self.start("run", "plan.json", "--simulated-clock", "-o", "run", "--progress", "step ([0-9]+)", "--steps", BROKEN_STEPS, "--",
                         TRAIN, "--iterations", BROKEN_STEPS)
        self.wait_for(lambda: self.has_event("pause") or run.poll() is not None)
        self.assertIsNone(run.poll())
        train = next(line["pid"] for line in self.journal() if line["kind"] == "job")
        run.kill()
        run.communicate()
        self.wait_for(lambda: not pathlib.Path(f"/proc/{train}").exists() or
                      pathlib.Path(f"/proc/{train}/stat").read_text().split()[2] == "Z")
        self.wait_for(lambda: self.limit_now() == 320)


class Signals(RunTest):
    SPEED = 20
    TRAPS = "".join(f"trap 'echo got {name}' {name}; " for name in ("USR1", "USR2", "HUP", "QUIT"))

    def told(self, run, name, word):
        path = self.folder / name
        self.wait_for(lambda: word in path.read_text() or run.poll() is not None)
        self.assertIn(word, path.read_text())

    def test_signals_are_the_commands(self):
        self.plan()
        with open(self.folder / "out", "w") as out, open(self.folder / "err", "w") as err:
            run = self.start("run", "plan.json", "--simulated-clock", "-o", "run", "--", "sh", "-c",
                             self.TRAPS + "trap 'echo got TERM; exit 0' TERM; echo ready; while :; do sleep 0.05; done",
                             stdout=out, stderr=err)
            self.told(run, "out", "ready")
            for name in ("USR1", "USR2", "HUP", "QUIT", "TERM"):
                run.send_signal(getattr(signal, "SIG" + name))
                self.told(run, "out", "got " + name)
            self.assertEqual(run.wait(30), 0)
        self.assertEqual(self.summary()["status"], "finished")
        self.assertEqual(self.limit_now(), 320)

    def test_command_that_dies_of_a_signal_leaves_the_books_in_order(self):
        self.plan()
        with open(self.folder / "out", "w") as out:
            run = self.start("run", "plan.json", "--simulated-clock", "-o", "run", "--", "sh", "-c", "echo ready; exec sleep 60", stdout=out)
            self.told(run, "out", "ready")
            run.send_signal(signal.SIGUSR1)
            run.communicate(timeout=30)
        self.assertEqual(run.returncode, 128 + signal.SIGUSR1)
        self.assertEqual((self.summary()["status"], self.summary()["exit_code"]), ("failed", 138))
        self.assertFalse((self.folder / "run" / "power.helio-wal").exists())
        self.assertEqual(self.limit_now(), 320)

    def test_before_the_command_begins_a_warning_is_ignored_and_the_rest_ends_the_waiting(self):
        self.plan("--set", "job.work=0.1", "--start", "2025-01-02T22:00", "--hours", "4")  # off for the first hour: three minutes here
        for number, ending in enumerate(("HUP", "QUIT", "TERM")):
            folder = f"run{number}"
            with open(self.folder / "err", "w") as err:
                run = self.start("run", "plan.json", "--simulated-clock", "-o", folder, "--", "touch", "begun", stderr=err)
                self.wait_for(lambda: self.has_event("start", folder) or run.poll() is not None)
                for name in ("USR1", "USR2"):
                    run.send_signal(getattr(signal, "SIG" + name))
                    self.told(run, "err", f"SIG{name} came while no command runs: it is ignored")
                run.send_signal(getattr(signal, "SIG" + ending))
                run.communicate(timeout=30)
            self.assertEqual(run.returncode, 130, ending)
            self.assertEqual(self.summary(folder)["status"], "interrupted")
            self.assertFalse((self.folder / "begun").exists())


class WithoutRights(RunTest):
    def test_goes_on_by_pausing_alone(self):
        self.plan()
        self.gpu("privileged = false\n")
        done = self.run_plan("-o", "run", "--json")
        run = json.loads(done.stdout)
        self.assertIn("out of reach", done.stderr)
        self.assertFalse(run["limits_reached"])
        self.assertTrue(run["in_time"])
        self.assertFalse([line for line in self.journal() if line["kind"] == "limit"])


class Faults(RunTest):
    SPEED = 500

    def test_gpu_that_is_lost_comes_back_and_the_limit_too(self):
        self.plan("--set", "job.work=0.1", "--hours", "2")
        # In simulated seconds since the driver began, some of which pass before the run does.
        self.gpu("[[gpu.fault]]\nat_s = 4000\nlasts_s = 300\nkind = \"lost\"\n")
        done = self.run_program("run", "plan.json", "--simulated-clock", "-o", "run", "--json", "--progress", "step ([0-9]+)",
                                "--steps", STEPS, "--", TRAIN, "--iterations", STEPS, env=self.env)
        run = json.loads(done.stdout)
        self.assertEqual(run["status"], "finished")
        kinds = [event["kind"] for event in run["events"]]
        self.assertIn("gpu_lost", kinds)
        self.assertIn("gpu_back", kinds)
        self.assertEqual(self.limit_now(), 320)

    def test_gpu_that_is_lost_when_its_first_limit_is_due_teaches_nothing_about_it(self):
        # Off for an hour, then 140 W; the driver stays at 320 W, for it is lost from long before until after that.
        self.plan("--set", "job.work=0.1", "--set", "gpu.idle_w=15", "--start", "2025-01-02T22:00", "--hours", "4")
        self.gpu("[[gpu.fault]]\nat_s = 2500\nlasts_s = 2000\nkind = \"lost\"\n")
        run = json.loads(self.run_plan("-o", "run", "--json").stdout)
        states = [line for line in self.journal() if line["kind"] == "state"]
        unknown = [line for line in states if line.get("limit_unknown")]
        self.assertTrue(unknown)
        for line in states:
            # Nobody says that a level runs while the driver says nothing.
            self.assertFalse(line["level_limit_w"] is not None and line["limit_in_force_w"] is None, line)
        begun = run["slots"][1]["actual"]
        self.assertGreater(begun["unknown_limit_s"], 0)
        self.assertAlmostEqual(begun["unknown_limit_s"] + begun["off_s"] + sum(level["duration_s"] for level in begun["levels"]), 3600,
                               delta=1)
        lost = next(event for event in run["events"] if event["kind"] == "gpu_lost")
        self.assertIn("the job has not begun yet", lost["text"])
        self.assertTrue(run["in_time"], run["end"])
        self.assertIn("limit not known", self.run_program("report", "run").stdout)

    def test_driver_loaded_anew_has_its_limit_set_again(self):
        self.plan("--set", "job.work=0.1", "--hours", "2")
        self.gpu("[[gpu.fault]]\nat_s = 4000\nlasts_s = 300\nkind = \"driver_reload\"\n")
        done = self.run_program("run", "plan.json", "--simulated-clock", "-o", "run", "--json", "--progress", "step ([0-9]+)",
                                "--steps", STEPS, "--", TRAIN, "--iterations", STEPS, env=self.env)
        run = json.loads(done.stdout)
        self.assertEqual(run["status"], "finished")
        self.assertIn("gpu_back", [event["kind"] for event in run["events"]])
        self.assertTrue(run["limits_reached"], done.stderr)

    def test_limit_of_someone_else_stays(self):
        self.plan("--set", "job.work=0.05", "--hours", "2")
        run = self.start("run", "plan.json", "--simulated-clock", "-o", "run", "--json", "--progress", "step ([0-9]+)", "--steps", 23450,
                         "--", TRAIN, "--iterations", 23450)
        self.wait_for(lambda: self.has_event("limit") or run.poll() is not None)
        self.nvml("n.nvmlDeviceSetPowerManagementLimit(d, 240000)")
        output, told = run.communicate(timeout=120)
        self.assertEqual(run.returncode, 0, told)
        self.assertIn("someone else set the power limit to 240 W", told)
        self.assertEqual(self.limit_now(), 240)
        self.assertFalse(json.loads(output)["limits_reached"])


class Replanned(RunTest):
    def test_forecast_written_anew_is_planned_with_and_a_missing_one_is_flagged(self):
        self.plan("--start", "2025-06-02 08:00", "--hours", "6", "--set", "job.work=0.1")
        self.gpu(speed=800)
        self.write("pv.csv", "")  # is written later
        run = self.start("run", "plan.json", "--simulated-clock", "-o", "run", "--json", "--pv-forecast", "pv.csv", "--progress",
                         "step ([0-9]+)", "--steps", STEPS, "--", TRAIN, "--iterations", STEPS)
        self.wait_for(lambda: self.has_event("stale") or run.poll() is not None)
        self.write("new.csv", "start,pv_w\n" + "".join(f"2025-06-02T{hour:02d}:00Z,1\n" for hour in range(5, 14)))
        (self.folder / "new.csv").rename(self.folder / "pv.csv")
        self.wait_for(lambda: self.has_event("news") or run.poll() is not None)
        (self.folder / "pv.csv").unlink()
        self.wait_for(lambda: self.stale_events() > 1 or run.poll() is not None)
        rows = "".join(f"2025-06-02T{hour:02d}:00Z,{watts}\n" for hour, watts in zip(range(5, 14), (0, 0, 0, 900, 900, 900, 900, 900, 900)))
        self.write("pv.csv", "start,pv_w\n" + rows)
        output, told = run.communicate(timeout=120)
        self.assertEqual(run.returncode, 0, told)
        self.assertIn("pv.csv is empty", told)
        self.assertIn("pv.csv is not there", told)
        self.assertIn("the PV forecast has changed", told)
        self.assertTrue(json.loads(output)["in_time"])

    def test_slow_job_is_noticed_and_still_in_time(self):
        """Iterations are 15 % longer than the curve promises."""
        self.plan()
        done = self.run_program("run", "plan.json", "--simulated-clock", "-o", "run", "--json", "--progress", "step ([0-9]+)",
                                "--steps", 40782, "--", TRAIN, "--iterations", 40782, "--phases", "compute:121.2:0.95", env=self.env)
        run = json.loads(done.stdout)
        print({"end": run["end"], "deadline": run["deadline"], "plans": run["plans"]})
        self.assertGreaterEqual(run["plans"], 1)
        self.assertEqual(run["status"], "finished")

    def test_late_job_is_stopped_where_asked_for(self):
        self.plan()
        done = self.run_plan("-o", "run", "--on-late", "stop", "--json", train=("--iterations", STEPS * 2), expect=3)
        run = json.loads(done.stdout)
        self.assertEqual(run["status"], "stopped_late")
        self.assertIn("the run missed its deadline, which the rules keep", run["savings"]["remarks"])


class Cooperative(RunTest):
    JOB_THAT_LOOKS = ("import sys, time\nsys.path.insert(0, sys.argv[1])\nimport heliograd\n"
                      "while True:\n    time.sleep(0.002)\n    heliograd.progress()\n    heliograd.pause_point()\n")

    def test_pauses_between_two_steps(self):
        self.plan(*BROKEN)
        self.gpu(speed=3000)
        self.write("job.py", self.JOB_THAT_LOOKS)
        run = self.start("run", "plan.json", "--simulated-clock", "-o", "run", "--on-late", "stop", "--", "python3", "-B",
                         "job.py", pathlib.Path(os.environ["HELIOGRAD_SOURCE_DIR"]) / "python")
        output, told = run.communicate(timeout=120)
        self.assertEqual(run.returncode, 3, told)
        pauses = [line["text"] for line in self.journal() if line["kind"] == "pause"]
        self.assertIn("paused at a step", pauses)


class Moments(RunTest):
    def test_deadline_as_people_say_it(self):
        plan = self.run_json("plan", "builtin:paper", "--start", "2025-01-01 20:00", "--deadline", "tomorrow 15:00")
        self.assertEqual(len(plan["slots"]), 19)
        plan = self.run_json("plan", "builtin:paper", "--start", "2025-01-01 20:00", "--deadline", "+20h")
        self.assertEqual(len(plan["slots"]), 20)
        done = self.run_program("plan", "builtin:paper", "--deadline", "someday", expect=2)
        self.assert_one_clear_sentence(done.stderr, "--deadline", "tomorrow 08:00")


if __name__ == "__main__":
    unittest.main()

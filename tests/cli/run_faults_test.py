"""`heliograd run` when the world around it fails: a full disk, a standstill, summer time, a limit service that goes away."""
import contextlib
import datetime
import json
import os
import pathlib
import resource
import shutil
import signal
import subprocess
import time
import unittest
import zoneinfo

from program import PROGRAM, SIM, SOURCE
from run_test import JOB, STEPS, TRAIN, RunTest


class FaultTest(RunTest):
    def start_run(self, *args, train=("--iterations", STEPS), **options):
        return self.start("run", "plan.json", "--simulated-clock", "-o", "run", "--json", "--progress", "step ([0-9]+)", "--steps", STEPS,
                          *args, "--", TRAIN, *train, **options)

    def states(self):
        return [line for line in self.journal() if line["kind"] == "state"]

    def job(self):
        return next(line["pid"] for line in self.journal() if line["kind"] == "job")

    def assert_books_are_whole(self, run):
        """Work and energy of the slots are those of the run; each instant of it is in the books once."""
        for total, key in ((run["gpu_energy_wh"], "gpu_energy_wh"), (run["work_done"], "progress")):
            slots = sum(slot["actual"][key] for slot in run["slots"]) + ((run["after_deadline"] or {}).get(key, 0))
            self.assertAlmostEqual(slots, total, places=6)


class FullDisk(FaultTest):
    """A limit on the size of the run's files stands in for the disk: each write to one fails, as on a full one. Room is
    made by lifting it."""
    SPEED = 800

    def start_run(self, *args, **options):
        self.limit_now()  # the simulated driver's state is made before
        # Python ignores SIGXFSZ, and so does what it starts then: writes fail, as on a full disk, and nobody is killed.
        return super().start_run(*args, restore_signals=False, **options)

    def fill(self, run, size=0):
        resource.prlimit(run.pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))

    def make_room(self, run):
        resource.prlimit(run.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))

    def test_that_stays_full_costs_the_record_alone(self):
        self.plan()
        run = self.start_run()
        self.wait_for(lambda: self.has_event("job") and len(self.states()) > 3)
        train = self.job()
        # Within the next line, so that a part of it is written.
        size = (self.folder / "run" / "journal.jsonl").stat().st_size + 40
        self.fill(run, size)
        output, told = run.communicate(timeout=120)
        self.assertEqual(run.returncode, 0, told)
        summary = json.loads(output)
        self.assertEqual((summary["status"], summary["in_time"]), ("finished", True))
        self.assertAlmostEqual(summary["work_done"], 0.1)
        self.assertFalse(pathlib.Path(f"/proc/{train}").exists())
        for words in ("journal.jsonl: cannot be written: File too large", "recording is held in memory"):
            self.assertEqual(told.count(words), 1, told)
        self.assertEqual(self.limit_now(), 320)
        # What was recorded before is whole and readable, and no half a line is left.
        text = (self.folder / "run" / "journal.jsonl").read_text()
        self.assertTrue(text.endswith("}\n"), text[-100:])
        for line in text.splitlines():
            json.loads(line)
        report = self.run_json("report", "run")
        self.assertEqual(report["status"], "running")
        self.run_program("report", "run/power.helio")

    def test_that_gets_room_again_loses_nothing(self):
        self.plan()
        run = self.start_run()
        self.wait_for(lambda: self.has_event("job") and len(self.states()) > 3)
        before = len(self.states())
        self.fill(run)
        size = (self.folder / "run" / "journal.jsonl").stat().st_size
        time.sleep(2)  # 1600 s of the plan, in which a state is due every 0.2 s
        self.assertEqual((self.folder / "run" / "journal.jsonl").stat().st_size, size)
        self.make_room(run)
        output, told = run.communicate(timeout=120)
        self.assertEqual(run.returncode, 0, told)
        for words in ("journal.jsonl: cannot be written", "journal.jsonl can be written again", "recording is held in memory",
                      "recording goes on"):
            self.assertEqual(told.count(words), 1, told)
        summary = json.loads(output)
        self.assertEqual(summary, self.summary())
        self.assert_books_are_whole(summary)
        # States lie as dense in the time without room as elsewhere: two real seconds without one would be 1600 s.
        moments = [line["unix_s"] for line in self.states()]
        self.assertGreater(len(moments), before + 5)
        self.assertLess(max(b - a for a, b in zip(moments, moments[1:])), 1.5 * self.SPEED)
        self.assertEqual(self.run_json("report", "run")["status"], "finished")
        self.assertEqual(self.limit_now(), 320)

    def test_a_limit_that_cannot_be_recorded_is_not_set_and_is_tried_again(self):
        """The lease's record comes before the limit; without it a kill would leave the limit behind."""
        # Another limit in each of the first slots, by the price.
        self.plan("--start", "2025-01-01 18:00", "--hours", "6", "--set", "job.work=0.25", "--set", "battery.capacity_wh=0")
        self.gpu(speed=400)  # an hour in 9 s: a busy machine fills the disk within the slot of the first limit too
        steps = 117250
        self.limit_now()
        run = self.start("run", "plan.json", "--simulated-clock", "-o", "run", "--json", "--progress", "step ([0-9]+)", "--steps", steps,
                         "--", TRAIN, "--iterations", steps, restore_signals=False)
        self.wait_for(lambda: self.has_event("limit"))
        self.fill(run)
        first = self.limit_now()
        limits = [part["limit_w"] for slot in json.loads((self.folder / "plan.json").read_text())["slots"] for part in slot["levels"]]
        self.assertGreater(len(set(limits)), 1)
        until = time.monotonic() + 80
        told = b""
        while b"it is tried again" not in told and time.monotonic() < until:
            told += os.read(run.stderr.fileno(), 65536)
        self.assertIn(b"it is tried again", told)
        self.assertEqual(self.limit_now(), first)
        self.make_room(run)
        output, rest = run.communicate(timeout=120)
        self.assertEqual(run.returncode, 0, rest)
        summary = json.loads(output)
        self.assertTrue(summary["limits_reached"])
        self.assertEqual((told.decode() + rest).count("it is tried again"), 1)
        self.assertGreater(len({line["set_w"] for line in self.journal() if line["kind"] == "limit"}), 1)
        self.assertEqual(self.limit_now(), 320)

    def test_a_paused_job_is_let_go_on_without_room_for_the_word(self):
        """The control file is written anew; where that fails it is removed, which means the same."""
        from run_test import BROKEN, Cooperative
        self.plan(*BROKEN)
        self.gpu(speed=3000)
        self.limit_now()
        self.write("job.py", Cooperative.JOB_THAT_LOOKS)
        run = self.start("run", "plan.json", "--simulated-clock", "-o", "run", "--on-late", "stop", "--json", "--", "python3", "-B",
                         "job.py", SOURCE / "python", restore_signals=False)
        self.wait_for(lambda: self.has_event("pause") or run.poll() is not None, 60)
        self.assertIsNone(run.poll())
        self.fill(run)
        control = self.folder / "run" / "control"
        self.wait_for(lambda: not control.exists() or control.read_text() == "run\n" or run.poll() is not None, 60)
        self.assertFalse(control.exists())
        self.wait_for(lambda: not pathlib.Path(f"{control}.paused").exists())
        self.make_room(run)
        output, told = run.communicate(timeout=120)
        self.assertEqual(run.returncode, 3, told)
        self.assertEqual([line["text"] for line in self.journal() if line["kind"] == "pause"][0], "paused at a step")


class Pausing(FaultTest):
    """Off for two and a half of four hours, after half an hour: a job that does not stop when it is asked to."""
    SPEED = 400
    HANGING = "echo $$ > checkpoint; sleep 1000"

    def setUp(self):
        super().setUp()
        self.run_program("plan", "builtin:paper", *JOB, "--set", "gpu.idle_w=15", "-o", "plan.json")

    def states_of_level(self):
        return [line for line in self.states() if line["level_limit_w"] is not None]

    def start_run(self, *args, **options):
        run = super().start_run(*args, **options)
        self.addCleanup(run.kill)
        return run

    def end_checkpoint(self):
        """Where a test fails before the run has ended it."""
        if (self.folder / "checkpoint").exists():
            with contextlib.suppress(ProcessLookupError):
                os.killpg(int((self.folder / "checkpoint").read_text()), signal.SIGKILL)

    def checkpoint_hangs(self, run):
        """Once the command hangs, and the job is watched meanwhile."""
        self.addCleanup(self.end_checkpoint)
        self.wait_for(lambda: (self.folder / "checkpoint").exists() or run.poll() is not None)
        before = len(self.states_of_level())
        self.wait_for(lambda: len(self.states_of_level()) > before + 3 or run.poll() is not None)
        self.assertIsNone(run.poll())
        self.assertFalse(self.has_event("pause"))

    def assert_checkpoint_is_gone(self):
        group = int((self.folder / "checkpoint").read_text())

        def is_gone():
            try:
                os.killpg(group, 0)
            except ProcessLookupError:
                return True
            return False
        self.wait_for(is_gone)

    def test_a_checkpoint_that_hangs_is_killed_and_the_pause_comes_without_it(self):
        run = self.start_run("--checkpoint-cmd", self.HANGING, "--checkpoint-timeout-s", 3)
        self.checkpoint_hangs(run)
        self.wait_for(lambda: self.has_event("pause") or run.poll() is not None)
        self.assert_checkpoint_is_gone()
        output, told = run.communicate(timeout=120)
        self.assertEqual(run.returncode, 0, told)
        summary = json.loads(output)
        self.assertEqual(told.count("--checkpoint-cmd: was not done after 3 s and was killed"), summary["pauses"], told)
        self.assert_books_are_whole(summary)
        # The job ran and was booked so up to its pause; after it, idle power: 15 W.
        lines = self.journal()
        at = next(i for i, line in enumerate(lines) if line["kind"] == "pause")
        running = [line for line in lines[:at] if line["kind"] == "state"][-10:]
        self.assertNotIn(None, [line["level_limit_w"] for line in running])
        self.assertLess(running[0]["work_done"], running[-1]["work_done"])
        off = next(line for line in lines[at:] if line["kind"] == "state")
        self.assertIsNone(off["level_limit_w"])

    def test_signals_are_served_while_a_checkpoint_hangs(self):
        for number, code in ((signal.SIGINT, 130), (signal.SIGTERM, 143)):
            with self.subTest(signal=number):
                run = self.start_run("--checkpoint-cmd", self.HANGING)
                self.checkpoint_hangs(run)
                run.send_signal(number)
                output, told = run.communicate(timeout=30)  # half of what the command may take
                self.assertEqual(run.returncode, code, told)
                self.assert_checkpoint_is_gone()
                self.assertEqual(self.journal()[-1]["kind"], "end")
                self.assertEqual(self.limit_now(), 320)
            shutil.rmtree(self.folder / "run")
            (self.folder / "checkpoint").unlink()

    def test_a_job_that_does_not_look_at_the_file_is_not_paused(self):
        run = self.start_run("--pause", "cooperative", "--pause-timeout-s", 1)
        output, told = run.communicate(timeout=120)
        self.assertEqual(run.returncode, 0, told)
        summary = json.loads(output)
        self.assertEqual(told.count("the job does not answer that it has paused"), 1, told)
        self.assertIn("--pause signal", told)
        self.assertFalse(self.has_event("pause"))
        self.assertEqual(summary["pauses"], 0)
        self.assert_books_are_whole(summary)
        # After the first slot, in which it is started, it is never off, and its own words count to the last.
        self.assertGreater(summary["slots"][1]["actual"]["progress"], 0)
        self.assertEqual({slot["actual"]["off_s"] for slot in summary["slots"][1:]}, {0})
        self.assertLess(abs(summary["work_assumed"]), 0.01)


class CtrlCAgain(FaultTest):
    SPEED = 100

    def setUp(self):
        super().setUp()
        self.plan()

    def interrupted_twice(self, after_s, *train):
        run = self.start("run", "plan.json", "--simulated-clock", "-o", "run", "--", *train)
        self.wait_for(lambda: (self.has_event("job") and self.has_event("state")) or run.poll() is not None)
        time.sleep(0.5)  # for the job's trap
        run.send_signal(signal.SIGINT)
        time.sleep(after_s)
        run.send_signal(signal.SIGINT)
        output, told = run.communicate(timeout=60)
        self.assertEqual(run.returncode, 130, told)
        self.assertIn("--resume run", told)
        self.assertEqual(self.summary()["status"], "interrupted")
        self.assertEqual(self.limit_now(), 320)
        self.assertFalse((self.folder / "run" / "power.helio-wal").exists())
        end = self.journal()[-1]
        self.assertEqual(end["kind"], "end")
        shutil.rmtree(self.folder / "run")
        return end["text"]

    def test_does_not_cut_the_closing_short(self):
        for after_s in (0, 0.02, 0.1, 0.3):
            with self.subTest(after_s=after_s):
                self.interrupted_twice(after_s, TRAIN, "--iterations", STEPS)

    def test_hastens_a_job_that_takes_its_time_to_end(self):
        """It would be asked again, by SIGTERM, after ten seconds."""
        job = "trap 'n=$((n+1)); [ $n -lt 2 ] || exit 7' INT; while :; do sleep 0.05; done"
        self.assertEqual(self.interrupted_twice(0.5, "sh", "-c", job), "the job ended with 7")


class Standstill(FaultTest):
    SPEED = 800

    def stop(self, pids, seconds):
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
        time.sleep(seconds)
        for pid in reversed(pids):
            os.kill(pid, signal.SIGCONT)

    def begin(self):
        self.plan()
        run = self.start_run()
        self.wait_for(lambda: self.has_event("job") and len(self.states()) > 8)
        return run

    def end(self, run):
        output, told = run.communicate(timeout=120)
        self.assertEqual(run.returncode, 0, told)
        summary = json.loads(output)
        self.assert_books_are_whole(summary)
        self.assertEqual(self.limit_now(), 320)
        [event] = [line for line in self.journal() if line["kind"] == "stood_still"]
        self.assertEqual(told.count("the run stood still for"), 1, told)
        return summary, event, told

    def test_of_everything_is_noticed_and_planned_anew_from_what_was_done(self):
        run = self.begin()
        self.stop([run.pid, self.job()], 3)
        summary, event, told = self.end(run)
        self.assertIn("the job stood still too", event["text"])
        lines = self.journal()
        at = lines.index(event)
        state_before = next(line for line in reversed(lines[:at]) if line["kind"] == "state")
        state_after = next(line for line in lines[at:] if line["kind"] == "state")
        # 3 real seconds; a busy machine makes them more. In none of them work was done or drawn for.
        gap_s = event["unix_s"] - state_before["unix_s"]
        self.assertGreater(gap_s, 3 * self.SPEED * 0.95)
        step = 1 / 469000
        rate = 1 / (13.69 * 3600)  # at full power, the most
        self.assertLess(state_after["work_done"] - state_before["work_done"], rate * (gap_s - 3 * self.SPEED * 0.95) + 200 * step)
        off_s = sum(slot["actual"]["off_s"] for slot in summary["slots"])
        self.assertGreater(off_s, 3 * self.SPEED * 0.95)
        # It lost 40 minutes: the rest is planned anew at once, or is full power where nothing less will do.
        self.assertTrue({"replan", "full_power"} & {line["kind"] for line in lines[at:at + 6]}, lines[at:at + 6])
        self.assertEqual(summary["status"], "finished")

    def test_of_the_run_alone_leaves_the_job_working(self):
        run = self.begin()
        self.stop([run.pid], 5)
        summary, event, told = self.end(run)
        self.assertIn("the job ran on", event["text"])
        lines = self.journal()
        at = lines.index(event)
        state_before = next(line for line in reversed(lines[:at]) if line["kind"] == "state")
        gap_s = event["unix_s"] - state_before["unix_s"]
        self.assertGreater(gap_s, 5 * self.SPEED * 0.95)
        # The job's own words for these 5 s are a backlog that a busy machine reads bit by bit: given 2 s. At 100 W, the
        # slowest, it did at least this; in those 2 s alone, at the fastest, no more than 72 % of it.
        states = [line for line in lines[at:] if line["kind"] == "state" and line["unix_s"] < event["unix_s"] + 2 * self.SPEED]
        after = states[-1]
        told_s = after["unix_s"] - state_before["unix_s"]
        self.assertGreater(after["work_done"] - state_before["work_done"], told_s / (27.52 * 3600) * 0.8)
        self.assertTrue(summary["in_time"])


class SummerTime(FaultTest):
    """Prices by local time, slots by UTC: over the days that have 23 and 25 hours."""
    ZONE = zoneinfo.ZoneInfo("Europe/Rome")
    SPEED = 8000

    def carry_out(self, start, hours):
        self.plan("--set", "site.timezone=Europe/Rome", "--start", start, "--hours", hours, "--set", "job.work=0.9", "--set",
                  "battery.capacity_wh=0", "--set", "pv.dc_capacity_w=0")
        steps = 422100
        plan = json.loads((self.folder / "plan.json").read_text())
        screen = self.run_program("run", "plan.json", "--dry-run").stdout
        done = self.run_program("run", "plan.json", "--simulated-clock", "-o", "run", "--json", "--progress", "step ([0-9]+)", "--steps",
                                steps, "--", TRAIN, "--iterations", steps, env=self.env)
        return plan, screen, json.loads(done.stdout), done.stderr

    def check(self, start, hours, day, day_hours, offsets):
        plan, screen, run, told = self.carry_out(start, hours)
        begins = [datetime.datetime.fromisoformat(slot["start"].replace("Z", "+00:00")) for slot in run["slots"]]
        self.assertTrue(all(slot["start"].endswith("Z") for slot in run["slots"]))
        self.assertEqual({b - a for a, b in zip(begins, begins[1:])}, {datetime.timedelta(hours=1)})
        self.assertEqual([slot["start"] for slot in run["slots"]], [slot["start"] for slot in plan["slots"]])
        local = [begin.astimezone(self.ZONE) for begin in begins]
        self.assertEqual((local[0].strftime("%Y-%m-%d %H:%M"), len(local)), (start, hours))
        self.assertEqual(sum(begin.date().isoformat() == day for begin in local), day_hours)
        # The study's bands by the hour on the wall: 0.45 from 8 to 20, 0.35 to 23, else 0.25.
        for begin, slot in zip(local, plan["slots"]):
            price = 0.45 if 8 <= begin.hour < 20 else 0.35 if 20 <= begin.hour < 23 else 0.25
            self.assertAlmostEqual(slot["import_price_eur_per_kwh"], price, msg=str(begin))
        # On screen, in the order of time, each with the offset of its moment.
        shown = [line.split("  ")[0] for line in screen.splitlines()]
        moments = [datetime.datetime.strptime(text.replace("  ", " "), "%Y-%m-%d %H:%M:%S %z" if text.count(":") == 3 else "%Y-%m-%d %H:%M %z")
                   for text in shown]
        self.assertEqual(moments, sorted(moments))
        for moment in moments:
            self.assertEqual(moment.utcoffset(), moment.astimezone(self.ZONE).utcoffset(), moment)
        self.assertEqual({moments[0].utcoffset(), moments[-1].utcoffset()}, {datetime.timedelta(hours=each) for each in offsets})
        # Books: the slots' time is the run's, to the seconds in which it begins; the day's slots are as many hours.
        self.assertEqual((run["status"], run["in_time"]), ("finished", True), told)
        self.assert_books_are_whole(run)
        spent = [sum(level["duration_s"] for level in slot["actual"]["levels"]) + slot["actual"]["off_s"] for slot in run["slots"]]
        end = datetime.datetime.fromisoformat(run["end"].replace("Z", "+00:00"))
        begin = datetime.datetime.fromisoformat(run["begin"].replace("Z", "+00:00"))
        self.assertAlmostEqual(sum(spent), (end - begin).total_seconds(), delta=2)
        whole = [each for each, moment in zip(spent, local)
                 if moment.date().isoformat() == day and moment.timestamp() + 3600 <= end.timestamp() and moment.timestamp() >= begin.timestamp()]
        self.assertAlmostEqual(sum(whole), 3600 * len(whole), delta=1)
        # Its events are told by the clock on the wall.
        for line in self.journal():
            self.assertTrue(line["at"].endswith("Z"))

    def test_in_spring_a_day_has_23_hours(self):
        self.check("2025-03-29 18:00", 35, "2025-03-30", 23, (1, 2))

    def test_in_autumn_a_day_has_25_hours(self):
        self.check("2025-10-25 18:00", 36, "2025-10-26", 25, (2, 1))


if __name__ == "__main__":
    unittest.main()

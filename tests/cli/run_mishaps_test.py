"""`heliograd run` used wrongly, or on a job that does not do what was said of it."""
import datetime
import json
import os
import signal
import unittest

from run_test import JOB, STEPS, TRAIN, RunTest

TOLD = ("--progress", "step ([0-9]+)", "--steps", STEPS)


class MishapTest(RunTest):
    # Faster than this a slow machine's own standstills would come into the books; slower the tests take long.
    SPEED = 600

    def refused(self, *args, code=2, words=()):
        done = self.run_program("run", *args, expect=code, env=self.env)
        self.assert_one_clear_sentence(done.stderr, *words)
        self.assertEqual(len(done.stderr.strip().splitlines()), 1, done.stderr)

    def report(self, *args):
        return self.run_program("report", "run", *args).stdout


class Resumed(MishapTest):
    def test_a_run_that_goes_on_is_left_alone(self):
        self.plan()
        run = self.start("run", "plan.json", "--simulated-clock", "-o", "run", *TOLD, "--", TRAIN, "--iterations", STEPS)
        self.wait_for(lambda: self.has_event("state") and self.has_event("job_started"))
        before = [(path.name, path.stat().st_ino) for path in sorted((self.folder / "run").iterdir()) if path.suffix == ".helio"]
        self.refused("--resume", "run", words=("run: this run goes on in process", str(run.pid)))
        after = [(path.name, path.stat().st_ino) for path in sorted((self.folder / "run").iterdir()) if path.suffix == ".helio"]
        self.assertEqual(before, after)
        self.assertIsNone(run.poll())
        run.kill()  # the lock goes with it
        run.communicate()
        done = self.run_program("run", "--resume", "run", env=self.env)
        self.assertIn("Run finished", done.stdout)

    def test_a_line_that_is_none_is_said(self):
        self.plan()
        run = self.start("run", "plan.json", "--simulated-clock", "-o", "run", *TOLD, "--", TRAIN, "--iterations", STEPS)
        self.wait_for(lambda: self.has_event("state") and self.has_event("job_started"))
        run.send_signal(signal.SIGINT)
        run.communicate(timeout=60)
        path = self.folder / "run" / "journal.jsonl"
        lines = path.read_text().splitlines(keepends=True)
        path.write_text("".join([*lines[:2], "what is this\n", *lines[2:]]))
        done = self.run_program("run", "--resume", "run", env=self.env)
        self.assertEqual(done.stderr.count('journal.jsonl:3: is no line of a journal: \'what is this\': it is left out'), 1, done.stderr)
        self.assertEqual(self.summary()["status"], "finished")

    def test_idle_energy_of_the_gap_counts_once(self):
        self.run_program("plan", "builtin:paper", *JOB, "--set", "gpu.idle_w=15", "--set", "gpu.host_w=0", "-o", "plan.json")
        run = self.start("run", "plan.json", "--simulated-clock", "-o", "run", *TOLD, "--", TRAIN, "--iterations", STEPS)
        self.wait_for(lambda: self.has_event("state") and max(line.get("units_done", 0) for line in self.journal()) > 5000)
        run.send_signal(signal.SIGINT)
        run.communicate(timeout=60)
        done = self.run_program("run", "--resume", "run", env=self.env)
        # The job that was started again counts from nothing, which is said.
        self.assertRegex(done.stderr, r"the job began anew at [0-9]+ of 46900 \([0-9]+ before\)")
        self.assertIn("HELIOGRAD_UNITS_DONE", done.stderr)
        summary = self.summary()
        seen_s = sum(sum(level["duration_s"] for level in slot["actual"]["levels"]) + slot["actual"]["off_s"]
                     for slot in summary["slots"])
        unseen_s = sum(slot["duration_s"] for slot in summary["slots"]) - seen_s
        # The GPU's measured energy is all that counts: the idle node after the run (15 W, assumed) stands apart. Off time may
        # have drawn a little less than 15 W by the counter's steps, and counts as 15 W.
        extra_wh = summary["load_wh"] - summary["gpu_energy_wh"]
        self.assertAlmostEqual(extra_wh, 0, delta=0.3)
        self.assertAlmostEqual(summary["idle_to_deadline_wh"], unseen_s / 3600 * 15, delta=0.3)
        report = self.run_json("report", "run")
        self.assertAlmostEqual(report["actual"]["load_wh"], summary["load_wh"], places=6)
        for saved in zip(summary["baselines"], report["baselines"]):
            self.assertAlmostEqual(saved[0]["saved_eur"], saved[1]["saved_eur"], places=6)


class Ended(MishapTest):
    def test_hours_that_did_not_happen_are_in_no_sum(self):
        self.run_program("plan", "builtin:paper", *JOB, "--set", "gpu.idle_w=15", "--set", "gpu.host_w=0", "-o", "plan.json")
        done = self.run_program("run", "plan.json", "--simulated-clock", "-o", "run", *TOLD, "--", "sh", "-c", "sleep 1; exit 3", expect=3,
                                env=self.env)
        summary = self.summary()
        # Ten minutes of simulated time and what starting took, of four hours; idle all of it would be 60 Wh.
        hours = sum(slot["duration_s"] for slot in summary["slots"]) / 3600
        begin, end = (datetime.datetime.fromisoformat(summary[key].replace("Z", "+00:00")) for key in ("plan_start", "end"))
        ran_h = (end - begin).total_seconds() / 3600
        self.assertLess(ran_h, 3)
        # What the meter's first look missed counts as idle; the GPU draws 15 W at rest.
        self.assertAlmostEqual(summary["load_wh"], summary["gpu_energy_wh"], delta=0.5)
        # The end is told to the second.
        self.assertAlmostEqual(summary["idle_to_deadline_wh"], 15 * (hours - ran_h), delta=15 / 3600)
        self.assertIn("the idle node until the deadline", done.stdout)
        self.assertIn("no savings are told: no work is known to be done", done.stdout)
        for slot in summary["slots"][-1:]:
            self.assertEqual((slot["actual"]["load_wh"], slot["actual"]["cost_eur"]), (0, 0))
        report = self.run_json("report", "run")
        for key in ("load_wh", "cost_eur"):
            self.assertAlmostEqual(report["actual"][key], summary[key], places=6)
            whole = report["actual"][key] - report["planned"][key]
            self.assertAlmostEqual(sum(part[key] for part in report["deviations"]), whole, places=9)
        last = report["slots"][-1]
        self.assertEqual((last["part_before_end"], last["actual"]["load_wh"]), (0, 0))
        self.assertEqual({part["cause"] for part in last["deviations"]}, {"the run was over"})


class Saved(MishapTest):
    """The ladder is reckoned with what came, not with what was planned."""
    def run_and_rung(self, *flags, iterations=STEPS):
        plan = json.loads(self.run_program("plan", "builtin:paper", *JOB, "--set", "gpu.idle_w=15", "-o", "plan.json", "--json").stdout)
        self.run_program("run", "plan.json", "--simulated-clock", "-o", "run", "--progress", "step ([0-9]+)", "--steps", iterations, *flags,
                         "--", TRAIN, "--iterations", iterations, env=self.env)
        summary = self.summary()
        for rung in summary["baselines"]:
            if rung["saved_eur"] is not None:
                saved = rung["cost_eur"] - summary["cost_eur"] - summary["savings"]["battery_surplus_eur"]
                self.assertAlmostEqual(rung["saved_eur"], saved, places=9)
        report = self.run_json("report", "run")
        self.assertEqual((report["baselines"], report["savings"]), (summary["baselines"], summary["savings"]))
        return summary, plan["baselines"][0]["cost_eur"], summary["baselines"][0]

    def test_prices_that_doubled(self):
        # 350 EUR/MWh until 23:00 local and 250 after it, as the study's tariff, twice.
        rows = "".join(f"2025-01-01T{hour:02d}:00Z,{700 if hour < 22 else 500}\n" for hour in range(18, 24))
        self.write("price.csv", "start,price_eur_per_mwh\n" + rows + "2025-01-02T00:00Z,500\n2025-01-02T01:00Z,500\n")
        summary, planned, rung = self.run_and_rung("--price-file", "price.csv")
        # Twice the plan's own at the measured draw and pace, of which the first is below the curve's.
        self.assertGreater(rung["cost_eur"], 1.25 * planned)
        self.assertGreater(rung["saved_eur"], 0.02)
        self.assertLess(summary["savings"]["draw"], 1.1)

    def test_job_that_is_slower_than_the_curve(self):
        summary, planned, rung = self.run_and_rung(iterations=66900)
        # 46900 iterations of 66900; the first words come late on a busy machine.
        self.assertAlmostEqual(summary["savings"]["pace"], 46900 / 66900, delta=0.03)
        # The simulated GPU draws 198 W under a limit of 280 W: at the curve's pace that would be 0.75 of the plan's own.
        self.assertGreater(rung["cost_eur"], 0.85 * planned)

    def test_a_job_that_tells_nothing_and_ends_at_once(self):
        self.plan()
        done = self.run_program("run", "plan.json", "--simulated-clock", "-o", "run", "--steps", 5, "--", "true", env=self.env)
        self.assertIn("no savings are told", done.stdout)
        self.assertIn("told nothing", done.stdout)
        self.assertNotIn("less than", done.stdout)
        self.assertAlmostEqual(self.summary()["work_assumed"], 0.1, delta=0.01)
        self.assertNotIn("% of the work done", done.stdout)
        self.assertIn("No savings are told", self.report())
        self.assertIn("Run finished: what work was done is not known", self.report())


class Refused(MishapTest):
    def test_flags_of_a_scenario_say_nothing_to_a_plan(self):
        self.plan()
        for flag, value in (("--deadline", "+5h"), ("--set", "job.work=0.2"), ("--hours", "5"), ("--start", "now"),
                            ("--slot-minutes", "30")):
            self.refused("plan.json", flag, value, "--simulated-clock", "--", "true",
                         words=("plan.json is a plan", flag, "belongs to a scenario"))
        self.refused("plan.json", "--resume", "run", words=("--resume", "plan.json"))
        self.refused("--resume", "run", "--deadline", "+5h", words=("--resume", "--deadline"))
        self.assertFalse((self.folder / "run").exists())

    def test_a_command_that_is_not_there_is_told_before_anything_is_written(self):
        self.plan()
        (self.folder / "plain.sh").write_text("true")
        for command, code in (("no-such-program", 127), ("./nothing.sh", 127), ("./plain.sh", 126)):
            self.refused("plan.json", "--simulated-clock", "-o", "run", "--", command, code=code, words=(command,))
            self.assertFalse((self.folder / "run").exists())

    def test_news_files_that_are_not_there_at_the_start(self):
        self.plan()
        for flag in ("--price-file", "--pv-forecast"):
            for more in ((), ("--dry-run",)):
                self.refused("plan.json", flag, "nothere.csv", *more, *TOLD, "--", "true", words=(flag, "nothere.csv", "touch"))
        self.assertEqual([path.name for path in self.folder.iterdir() if path.is_dir() and path.name != "state"], [])

    def test_a_file_that_is_no_plan_says_so(self):
        for name, content, words in (("zero.json", "", ("zero.json: is empty", "heliograd plan -o")),
                                     ("text.json", "work = 1\n", ("text.json: is no JSON",)),
                                     ("empty.json", "{}", ("empty.json: format is missing", "heliograd plan -o")),
                                     ("passwd", "root:x:0:0:root:/root:/bin/sh\n" * 30,
                                      ("passwd: is no TOML: none of its 30 lines",))):
            with self.subTest(name=name):
                self.write(name, content)
                self.refused(name, "--", "true", code=1, words=words)

    def test_a_folder_without_parent_and_no_number(self):
        self.plan()
        self.refused("plan.json", "--simulated-clock", "-o", "nowhere/run", "--", "true", words=("nowhere/run", "-o"))
        self.assertFalse((self.folder / "nowhere").exists())
        done = self.run_program("run", "plan.json", "--simulated-clock", "--safe-limit-w", "nan", "--", "true", expect=2, env=self.env)
        self.assert_one_clear_sentence(done.stderr, "safe-limit-w", "not nan")


class Untold(MishapTest):
    def test_a_job_that_fails_without_a_word_has_done_nothing(self):
        self.plan()
        done = self.run_program("run", "plan.json", "--simulated-clock", "-o", "run", *TOLD, "--", "false", expect=1, env=self.env)
        self.assertIn("0.0 % of the work done", done.stdout)
        self.assertNotIn("less than", done.stdout)
        summary = self.summary()
        self.assertEqual((summary["work_done"], summary["progress_from"]), (0, "time"))
        self.assertEqual({rung["saved_eur"] for rung in summary["baselines"]}, {None})
        self.assertNotIn("work are measured", self.report())

    def test_an_expression_that_never_matches_is_said_while_the_job_runs(self):
        self.plan()
        run = self.start("run", "plan.json", "--simulated-clock", "-o", "run", "--progress", "nomatch ([0-9]+)", "--steps", STEPS,
                         "--", TRAIN, "--iterations", STEPS)
        self.wait_for(lambda: self.has_event("silence"))
        run.send_signal(signal.SIGINT)
        output, told = run.communicate(timeout=60)
        self.assertIn("no line matched 'nomatch ([0-9]+)'", told)
        self.assertEqual(self.summary()["progress_from"], "time")

    def test_an_answer_that_is_no_energy_is_in_the_journal(self):
        self.plan()
        done = self.run_program("run", "plan.json", "--simulated-clock", "-o", "run", "--battery-cmd", "echo full", *TOLD, "--", TRAIN,
                                "--iterations", STEPS, env=self.env)
        sentence = "--battery-cmd says 'full': expected the battery's energy as"
        self.assertEqual(done.stderr.count(sentence), 1, done.stderr)
        told = [line for line in self.journal() if sentence in line.get("text", "")]
        self.assertEqual([line["kind"] for line in told], ["stale"])
        self.assertIn("the battery is taken as planned", told[0]["text"])
        self.assertIn(sentence, json.dumps(self.summary()["events"]))

    def test_files_that_are_read_for_the_first_time_have_not_changed(self):
        self.plan()
        hours = [f"{datetime.datetime(2025, 1, 1, 18) + datetime.timedelta(hours=hour):%Y-%m-%dT%H:%MZ}" for hour in range(24)]
        self.write("price.csv", "start,price_eur_per_kwh\n" + "".join(f"{hour},0.{10 + i}\n" for i, hour in enumerate(hours)))
        self.write("pv.csv", "start,pv_w\n" + "".join(f"{hour},100\n" for hour in hours))
        done = self.run_program("run", "plan.json", "--simulated-clock", "-o", "run", "--price-file", "price.csv", "--pv-forecast",
                                "pv.csv", *TOLD, "--", TRAIN, "--iterations", STEPS, env=self.env)
        self.assertIn("the PV forecast was read; the price file was read", done.stderr)
        self.assertNotIn("has changed", done.stderr)

    def test_a_pipe_or_folder_is_no_file_of_news(self):
        self.plan()
        os.mkfifo(self.folder / "pipe")
        (self.folder / "folder").mkdir()
        for flag in ("--price-file", "--pv-forecast"):
            for name, words in (("pipe", "is a pipe or device"), ("folder", "is a folder")):
                with self.subTest(flag=flag, name=name):
                    self.refused("plan.json", "--simulated-clock", "-o", "run", flag, name, *TOLD, "--", "true", words=(flag, name, words))
                    self.assertFalse((self.folder / "run").exists())

    def test_a_wrong_battery_file_is_said_at_the_start(self):
        self.plan()
        done = self.run_program("run", "plan.json", "--simulated-clock", "-o", "run", "--battery-file", "nowhere.txt", *TOLD, "--",
                                "false", expect=1, env=self.env)
        self.assertIn("nowhere.txt", done.stderr)
        self.assertNotIn(".:", done.stderr)


class Shown(MishapTest):
    def test_schedule_names_what_the_slots_leave(self):
        done = self.run_program("run", "builtin:paper", "--dry-run", "--set", "job.work=0.1", "--start", "2025-01-01 16:20",
                                "--deadline", "2025-01-02 08:00", "--slot-minutes", "60")
        self.assertIn("the plan's end", done.stdout)
        self.assertNotIn("07:20 +01:00  the deadline", done.stdout)
        self.assertIn("last 40 minutes before the deadline are no whole slot", done.stdout)

    def test_slots_that_nobody_gave_reach_the_deadline(self):
        job = ("run", "builtin:paper", "--dry-run", "--start", "2025-01-01 16:20", "--set")
        done = self.run_program(*job, "job.work=0.1", "--deadline", "2025-01-02 08:00")
        self.assertRegex(done.stdout, r"08:00 \+01:00  the deadline")
        self.assertIn("note: slots of 20 minutes, because whole ones of 60 would leave 40 minutes", done.stderr)
        self.assertRegex(self.run_program(*job, "job.work=0.02", "--deadline", "+90min").stdout, r"17:50 \+01:00  the deadline")
        self.assertIn("07:20 +01:00  the plan's end",
                      self.run_program(*job, "job.work=0.1", "--hours", "15.67").stdout)  # hours are as they were

    def test_a_deadline_that_cannot_be_kept_names_the_minutes_that_are_not_used(self):
        job = ("run", "builtin:paper", "--dry-run", "--start", "2025-01-01 19:28", "--deadline", "2025-01-02 08:00")
        done = self.run_program(*job, expect=3)
        self.assertIn("by 2025-01-02 07:58", done.stderr)
        self.assertIn("last 2 minutes before the deadline are no whole slot", done.stderr)
        done = self.run_program(*job, "--slot-minutes", "60", expect=3)
        self.assertIn("last 32 minutes before the deadline are no whole slot", done.stderr)
        self.assertIn("--slot-minutes", done.stderr)
        self.assertIn("allow 13 h 40 min", self.run_program(*job, "--slot-minutes", "10", expect=3).stderr)

    def test_a_dry_run_as_json_is_the_plan(self):
        job = ("builtin:paper", "--start", "2025-01-01 20:00", "--hours", "4", "--set", "job.work=0.1")
        dry, plan = self.run_json("run", *job, "--dry-run"), self.run_json("plan", *job)
        for answer in (dry, plan):
            answer.pop("solve_seconds", None)
        self.assertEqual(dry["slots"], plan["slots"])
        self.assertEqual(dry.keys(), plan.keys())
        hopeless = self.run_json("run", "builtin:paper", "--hours", "3", "--dry-run", expect=3)
        self.assertEqual(hopeless["status"], "infeasible")

    def test_the_report_is_a_table_at_80_columns(self):
        self.plan()
        self.run_plan("-o", "run")
        lines = self.report().splitlines()
        self.assertLessEqual(max(map(len, lines)), 80)
        head = [line for line in lines if line.lstrip().startswith("slot") and "planned" in line and "Wh (plan)" in line]
        self.assertEqual(len(head), 1, lines)


if __name__ == "__main__":
    unittest.main()

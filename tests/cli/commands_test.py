"""`pv`, `offgrid`, `study`, `scenario`: what they print and what they refuse."""
import csv
import io
import json
import os
import random
import signal
import subprocess
import time
import unittest

from program import PROGRAM, ProgramTest


class Pv(ProgramTest):
    def test_turin_in_a_year(self):
        year = self.run_json("pv")
        self.assertAlmostEqual(year["ac_annual_kwh"], 1264.3, delta=0.1)  # the reference series' own rounding
        self.assertEqual(len(year["ac_monthly_kwh"]), 12)
        self.assertAlmostEqual(sum(year["ac_monthly_kwh"]), year["ac_annual_kwh"], delta=1e-6)

    def test_csv_feeds_the_planner(self):
        self.run_program("pv", "--csv", "pv.csv")
        direct = self.run_json("plan", "builtin:paper")
        by_file = self.run_json("plan", "builtin:paper", "--pv-series", "pv.csv")
        self.assertAlmostEqual(direct["cost_eur"], by_file["cost_eur"], delta=0.001)

    def test_a_moved_site_tells_that_its_weather_stays(self):
        moved = ("--latitude", "41.9", "--longitude", "12.5")
        self.assertIn("501 km from the site", self.run_program("pv", *moved).stderr)  # as in plan_test.py
        self.assertIn("501 km", self.run_json("pv", *moved)["notes"][0])
        self.assertEqual(self.run_json("pv", "--latitude", "45.07")["notes"], [])

    def test_wrong_systems_are_refused(self):
        for args in (["--dc-capacity-w", "-1"], ["--tilt-deg", "120"], ["--inverter-efficiency", "0"], ["--dc-ac-ratio", "nan"]):
            self.run_program("pv", *args, expect=2)


class Offgrid(ProgramTest):
    def test_study_case(self):
        run = self.run_json("offgrid", "builtin:paper", "--start", "2025-01-01 00:00", "--set", "pv.dc_capacity_w=500", "--mode", "minimum")
        self.assertTrue(run["finished"])
        self.assertAlmostEqual(run["running_hours"], 27.52, delta=1e-9)

    def test_a_start_now_is_the_slot_that_holds_it(self):
        for minutes in (60, 15):
            for start in ("now", "+90min"):
                self.run_json("offgrid", "builtin:paper", "--start", start, "--slot-minutes", str(minutes))
        done = self.run_program("offgrid", "builtin:paper", "--start", "2025-06-01 10:20", expect=2)
        self.assert_one_clear_sentence(done.stderr, "start of a slot of 60 minutes")

    def test_too_small_a_panel_never_finishes(self):
        run = self.run_json("offgrid", "builtin:paper", "--set", "pv.dc_capacity_w=100", "--mode", "minimum")
        self.assertFalse(run["finished"])
        self.assertIsNone(run["hours_to_finish"])


class Study(ProgramTest):
    def test_grid_in_order_and_deterministic(self):
        args = ("study", "builtin:paper", "--vary", "pv.dc_capacity_w=300:900:300", "--vary", "job.hours=16,19")
        first = self.run_program(*args).stdout
        self.assertEqual(first, self.run_program(*args).stdout)
        rows = list(csv.DictReader(io.StringIO(first)))
        self.assertEqual([(r["pv.dc_capacity_w"], r["job.hours"]) for r in rows],
                         [("300", "16"), ("300", "19"), ("600", "16"), ("600", "19"), ("900", "16"), ("900", "19")])
        alone = self.run_json("plan", "builtin:paper", "--set", "pv.dc_capacity_w=600", "--hours", "16")
        self.assertAlmostEqual(float(rows[2]["cost_eur"]), alone["cost_eur"], delta=1e-9)

    def test_points_are_what_single_plans_are(self):
        # Points share the years of PV and carbon; each must still be the plan of its own scenario.
        rows = self.run_json("study", "builtin:paper", "--vary", "pv.dc_capacity_w=0,150,900", "--vary",
                             "battery.capacity_wh=0,250,4000", "--vary", "job.start=2025-01-01 05:00:2025-12-31 05:00:13d",
                             "--vary", "job.hours=12:28:1", "--vary", "carbon.scope=direct,lifecycle")["points"]
        for row in random.Random(20261124).sample(rows, 50):
            sets = [word for key in ("pv.dc_capacity_w", "battery.capacity_wh", "job.start", "job.hours", "carbon.scope")
                    for word in ("--set", f"{key}={row[key]}")]
            feasible = row["status"] != "infeasible"
            plan = self.run_json("plan", "builtin:paper", *sets, expect=0 if feasible else 3)
            self.assertEqual(plan["status"], row["status"])
            for key in ("cost_eur", "grid_import_wh", "pv_wh", "carbon_kg") if feasible else ():
                self.assertAlmostEqual(plan[key], row[key], delta=1e-9, msg=f"{key} at {sets}")

    def test_a_key_varies_once(self):
        done = self.run_program("study", "builtin:paper", "--vary", "job.hours=16,19", "--vary", "job.hours=20", expect=2)
        self.assert_one_clear_sentence(done.stderr, "--vary job.hours", "twice")

    def test_times_vary_too(self):
        rows = self.run_json("study", "builtin:paper", "--vary", "job.start=2025-01-01 00:00:2025-01-01 08:00:4h")["points"]
        self.assertEqual([row["job.start"] for row in rows], ["2025-01-01 00:00", "2025-01-01 04:00", "2025-01-01 08:00"])

    def test_infeasible_points_are_answers(self):
        rows = self.run_json("study", "builtin:paper", "--vary", "job.hours=12:14:1")["points"]
        self.assertEqual([row["status"] for row in rows], ["infeasible", "infeasible", "optimal"])

    def test_interrupted_study_keeps_its_points_and_resumes(self):
        args = ["study", "builtin:paper", "--formulation", "levels", "--vary", "job.hours=14:28:1", "--vary", "pv.dc_capacity_w=100:1000:1",
                "-o", "grid.csv"]  # seconds of work, of which the first points are waited for
        env = {**os.environ, "HOME": str(self.folder)}
        process = subprocess.Popen([PROGRAM, *args], cwd=self.folder, env=env, stderr=subprocess.PIPE, text=True)
        journal = self.folder / "grid.csv.partial"
        deadline = time.time() + 60
        while time.time() < deadline and (not journal.exists() or journal.read_text().count("\n") < 4):
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        message = process.communicate(timeout=60)[1]
        self.assertEqual(process.returncode, 130, message)
        kept = journal.read_text().count("\n") - 1
        self.assertGreater(kept, 0)
        self.assertFalse((self.folder / "grid.csv").exists())
        # The rest in blend would be another study; that is refused, and nothing is lost.
        self.run_program(*args[:2], *args[4:], "--resume", expect=1)
        self.assertEqual(journal.read_text().count("\n") - 1, kept)

    def test_finished_points_are_not_discarded_without_a_word(self):
        args = ["study", "builtin:paper", "--vary", "job.hours=16:19:1", "-o", "grid.csv"]
        journal = self.write("grid.csv.partial", "{\"study\":\"some other\"}\n{\"point\":0,\"row\":{\"status\":\"optimal\"}}\n")
        before = journal.read_text()
        for more in ([], ["--resume"]):
            done = self.run_program(*args, *more, expect=1)
            self.assert_one_clear_sentence(done.stderr, "grid.csv.partial", "remove it")
            self.assertEqual(journal.read_text(), before)

    def test_interrupted_journal_resumes_and_edited_lines_are_refused(self):
        args = ["study", "builtin:paper", "--vary", "job.hours=16:19:1", "-o", "grid.csv"]
        self.run_program(*args)
        whole = (self.folder / "grid.csv").read_text()
        row = self.run_json("study", "builtin:paper", "--vary", "job.hours=16:19:1")["points"][0]
        definition = "builtin:paper  job.hours=16:19:1  blend 60 0.001     auto"
        journal = self.folder / "grid.csv.partial"
        head = json.dumps({"study": definition})
        point = json.dumps({"point": 0, "row": row})
        for wrong in ('{"point": 1}', '{"point": "x", "row": {"status": "optimal"}}', '{"point": 99, "row": {"status": "optimal"}}', "7"):
            journal.write_text(f"{head}\n{point}\n{wrong}\n")
            done = self.run_program(*args, "--resume", expect=1)
            self.assert_one_clear_sentence(done.stderr, "grid.csv.partial:3")
        journal.write_text(f"{head}\n{point}\n{{\"point\": 1, \"ro")  # cut short by a crash
        self.run_program(*args, "--resume")
        self.assertEqual((self.folder / "grid.csv").read_text(), whole)

    def test_resume_takes_over_finished_points(self):
        args = ["study", "builtin:paper", "--vary", "job.hours=16:19:1", "-o", "grid.csv"]
        self.run_program(*args)
        whole = (self.folder / "grid.csv").read_text()
        self.run_program(*args, "--resume")
        self.assertEqual((self.folder / "grid.csv").read_text(), whole)

    def test_wrong_grids_are_refused(self):
        for vary in ("job.hours", "job.hors=1:2:1", "job.hours=1:2:0", "job.hours=2:1:1", "job.hours=a:b:c", "pv.mounting=roof,wall",
                     "job.hours=1:1e9:1e-9"):
            self.run_program("study", "builtin:paper", "--vary", vary, expect=2)


class Scenario(ProgramTest):
    def test_template_is_a_sound_scenario(self):
        self.run_program("scenario", "new", "my.toml")
        self.run_program("scenario", "check", "my.toml")
        self.run_program("plan", "my.toml")
        self.run_program("scenario", "new", "my.toml", expect=2)  # does not overwrite

    def test_check_finds_every_mistake_in_one_round(self):
        self.write("my.toml", """[pv]
dc_capacity_w = 1000 W
tilt_deg = 95
[battery]
capacity_wh = 250
initial_wh = 300
[tariff]
import = "bands"
[[tariff.bands]]
days = "mon-fri"
from_hour = 7
to_hour = 22
price_eur_per_kwh = 0.3
[gpu]
curve = "builtin:other"
[job]
start = "2025-01-02 20:00"
deadline = "2025-01-01 20:00"
work = 0
""")
        done = self.run_program("scenario", "check", "my.toml", expect=1)
        self.assert_one_clear_sentence(done.stderr, "my.toml:2: pv.dc_capacity_w", "my.toml:3: pv.tilt_deg is 95", "my.toml:6: battery.initial_wh",
                                       "no price for mon-fri 00-07; mon-fri 22-24; sat,sun 00-24", "builtin:other",
                                       "my.toml:18: job.deadline", "24 h before the start", "my.toml:19: job.work")
        self.assertEqual(done.stderr.count("\n"), 7, done.stderr)

    def test_what_follows_from_a_mistake_is_no_further_mistake(self):
        self.write("my.toml", "[battery]\ncapacity_wh = 1 kWh\ninitial_wh = 5\n[tariff]\nimport = \"fixed\"\nimport_price_eur_per_kw = 3\n[gpu]\ncurve = \"builtin:paper\"\n"
                              "[job]\nstart = 2025-01-01 20:00\nhours = \"19\"\n")
        done = self.run_program("scenario", "check", "my.toml", expect=1)
        self.assert_one_clear_sentence(done.stderr, "battery.capacity_wh", "import_price_eur_per_kwh", "job.start", "without quotes")
        self.assertEqual(done.stderr.count("\n"), 4, done.stderr)

    def test_user_file_gives_defaults_to_files_but_not_to_the_study(self):
        folder = self.folder / ".config" / "heliograd"
        folder.mkdir(parents=True)
        (folder / "scenario.toml").write_text("[battery]\ncapacity_wh = 777\n")
        self.write("my.toml", "[gpu]\ncurve = \"builtin:paper\"\n")
        self.assertIn("capacity_wh = 777", self.run_program("scenario", "show", "my.toml").stdout)
        self.assertIn("capacity_wh = 250", self.run_program("scenario", "show", "builtin:paper").stdout)

    def test_own_bands(self):
        template = self.run_program("scenario", "new").stdout.replace('import = "builtin:arera"', 'import = "bands"')
        bands = "\n[[tariff.bands]]\ndays = \"all\"\nfrom_hour = 7\nto_hour = 22\nprice_eur_per_kwh = 0.4\n"
        self.write("gap.toml", template + bands)
        done = self.run_program("scenario", "check", "gap.toml", expect=1)
        self.assert_one_clear_sentence(done.stderr, "gap.toml")
        self.write("whole.toml", template + bands + "[[tariff.bands]]\ndays = \"all\"\nfrom_hour = 22\nto_hour = 7\nprice_eur_per_kwh = 0.2\n")
        self.run_program("scenario", "check", "whole.toml")


if __name__ == "__main__":
    unittest.main()

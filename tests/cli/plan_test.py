"""`heliograd plan`: the JSON contract, the flows of every slot, flags, infeasible jobs and wrong input."""
import csv
import io
import json
import pathlib
import re
import signal
import unittest

from program import SOURCE, ProgramTest

# Written digits of a double are exact, so flows close to rounding; 1e-6 Wh is far below any solver's own tolerance.
FLOW_WH = 1e-6

KEYS = ["status", "formulation", "cost_eur", "bound_eur", "grid_import_wh", "grid_export_wh", "pv_wh", "gpu_energy_wh",
        "carbon_kg", "solve_ms", "baselines", "slots"]
SLOT_KEYS = ["start", "duration_s", "gpu_power_w", "levels", "pv_wh", "pv_to_gpu_wh", "pv_to_battery_wh", "pv_to_grid_wh",
             "grid_to_gpu_wh", "grid_to_battery_wh", "battery_to_gpu_wh", "battery_to_grid_wh", "battery_wh",
             "import_price_eur_per_kwh", "export_price_eur_per_kwh", "progress"]


class Contract(ProgramTest):
    def test_every_key_of_the_contract_is_there(self):
        plan = self.run_json("plan", "builtin:paper")
        for key in KEYS:
            self.assertIn(key, plan)
        for key in SLOT_KEYS:
            self.assertIn(key, plan["slots"][0])
        self.assertEqual(len(plan["slots"]), 19)
        for baseline in plan["baselines"]:
            self.assertLessEqual({"name", "cost_eur", "grid_import_wh"}, set(baseline))

    def test_flows_of_every_slot_balance_in_every_formulation(self):
        for formulation in ("paper", "levels", "blend"):
            plan = self.run_json("plan", "builtin:paper", "--formulation", formulation)
            self.assertEqual(plan["status"], "optimal")
            self.assertLessEqual(plan["bound_eur"], plan["cost_eur"] + 1e-9)
            cost = 0
            for slot in plan["slots"]:
                load = slot["pv_to_gpu_wh"] + slot["grid_to_gpu_wh"] + slot["battery_to_gpu_wh"]
                self.assertAlmostEqual(load, slot["gpu_power_w"] * slot["duration_s"] / 3600, delta=FLOW_WH)
                used = slot["pv_to_gpu_wh"] + slot["pv_to_battery_wh"] + slot["pv_to_grid_wh"]
                self.assertLessEqual(used, slot["pv_wh"] + FLOW_WH)
                stored = slot["pv_to_battery_wh"] + slot["grid_to_battery_wh"]
                drawn = (slot["battery_to_gpu_wh"] + slot["battery_to_grid_wh"]) / 0.9
                self.assertAlmostEqual(0.995 * (slot["battery_wh"] - drawn + 0.9 * stored), slot["battery_end_wh"], delta=FLOW_WH)
                bought = slot["grid_to_gpu_wh"] + slot["grid_to_battery_wh"]
                sold = slot["pv_to_grid_wh"] + slot["battery_to_grid_wh"]
                cost += (bought * slot["import_price_eur_per_kwh"] - sold * slot["export_price_eur_per_kwh"]) / 1000
            self.assertAlmostEqual(cost, plan["cost_eur"], delta=1e-9)
            self.assertGreaterEqual(sum(slot["progress"] for slot in plan["slots"]), 1 - 1e-9)

    def test_own_formulations_cost_no_more_than_any_baseline(self):
        for formulation in ("levels", "blend"):
            plan = self.run_json("plan", "builtin:paper", "--formulation", formulation)
            for baseline in plan["baselines"]:
                self.assertLessEqual(plan["cost_eur"], baseline["cost_eur"] + 1e-6, baseline["name"])

    def test_study_table_vi_baseline_starts_when_the_plan_may_start(self):
        plan = self.run_json("plan", "builtin:paper")
        grid_only = {b["name"]: b for b in plan["baselines"]}["best fixed limit from the grid"]
        # 160 W: 3 h at 0.35, 9 h at 0.25 and the rest of 14.77 h at 0.45 EUR/kWh.
        self.assertAlmostEqual(grid_only["cost_eur"], 0.16 * (3 * 0.35 + 9 * 0.25 + 2.77 * 0.45), delta=1e-9)

    def test_csv_has_a_row_per_slot(self):
        self.run_program("plan", "builtin:paper", "--csv", "plan.csv")
        rows = list(csv.DictReader(io.StringIO((self.folder / "plan.csv").read_text())))
        self.assertEqual(len(rows), 19)

    def test_plan_file_is_drawn_by_report(self):
        self.run_program("plan", "builtin:paper", "-o", "plan.json")
        self.assertEqual(json.loads((self.folder / "plan.json").read_text())["status"], "optimal")
        self.run_program("report", "plan.json", "-o", "plan.svg")
        self.assertIn("<svg", (self.folder / "plan.svg").read_text())

    def test_terminal_output_obeys_width_and_no_colour(self):
        shown = self.run_program("plan", "builtin:paper", env={"COLUMNS": "60", "NO_COLOR": "1"}).stdout
        self.assertNotIn("\x1b", shown)
        self.assertLessEqual(max(len(line) for line in shown.splitlines()), 60)


class Readme(ProgramTest):
    def shown_after(self, command):
        """The lines that README shows under a command."""
        block = (SOURCE / "README.md").read_text().split(f"    $ {command}\n", 1)[1]
        lines = []
        for line in block.splitlines():
            if line and not line.startswith("    "):
                break
            lines.append(line[4:])
        return "\n".join(lines).rstrip() + "\n"

    def test_the_plan_shown_there_is_the_plan_printed(self):
        shown = self.shown_after("heliograd plan builtin:paper")
        printed = self.run_program("plan", "builtin:paper", env={"COLUMNS": "100"}).stdout
        # The time of the solver alone differs from run to run, "kernel in 55 us", and with it where the line breaks.
        plain = [re.sub(r"\bin [0-9.]+ (us|ms|s)\b", "in TIME", " ".join(part.split())) for part in (shown, printed)]
        self.assertEqual(plain[0], plain[1])

    def test_the_study_shown_there_is_the_study_printed(self):
        command = "heliograd study builtin:paper --vary pv.dc_capacity_w=200:1000:400 --vary job.hours=16,19"
        shown, printed = (list(csv.DictReader(io.StringIO(text)))
                          for text in (self.shown_after(command), self.run_program(*command.split()[1:]).stdout))
        self.assertEqual(len(shown), 6)
        self.assertEqual([list(row) for row in shown], [list(row) for row in printed])
        for there, here in zip(shown, printed):
            for key, value in there.items():
                with self.subTest(point=list(here.values())[:2], key=key):
                    try:
                        # The last digits are those of sums whose order a compiler may choose.
                        self.assertAlmostEqual(float(here[key]), float(value), delta=1e-9 * max(1, abs(float(value))))
                    except ValueError:
                        self.assertEqual(here[key], value)


class Flags(ProgramTest):
    def test_set_start_hours_and_slot_minutes(self):
        plan = self.run_json("plan", "builtin:paper", "--set", "pv.dc_capacity_w=300", "--start", "2025-06-21 08:00", "--hours",
                             "16", "--slot-minutes", "30")
        self.assertEqual(len(plan["slots"]), 32)
        self.assertEqual(plan["slots"][0]["start"], "2025-06-21T07:00:00Z")
        self.assertEqual(plan["slots"][0]["duration_s"], 1800)

    def test_deadline_replaces_hours(self):
        plan = self.run_json("plan", "builtin:paper", "--deadline", "2025-01-02 20:00")
        self.assertEqual(len(plan["slots"]), 24)

    def test_pv_series_of_zeros_leaves_no_pv(self):
        self.write("pv.csv", "hour,ac_w\n" + "".join(f"{hour},0\n" for hour in range(8760)))
        plan = self.run_json("plan", "builtin:paper", "--pv-series", "pv.csv")
        self.assertEqual(plan["pv_wh"], 0)

    def test_environment_lies_between_file_and_flag(self):
        env = {"HELIOGRAD_PV_DC_CAPACITY_W": "300"}
        shown = self.run_program("scenario", "show", "builtin:paper", env=env).stdout
        self.assertIn("dc_capacity_w = 300", shown)
        self.assertIn("environment HELIOGRAD_PV_DC_CAPACITY_W", shown)
        shown = self.run_program("scenario", "show", "builtin:paper", "--set", "pv.dc_capacity_w=200", env=env).stdout
        self.assertIn("dc_capacity_w = 200", shown)

    def test_carbon_as_objective_lowers_carbon(self):
        by_cost = self.run_json("plan", "builtin:paper")
        by_carbon = self.run_json("plan", "builtin:paper", "--set", "job.objective=carbon")
        self.assertLess(by_carbon["carbon_kg"], by_cost["carbon_kg"] + 1e-9)
        self.assertGreaterEqual(by_carbon["cost_eur"], by_cost["cost_eur"] - 0.001)

    def test_no_gram_of_a_carbon_plan_is_called_a_euro(self):
        flags = ("builtin:paper", "--set", "job.objective=carbon", "--set", "tariff.export_price_eur_per_kwh=0.05")
        plan = self.run_json("plan", *flags)
        later = plan["deadline_price"]
        for key in ("objective_eur", "bound_eur"):
            self.assertIsNone(plan[key])
        self.assertIsNone(later["one_hour_later_eur"])
        self.assertIsNone(later["one_hour_earlier_eur"])
        # The bound is the carbon plus the money that decides between equals, a gram per euro.
        self.assertAlmostEqual(plan["bound_carbon_kg"], plan["carbon_kg"] + plan["cost_eur"] / 1000, delta=2e-6)
        intensities = [slot["carbon_g_per_kwh"] for slot in plan["slots"]]
        for slot in plan["slots"]:
            self.assertIsNone(slot["stored_value_eur_per_kwh"])
            self.assertLess(slot["stored_value_carbon_g_per_kwh"], 1.01 * max(intensities))
        for rung in plan["baselines"]:
            self.assertLessEqual(plan["carbon_kg"], rung["carbon_kg"] + 1e-6)
        text = self.run_program("plan", *flags, env={"COLUMNS": "200"}).stdout
        headline = " ".join(text.split("GPU  ")[0].split())
        self.assertIn(f"Carbon {1000 * plan['carbon_kg']:.0f} g CO2, at a cost of", headline)
        self.assertRegex(headline, r"no plan emits less than \d+ g CO2")
        self.assertRegex(headline, r"That is \d+ g CO2 \(")
        self.assertRegex(text, r"deadline +an hour later (saves \d+ g CO2|changes nothing)")
        self.assertRegex(text, r"worth -?\d+ g CO2/kWh to \d+ g CO2/kWh")
        row = self.run_json("study", *flags, "--vary", "pv.dc_capacity_w=1000")["points"][0]
        self.assertNotIn("bound_eur", row)
        self.assertAlmostEqual(row["bound_carbon_kg"], plan["bound_carbon_kg"], places=9)

    def test_the_price_of_the_deadline_is_the_one_of_whatif(self):
        for extra in ((), ("--set", "tariff.export_price_eur_per_kwh=0.1"), ("--start", "2025-06-01 08:00"),
                      ("--formulation", "levels")):
            price = self.run_json("plan", "builtin:paper", *extra)["deadline_price"]
            changes = {c["name"]: c for c in self.run_json("whatif", "builtin:paper", *extra)["changes"]}
            # Each of four plans is solved to 0.001 EUR.
            self.assertAlmostEqual(-changes["deadline 1 h later"]["saving_eur"], price["one_hour_later_eur"], delta=0.004)
            self.assertAlmostEqual(-changes["deadline 1 h earlier"]["saving_eur"], price["one_hour_earlier_eur"],
                                   delta=0.004)

    def test_more_slots_than_memory_holds_are_refused_before_the_work(self):
        done = self.run_program("plan", "builtin:paper", "--slot-minutes", "1", "--hours", "2000", expect=2)
        self.assert_one_clear_sentence(done.stderr, "job.hours", "120000 slots of 1 min", "--slot-minutes")

    def test_impossible_power_and_a_series_in_kilowatts_are_noted(self):
        self.write("pv.csv", "hour,ac_w\n" + "".join(f"{hour},{0.8 if 8 <= hour % 24 < 16 else 0}\n" for hour in range(8760)))
        plan = self.run_json("plan", "builtin:paper", "--pv-series", "pv.csv")
        self.assertTrue(any("is the series in kW" in note for note in plan["notes"]), plan["notes"])
        # 150 W: 72000 J in 72 s are 1000 W.
        self.write("curve.toml", "[[points]]\nlimit_w = 100\nseconds_per_unit = 100\nenergy_j_per_unit = 10000\n"
                   "[[points]]\nlimit_w = 150\nseconds_per_unit = 72\nenergy_j_per_unit = 72000\n")
        plan = self.run_json("plan", "builtin:paper", "--set", "gpu.curve=curve.toml", "--set", "job.units=500")
        self.assertTrue(any("1000 W drawn at a limit of 150 W" in note for note in plan["notes"]), plan["notes"])
        sound = self.run_json("plan", "builtin:paper")["notes"]
        self.assertFalse([note for note in sound if "kW?" in note or "drawn at a limit" in note])


class Notes(ProgramTest):
    def notes(self, *args):
        return "\n".join(self.run_json("plan", "builtin:paper", *args)["notes"])

    def test_weather_of_a_far_place_is_told(self):
        self.assertNotIn("km from the site", self.notes())
        self.assertNotIn("km from the site", self.notes("--set", "site.latitude=45.07", "--set", "site.longitude=7.69"))
        far = self.notes("--set", "site.latitude=41.9", "--set", "site.longitude=12.5")
        self.assertIn("km from the site at 41.90, 12.50", far)  # Rome; great-circle distance 501 km from 45.0, 8.0
        self.assertIn(" 501 km", far)

    def test_an_hour_that_occurs_twice_and_a_cut_horizon_are_in_the_headline(self):
        # Rome puts the clock back on 26 October 2025: 02:30 is 00:30 UTC and again 01:30 UTC.
        autumn = ("--set", "site.timezone=Europe/Rome", "--hours", "19.5")
        first = self.run_json("plan", "builtin:paper", *autumn, "--start", "2025-10-26 02:30")
        self.assertEqual(first["slots"][0]["start"], "2025-10-26T00:30:00Z")
        self.assertIn("occurs twice", first["notes"][0])
        self.assertIn("write \"2025-10-26 02:30+01:00\"", first["notes"][0])
        second = self.run_json("plan", "builtin:paper", *autumn, "--start", "2025-10-26 02:30+01:00")
        self.assertEqual(second["slots"][0]["start"], "2025-10-26T01:30:00Z")
        self.assertNotIn("occurs twice", "\n".join(second["notes"]))
        shown = self.run_program("plan", "builtin:paper", *autumn, "--start", "2025-10-26 02:30", env={"COLUMNS": "200"}).stdout
        head = shown[:shown.index("Cost ")]
        self.assertIn("whole job at Turin", head)
        self.assertIn("occurs twice", head)
        self.assertIn("the last 30 minutes before the deadline are no whole slot", head)
        self.assertEqual(shown.count("occurs twice"), 1)

    def test_a_lever_below_zero_says_why(self):
        shown = self.run_program("plan", "builtin:paper", env={"COLUMNS": "400"}).stdout
        self.assertIn("battery is below zero (sales bring 0.085 EUR less): its simple rule stores spare PV instead of selling it", shown)

    def test_the_ladder_says_which_rule_leaves_the_battery_empty(self):
        shown = self.run_program("plan", "builtin:paper", "--set", "battery.final_wh=200", env={"COLUMNS": "400"}).stdout
        self.assertIn("best fixed limit + PV (150 W), leaves 0.0 of the 200.0 Wh asked for in the battery", shown)

    def test_zeros_have_no_sign(self):
        for formulation in ("paper", "levels", "blend"):
            plan = self.run_program("plan", "builtin:paper", "--formulation", formulation, "--csv", "plan.csv", "--json").stdout
            self.assertNotRegex(plan + (self.folder / "plan.csv").read_text(), r"-0(\.0+)?[,\s]")

    def test_slots_that_one_meter_cannot_do_are_told(self):
        # On a summer morning PV is sold at 0.30 EUR/kWh while the GPU is fed from the grid at 0.25.
        summer = ("--start", "2025-06-21 00:00")
        self.assertIn("not realisable in", self.notes("--formulation", "paper", *summer))
        self.assertNotIn("not realisable in", self.notes("--formulation", "blend", *summer))


class Infeasible(ProgramTest):
    def test_too_short_a_deadline_says_what_would_do(self):
        plan = self.run_json("plan", "builtin:paper", "--hours", "10", expect=3)
        self.assertEqual(plan["status"], "infeasible")
        self.assertIn("allow", plan["infeasible_reason"])
        hours = int(float(plan["infeasible_reason"].split("allow ")[1].split(" h")[0]))
        self.run_json("plan", "builtin:paper", "--hours", str(hours))
        self.run_json("plan", "builtin:paper", "--hours", str(hours - 1), expect=3)

    def test_a_limit_too_low_names_the_lowest_that_does(self):
        plan = self.run_json("plan", "builtin:paper", "--set", "gpu.max_limit_w=120", expect=3)
        self.assertIn("raise the limit to 130 W", plan["infeasible_reason"])  # Table IV: 18.54 h fit into 19 h


class Interrupted(ProgramTest):
    def test_ctrl_c_says_so_and_writes_nothing(self):
        # A search of minutes: whole levels in 96 slots with a large battery.
        plan = self.start("plan", "builtin:paper", "--hours", "24", "--slot-minutes", "15", "--set", "battery.capacity_wh=5000",
                          "--formulation", "levels", "--tolerance-eur", "0", "--time-limit-s", "600", "-o", "plan.json", "--csv",
                          "plan.csv")
        self.addCleanup(plan.kill)
        status = pathlib.Path(f"/proc/{plan.pid}/status")
        caught = lambda: int(re.search(r"SigCgt:\s*(\w+)", status.read_text())[1], 16) >> (signal.SIGINT - 1) & 1
        self.wait_for(caught)
        plan.send_signal(signal.SIGINT)
        output, told = plan.communicate(timeout=20)
        self.assertEqual(plan.returncode, 130)
        self.assertEqual(told, "interrupted: nothing was written.\n")
        self.assertEqual(output, "")
        self.assertEqual(list(self.folder.iterdir()), [])


class WrongInput(ProgramTest):
    def test_each_mistake_of_the_horizon_has_its_own_sentence(self):
        for args, word in [(["--deadline", "2024-12-31 20:00"], "before the start"),
                           (["--hours", "0.5"], "empty"),
                           (["--set", "job.work=0"], "no work"),
                           (["--slot-minutes", "7"], "divides 60")]:
            done = self.run_program("plan", "builtin:paper", *args, expect=2)
            self.assert_one_clear_sentence(done.stderr, word)

    def test_unknown_key_names_the_nearest(self):
        done = self.run_program("plan", "builtin:paper", "--set", "pv.dc_capcity_w=3", expect=2)
        self.assert_one_clear_sentence(done.stderr, "pv.dc_capacity_w")

    def test_wrong_values_on_the_command_line(self):
        for value in ("nan", "inf", "-5", "much", "", "1e999"):
            done = self.run_program("plan", "builtin:paper", "--set", f"pv.dc_capacity_w={value}", expect=2)
            self.assert_one_clear_sentence(done.stderr, "pv.dc_capacity_w", "expected")

    def test_all_mistakes_of_a_file_at_once(self):
        self.write("bad.toml", "[pv]\ndc_capacity_w = \"big\"\ntilt = 5\n[battery]\ncharge_efficiency = 1.5\n[jobs]\nx = 1\n")
        done = self.run_program("scenario", "check", "bad.toml", expect=1)
        self.assert_one_clear_sentence(done.stderr, "bad.toml:2", "bad.toml:3", "tilt_deg", "bad.toml:5", "[job")

    def test_values_that_are_no_toml_say_what_to_write(self):
        for line, words in [("start = 2025-01-01 20:00", ["job.start", "write start = \"2025-01-01 20:00\""]),
                            ("start = \"2025-02-30 20:00\"", ["job.start is '2025-02-30 20:00'", "February 2025 has 28 days"]),
                            ("start = 2025-02-30 20:00", ["job.start is '2025-02-30 20:00'", "February 2025 has 28 days"]),
                            ("hours = 19 h", ["job.hours is '19 h'", "hours = 19"]),
                            ("objective = cost", ["job.objective", "objective = \"cost\""])]:
            self.write("my.toml", f"[job]\n{line}\n")
            done = self.run_program("plan", "my.toml", expect=1)
            self.assert_one_clear_sentence(done.stderr, "my.toml:2: ", *words)
            self.assertEqual(done.stderr.count("\n"), 1, done.stderr)

    def test_misspelt_environment_names_the_nearest(self):
        done = self.run_program("plan", "builtin:paper", env={"HELIOGRAD_PV_TILT": "30"}, expect=1)
        self.assert_one_clear_sentence(done.stderr, "HELIOGRAD_PV_TILT:", "HELIOGRAD_PV_TILT_DEG")
        others = {"HELIOGRAD_REFERENCE_DATA": "/nowhere", "HELIOGRAD_SIM_GPU": "1"}
        self.run_program("plan", "builtin:paper", "--json", env=others)

    def test_files_are_told_with_the_key_that_names_them(self):
        self.write("my.toml", "[weather]\nfile = \"w.csv\"\n[pv]\ndc_capacity_w = 5\n[gpu]\ncurve = \"absent.toml\"\n[tariff]\nimport = \"p.csv\"\n")
        self.write("w.csv", "no weather\n")
        self.write("p.csv", "start,price\n")
        done = self.run_program("scenario", "check", "my.toml", "--set", "carbon.series=c.csv", expect=1)
        self.assert_one_clear_sentence(done.stderr, "my.toml:2: weather.file: w.csv", "my.toml:6: gpu.curve: absent.toml",
                                       "--set: carbon.series: c.csv")

    def test_an_uncovered_horizon_is_told_on_the_local_clock(self):
        self.write("p.csv", "start,price_eur_per_kwh\n2025-01-01 20:00,0.3\n2025-01-01 21:00,0.3\n")
        done = self.run_program("plan", "builtin:paper", "--set", "tariff.import=p.csv", expect=1)
        self.assert_one_clear_sentence(done.stderr, "tariff.import: p.csv", "no value from 2025-01-01 22:00 +01:00 to 2025-01-02 15:00 +01:00")

    def test_decimal_commas_are_no_price_of_zero(self):
        rows = [f"2025-01-{day:02} {hour:02}:00" for day in (1, 2) for hour in range(24)]
        prices = ("plan", "builtin:paper", "--set", "tariff.import=p.csv")
        for header, row, words in (("start,price_eur_per_kwh", "{},0,100", ("p.csv:2: row is", "expected 2 fields", "decimal comma")),
                                   ("start;price_eur_per_kwh", "{};0,100", ("p.csv:2: price_eur_per_kwh is '0,100'", "decimal point")),
                                   ("start,price_eur_per_kwh", "{},98.5", ("p.csv:2: price_eur_per_kwh is '98.5'", "price_eur_per_mwh"))):
            self.write("p.csv", "\n".join([header, *(row.format(start) for start in rows)]) + "\n")
            done = self.run_program(*prices, expect=1)
            self.assert_one_clear_sentence(done.stderr, *words, "46 more lines with the same mistake")
            self.assertEqual(done.stderr.count("\n"), 3, done.stderr)

    def test_an_infeasible_plan_is_not_said_to_be_drawn(self):
        done = self.run_program("plan", "builtin:paper", "--hours", "10", "-o", "inf.json", "--csv", "inf.csv", expect=3)
        self.assertNotIn("plan.svg", done.stderr)
        self.assertIn("inf.json written", done.stderr)
        self.assertIn("inf.csv: not written", done.stderr)
        self.assertFalse((self.folder / "inf.csv").exists())
        done = self.run_program("report", "inf.json", "--csv", "x.csv", expect=2)
        self.assert_one_clear_sentence(done.stderr, "heliograd plan --csv")

    def test_a_kernel_that_cannot_says_why(self):
        for args, why in ((["--set", "gpu.idle_w=250"], "idle"),
                          (["--formulation", "paper", "--set", "grid.import_limit_w=200"], "import limit"),
                          (["--formulation", "paper", "--set", "tariff.export_price_eur_per_kwh=-0.1"], "below zero")):
            done = self.run_program("plan", "builtin:paper", "--solver", "kernel", *args, expect=2)
            self.assert_one_clear_sentence(done.stderr, "--solver kernel", why)

    def test_limits_that_leave_no_level_are_both_named(self):
        done = self.run_program("plan", "builtin:paper", "--set", "gpu.min_limit_w=300", "--set", "gpu.max_limit_w=100", expect=2)
        self.assert_one_clear_sentence(done.stderr, "gpu.min_limit_w is 300", "gpu.max_limit_w is 100")

    def test_a_deadline_without_its_sign_lists_what_may_be_written(self):
        done = self.run_program("plan", "builtin:paper", "--deadline", "14h", expect=2)
        self.assert_one_clear_sentence(done.stderr, "in 14 hours", "+14h")
        for deadline in ("in 14 hours", "in 1 hour", "in 90 minutes"):
            self.run_program("scenario", "check", "builtin:paper", "--set", f"job.deadline={deadline}", "--set", "job.start=now")

    def test_files_that_are_no_scenario(self):
        for name, content in [("empty.toml", ""), ("binary.toml", bytes(range(256))), ("latin1.toml", "[site]\nname = \"caf\xe9\"\n".encode("latin-1")),
                              ("cut.toml", "[pv]\ndc_capacity_w = "), ("endless.toml", "a" * 300000)]:
            self.write(name, content)
            done = self.run_program("plan", name, expect=1)
            self.assert_one_clear_sentence(done.stderr, name)
        self.run_program("plan", "absent.toml", expect=1)
        self.run_program("plan", ".", expect=1)

    def test_crlf_and_byte_order_mark_are_fine(self):
        template = self.run_program("scenario", "new").stdout
        self.write("crlf.toml", b"\xef\xbb\xbf" + template.replace("\n", "\r\n").encode())
        self.run_program("scenario", "check", "crlf.toml")

    def test_mistyped_names_get_a_suggestion(self):
        for args, words in [(["plann", "builtin:paper"], ["'plann'", "Did you mean 'plan'?"]),
                            (["plan", "builtin:paper", "--hour", "5"], ["'--hour'", "Did you mean '--hours'?", "heliograd plan --help"]),
                            (["plan", "builtin:paper", "--slot-minute=15"], ["Did you mean '--slot-minutes'?"]),
                            (["scenario", "chek", "x.toml"], ["'chek'", "Did you mean 'check'?"])]:
            done = self.run_program(*args, expect=2)
            self.assert_one_clear_sentence(done.stderr, *words)

    def test_empty_values_are_no_default(self):
        for args in (["plan", "builtin:paper", "-o", ""], ["plan", "builtin:paper", "--csv", ""], ["plan", "builtin:paper", "--hours", ""],
                     ["study", "builtin:paper", "--vary", "job.hours=19", "-o", ""], ["pv", "--csv", ""], ["scenario", "new", ""]):
            self.assert_one_clear_sentence(self.run_program(*args, expect=2).stderr, "not an empty text")

    def test_usage(self):
        self.run_program(expect=2)
        self.run_program("plan", expect=2)
        self.run_program("plam", expect=2)
        self.run_program("plan", "builtin:nothing", expect=2)
        self.run_program("plan", "builtin:paper", "--formulation", "magic", expect=2)
        self.run_program("plan", "--help")
        self.run_program("--version")

    def test_output_that_cannot_be_written(self):
        done = self.run_program("plan", "builtin:paper", "-o", "no/such/folder/plan.json", expect=2)
        self.assert_one_clear_sentence(done.stderr, "no/such/folder/plan.json")

    def test_units_that_are_not_given_are_told(self):
        self.write("curve.toml", "[[points]]\nlimit_w = 150\nseconds_per_unit = 0.12\nenergy_j_per_unit = 17.4\n")
        args = ("plan", "builtin:paper", "--set", "gpu.curve=curve.toml")
        self.assertIn("job.units is not given", self.run_program(*args).stdout)
        self.assertNotIn("job.units", self.run_program(*args, "--set", "job.units=100000").stdout)

    def test_only_an_earlier_plan_is_replaced(self):
        self.write("my.toml", "mine")
        done = self.run_program("plan", "builtin:paper", "-o", "my.toml", expect=2)
        self.assert_one_clear_sentence(done.stderr, "my.toml", "is no plan")
        self.assertEqual((self.folder / "my.toml").read_text(), "mine")
        self.run_program("plan", "builtin:paper", "-o", "plan.json")
        self.run_program("plan", "builtin:paper", "--hours", "20", "-o", "plan.json")

    def test_plan_files_that_are_none(self):
        for content in ("", "{", "[]", "{\"format\": \"other\"}", "null"):
            self.write("plan.json", content)
            done = self.run_program("report", "plan.json", expect=1)
            self.assert_one_clear_sentence(done.stderr, "plan.json")


if __name__ == "__main__":
    unittest.main()

"""`heliograd size`: sizes of panel and battery against the plans of single runs."""
import datetime
import unittest

from program import ProgramTest


class Size(ProgramTest):
    def test_one_run_a_year_costs_what_its_plan_costs(self):
        answer = self.run_json("size", "builtin:paper", "--runs-per-year", "1", "--only-runs", "--pv", "0,500,1000",
                               "--battery", "0,250")
        for point in answer["points"]:
            plan = self.run_json("plan", "builtin:paper", "--set", f"pv.dc_capacity_w={point['pv_w']}",
                                 "--set", f"battery.capacity_wh={point['battery_wh']}")
            self.assertAlmostEqual(point["energy_eur_per_year"], plan["cost_eur"], places=6)
            self.assertAlmostEqual(point["grid_import_wh_per_year"], plan["grid_import_wh"], places=3)

    def test_the_best_is_no_dearer_than_any_point(self):
        answer = self.run_json("size", "builtin:paper", "--runs-per-year", "50", "--set",
                               "tariff.export_price_eur_per_kwh=0.05", "-o", "size.svg")
        best = answer["best"]
        for point in answer["points"]:
            self.assertLessEqual(best["total_eur_per_year"], point["total_eur_per_year"] + 1e-9)
            self.assertAlmostEqual(point["total_eur_per_year"],
                                   point["energy_eur_per_year"] + point["hardware_eur_per_year"], places=9)
        self.assertEqual(answer["points"][0]["investment_eur"], 0)
        self.assertIsNone(answer["points"][0]["payback_years"])
        self.assertIn("svg", (self.folder / "size.svg").read_text()[:400])

    def test_payback_and_payments_follow_from_the_prices(self):
        answer = self.run_json("size", "builtin:paper", "--runs-per-year", "20", "--pv", "0,1000", "--battery", "0",
                               "--discount-rate", "0", "--pv-price", "1", "--pv-lifetime", "20")
        neither, panel = answer["points"]
        self.assertAlmostEqual(panel["hardware_eur_per_year"], 1000 / 20, places=9)
        saved = neither["energy_eur_per_year"] - panel["energy_eur_per_year"]
        self.assertAlmostEqual(panel["payback_years"], 1000 / saved, places=9)

    def test_wrong_input_is_one_sentence(self):
        for args, words in ((["--pv", "a:b"], ["--pv", "expected"]),
                            (["--runs-per-year", "800"], ["--runs-per-year 800", "runs of 19 h", "at most 461"]),
                            (["--battery", "-5"], ["--battery"])):
            done = self.run_program("size", "builtin:paper", *args, expect=2)
            self.assert_one_clear_sentence(done.stderr, *words)
        done = self.run_program("size", "builtin:paper", "--pv", "0:3000:0.001", expect=2)
        self.assert_one_clear_sentence(done.stderr, "--pv", "3000001 sizes", "at most 10000")
        done = self.run_program("size", "builtin:paper", "--battery", "0:3000:0.1", expect=2)
        self.assert_one_clear_sentence(done.stderr, "--battery", "30001 sizes")
        done = self.run_program("size", "builtin:paper", "--set", "job.objective=carbon", expect=2)
        self.assert_one_clear_sentence(done.stderr, "job.objective", "expected 'cost'")

    def test_runs_that_cannot_be_done_are_an_answer_on_the_local_clock(self):
        shown = self.run_program("size", "builtin:paper", "--hours", "10", expect=3, env={"COLUMNS": "400"}).stdout
        # The site is on UTC+1: the first run begins at 19:00Z.
        for words in ("Infeasible", "run from 2025-01-01 20:00", "by 2025-01-02 06:00", "allow 14 h"):
            self.assertIn(words, shown)
        self.assertEqual(shown.count("\n"), 1)
        answer = self.run_json("size", "builtin:paper", "--hours", "10", expect=3)
        self.assertEqual(answer["status"], "infeasible")
        plan = self.run_json("plan", "builtin:paper", "--hours", "10", expect=3)
        self.assertIn(plan["infeasible_reason"], answer["infeasible_reason"])

    def test_a_start_now_is_taken(self):
        few = ("--runs-per-year", "1", "--pv", "0,500", "--battery", "0")
        self.assertGreater(self.run_json("size", "builtin:paper", "--start", "now", *few)["best"]["total_eur_per_year"], -1000)

    def test_a_map_of_a_single_size_is_refused_before_the_work(self):
        done = self.run_program("size", "builtin:paper", "--pv", "0,1000", "--battery", "0", "-o", "u.svg", expect=2)
        self.assert_one_clear_sentence(done.stderr, "--battery", "a single size", "leave out -o")
        self.assertFalse((self.folder / "u.svg").exists())

    def test_nothing_searched_is_told_once_and_is_no_edge(self):
        text = self.run_program("size", "builtin:paper", "--pv", "0", "--battery", "0", "--runs-per-year", "3").stdout
        self.assertNotIn("edge of what was searched", text)
        self.assertNotIn("that panel", text)
        self.assertIn("own sizes were not searched and cost less: 1000 W PV, 250 Wh", " ".join(text.split()))
        first, table = text.split("\nsizes", 1)
        self.assertEqual(first.count("neither"), 1)
        self.assertEqual(table.count("neither"), 1)

    def test_a_battery_that_dies_before_it_has_paid_is_not_paid_back(self):
        args = ("size", "builtin:paper", "--pv", "0", "--battery", "0,1000", "--runs-per-year", "100")
        battery = self.run_json(*args)["points"][1]
        self.assertIsNone(battery["payback_years"])
        self.assertEqual(battery["no_payback_because"], "not within its life")
        text = " ".join(self.run_program(*args).stdout.split())
        self.assertIn("not within its life", text)
        longer = self.run_json(*args, "--battery-lifetime", "100")["points"][1]
        self.assertGreater(longer["payback_years"], 12)
        self.assertIsNone(longer["no_payback_because"])
        shown = " ".join(self.run_program(*args, "--battery-lifetime", "100").stdout.split())
        self.assertIn(f"{longer['payback_years']:.1f} years", shown)

    def test_each_size_is_one_row_and_the_scenarios_own_is_marked(self):
        args = ("size", "builtin:paper", "--pv", "0,500,1000", "--battery", "0,250", "--runs-per-year", "100")
        table = self.run_program(*args, env={"COLUMNS": "160"}).stdout.split("\nsizes", 1)[1]
        sizes = [line.split("  ")[0] for line in table.splitlines()[1:] if "EUR" in line and "Assumed" not in line]
        self.assertIn("1000 W PV, 250 Wh (the scenario's)", sizes)
        self.assertEqual(sum("scenario's" in size for size in sizes), 1)
        self.assertEqual(len({size.split(" (")[0] for size in sizes}), len(sizes), sizes)

    def test_no_run_takes_energy_from_nowhere(self):
        args = ("size", "builtin:paper", "--set", "battery.capacity_wh=2000", "--pv", "0", "--battery", "0,250,2000")
        empty = self.run_json(*args)
        self.assertEqual(empty["assumed"]["battery_initial_wh"], 0)
        for sets in (["battery.initial_wh=2000"], ["battery.initial_wh=500", "battery.final_wh=500"],
                     ["battery.terminal_value_eur_per_kwh=1"]):
            flags = [flag for value in sets for flag in ("--set", value)]
            other = self.run_json(*args, *flags)
            self.assertEqual(other["points"], empty["points"], sets)
            self.assertIn("whatever the scenario says", " ".join(self.run_program(*args, *flags).stdout.split()))
        self.assertIn("begins with an empty battery", " ".join(self.run_program(*args).stdout.split()))


class Calendar(ProgramTest):
    # One panel, one battery: 1000 W and 250 Wh against neither.
    sizes = ("--pv", "0,1000", "--battery", "0,250", "--only-runs")

    def calendar(self, starts, name="runs.csv"):
        return self.write(name, "".join(f"{start}\n" for start in starts))

    def spread(self, runs, begin=datetime.datetime(2025, 1, 1, 20)):
        """As --runs-per-year has them: whole days apart. The paper's clock is UTC+1 all year."""
        return [f"{begin + datetime.timedelta(days=int(run * 365 / runs + 0.5)):%Y-%m-%d %H:%M}" for run in range(runs)]

    def test_starts_spread_evenly_cost_what_so_many_runs_a_year_cost(self):
        self.calendar(["start", *reversed(self.spread(20))])
        of_calendar = self.run_json("size", "builtin:paper", "--calendar", "runs.csv", *self.sizes)
        spread = self.run_json("size", "builtin:paper", "--runs-per-year", "20", *self.sizes)
        self.assertEqual(of_calendar["points"], spread["points"])
        self.assertEqual((of_calendar["assumed"]["runs"], of_calendar["assumed"]["calendar"]), ("calendar", "runs.csv"))
        self.assertEqual(of_calendar["assumed"]["runs_per_year"], 20)
        self.assertEqual((spread["assumed"]["runs"], spread["assumed"]["calendar"]), ("spread evenly", None))
        text = self.run_program("size", "builtin:paper", "--calendar", "runs.csv", *self.sizes).stdout
        self.assertIn("the 20 runs of runs.csv", text)

    def test_each_run_costs_what_its_plan_costs(self):
        self.calendar(["2025-06-14 08:00,15  # a long day", "2025-03-01 20:00", "2025-11-30 02:00,"])
        answer = self.run_json("size", "builtin:paper", "--calendar", "runs.csv", *self.sizes)
        plans = [self.run_json("plan", "builtin:paper", "--start", start, "--hours", hours)
                 for start, hours in (("2025-06-14 08:00", "15"), ("2025-03-01 20:00", "19"), ("2025-11-30 02:00", "19"))]
        self.assertAlmostEqual(answer["points"][-1]["energy_eur_per_year"], sum(plan["cost_eur"] for plan in plans), places=6)
        self.assertAlmostEqual(answer["points"][-1]["grid_import_wh_per_year"],
                               sum(plan["grid_import_wh"] for plan in plans), places=3)

    def test_summer_days_save_more_sun_than_a_whole_year(self):
        def saved(*args):
            neither, *_, both = self.run_json("size", "builtin:paper", *self.sizes, *args)["points"]
            return neither["energy_eur_per_year"] - both["energy_eur_per_year"]
        self.calendar([f"2025-{month:02}-{day:02} 20:00" for month in (6, 7) for day in range(1, 30, 3)])
        self.assertGreater(saved("--calendar", "runs.csv"), 1.2 * saved("--runs-per-year", "20"))

    def test_wrong_calendars_are_told_all_at_once(self):
        self.calendar(["2025-01-01 20:00", "2025-02-30 20:00", "soon", "2025-03-01 20:00,-1"])
        told = self.run_program("size", "builtin:paper", "--calendar", "runs.csv", expect=1).stderr
        self.assert_one_clear_sentence(told, "runs.csv:2: start is '2025-02-30 20:00'", "28 days", "runs.csv:3: start is 'soon'",
                                       "such as 2025-03-01 20:00", "runs.csv:4: hours is '-1'")
        self.calendar(["2025-01-01 20:00", "2025-01-02 08:00"])
        told = self.run_program("size", "builtin:paper", "--calendar", "runs.csv", expect=1).stderr
        self.assert_one_clear_sentence(told, "runs.csv:2: the run from 2025-01-02 08:00 begins before the run from "
                                             "2025-01-01 20:00 on line 1 has ended, at 2025-01-02 15:00")
        told = self.run_program("size", "builtin:paper", "--calendar", "absent.csv", expect=1).stderr
        self.assert_one_clear_sentence(told, "--calendar", "absent.csv")
        told = self.run_program("size", "builtin:paper", "--calendar", "runs.csv", "--runs-per-year", "5", expect=2).stderr
        self.assert_one_clear_sentence(told, "--calendar", "--runs-per-year")

    def test_a_run_that_cannot_be_done_is_told_with_its_own_hours(self):
        self.calendar(["2025-01-01 20:00", "2025-05-01 20:00,10"])
        shown = self.run_program("size", "builtin:paper", "--calendar", "runs.csv", expect=3, env={"COLUMNS": "400"}).stdout
        for words in ("run from 2025-05-01 20:00", "in its 10 h", "by 2025-05-02 06:00", "allow 14 h"):
            self.assertIn(words, shown)


class Interrupted(ProgramTest):
    def test_ctrl_c_ends_it_in_the_middle_of_a_row(self):
        # One row of the grid alone takes minutes.
        code, output, told = self.interrupt_at("of 9802 points", "size", "builtin:paper", "--set", "gpu.idle_w=160", "--pv", "0,1000",
                                               "--battery", "0:4900:1", "--runs-per-year", "300", "-o", "map.svg")
        self.assertEqual(code, 130, told)
        self.assertIn("interrupted: nothing was written.", told)
        self.assertEqual(output, "")
        self.assertEqual(list(self.folder.iterdir()), [])


if __name__ == "__main__":
    unittest.main()

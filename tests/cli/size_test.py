"""`heliograd size`: sizes of panel and battery against the plans of single runs."""
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
                            (["--runs-per-year", "800"], ["overlap"]),
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
        self.assertGreater(battery["payback_years"], 12)  # its life
        text = " ".join(self.run_program(*args).stdout.split())
        self.assertIn("not within its life", text)
        self.assertNotIn(f"{battery['payback_years']:.1f} years", text)
        longer = " ".join(self.run_program(*args, "--battery-lifetime", "100").stdout.split())
        self.assertIn(f"{battery['payback_years']:.1f} years", longer)


if __name__ == "__main__":
    unittest.main()

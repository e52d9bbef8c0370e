"""`heliograd backtest`: rolling plans on forecasts against the plan that knows what comes."""
import csv
import math
import os
import pathlib
import unittest

from program import SOURCE, ProgramTest

# What one plan may be from the best; re-plans agree far better than the sum of their tolerances.
TOLERANCE_EUR = 0.001
DATA = os.environ.get("HELIOGRAD_REFERENCE_DATA")


def cloudy_year():
    """Power per W of panel for each hour of 2019: a half sine by day, with clouds that change from day to day."""
    rows, hour = ["time,ac_w_per_w"], 0
    for month, days in enumerate((31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31), 1):
        for day in range(1, days + 1):
            clouds = 0.15 + 0.85 * (hour * 7919 % 101) / 100
            for clock in range(24):
                sun = max(0.0, math.sin(math.pi * (clock + 0.5 - 6) / 12)) * 0.7
                rows.append(f"2019-{month:02}-{day:02} {clock:02}:00,{sun * clouds:.4f}")
                hour += 1
    return "\n".join(rows) + "\n"


def prices(first_month=1, last_month=12, left_out=()):
    """A day-ahead file of 2023 on the clock of the site, EUR/MWh."""
    rows, number = ["date,hour_local,price_eur_mwh"], 0
    for month, days in enumerate((31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31), 1):
        for day in range(1, days + 1):
            number += 1
            if not first_month <= month <= last_month or (month, day) in left_out:
                continue
            for hour in range(24):
                rows.append(f"2023-{month:02}-{day:02},{hour},{80 + number * number * 37 % 97 + 40 * math.sin(hour / 3.8):.2f}")
    return "\n".join(rows) + "\n"


class Backtest(ProgramTest):
    def test_no_word_is_broken_at_eighty_columns(self):
        shown = self.run_program("backtest", "builtin:paper", "--starts", "2025-07-01:2025-07-02", env={"COLUMNS": "80"}).stdout
        self.assertLessEqual(max(len(line) for line in shown.splitlines()), 80)
        for word in ("typical-year", "persistence", "clear-sky", "foresight"):
            self.assertRegex(shown, rf"(?m)^(rolling, )?{word}\b")

    def test_a_perfect_forecast_costs_what_the_plans_cost(self):
        answer = self.run_json("backtest", "builtin:paper", "--starts", "2025-03-01:2025-03-05", "--forecast", "perfect",
                               "--forecast", "none")
        self.assertEqual(answer["starts_done"], 5)
        for day, point in enumerate(answer["points"], 1):
            plan = self.run_json("plan", "builtin:paper", "--start", f"2025-03-{day:02} 20:00")
            self.assertAlmostEqual(point["perfect_foresight_cost_eur"], plan["cost_eur"], delta=TOLERANCE_EUR)
            self.assertAlmostEqual(point["perfect"]["cost_eur"], plan["cost_eur"], delta=TOLERANCE_EUR)
            self.assertGreaterEqual(point["none"]["cost_eur"], plan["bound_eur"] - 1e-6)
            costs = {rung["name"]: rung["cost_eur"] for rung in plan["baselines"]}
            self.assertAlmostEqual(point["full_power_from_the_grid_cost_eur"], costs["full power from the grid"], places=6)
            self.assertAlmostEqual(point["best_fixed_limit_PV_cost_eur"], costs["best fixed limit + PV"], places=6)

    def test_no_forecast_beats_foresight_and_every_deadline_is_kept(self):
        pv = self.write("pv.csv", cloudy_year())
        for extra in ([], ["--replan-hours", "6"], ["--formulation", "levels"]):
            answer = self.run_json("backtest", "builtin:paper", "--starts", "2025-05-01:2025-05-08", "--actual-pv", pv,
                                   "--forecast", "typical-year,persistence,clear-sky,none,perfect", *extra)
            self.assertEqual(answer["pv_obtained"], "measured")
            for forecast in answer["forecasts"]:
                self.assertEqual(forecast["deadlines_kept"], answer["starts_done"])
                for point in answer["points"]:
                    self.assertGreaterEqual(point[forecast["name"]]["cost_eur"],
                                            point["perfect_foresight_cost_eur"] - TOLERANCE_EUR)
                    self.assertGreaterEqual(point["best_fixed_limit_PV_cost_eur"],
                                            point["perfect_foresight_cost_eur"] - TOLERANCE_EUR)
            captured = {one["name"]: one["captured_percent"]["best_fixed_limit_PV"] for one in answer["forecasts"]}
            self.assertAlmostEqual(captured["perfect"], 100, delta=1)
            self.assertGreater(answer["forecasts"][3]["above_perfect_eur"]["mean"],
                               answer["forecasts"][4]["above_perfect_eur"]["mean"])

    def test_hours_without_dates_are_not_called_measured(self):
        self.run_program("pv", "--csv", "typical.csv")
        flags = ("backtest", "builtin:paper", "--starts", "2025-05-01:2025-05-02", "--actual-pv", "typical.csv",
                 "--forecast", "perfect")
        self.assertEqual(self.run_json(*flags)["pv_obtained"], "assumed")
        text = " ".join(self.run_program(*flags).stdout.split())
        self.assertIn("PV is from typical.csv, the node is modelled", text)
        self.assertNotIn("PV is measured", text)

    def test_the_typical_year_as_what_comes_is_known_to_its_own_forecast(self):
        answer = self.run_json("backtest", "builtin:paper", "--starts", "2025-07-01:2025-07-03")
        typical = answer["forecasts"][0]
        self.assertEqual(typical["name"], "typical-year")
        self.assertAlmostEqual(typical["above_perfect_eur"]["mean"], 0, delta=TOLERANCE_EUR)
        self.assertTrue(any("typical year itself" in note for note in answer["notes"]))

    def test_published_prices_are_matched_and_gaps_are_left_out(self):
        file = self.write("prices.csv", prices(left_out=[(6, 10)]))
        args = ["backtest", "builtin:paper", "--actual-price", file, "--set", "tariff.export_price_eur_per_kwh=0.05",
                "--forecast", "typical-year,perfect"]
        answer = self.run_json(*args, "--starts", "2025-06-07:2025-06-12")
        status = [point["status"] for point in answer["points"]]
        # 20:00 to 15:00 of the next day: the gap touches the job before it and the one that begins in it.
        self.assertEqual(status, ["done", "done", "gap", "gap", "done", "done"])
        self.assertEqual(answer["starts_left_out_for_gaps"], 2)
        # From 20:00 the prices of the whole job are out: without clouds to be wrong about nothing is lost.
        self.assertAlmostEqual(answer["forecasts"][0]["above_perfect_eur"]["mean"], 0, delta=TOLERANCE_EUR)
        # From 8:00 the next morning's prices come out at 13:00 only.
        early = self.run_json(*args, "--starts", "2025-03-01:2025-03-20", "--start", "2025-01-01 08:00", "--hours", "26",
                              "--set", "pv.dc_capacity_w=0")
        self.assertGreater(early["forecasts"][0]["above_perfect_eur"]["mean"], 1e-5)
        self.assertAlmostEqual(early["forecasts"][1]["above_perfect_eur"]["mean"], 0, delta=TOLERANCE_EUR)

    def test_files_hold_what_the_answer_says(self):
        pv = self.write("pv.csv", cloudy_year())
        answer = self.run_json("backtest", "builtin:paper", "--starts", "2025-02-27:2025-03-02", "--actual-pv", pv,
                               "--csv", "starts.csv", "-o", "backtest.svg")
        with open(self.folder / "starts.csv", newline="") as file:
            rows = list(csv.DictReader(file))
        self.assertEqual(len(rows), answer["starts_count"])
        for row, point in zip(rows, answer["points"]):
            self.assertAlmostEqual(float(row["perfect_foresight_cost_eur"]), point["perfect_foresight_cost_eur"], places=9)
            self.assertAlmostEqual(float(row["persistence_cost_eur"]), point["persistence"]["cost_eur"], places=9)
        mean = sum(point["clear-sky"]["cost_eur"] for point in answer["points"]) / len(rows)
        self.assertAlmostEqual(answer["forecasts"][2]["cost_eur"]["mean"], mean, places=9)
        self.assertIn("<svg", (self.folder / "backtest.svg").read_text()[:600])
        text = self.run_program("backtest", "builtin:paper", "--starts", "2025-02-27:2025-02-28").stdout
        self.assertIn("perfect foresight", text)
        self.assertIn("2/2", text)

    def test_a_job_that_no_start_can_do_is_infeasible(self):
        done = self.run_program("backtest", "builtin:paper", "--starts", "2025-02-27:2025-02-28", "--hours", "8", expect=3)
        self.assertIn("2 cannot be done even with perfect foresight", " ".join(done.stdout.split()))
        self.assertIn("no start can be done. The first, 2025-02-27", done.stderr)
        self.assertRegex(done.stderr, r"h of GPU time at 280 W short by .*allow 14 h")

    def test_wrong_input_is_one_sentence_and_writes_nothing(self):
        bad = self.write("bad.csv", "time,watts\n2019-01-01 00:00,1\n")
        short = self.write("short.csv", "time,ac_w\n2019-01-01 00:00,1\n")
        spring = self.write("spring.csv", prices(first_month=4, last_month=5))
        for args, code, words in ((["--actual-pv", bad], 1, ["bad.csv:1", "expected time"]),
                                  (["--actual-pv", short], 1, ["1 rows", "8760"]),
                                  (["--actual-pv", "absent.csv"], 1, ["absent.csv"]),
                                  (["--actual-price", bad], 1, ["bad.csv:1", "expected"]),
                                  (["--actual-price", spring], 1, ["--starts"]),
                                  (["--starts", "2025-13-01:2025-13-02"], 2, ["--starts", "expected daily"]),
                                  (["--starts", "2025-03-02:2025-03-01"], 2, ["--starts", "before its first", "2025-03-01:2025-03-02"]),
                                  (["--formulation", "paper"], 2, ["blend or levels"]),
                                  (["--set", "job.objective=carbon"], 2, ["cost"]),
                                  (["--replan-hours", "1.5"], 2, ["--replan-hours", "whole number"]),
                                  (["--forecast", "oracle"], 2, ["oracle"]),
                                  (["-o", "figure.txt"], 2, ["figure.txt"])):
            starts = [] if "--starts" in args else ["--starts", "2025-01-05:2025-01-06"]
            done = self.run_program("backtest", "builtin:paper", *starts, *args, "--csv", "out.csv", expect=code)
            self.assert_one_clear_sentence(done.stderr, *words)
            self.assertFalse((self.folder / "out.csv").exists(), args)

    def test_a_series_has_no_clear_sky_and_no_size(self):
        series = self.write("pv_hours.csv", "hour,ac_w\n" + "".join(f"{hour},0\n" for hour in range(8760)))
        done = self.run_program("backtest", "builtin:paper", "--pv-series", series, expect=2)
        self.assert_one_clear_sentence(done.stderr, "pv.series", "clear sky")
        pv = self.write("pv.csv", cloudy_year())
        done = self.run_program("backtest", "builtin:paper", "--pv-series", series, "--actual-pv", pv, "--forecast",
                                "none", expect=2)
        self.assert_one_clear_sentence(done.stderr, "pv.dc_capacity_w")

    @unittest.skipUnless(DATA and pathlib.Path(DATA, "measured").is_dir(), "HELIOGRAD_REFERENCE_DATA has no measured PV")
    def test_measured_sun_and_published_prices(self):
        price = next(pathlib.Path(DATA, "price").glob("it_north_dayahead_*.csv"))
        answer = self.run_json("backtest", "builtin:paper", "--actual-pv",
                               pathlib.Path(DATA, "measured", "turin_pv_measured_2019.csv"), "--actual-price", price,
                               "--set", "tariff.timezone=Europe/Rome", "--set", "tariff.export_price_eur_per_kwh=0.05",
                               "--starts", "2025-08-25:2025-09-05")
        # 29 August is in neither year of the file.
        self.assertEqual([point["start"][:10] for point in answer["points"] if point["status"] == "gap"],
                         ["2025-08-28", "2025-08-29"])
        for forecast in answer["forecasts"]:
            self.assertEqual(forecast["deadlines_kept"], 10)
            self.assertGreaterEqual(forecast["above_perfect_eur"]["p10"], -1e-6)

    @unittest.skipUnless(DATA and pathlib.Path(DATA, "measured").is_dir(), "HELIOGRAD_REFERENCE_DATA has no measured PV")
    def test_the_year_shown_in_the_document_is_the_year_printed(self):
        block = (SOURCE / "docs" / "backtest.md").read_text().split("    $ heliograd ", 1)[1]
        command, shown = block.split("-o backtest.svg\n", 1)
        words = command.replace("\\\n", " ").split()
        words[words.index("turin_pv_measured_2019.csv")] = pathlib.Path(DATA, "measured", "turin_pv_measured_2019.csv")
        printed = self.run_program(*words, env={"COLUMNS": "100"}).stdout
        for line in shown.split("\n\n", 1)[0].splitlines():
            self.assertIn(line[4:] + "\n", printed)


if __name__ == "__main__":
    unittest.main()

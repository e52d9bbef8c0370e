"""`heliograd report PLAN --explain SLOT`: the prices of a slot, from the real solution."""
import unittest

from program import ProgramTest


class Explain(ProgramTest):
    def plan(self, *args):
        self.run_program("plan", "builtin:paper", "-o", "plan.json", *args)

    def explain(self, slot, *args, expect=0):
        return self.run_json("report", "plan.json", "--explain", slot, *args, expect=expect)

    def test_every_slot_agrees_with_its_plan(self):
        self.plan("--set", "tariff.export_price_eur_per_kwh=0.1", "--set", "battery.initial_wh=100")
        plan = self.run_json("report", "plan.json")
        for number, slot in enumerate(plan["slots"]):
            why = self.explain(number)
            bought = (slot["grid_to_gpu_wh"] + slot["grid_to_battery_wh"]) / 1000 * slot["import_price_eur_per_kwh"]
            sold = (slot["pv_to_grid_wh"] + slot["battery_to_grid_wh"]) / 1000 * slot["export_price_eur_per_kwh"]
            self.assertAlmostEqual(why["bus"]["cost_eur"], bought - sold, places=9)
            self.assertAlmostEqual(why["excess_eur"], 0, places=8)  # the plan is optimal
            self.assertAlmostEqual(why["value_before"]["battery_wh"], slot["battery_wh"], places=6)
            self.assertAlmostEqual(why["gpu"]["energy_wh"] / (why["duration_s"] / 3600), slot["gpu_power_w"], places=6)
            self.assertAlmostEqual(why["gpu"]["work"], slot["progress"], places=9)
            more = why["value_before"]["worth_of_one_more_eur_per_kwh"]
            self.assertAlmostEqual(more, slot["stored_value_eur_per_kwh"], places=6)
            # Convex: each stretch of the value falls less than the one before.
            curve = why["value_before"]["curve"]
            slopes = [(b["cost_eur"] - a["cost_eur"]) / (b["battery_wh"] - a["battery_wh"])
                      for a, b in zip(curve, curve[1:]) if b["battery_wh"] - a["battery_wh"] > 1e-3]
            for a, b in zip(slopes, slopes[1:]):
                self.assertLessEqual(a, b + 1e-9)

    def test_a_carbon_plan_is_explained_in_carbon(self):
        self.plan("--set", "job.objective=carbon")
        plan = self.run_json("report", "plan.json")
        for number, slot in enumerate(plan["slots"]):
            why = self.explain(number)
            for value in (why["work_price_eur"], why["bus"]["cost_eur"], why["objective_import_price_eur_per_kwh"]):
                self.assertIsNone(value)
            bought = (slot["grid_to_gpu_wh"] + slot["grid_to_battery_wh"]) / 1000
            # A gram per euro: what the money adds that decides between equals.
            self.assertAlmostEqual(why["bus"]["cost_carbon_kg"], bought * slot["carbon_g_per_kwh"] / 1000, delta=1e-3)
            self.assertAlmostEqual(why["objective_import_price_carbon_g_per_kwh"], slot["carbon_g_per_kwh"], delta=1)
        text = self.run_program("report", "plan.json", "--explain", "12").stdout
        rest = text[text.index("The connection point"):]
        self.assertNotIn("EUR", rest)
        self.assertIn("g CO2/kWh", rest)

    def test_a_slot_by_number_by_date_and_by_day_is_the_same(self):
        self.plan()
        first = self.explain(18)
        self.assertEqual(first["start_local"], "2025-01-02 14:00 +01:00")
        for name in ("2025-01-02 14:00", "Thu 14:30", "14:00"):
            self.assertEqual(self.explain(name), first)

    def test_text_and_figure(self):
        self.plan()
        text = self.run_program("report", "plan.json", "--explain", "Thu 08:00").stdout
        for words in ("Slot 12: Thu 2 Jan 08:00 to 09:00", "One Wh more would cost 0.00045 EUR", "price of work",
                      "nothing that this slot could do", "a kWh at the bus does work worth 0.310 EUR/kWh",
                      "Bought it would cost 0.450 EUR/kWh"):
            self.assertIn(words, " ".join(text.split()))
        self.run_program("report", "plan.json", "--explain", "12", "-o", "slot.svg")
        self.assertIn("<svg", (self.folder / "slot.svg").read_text()[:400])

    def test_what_cannot_be_explained_says_why(self):
        self.plan("--formulation", "paper")
        done = self.run_program("report", "plan.json", "--explain", "3", expect=1)
        self.assert_one_clear_sentence(done.stderr, "plan.json", "--formulation blend")
        done = self.run_program("report", "plan.json", "--explain", "19", expect=2)
        self.assert_one_clear_sentence(done.stderr, "--explain", "'19'", "slots 0 to 18")
        done = self.run_program("report", "plan.json", "--explain", "noon", "-o", "slot.svg", expect=2)
        self.assert_one_clear_sentence(done.stderr, "'noon'", "expected a number")
        self.assertFalse((self.folder / "slot.svg").exists())


if __name__ == "__main__":
    unittest.main()

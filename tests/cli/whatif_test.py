"""`heliograd whatif`: single changes, each as `plan` itself would answer it."""
import unittest

from program import ProgramTest


class Whatif(ProgramTest):
    def whatif(self, *args, expect=0):
        answer = self.run_json("whatif", "builtin:paper", *args, expect=expect)
        return answer["base"], {change["name"]: change for change in answer["changes"]}

    def cost(self, *args):
        return self.run_json("plan", "builtin:paper", *args)["cost_eur"]

    def test_savings_in_the_same_hours_are_the_difference_of_two_plans(self):
        base, changes = self.whatif("--change", "battery.capacity_wh=5000;battery.charge_efficiency=1")
        # Each plan is solved to 0.001 EUR, but in fact exactly: the kernel proves these.
        self.assertAlmostEqual(base["cost_eur"], self.cost(), places=6)
        for name, sets in (("PV twice as large (2000 W)", ["pv.dc_capacity_w=2000"]),
                           ("no battery", ["battery.capacity_wh=0"]),
                           ("nothing paid for what is sold", ["tariff.export_price_eur_per_kwh=0"]),
                           ("battery.capacity_wh=5000;battery.charge_efficiency=1",
                            ["battery.capacity_wh=5000", "battery.charge_efficiency=1"])):
            flags = [flag for value in sets for flag in ("--set", value)]
            self.assertAlmostEqual(changes[name]["saving_eur"], base["cost_eur"] - self.cost(*flags), places=6, msg=name)

    def test_pv_that_a_later_deadline_sells_anyway_is_no_saving(self):
        base, changes = self.whatif()
        one, three = changes["deadline 1 h later"], changes["deadline 3 h later"]
        # 3 January 15:00 to 18:00: the plan is done before, so three hours more are worth nothing to the job ...
        self.assertAlmostEqual(one["job_cost_eur"], three["job_cost_eur"], places=6)
        # ... although the longer horizon's own cost is lower by what the panel sells in it.
        self.assertLess(three["cost_eur"], one["cost_eur"])
        # A later deadline never makes the job dearer: its plan is still allowed, without the job afterwards.
        costs = [changes[f"deadline {hours} h later"]["job_cost_eur"] for hours in (1, 3, 6, 12, 24)]
        for sooner, later in zip(costs, costs[1:]):
            self.assertLessEqual(later, sooner + 0.002)

    def test_changes_are_ranked_by_what_they_save(self):
        answer = self.run_json("whatif", "builtin:paper")
        savings = [change["saving_eur"] for change in answer["changes"]]
        self.assertEqual(savings, sorted(savings, reverse=True))
        self.assertEqual(answer["obtained"], "modelled")

    def test_with_carbon_as_the_objective_carbon_ranks_and_is_shown(self):
        flags = ("whatif", "builtin:paper", "--set", "job.objective=carbon")
        answer = self.run_json(*flags)
        savings = [change["saving_carbon_kg"] for change in answer["changes"]]
        for more, less in zip(savings, savings[1:]):
            self.assertGreaterEqual(more, less - 1e-5)  # a gram decides before money does
        self.assertGreater(savings[0], 0)
        lines = self.run_program(*flags, env={"COLUMNS": "160"}).stdout.splitlines()
        self.assertIn(f"emits {1000 * answer['base']['job_carbon_kg']:.0f} g CO2 and costs", lines[0])
        first = answer["changes"][0]
        row = next(line for line in lines if line.startswith(first["name"][:20]))
        self.assertIn(f"{1000 * first['saving_carbon_kg']:.0f} g CO2", row)

    def test_what_would_make_an_impossible_job_possible_comes_first(self):
        base, changes = self.whatif("--hours", "8", expect=3)
        self.assertIsNone(base["cost_eur"])
        self.assertIn("allow 14 h", base["message"])
        first = next(iter(changes.values()))
        self.assertTrue(first["name"].startswith("deadline"))
        self.assertIsNotNone(first["cost_eur"])
        self.assertIsNone(first["saving_eur"])

    def test_changes_that_are_wrong_are_named_before_anything_is_planned(self):
        for change, words in (("battery.capacty_wh=3", ("battery.capacity_wh",)), ("battery.capacity_wh", ("SECTION.KEY=VALUE",)),
                              ("battery.charge_efficiency=1.5", ("battery.charge_efficiency", "expected")),
                              ("pv.dc_capacity_w=2000;battery.capacity_wh=abc", ("expected a number",)),
                              ("gpu.curve=absent.toml", ("absent.toml",))):
            done = self.run_program("whatif", "builtin:paper", "--change", change, expect=2)
            self.assert_one_clear_sentence(done.stderr, "--change", *words)
            self.assertEqual(done.stdout, "")
        done = self.run_program("whatif", "builtin:paper", "--change", "a.b=1", "--change", "pv.tilt_deg=x", expect=2)
        self.assert_one_clear_sentence(done.stderr, "no section [a]", "pv.tilt_deg")


if __name__ == "__main__":
    unittest.main()

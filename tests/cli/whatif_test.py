"""`heliograd whatif`: single changes, each as `plan` itself would answer it."""
import json
import unittest

from program import ProgramTest

# A search of minutes: whole levels in 96 slots with a large battery.
LONG = ("builtin:paper", "--hours", "24", "--slot-minutes", "15", "--set", "battery.capacity_wh=5000", "--formulation", "levels")


class Whatif(ProgramTest):
    def whatif(self, *args, expect=0):
        answer = self.run_json("whatif", "builtin:paper", *args, expect=expect)
        return answer["base"], {change["name"]: change for change in answer["changes"]}

    def cost(self, *args):
        return self.run_json("plan", "builtin:paper", *args)["cost_eur"]

    def test_deadline_between_two_hours_is_planned_to_its_end_as_plan_does(self):
        until = ("builtin:paper", "--set", "job.deadline=2025-01-02 11:30")
        plan = self.run_json("plan", *until)
        self.assertEqual(plan["slots"][0]["duration_s"], 1800)
        done = self.run_program("whatif", *until, "--json")
        self.assertIn("slots of 30 minutes", done.stderr)
        self.assertAlmostEqual(json.loads(done.stdout)["base"]["cost_eur"], plan["cost_eur"], places=6)

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
        self.assertEqual(base["status"], "infeasible")
        self.assertIn("allow 14 h", base["message"])
        first = next(iter(changes.values()))
        self.assertTrue(first["name"].startswith("deadline"))
        self.assertIsNotNone(first["cost_eur"])
        self.assertIsNone(first["saving_eur"])

    def test_the_reason_of_an_impossible_job_is_told_once(self):
        args = ("whatif", "builtin:paper", "--hours", "10")
        shown = " ".join(self.run_program(*args, expect=3).stdout.split())
        self.assertEqual(shown.count("3.7 h of GPU time at 280 W short by 2025-01-02 06:00"), 1)
        answer = self.run_json(*args, expect=3)
        alike = [change["name"] for change in answer["changes"] if change["message"] == answer["base"]["message"]]
        self.assertGreater(len(alike), 5)
        named = shown[shown.index("No help, for the reason above:"):]
        for name in alike:
            self.assertIn(name, named)

    def test_proven_plans_say_so_and_bound_what_they_cost(self):
        base, changes = self.whatif()
        for change in (base, *changes.values()):
            if change["cost_eur"] is None:
                continue
            self.assertEqual(change["status"], "optimal")
            self.assertLessEqual(change["job_cost_bound_eur"], change["job_cost_eur"])
            self.assertGreaterEqual(change["job_cost_bound_eur"], change["job_cost_eur"] - 0.001)  # the tolerance
        carbon = self.run_json("whatif", "builtin:paper", "--set", "job.objective=carbon")["base"]
        self.assertIsNone(carbon["job_cost_bound_eur"])
        self.assertAlmostEqual(carbon["job_carbon_bound_kg"], carbon["job_carbon_kg"], delta=1e-5)

    def test_plans_that_are_not_proven_say_so_and_come_after_those_that_are(self):
        args = ("whatif", *LONG, "--time-limit-s", "3")
        answer = self.run_json(*args)
        plans = [change for change in answer["changes"] if change["cost_eur"] is not None]
        statuses = [change["status"] for change in plans]
        self.assertIn("feasible", statuses)
        self.assertEqual(statuses, sorted(statuses, reverse=True))  # "optimal" before "feasible"
        for status in set(statuses):
            savings = [change["saving_eur"] for change in plans if change["status"] == status]
            self.assertEqual(savings, sorted(savings, reverse=True))
        for change in plans:
            if change["status"] == "feasible":
                self.assertLess(change["job_cost_bound_eur"], change["job_cost_eur"])
        shown = " ".join(self.run_program(*args).stdout.split())
        self.assertRegex(shown, r"feasible, not proven best: the job costs at least -?[0-9.]+ EUR")

    def test_ctrl_c_ends_it_in_the_middle_of_a_plan(self):
        code, output, told = self.interrupt_at("changes: as it is", "whatif", *LONG, "--time-limit-s", "600")
        self.assertEqual(code, 130, told)
        self.assertIn("interrupted: nothing was written.", told)
        self.assertEqual(output, "")

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

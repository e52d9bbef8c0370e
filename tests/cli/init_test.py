"""`heliograd init`, then plan and run without a scenario."""
import json
import os
import pathlib
import pty
import unittest

from program import PROGRAM, ProgramTest

SIM = pathlib.Path(PROGRAM).parent / "sim"
CURVE = """[curve]
name = "train.py on a GPU"
unit = "progress"
measured_at = "2026-01-02T10:00:00Z"
[[points]]
limit_w = 150
seconds_per_unit = 0.12
energy_j_per_unit = 17.4
[[points]]
limit_w = 280
seconds_per_unit = 0.10
energy_j_per_unit = 23.1
"""


class Init(ProgramTest):
    def path(self):
        return self.folder / ".config" / "heliograd" / "scenario.toml"

    def shown(self, key):
        section, name = key.split(".")
        return self.run_json("scenario", "show", self.path())[section][name]["value"]

    def test_flags(self):
        self.run_program("init", "--latitude", "48.1", "--longitude", "11.6", "--timezone", "Europe/Berlin", "--pv-w", "800",
                         "--battery-wh", "2000", "--tariff-eur-per-kwh", "0.31", "--yes")
        for key, value in (("site.latitude", 48.1), ("site.timezone", "Europe/Berlin"), ("pv.dc_capacity_w", 800),
                           ("battery.capacity_wh", 2000), ("tariff.import_price_eur_per_kwh", 0.31), ("job.start", "now")):
            self.assertEqual(self.shown(key), value)
        self.run_program("scenario", "check", self.path(), "--set", "gpu.curve=builtin:paper")

    def test_questions_show_defaults_and_take_answers(self):
        done = self.run_program("init", stdin="Munich\n500 W\n\nbuiltin:arera\n")
        for default in ("[Turin]", "[1000]", "[0]", "[0.30]"):
            self.assertIn(default, done.stderr)
        for key, value in (("site.name", "Munich"), ("site.timezone", "Europe/Berlin"), ("pv.dc_capacity_w", 500),
                           ("battery.capacity_wh", 0), ("tariff.import", "builtin:arera")):
            self.assertEqual(self.shown(key), value)

    def test_a_place_in_numbers(self):
        self.run_program("init", stdin="45.07, 7.69 Europe/Rome\n\n\n0.28\n")
        self.assertEqual(self.shown("site.longitude"), 7.69)
        self.assertEqual(self.shown("tariff.import_price_eur_per_kwh"), 0.28)

    def test_sizes_with_their_unit(self):
        self.run_program("init", "--pv-w", "5kW", "--battery-wh", "2.5 kWh", "--yes")
        self.assertEqual((self.shown("pv.dc_capacity_w"), self.shown("battery.capacity_wh")), (5000, 2500))
        self.run_program("init", "--pv-w", "800Wp", "--battery-wh", "0", "--yes", "--force")
        self.assertEqual(self.shown("pv.dc_capacity_w"), 800)
        done = self.run_program("init", "--pv-w", "5MW", "--yes", "--force", expect=2)
        self.assert_one_clear_sentence(done.stderr, "--pv-w", "5MW", "expected a number")
        self.assertNotIn("convert", done.stderr)
        for flag, value, words in (("--pv-w", "5k", "5kW"), ("--battery-wh", "5k", "2.5kWh"), ("--pv-w", "", "5kW")):
            done = self.run_program("init", flag, value, "--yes", "--force", expect=2)
            self.assert_one_clear_sentence(done.stderr.replace("'", '"'), flag, f'"{value}": expected', words)
            self.assertNotIn("without a unit", done.stderr)

    def test_help_counts_the_questions_that_are_asked(self):
        asked = self.run_program("init", stdin="\n\n\n\n").stderr.count(" [")
        numbers = {3: "three", 4: "four", 5: "five"}
        for args in (("init", "--help"), ("--help",)):
            self.assertIn(f"{numbers[asked]} questions", self.run_program(*args).stdout)

    def test_a_wrong_answer_on_a_terminal_is_asked_for_again(self):
        ours, its = pty.openpty()
        init = self.start("init", stdin=its)
        os.close(its)
        for line in ("Atlantis", "Munich", "-3", "much", "2 kW", "1 TWh", "1500", "cheap", "0.25"):
            os.write(ours, line.encode() + b"\n")
        _, told = init.communicate(timeout=30)
        os.close(ours)
        self.assertEqual(init.returncode, 0, told)
        self.assertEqual(told.count("Where?"), 2)
        for words in ('"Atlantis"', '"much"', '"1 TWh"', '"cheap"'):
            self.assertIn(words, told.replace("'", '"'))
        for key, value in (("site.name", "Munich"), ("pv.dc_capacity_w", 2000), ("battery.capacity_wh", 1500),
                           ("tariff.import_price_eur_per_kwh", 0.25)):
            self.assertEqual(self.shown(key), value)

    def test_a_wrong_answer_through_a_pipe_ends_it(self):
        done = self.run_program("init", stdin="Atlantis\nMunich\n\n\n\n", expect=2)
        self.assertEqual(done.stderr.count("Where?"), 1)

    def test_config_folder_of_the_environment(self):
        self.run_program("init", "--yes", env={"XDG_CONFIG_HOME": str(self.folder / "config")})
        self.assertTrue((self.folder / "config" / "heliograd" / "scenario.toml").exists())

    def test_never_overwrites_without_force(self):
        self.run_program("init", "--yes")
        before = self.path().read_text()
        done = self.run_program("init", "--yes", "--pv-w", "5", expect=2)
        self.assert_one_clear_sentence(done.stderr, "exists already", "--force")
        self.assertEqual(self.path().read_text(), before)
        self.run_program("init", "--yes", "--pv-w", "5", "--force")
        self.assertEqual(self.shown("pv.dc_capacity_w"), 5)

    def test_bad_values_write_nothing(self):
        for flags, words in ((("--pv-w", "-3"), ("dc_capacity_w", "-3")), (("--timezone", "Europe/Nowhere"), ("timezone",)),
                             (("--city", "Turrin"), ("Turrin", "Turin")), (("--latitude", "45"), ("--longitude",)),
                             (("--latitude", "95", "--longitude", "7"), ("latitude", "95")),
                             (("--tariff", "absent.csv"), ("absent.csv",))):
            with self.subTest(flags=flags):
                done = self.run_program("init", "--yes", *flags, expect=None)
                self.assertIn(done.returncode, (1, 2))
                self.assert_one_clear_sentence(done.stderr, *words)
                self.assertIn(flags[0] if flags[0] != "--city" else "--latitude", done.stderr)
                self.assertNotIn("scenario.toml", done.stderr)
                self.assertFalse(self.path().exists())
        done = self.run_program("init", stdin="", expect=2)
        self.assert_one_clear_sentence(done.stderr, "--yes")

    def run_program(self, *args, expect=0, **options):
        if expect is not None:
            return super().run_program(*args, expect=expect, **options)
        try:
            return super().run_program(*args, expect=1, **options)
        except AssertionError:
            return super().run_program(*args, expect=2, **options)


class WithoutScenario(ProgramTest):
    def setUp(self):
        super().setUp()
        self.write("gpu.toml", "speed = 4000\n[[gpu]]\n")
        self.state = self.folder / "state"
        self.env = {"LD_LIBRARY_PATH": str(SIM), "HELIOGRAD_SIM_GPU": str(self.folder / "gpu.toml"),
                    "XDG_STATE_HOME": str(self.state)}

    def store(self, curve=CURVE):
        uuid = self.run_json("doctor", env=self.env)
        uuid = next(word for word in json.dumps(uuid).replace('"', " ").replace("(", " ").replace(")", " ").split()
                    if word.startswith("GPU-"))
        folder = self.state / "heliograd" / "curves"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{uuid}.toml").write_text(curve)

    def test_no_scenario_of_ones_own(self):
        for args in (("plan",), ("run", "--", "true")):
            done = self.run_program(*args, expect=2, env=self.env)
            self.assert_one_clear_sentence(done.stderr, "heliograd init")

    def test_no_curve_is_said_and_never_the_studys_in_its_place(self):
        self.run_program("init", "--yes")
        for args in (("plan",), ("run", "--", "true")):
            done = self.run_program(*args, expect=2, env=self.env)
            self.assert_one_clear_sentence(done.stderr, "heliograd curve", "--curve builtin:paper")
        plan = json.loads(self.run_program("plan", "--curve", "builtin:paper", "--hours", "20", "--json", env=self.env).stdout)
        self.assertEqual(plan["status"], "optimal")

    def test_plan_and_run_take_scenario_and_stored_curve(self):
        self.run_program("init", "--yes", "--tariff-eur-per-kwh", "0.3")
        self.store()
        self.assertIn("--steps", self.run_program("run", "--", "true", expect=2, env=self.env).stderr)
        done = self.run_program("plan", "--deadline", "+14h", "--set", "job.units=20000", "--json", env=self.env)
        self.assertIn("measured 2026-01-02", done.stderr)
        self.assertEqual(json.loads(done.stdout)["status"], "optimal")
        done = self.run_program("run", "--deadline", "+4h", "--progress", "step ([0-9]+)", "--steps", 20000, "--simulated-clock",
                                "-o", "run", "--", SIM / "sim-train", "--iterations", 20000, env=self.env)
        self.assertIn("measured 2026-01-02", done.stderr)
        summary = json.loads((self.folder / "run" / "summary.json").read_text())
        self.assertEqual(summary["status"], "finished")
        self.assertEqual(summary["command"][0], str(SIM / "sim-train"))


if __name__ == "__main__":
    unittest.main()

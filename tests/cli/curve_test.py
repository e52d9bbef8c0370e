"""`heliograd curve` on the simulated GPU, whose energy at each limit is known."""
import json
import pathlib
import unittest

from program import PROGRAM, ProgramTest

SIM = pathlib.Path(PROGRAM).parent / "sim"


class CurveTest(ProgramTest):
    def setUp(self):
        super().setUp()
        # Twenty times as fast as real: a window of one second holds 190 iterations.
        self.write("gpu.toml", "speed = 20\n[[gpu]]\nsensor_window_ms = 100\n")
        self.env = {"LD_LIBRARY_PATH": str(SIM), "HELIOGRAD_SIM_GPU": str(self.folder / "gpu.toml"),
                    "XDG_STATE_HOME": str(self.folder / "state")}

    def curve(self, *args, expect=0):
        return self.run_program("curve", *args, expect=expect, env=self.env)


class Curve(CurveTest):
    def test_finds_the_knee_of_the_study_and_plans_with_it(self):
        done = self.curve("--progress", "step ([0-9]+)", "--limits", "110,140,170,200,290", "--rounds", 2, "--most-rounds", 2,
                          "--settle", "0.2s", "--window", "2s", "--json", "--", SIM / "sim-train")
        found = json.loads(done.stdout)
        # The simulated job needs least at 170 W (docs/simulated_gpu.md); of these limits that is 170 W itself.
        self.assertEqual(found["knee_w"], 170)
        self.assertLessEqual(found["knee_low_w"], 170)
        self.assertGreaterEqual(found["knee_high_w"], 170)
        points = {point["limit_w"]: point for point in found["points"]}
        # 105.4 ms an iteration where no limit binds. On a busy machine a line may be read 50 ms late, at either end of a
        # window of 2 s: 5 %.
        self.assertAlmostEqual(points[290]["seconds_per_unit"], 0.1054, delta=0.1054 * 0.05)
        # E / E_min of the physics: 1.25 where the limit no longer binds.
        self.assertAlmostEqual(points[290]["energy_j_per_unit"] / points[170]["energy_j_per_unit"], 1.25, delta=0.09)
        for point in found["points"]:
            self.assertLess(point["energy_j_per_unit_low"], point["energy_j_per_unit"])
            self.assertGreater(point["energy_j_per_unit_high"], point["energy_j_per_unit"])
        plan = self.run_json("plan", "builtin:paper", "--set", "gpu.curve=curve.toml", "--set", "job.units=469000")
        self.assertEqual(plan["status"], "optimal")
        estimate = self.run_json("estimate", "curve.toml", "--units", "469000", "--limit-w", "290")["points"][0]
        self.assertAlmostEqual(estimate["duration_s"], 469000 * points[290]["seconds_per_unit"], delta=1)
        # The interval of an energy is the curve's and the gain's together.
        half = (estimate["energy_high_j"] - estimate["energy_low_j"]) / 2 / estimate["energy_j"]
        self.assertGreater(half, found["gain_half_width_percent"] / 100 * 0.99)
        self.assertFalse(list((self.folder / "state" / "heliograd" / "leases").glob("*.lease")))

    def test_repeated_runs_are_windows_of_one_unit(self):
        done = self.curve("--limits", "120,170,290", "--rounds", 2, "--most-rounds", 2, "--json", "--", SIM / "sim-train",
                          "--iterations", 150)
        found = json.loads(done.stdout)
        self.assertEqual(found["knee_w"], 170)
        self.assertEqual(len(found["points"]), 3)


class Estimate(CurveTest):
    def test_table_of_the_study(self):
        # Table IV: 14.39 h at 170 W; the draw is taken equal to the limit.
        point = self.run_json("estimate", "builtin:paper", "--limit-w", "170")["points"][0]
        self.assertAlmostEqual(point["duration_s"] / 3600, 14.39, places=6)
        self.assertAlmostEqual(point["energy_j"] / 3600, 14.39 * 170, places=3)

    def test_unknown_limit_and_absent_file_are_one_sentence(self):
        done = self.run_program("estimate", "builtin:paper", "--limit-w", "171", expect=2)
        self.assert_one_clear_sentence(done.stderr, "it has 100, 110")
        done = self.run_program("estimate", "absent.toml", expect=1)
        self.assert_one_clear_sentence(done.stderr, "absent.toml")


class Wrong(CurveTest):
    def test_wrong_use_is_one_sentence(self):
        train = ["--", SIM / "sim-train", "--iterations", "1"]
        for args, word, code in (([], "after --", 2), (["--progress", "step (", *train], "regular expression", 2),
                                 (["--limits", "50:90:10", *train], "out of range", 2),
                                 (["--limits", "100,200", *train], "fewer than three", 2),
                                 (["--limits", "a:b:c", *train], "is no number", 2), (["--gpu", "7", *train], "--gpu", 2),
                                 (["--window", "soon", *train], "--window", 2),
                                 (["--progress", "step ([0-9]+)", *train], "before the sweep did", 1),
                                 (["--limits", "120,170,290", "--", "false"], "runs that succeed", 1)):
            with self.subTest(args=args):
                self.assert_one_clear_sentence(self.curve(*args, expect=code).stderr, word)
        self.assertFalse((self.folder / "curve.toml").exists())

    def test_without_permission_there_is_no_curve(self):
        self.write("gpu.toml", "[[gpu]]\nprivileged = false\n")
        done = self.curve("--", SIM / "sim-train", "--iterations", 1, expect=4)
        self.assert_one_clear_sentence(done.stderr, "was not set", "root")


if __name__ == "__main__":
    unittest.main()

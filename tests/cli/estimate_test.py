"""`heliograd estimate`: jobs that have not run yet, from a curve and from the energy law of other networks."""
import unittest

from program import ProgramTest

HEAD = """[law]
hardware = "a GPU"
dataset = "cifar100"
batch = 128
power_source = "simulated"
"""
#            G MACs, MB, of networks whose energy is 1 mJ + 20 pJ/MAC + 300 pJ/byte, but for a little scatter
NETWORKS = {"alexnet": (0.711, 25, 1.01), "googlenet": (1.497, 330, 0.99), "resnet18": (1.814, 200, 1.02),
            "resnet34": (3.663, 310, 0.98), "resnet50": (4.087, 810, 1.01), "vgg11": (7.605, 370, 1.00),
            "vgg19": (19.628, 760, 0.99)}


def law(networks=None, seconds=True):
    text = HEAD
    for name, (giga_macs, megabytes, off) in (networks or NETWORKS).items():
        joules = (1e-3 + 20e-12 * giga_macs * 1e9 + 300e-12 * megabytes * 1e6) * off
        text += (f'[[points]]\nname = "{name}"\nmacs = {giga_macs * 1e9:.0f}\ntraffic_bytes = {megabytes}e6\n'
                 f"energy_j_per_image = {joules}\n")
        if seconds:
            text += f"seconds_per_image = {joules / 200}\n"
    return text


class EstimateByCurve(ProgramTest):
    def test_the_study_job_at_one_limit(self):
        answer = self.run_json("estimate", "builtin:paper", "--limit-w", "170")
        self.assertAlmostEqual(answer["points"][0]["energy_j"], 170 * 14.39 * 3600, places=3)

    def test_either_a_curve_or_a_law(self):
        self.write("law.toml", law())
        for args in ([], ["builtin:paper", "--law", "law.toml"], ["--model", "resnet50"], ["--units", "3"]):
            self.run_program("estimate", *args, expect=2)


class EstimateByLaw(ProgramTest):
    def setUp(self):
        super().setUp()
        self.write("law.toml", law())

    def test_laws_with_and_without_vgg_and_traffic(self):
        answer = self.run_json("estimate", "--law", "law.toml")
        self.assertIsNone(answer["job"])
        self.assertEqual([(one["terms"], one["points"]) for one in answer["laws"]],
                         [("macs", "all"), ("macs", "without VGG"), ("macs+traffic", "all"),
                          ("macs+traffic", "without VGG")])
        macs, _, both, _ = answer["laws"]
        self.assertLess(both["left_out_rms_percent"], macs["left_out_rms_percent"])
        self.assertTrue(both["j_per_byte_low"] < 300e-12 < both["j_per_byte_high"])
        self.assertTrue(both["j_per_mac_low"] < 20e-12 < both["j_per_mac_high"])
        self.assertEqual([one["name"] for one in macs["families"]], ["alexnet", "googlenet", "resnet", "vgg"])
        self.assertGreater(macs["family_left_out_rms_percent"], macs["left_out_rms_percent"])
        leverages = [network["leverage"] for network in macs["networks"]]
        self.assertAlmostEqual(sum(leverages), 2, places=9)
        self.assertEqual(max(leverages), leverages[-1])  # VGG19's
        self.assertTrue(any("--terms macs+traffic" in note for note in answer["notes"]))
        text = self.run_program("estimate", "--law", "law.toml").stdout
        for word in ("without VGG", "pJ per MAC", "leverage", "power simulated"):
            self.assertIn(word, text)

    def test_a_job_is_its_images_times_the_law(self):
        answer = self.run_json("estimate", "--law", "law.toml", "--macs", "3e9", "--images", "50000", "--epochs", "90",
                               "--price", "0.30")
        fit, job = answer["laws"][0], answer["job"]
        self.assertAlmostEqual(job["energy_j"], 4.5e6 * (fit["j_per_image"] + 3e9 * fit["j_per_mac"]), delta=1e-3)
        self.assertAlmostEqual(job["duration_s"], job["energy_j"] / 200, delta=1e-3)
        self.assertAlmostEqual(job["cost_eur"], job["energy_j"] / 3.6e6 * 0.30, places=9)
        self.assertTrue(job["energy_low_j"] < job["energy_j"] < job["energy_high_j"])
        self.assertEqual(job["obtained"], "modelled")
        self.assertIsNone(job["extrapolates"])

    def test_beyond_the_points_is_said(self):
        args = ("estimate", "--law", "law.toml", "--macs", "40e9", "--images", "1000")
        self.assertIn("above the 19.6 G MACs", self.run_json(*args)["job"]["extrapolates"])
        self.assertIn("Beyond what was measured", self.run_program(*args).stdout)

    def test_a_network_by_name_becomes_a_plan(self):
        answer = self.run_json("estimate", "--law", "law.toml", "--model", "resnet50", "--images", "50000", "--epochs",
                               "90", "-o", "job.toml")
        self.assertAlmostEqual(answer["job"]["macs"] / 1e9, 4.087, places=2)
        self.assertEqual(self.run_json("estimate", "--law", "law.toml", "--model", "ResNet-50", "--images", "50000")["job"]["network"], "resnet50")
        self.assertIn("modelled", (self.folder / "job.toml").read_text())
        # The file holds the job's epochs; a scenario that says others is followed, and it is said.
        for units, whole in ([], 1), (["--set", "job.units=45"], 0.5):
            plan = self.run_json("plan", "builtin:paper", "--set", "gpu.curve=job.toml", *units)
            self.assertAlmostEqual(plan["gpu_energy_wh"], whole * answer["job"]["energy_j"] / 3600, delta=1)
            self.assertEqual("--set: job.units is 45, though the curve is of a job of 90 units" in plan["notes"], whole < 1)
        job = self.run_json("estimate", "job.toml")
        self.assertEqual(job["units"], 90)
        self.assertAlmostEqual(job["points"][0]["energy_j"], answer["job"]["energy_j"], delta=1e-6 * answer["job"]["energy_j"])
        self.assertEqual(self.run_json("estimate", "job.toml", "--units", "1")["units"], 1)

    def test_a_point_of_the_law_is_known_as_one(self):
        args = ("estimate", "--law", "law.toml", "--images", "50000", "--epochs", "2")
        answer = self.run_json(*args, "--model", "ResNet-50")["job"]
        joules = (1e-3 + 20e-12 * 4.087e9 + 300e-12 * 810e6) * 1.01 * 100000
        self.assertAlmostEqual(answer["point_energy_j"], joules, delta=1e-6 * joules)
        self.assertAlmostEqual(answer["point_duration_s"], joules / 200, delta=1e-6 * joules)
        text = self.run_program(*args, "--model", "resnet50").stdout
        self.assertIn("though this one was", text)
        self.assertIn("a point of the law: as simulated", text)
        self.assertIsNone(self.run_json(*args, "--model", "vgg16")["job"]["point_energy_j"])
        self.assertNotIn("though this one was", self.run_program(*args, "--model", "vgg16").stdout)

    def test_a_law_that_falls_estimates_nothing(self):
        falling = {"alexnet": (0.7, 500, 1), "resnet18": (1.8, 400, 1), "vgg16": (15.5, 300, 0.1), "vgg19": (19.6, 200, 0.1)}
        self.write("law.toml", law(falling))
        for end in (["--model", "resnet50"], ["--macs", "3e9", "-o", "job.toml"]):
            done = self.run_program("estimate", "--law", "law.toml", "--images", "50000", *end, expect=1)
            self.assert_one_clear_sentence(done.stderr, "law.toml", "energy per MAC is below zero", "alexnet", "vgg19")
            self.assertEqual(done.stdout, "")
        self.assertFalse((self.folder / "job.toml").exists())
        shown = self.run_json("estimate", "--law", "law.toml")
        self.assertTrue(any("energy per MAC is below zero" in note for note in shown["notes"]))

    def test_a_law_and_a_curve_are_not_mistaken_for_each_other(self):
        done = self.run_program("estimate", "law.toml", expect=1)
        self.assert_one_clear_sentence(done.stderr, "law.toml: this is an energy law, not a power curve: add --law")
        self.write("curve.toml", '[curve]\nname = "c"\n[[points]]\nlimit_w = 100\nseconds_per_unit = 1\n')
        done = self.run_program("estimate", "--law", "curve.toml", expect=1)
        self.assert_one_clear_sentence(done.stderr, "curve.toml: this is a power curve, not an energy law: leave --law out")
        self.assertEqual(len(done.stderr.splitlines()), 1)

    def test_a_figure(self):
        self.run_program("estimate", "--law", "law.toml", "--figure", "law.svg")
        figure = (self.folder / "law.svg").read_text()
        for word in ("vgg19", "without VGG", "J per image"):
            self.assertIn(word, figure)

    def test_the_gain_widens_the_interval_of_energy_alone(self):
        args = ("estimate", "--law", "law.toml", "--macs", "3e9", "--images", "1000")
        before = self.run_json(*args)["job"]
        self.write("law.toml", law().replace("[law]\n", "[law]\ngain_half_width_percent = 50\n"))
        after = self.run_json(*args)["job"]
        self.assertAlmostEqual(after["energy_high_j"] - after["energy_j"],
                               ((before["energy_high_j"] - before["energy_j"]) ** 2
                                + (0.5 * before["energy_j"]) ** 2) ** 0.5, places=6)
        self.assertEqual(after["duration_high_s"], before["duration_high_s"])

    def test_mistakes_are_told_at_once_and_nothing_is_written(self):
        self.write("law.toml", law().replace("macs", "maks"))
        done = self.run_program("estimate", "--law", "law.toml", "--figure", "law.svg", expect=1)
        self.assertEqual(done.stderr.count("Did you mean 'macs'?"), 7)
        self.write("law.toml", law({"a": (1, 10, 1), "b": (1, 20, 1), "c": (1, 30, 1)}))
        done = self.run_program("estimate", "--law", "law.toml", "--figure", "law.svg", expect=1)
        self.assert_one_clear_sentence(done.stderr, "law.toml", "(nearly) one place")
        self.write("law.toml", law({"a": (1, 10, 1), "b": (2, 20, 1)}))
        done = self.run_program("estimate", "--law", "law.toml", expect=1)
        self.assert_one_clear_sentence(done.stderr, "2 points for 2 coefficients")
        self.assertFalse((self.folder / "law.svg").exists())

    def test_wrong_flags_are_one_sentence(self):
        for args, words in ((["--model", "resnet5"], ["resnet5", "Did you mean"]),
                            (["--macs", "1e9", "--terms", "macs+traffic"], ["--traffic-bytes"]),
                            (["-o", "job.toml"], ["--model"])):
            done = self.run_program("estimate", "--law", "law.toml", "--images", "10", *args, expect=2)
            self.assert_one_clear_sentence(done.stderr, *words)
        done = self.run_program("estimate", "--law", "law.toml", "--macs", "1e9", expect=2)
        self.assert_one_clear_sentence(done.stderr, "--images")
        self.write("notes.toml", "mine")
        self.run_program("estimate", "--law", "law.toml", "--macs", "1e9", "--images", "10", "-o", "notes.toml", expect=2)
        self.assertEqual((self.folder / "notes.toml").read_text(), "mine")

    def test_without_times_there_is_no_plan(self):
        self.write("law.toml", law(seconds=False))
        args = ("estimate", "--law", "law.toml", "--macs", "3e9", "--images", "1000")
        self.assertIsNone(self.run_json(*args)["job"]["duration_s"])
        self.assert_one_clear_sentence(self.run_program(*args, "-o", "job.toml", expect=1).stderr, "seconds_per_image")


if __name__ == "__main__":
    unittest.main()

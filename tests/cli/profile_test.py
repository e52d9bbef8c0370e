"""`heliograd profile`: the networks by name and the count of their work."""
import csv
import unittest

from program import SOURCE, ProgramTest


class Profile(ProgramTest):
    def test_the_list_is_that_of_the_reference(self):
        listed = {entry["name"]: entry for entry in self.run_json("profile", "--list")}
        with open(SOURCE / "data" / "models" / "macs.csv", newline="") as file:
            rows = [row for row in csv.DictReader(file) if row["dataset"] == "cifar100"]
        self.assertEqual(set(listed), {row["model"] for row in rows})
        for row in rows:
            entry = listed[row["model"]]
            self.assertEqual(entry["parameters"], int(row["params_total"]))
            self.assertEqual(entry["macs_convolution_linear"], int(row["macs_conv_linear"]))
            self.assertEqual(entry["macs"], int(row["macs_conv_linear"]) + int(row["macs_attn_matmul"]))
            self.assertEqual(entry["operations_bias"], int(row["macs_bias"]))
            self.assertEqual(entry["ptflops_0_7_5"], int(row["ptflops_pytorch_0_7_5"]))

    def test_layers_sum_to_the_network(self):
        for options in ([], ["--channels", "1", "--classes", "10"]):
            answer = self.run_json("profile", "googlenet", "--macs", *options)
            layers = answer["layers"]
            self.assertEqual(sum(layer["parameters"] for layer in layers), answer["parameters"])
            for key in ("macs", "operations_bias", "operations_elementwise"):
                self.assertEqual(sum(layer[key] for layer in layers if not layer["only_training"]), answer[key])
            self.assertEqual(sum(layer["macs"] for layer in layers), answer["macs_training_forward"])
        self.assertEqual(answer["macs"], 1418686464)
        self.assertEqual(layers[-1]["output_shape"], [10])

    def test_tables_for_people(self):
        table = self.run_program("profile", "--list").stdout
        self.assertIn("googlenet_mod9", table)
        self.assertIn("1813.613", table)
        table = self.run_program("profile", "alexnet", "--macs").stdout
        self.assertIn("classifier.6", table)
        self.assertIn("64x55x55", table)

    def test_wrong_requests_are_one_sentence(self):
        for args, words in ((["resnet81", "--macs"], ["resnet81", "Did you mean 'resnet18'?"]),
                            (["alexnet", "--macs", "--channels", "2"], ["2 channels", "expected 1"]),
                            (["alexnet", "--macs", "--classes", "0"], ["0 classes", "expected 1 to"]),
                            (["--list", "--classes", "-3"], ["-3 classes", "expected 1 to"]),
                            (["--list", "alexnet"], ["--list"]),
                            (["alexnet"], ["--macs"]),
                            ([], ["--list"])):
            done = self.run_program("profile", *args, expect=2)
            self.assertEqual(done.stdout, "")
            self.assert_one_clear_sentence(done.stderr, *words)


if __name__ == "__main__":
    unittest.main()

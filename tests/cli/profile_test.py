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

    def test_names_are_taken_as_people_write_them(self):
        for written, name in (("ViT-S/16", "vit_s16_d6"), ("ResNet-18", "resnet18"), ("mod1", "googlenet_mod1"), ("GoogLeNet mod9", "googlenet_mod9")):
            self.assertEqual(self.run_json("profile", written, "--macs")["name"], name)

    def test_tables_for_people(self):
        table = self.run_program("profile", "--list").stdout
        self.assertIn("googlenet_mod9", table)
        self.assertIn("1813.613", table)
        table = self.run_program("profile", "alexnet", "--macs").stdout
        self.assertIn("classifier.6", table)
        self.assertIn("64x55x55", table)

    def test_onnx_files_count_as_their_networks(self):
        for name in ("resnet18", "vit_ti16_d12"):
            expected = self.run_json("profile", name, "--macs")
            for exporter in ("script", "dynamo"):
                file = SOURCE / "tests" / "fuzz_seeds" / "onnx_model" / f"{name}_{exporter}.onnx"
                answer = self.run_json("profile", "--model", file, "--macs")
                self.assertEqual(answer["macs"], expected["macs"])
                self.assertEqual(answer["macs_attention"], expected["macs_attention"])
                self.assertEqual(answer["input_shape"], [1, 3, 224, 224])
                self.assertEqual(sum(layer["macs"] for layer in answer["layers"]), answer["macs"])
                self.assertIn("MACs for an input of 1x3x224x224",
                              self.run_program("profile", "--model", file, "--macs", env={"COLUMNS": "400"}).stdout)

    def test_files_that_cannot_be_counted(self):
        text = self.write("model.onnx", "no model")
        archive = self.write("model.pt", b"PK\x03\x04 no archive")
        nowhere = {"HELIOGRAD_TORCH_BACKEND": "/nowhere.so"}
        for args, expect, env, words in (
                (["--model", text, "--macs"], 1, {}, ["model.onnx", "no ONNX model"]),
                (["--model", self.folder / "none.onnx", "--macs"], 1, {}, ["none.onnx: cannot read: No such file"]),
                (["--model", self.folder, "--macs"], 1, {}, [f"{self.folder}: is a folder: expected an ONNX"]),
                (["--model", self.write("empty.pt", ""), "--macs"], 1, {}, ["empty.pt: the file is empty: expected an ONNX"]),
                (["--model", archive, "--macs"], 2, {}, ["--input"]),
                (["--model", archive, "--macs", "--input", "3xa"], 2, {}, ["--input", "1x3x224x224"]),
                (["--model", archive, "--macs", "--input", "1x3"], 1, nowhere, ["/nowhere.so", "make profile"]),
                (["--model", archive, "--list"], 2, {}, ["--model"]),
                (["alexnet", "--macs", "--input", "1x3"], 2, {}, ["--input"])):
            done = self.run_program("profile", *args, expect=expect, env=env)
            self.assert_one_clear_sentence(done.stderr, *words)

    def test_wrong_requests_are_one_sentence(self):
        for args, words in ((["resnet81", "--macs"], ["resnet81", "Did you mean 'resnet18'?"]),
                            (["alexnet", "--macs", "--channels", "2"], ["2 channels", "expected 1"]),
                            (["alexnet", "--macs", "--classes", "0"], ["0 classes", "expected 1 to"]),
                            (["--list", "--classes", "-3"], ["-3 classes", "expected 1 to"]),
                            (["--list", "alexnet"], ["--list"]),
                            ([], ["--list"])):
            done = self.run_program("profile", *args, expect=2)
            self.assertEqual(done.stdout, "")
            self.assert_one_clear_sentence(done.stderr, *words)


if __name__ == "__main__":
    unittest.main()

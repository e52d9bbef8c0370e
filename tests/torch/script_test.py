"""`heliograd profile --model FILE.pt`: TorchScript files count as the networks they were made of."""
import csv
import json
import os
import pathlib
import subprocess
import tempfile
import unittest
import warnings

import torch
from torch import nn

from definitions import SOURCE, make

warnings.simplefilter("ignore")


class FusedAttention(nn.Module):
    def __init__(self):
        super().__init__()
        self.project = nn.Linear(16, 48)

    def forward(self, x):
        q, k, v = self.project(x).reshape(x.shape[0], x.shape[1], 3, 2, 8).permute(2, 0, 3, 1, 4)
        return nn.functional.scaled_dot_product_attention(q, k, v)


class Script(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.file = pathlib.Path(folder.name) / "model.pt"

    def count(self, *args, expect=0):
        done = subprocess.run([os.environ["HELIOGRAD_PROGRAM"], "profile", "--model", str(self.file), "--macs", *args],
                              capture_output=True, text=True, timeout=300)
        self.assertEqual(done.returncode, expect, done.stderr)
        return json.loads(done.stdout) if expect == 0 else done.stderr

    def test_traced_networks_count_as_the_reference(self):
        with open(SOURCE / "data" / "models" / "macs.csv", newline="") as file:
            rows = {row["model"]: row for row in csv.DictReader(file) if row["dataset"] == "cifar100"}
        for name in ("resnet18", "googlenet_mod9", "vit_ti16_d12"):
            with self.subTest(name=name):
                network = make(name, 3, 100).eval()
                torch.jit.trace(network, torch.rand(1, 3, 224, 224)).save(str(self.file))
                answer = self.count("--input", "1x3x224x224", "--json")
                row = rows[name]
                self.assertEqual(answer["macs_convolution_linear"], int(row["macs_conv_linear"]))
                self.assertEqual(answer["macs_attention"], int(row["macs_attn_matmul"]))
                self.assertEqual(answer["operations_bias"], int(row["macs_bias"]))
                self.assertEqual(answer["parameters"], int(row["params_total"]))
                self.assertEqual(sum(one["macs"] for one in answer["operators"]), answer["macs"])

    def test_fused_attention_is_seen(self):
        torch.jit.trace(FusedAttention().eval(), torch.rand(2, 5, 16)).save(str(self.file))
        answer = self.count("--input", "2x5x16", "--json")
        self.assertEqual(answer["macs_convolution_linear"], 2 * 5 * 16 * 48)
        self.assertEqual(answer["macs_attention"], 2 * 2 * 5 * 5 * (8 + 8))

    def test_what_cannot_be_counted_is_one_sentence(self):
        self.file.write_bytes(b"PK\x03\x04 no archive")
        message = self.count("--input", "1x3", expect=1)
        self.assertIn("model.pt", message)
        self.assertEqual(message.count("\n"), 1)
        torch.jit.trace(nn.Linear(4, 2), torch.rand(1, 4)).save(str(self.file))
        message = self.count("--input", "1x3", expect=1)
        self.assertIn("PyTorch says", message)
        torch.save({"weights": torch.rand(2)}, self.file)
        message = self.count("--input", "1x3", expect=1)
        self.assertIn("model.pt", message)
        self.assertEqual(message.count("\n"), 1, message)


if __name__ == "__main__":
    unittest.main()

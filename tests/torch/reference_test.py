"""The networks as libtorch runs them against their PyTorch definitions: names, shapes, scores, gradients."""
import csv
import json
import os
import subprocess
import unittest

import torch

from definitions import SOURCE, make, set_by_rule, spread

# Both sides call the same operators of one library, in float32; sums may be ordered differently between calls.
RELATIVE = 1e-5


def forward(*args):
    done = subprocess.run([os.environ["TORCH_FORWARD"], *map(str, args)], capture_output=True, text=True, timeout=300)
    if done.returncode != 0:
        raise AssertionError(f"{args}: {done.stderr}")
    return json.loads(done.stdout)


class Reference(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        torch.set_num_threads(1)

    def test_names_and_shapes_are_those_of_the_state_dict(self):
        with open(SOURCE / "data" / "models" / "macs.csv", newline="") as file:
            rows = list(csv.DictReader(file))
        for row in rows:
            if row["model"] in ("vgg13", "vgg16", "vgg19"):
                continue  # vgg11 again with more of the same, and the longest to fill with random numbers
            name, channels, classes = row["model"], int(row["in_ch"]), int(row["classes"])
            with self.subTest(name=name, channels=channels):
                with torch.device("meta"):
                    expected = {key: list(value.shape) for key, value in make(name, channels, classes).state_dict().items()}
                self.assertEqual(forward(name, channels, classes, "names"), expected)

    def assert_same(self, found, expected, what):
        found, expected = torch.tensor(found, dtype=torch.float64), expected.detach().double().flatten()
        self.assertEqual(found.shape, expected.shape, what)
        worst = (found - expected).abs().max().item()
        self.assertLessEqual(worst, RELATIVE * expected.abs().max().item(), what)
        self.assertGreater(expected.abs().max().item(), 1e-3, f"{what}: scores that say nothing")

    def test_scores_in_inference(self):
        for name, channels in (("alexnet", 1), ("resnet18", 3), ("googlenet", 1), ("googlenet_mod1", 3), ("vit_s16_d6", 3)):
            with self.subTest(name=name):
                network = make(name, channels, 10)
                set_by_rule(network)
                network.eval()
                with torch.no_grad():
                    expected = network(2 * spread("image", (2, channels, 224, 224)))
                self.assert_same(forward(name, channels, 10, "eval")["scores"][0], expected, name)

    def test_scores_and_gradients_in_training(self):
        for name in ("resnet18", "googlenet", "googlenet_mod9", "vit_ti16_d12"):
            with self.subTest(name=name):
                network = make(name, 1, 10)
                set_by_rule(network)
                network.train()
                torch.manual_seed(7)
                scores = network(2 * spread("image", (2, 1, 224, 224)))
                scores = scores if isinstance(scores, tuple) else (scores,)
                sum(score.square().sum() for score in scores).backward()
                found = forward(name, 1, 10, "train")
                self.assertEqual(len(found["scores"]), len(scores))
                for ours, theirs in zip(found["scores"], scores):
                    self.assert_same(ours, theirs, name)
                largest = max(parameter.grad.abs().sum().item() for parameter in network.parameters())
                for key, parameter in network.named_parameters():
                    expected = parameter.grad.double().abs().sum().item()
                    # Biases before a batch norm have gradients of rounding alone: what counts is the network's scale.
                    self.assertAlmostEqual(found["gradients"][key], expected, delta=1e-3 * expected + 1e-6 * largest, msg=key)


if __name__ == "__main__":
    unittest.main()

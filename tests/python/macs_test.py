"""heliograd.macs against the reference counts, and what it leaves untouched."""
import csv
import os
import pathlib
import sys
import unittest

os.environ["HELIOGRAD_SOURCE_DIR"] = str(pathlib.Path(__file__).parents[2])
sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "torch"))

import torch  # noqa: E402
from torch import nn  # noqa: E402

import heliograd  # noqa: E402
from definitions import SOURCE, make  # noqa: E402


class Reference(unittest.TestCase):
    def test_every_network_counts_as_the_reference(self):
        with open(SOURCE / "data" / "models" / "macs.csv", newline="") as file:
            rows = list(csv.DictReader(file))
        self.assertEqual(len(rows), 44)
        for row in rows:
            name, channels = row["model"], int(row["in_ch"])
            with self.subTest(name=name, channels=channels):
                with torch.device("meta"):
                    network = make(name, channels, int(row["classes"]))
                count = heliograd.macs(network, (1, channels, 224, 224))
                self.assertEqual(count.convolution_linear, int(row["macs_conv_linear"]))
                self.assertEqual(count.attention, int(row["macs_attn_matmul"]))
                self.assertEqual(count.bias, int(row["macs_bias"]))
                self.assertEqual(count.parameters, int(row["params_total"]))
                self.assertEqual(sum(layer.macs for layer in count.layers), count.macs)
                trained = heliograd.macs(network, (1, channels, 224, 224), training=True)
                self.assertEqual(trained.convolution_linear, int(row["macs_conv_linear_train_with_aux"]))

    def test_layers_bear_their_names(self):
        with torch.device("meta"):
            network = make("resnet18", 3, 100)
        layers = {layer.name: layer for layer in heliograd.macs(network, (1, 3, 224, 224)).layers}
        self.assertEqual(layers["conv1"].macs, 118013952)
        self.assertEqual(layers["layer2.0.downsample.0"].macs, 6422528)
        self.assertEqual((layers["fc"].macs, layers["fc"].bias, layers["fc"].kind), (51200, 100, "Linear"))


class ByHand(unittest.TestCase):
    def test_a_real_pass_counts_as_one_on_the_meta_device(self):
        network = nn.Sequential(nn.Conv2d(3, 4, 3, groups=1), nn.BatchNorm2d(4), nn.Flatten(), nn.Linear(4 * 6 * 6, 5))
        expected = (2 * 4 * 36 * 27 + 2 * 144 * 5, 2 * 4 * 36 + 2 * 5)
        for device in ("meta", None):
            count = heliograd.macs(network, (2, 3, 8, 8), device=device)
            self.assertEqual((count.convolution_linear, count.bias), expected)
            self.assertEqual(count.attention, 0)

    def test_the_module_is_left_as_it_is(self):
        network = nn.Sequential(nn.Linear(4, 3), nn.BatchNorm1d(3), nn.Dropout())
        network[1].eval()
        before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
        heliograd.macs(network, (2, 4), training=True)
        heliograd.macs(network, (2, 4), device=None)
        self.assertEqual([child.training for child in network.modules()], [True, True, False, True])
        for name, tensor in network.state_dict().items():
            self.assertTrue(torch.equal(tensor, before[name]), name)
            self.assertEqual(tensor.device.type, "cpu")
        self.assertFalse(network._forward_hooks or network[0]._forward_hooks or network[0]._forward_pre_hooks)

    def test_multi_head_attention_is_seen_with_and_without_its_weights(self):
        attention = nn.MultiheadAttention(16, 2, batch_first=True)

        class Own(nn.Module):
            def __init__(self, weights):
                super().__init__()
                self.attention, self.weights = attention, weights

            def forward(self, x):
                return self.attention(x, x, x, need_weights=self.weights)[0]

        for weights in (False, True):
            for device in ("meta", None):
                count = heliograd.macs(Own(weights), (3, 5, 16), device=device)
                self.assertEqual(count.convolution_linear, 3 * 5 * 16 * 48 + 3 * 5 * 16 * 16, (weights, device))
                self.assertEqual(count.attention, 2 * 3 * 5 * 5 * 16, (weights, device))

    def test_a_tensor_may_be_given(self):
        embedding = nn.Sequential(nn.Embedding(10, 6), nn.Linear(6, 2, bias=False))
        count = heliograd.macs(embedding, torch.zeros(3, 4, dtype=torch.int64))
        self.assertEqual((count.convolution_linear, count.bias, count.parameters), (3 * 4 * 6 * 2, 0, 72))

    def test_wrong_requests(self):
        with self.assertRaisesRegex(heliograd.Error, "meta"):
            heliograd.macs(nn.Linear(2, 2), (1, 2), training=True, device=None)


if __name__ == "__main__":
    unittest.main()

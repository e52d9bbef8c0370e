"""The networks of data/models/models_ref.py by their names in macs.csv, and weights set by a rule."""
import math
import os
import pathlib
import sys

import torch
from torch import nn

SOURCE = pathlib.Path(os.environ["HELIOGRAD_SOURCE_DIR"])
sys.path.insert(0, str(SOURCE / "data" / "models"))
import models_ref as ref  # noqa: E402

GOOGLENETS = {
    "googlenet": {},
    "googlenet_mod1": {"bn": False, "aux": False},
    "googlenet_mod2": {"keep": ["3a", "4a", "4e", "5a"]},
    "googlenet_mod3": {"width": 0.75, "swidth": 1.0},
    "googlenet_mod4": {"keep": [name for name in ref.ICFG if name[0] != "3"]},
    "googlenet_mod5": {"keep": ["3a", "4a", "5a"]},
    "googlenet_mod6": {"swidth": 0.5},
    "googlenet_mod7": {"extra": [("4f", "4e", ref.ICFG["4e"])]},
    "googlenet_mod8": {"width": 1.25},
    "googlenet_mod9": {"keep": ["3a", "4a", "5a"], "width": 0.75, "aux": False},
    "googlenet_k5": {"k5": 5},
}
RESNETS = {"resnet18": (ref.Basic, (2, 2, 2, 2)), "resnet34": (ref.Basic, (3, 4, 6, 3)),
           "resnet50": (ref.Bottle, (3, 4, 6, 3))}
TRANSFORMERS = {"vit_s16_d6": {}, "vit_s16_d12": {"depth": 12},
                "vit_ti16_d12": {"d": 192, "depth": 12, "h": 3, "mlp": 768}}


def make(name, channels, classes):
    if name == "alexnet":
        return ref.AlexNet(channels, classes)
    if name.startswith("vgg"):
        return ref.VGG(int(name[3:]), channels, classes)
    if name in RESNETS:
        return ref.ResNet(*RESNETS[name], channels, classes)
    if name in TRANSFORMERS:
        return ref.ViT(channels, classes, **TRANSFORMERS[name])
    return ref.GoogLeNet(channels, classes, **GOOGLENETS[name])


def hash_of(text):
    """32-bit FNV-1a."""
    value = 2166136261
    for byte in text.encode():
        value = (value ^ byte) * 16777619 % 2**32
    return value


def spread(name, shape):
    """Numbers in [-1/2, 1/2) that follow from the name and the position."""
    position = torch.arange(math.prod(shape), dtype=torch.int64)
    hashed = (position * 2654435761 + hash_of(name)).bitwise_and(0xFFFFFFFF)
    return (hashed.double() / 4294967296.0 - 0.5).float().reshape(shape)


def value_of(name, tensor):
    values = spread(name, tensor.shape)
    if name.endswith("running_var"):
        return 1 + 0.2 * values
    if tensor.dim() > 1:
        return values * math.sqrt(24.0 / tensor[0].numel())
    if name.endswith("weight"):
        return 1 + 0.2 * values
    return 0.1 * values


@torch.no_grad()
def set_by_rule(network: nn.Module):
    for name, tensor in network.state_dict().items():
        if tensor.is_floating_point():
            tensor.copy_(value_of(name, tensor))

"""The same small training with PyTorch in turns: unmarked, with heliograd's steps marked, with a Zeus window a step.

    torch_marking.py TURNS ITERATIONS      prints a JSON line for each turn: which, wall clock and processor time of an iteration in s

All three run in one process on one network, so that nothing but the marks differs; the simulated GPU is what both measure
(LD_LIBRARY_PATH=build/sim). Run by the Python of .venv-bench; PyTorch is that of .venv-python. Without Zeus the other two run.
"""
import glob
import json
import os
import pathlib
import sys
import time

ROOT = pathlib.Path(__file__).parents[2]
sys.path += [str(ROOT / "python"), *glob.glob(str(ROOT / ".venv-python/lib/python3*/site-packages"))]

import torch  # noqa: E402

import heliograd  # noqa: E402
from heliograd.torch import BACKWARD, FORWARD, LOSS, OPTIMIZER, TO_DEVICE, Steps  # noqa: E402

BATCH, IMAGE, CLASSES = 32, 64, 10


class NoWindow:
    """What a step costs that nobody marks."""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        return None


class ZeusWindow:
    def __init__(self, monitor, name):
        self.monitor, self.name = monitor, name

    def __enter__(self):
        self.monitor.begin_window(self.name, sync_execution=False)

    def __exit__(self, *_):
        self.monitor.end_window(self.name, sync_execution=False)


def small_network():
    nn = torch.nn
    return nn.Sequential(nn.Conv2d(3, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(32, 64, 3, padding=1), nn.ReLU(),
                         nn.MaxPool2d(2), nn.Flatten(), nn.Linear(64 * (IMAGE // 4) ** 2, 128), nn.ReLU(), nn.Linear(128, CLASSES))


def train(network, optimizer, data, iterations, mark):
    host_images, host_labels = data
    for _ in range(iterations):
        with mark(TO_DEVICE):
            images, labels = host_images.clone(), host_labels.clone()
        with mark(FORWARD):
            scores = network(images)
        with mark(LOSS):
            loss = torch.nn.functional.cross_entropy(scores, labels)
        with mark(BACKWARD):
            loss.backward()
        with mark(OPTIMIZER):
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)


def markers(network):
    none = NoWindow()
    meter = heliograd.Meter(gpus=[0])
    if not meter.measuring:
        sys.exit(f"torch_marking: heliograd measures nothing here: {meter.reason}")
    steps = Steps(meter=meter, dither=0, device="cpu")
    found = {"unmarked": lambda _name: none, "heliograd": steps.step}
    try:
        from zeus.monitor import ZeusMonitor
    except ImportError as error:
        print(f"torch_marking: without Zeus ({error})", file=sys.stderr)
        return found
    monitor = ZeusMonitor(gpu_indices=[0], cpu_indices=[], approx_instant_energy=False)
    found["zeus"] = lambda name: ZeusWindow(monitor, name)
    return found


def main(turns, iterations):
    torch.set_num_threads(1)
    torch.manual_seed(1)
    network = small_network()
    optimizer = torch.optim.SGD(network.parameters(), lr=0.01, momentum=0.9)
    data = (torch.rand(BATCH, 3, IMAGE, IMAGE), torch.randint(CLASSES, (BATCH,)))
    marks = markers(network)
    for mark in marks.values():
        train(network, optimizer, data, iterations, mark)
    names = list(marks)
    for turn in range(turns):
        # Another one first each time, so that drift meets all alike.
        for name in names[turn % len(names):] + names[:turn % len(names)]:
            wall, processor = time.perf_counter(), time.thread_time()
            train(network, optimizer, data, iterations, marks[name])
            record = {"which": name, "wall_s": (time.perf_counter() - wall) / iterations, "cpu_s": (time.thread_time() - processor) / iterations}
            print(json.dumps(record), flush=True)
    os._exit(0)  # Zeus's helpers would be waited for


main(int(sys.argv[1]), int(sys.argv[2]))

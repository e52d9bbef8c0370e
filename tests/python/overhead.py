"""What marking costs. Not a test: python tests/python/overhead.py, with the environment that ctest gives to the tests
(`ctest --test-dir build -V -R python.meter -N` shows it), on a machine that does nothing else.

Costs of a call are the least of 200 stretches of 1000 calls. The share of a training is the median of pairs of runs, one with
and one without, in random order, with the 95 % interval of a sign test.
"""
import argparse
import os
import random
import tempfile
import time

import heliograd
import torch
from heliograd.torch import Steps


def microseconds(action, calls=1000, stretches=200):
    best = float("inf")
    for _ in range(stretches):
        begin = time.perf_counter()
        for _ in range(calls):
            action()
        best = min(best, time.perf_counter() - begin)
    return best / calls * 1e6


def costs_of_calls(meter):
    def context():
        with meter.window("x"):
            pass

    decorated = meter.measured("x")(lambda: None)
    shared = heliograd.begin  # opens the shared meter
    shared("x").end()
    off = heliograd.Meter.__new__(heliograd.Meter)
    off.__dict__.update({**meter.__dict__, "_pointer": None})
    print(f"begin and end            {microseconds(lambda: meter.end(meter.begin('x'))):6.2f} us")
    print(f"the same, shared meter   {microseconds(lambda: heliograd.end(heliograd.begin('x'))):6.2f} us")
    print(f"with meter.window        {microseconds(context):6.2f} us")
    print(f"a decorated function     {microseconds(decorated):6.2f} us")
    print(f"begin and end, no meter  {microseconds(lambda: off.end(off.begin('x'))):6.2f} us")


def cost_of_steps(meter):
    net, loss = torch.nn.Linear(1, 1), torch.nn.MSELoss()
    optimizer = torch.optim.SGD(net.parameters(), lr=0.01)
    x, y = torch.zeros(1, 1), torch.zeros(1, 1)

    def iteration():
        optimizer.zero_grad()
        loss(net(x), y).backward()
        optimizer.step()

    without = microseconds(iteration, calls=100)
    steps = Steps(net, optimizer, loss, meter=meter, dither=0)
    with_steps = microseconds(iteration, calls=100)
    steps.remove()
    print(f"an iteration of 4 steps  {with_steps - without:6.2f} us more than {without:.2f} us")


def share_of_a_training(meter, pairs, seconds):
    """Iterations a second, with the meter's sampler running in both: the marks alone."""
    torch.set_num_threads(1)
    net = torch.nn.Sequential(torch.nn.Linear(256, 512), torch.nn.ReLU(inplace=True), torch.nn.Linear(512, 10))
    loss, optimizer = torch.nn.CrossEntropyLoss(), torch.optim.SGD(net.parameters(), lr=0.01)
    x, y = torch.randn(128, 256), torch.randint(0, 10, (128,))

    def run(measured):
        steps = Steps(net, optimizer, loss, meter=meter, dither=0) if measured else None
        end, count = time.perf_counter() + seconds, 0
        while time.perf_counter() < end:
            optimizer.zero_grad()
            loss(net(x), y).backward()
            optimizer.step()
            count += 1
        if steps is not None:
            steps.remove()
        return seconds / count

    run(True)
    shares = []
    for _ in range(pairs):
        order = [True, False]
        random.shuffle(order)
        took = {measured: run(measured) for measured in order}
        shares.append(100 * (took[True] / took[False] - 1))
    shares.sort()
    outer = max(0, round(pairs / 2 - 1.96 * pairs ** 0.5 / 2) - 1)  # ranks of the median's interval
    print(f"share of an iteration of {1e3 * took[False]:.2f} ms: {shares[pairs // 2]:.2f} % "
          f"({shares[outer]:.2f} to {shares[-1 - outer]:.2f} %, {pairs} pairs of {seconds} s)")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--pairs", type=int, default=30)
    parser.add_argument("--seconds", type=float, default=1)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        file = os.path.join(folder, "gpu.toml")
        with open(file, "w", encoding="utf-8") as text:
            text.write("[[gpu]]\nsensor_noise_w = 0.3\n")
        os.environ["HELIOGRAD_SIM_GPU"] = file
        print(f"load of the machine before: {os.getloadavg()[0]:.1f}, {os.cpu_count()} processors, torch {torch.__version__}")
        meter = heliograd.Meter(strict=True)
        costs_of_calls(meter)
        meter._shut()
        meter = heliograd.Meter(strict=True)
        cost_of_steps(meter)
        share_of_a_training(meter, options.pairs, options.seconds)
        meter._shut()


if __name__ == "__main__":
    main()

"""What marking costs. Not a test: python tests/python/overhead.py, with the environment that ctest gives to the tests
(`ctest --test-dir build -V -R python.meter -N` shows it), on a machine that does nothing else.

Costs of a call are the least of 200 stretches of 1000 calls. The share of a training is the median of pairs of runs, one with
and one without, in random order, with the 95 % interval of a sign test: it needs a quiet machine.
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


def larger_training():
    torch.set_num_threads(1)
    net = torch.nn.Sequential(torch.nn.Linear(256, 512), torch.nn.ReLU(inplace=True), torch.nn.Linear(512, 10))
    loss, optimizer = torch.nn.CrossEntropyLoss(), torch.optim.SGD(net.parameters(), lr=0.01)
    x, y = torch.randn(128, 256), torch.randint(0, 10, (128,))

    def iteration():
        optimizer.zero_grad()
        loss(net(x), y).backward()
        optimizer.step()

    return iteration, net, optimizer, loss


def hooks_that_do_nothing(net, optimizer, loss):
    def nothing(*_):
        pass

    def at_backward(*_):
        torch.autograd.Variable._execution_engine.queue_callback(nothing)

    handles = [module.register_forward_pre_hook(nothing) for module in (net, loss)]
    handles += [net.register_forward_hook(nothing),
                loss.register_forward_hook(lambda module, given, output: output.register_hook(at_backward) and None),
                optimizer.register_step_pre_hook(nothing), optimizer.register_step_post_hook(nothing)]
    return lambda: [handle.remove() for handle in handles]


def processor_time_of_an_iteration(meter, blocks=50, iterations=20):
    """Of the thread that trains; the lowest tenth, for other programs' traces in the caches only ever add to it."""
    iteration, net, optimizer, loss = larger_training()
    ways = {"no hooks": lambda: lambda: None, "hooks that do nothing": lambda: hooks_that_do_nothing(net, optimizer, loss),
            "Steps": lambda: Steps(net, optimizer, loss, meter=meter, dither=0).remove}
    took = {name: [] for name in ways}
    for _ in range(blocks):
        for name in random.sample(list(ways), len(ways)):
            remove = ways[name]()
            for _ in range(iterations):
                begin = time.thread_time()
                iteration()
                took[name].append(time.thread_time() - begin)
            remove()
    for name, times in took.items():
        print(f"an iteration, {name}: {1e3 * sorted(times)[len(times) // 10]:.2f} ms of processor time")


def share_of_a_training(meter, pairs, seconds):
    """Time of an iteration, with the meter's sampler running in both: the marks alone."""
    iteration, net, optimizer, loss = larger_training()

    def run(measured):
        steps = Steps(net, optimizer, loss, meter=meter, dither=0) if measured else None
        end, count = time.perf_counter() + seconds, 0
        while time.perf_counter() < end:
            iteration()
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
        processor_time_of_an_iteration(meter)
        share_of_a_training(meter, options.pairs, options.seconds)
        meter._shut()


if __name__ == "__main__":
    main()

"""heliograd.torch on the CPU: which steps are marked, in which order, and that nothing of it harms a training."""
import copy
import io
import pickle
import threading
import time
import unittest
import warnings
from collections import namedtuple

import heliograd
import torch
from heliograd.torch import Steps
from simulated import Added, Device, SimulatedTest


class Net(torch.nn.Module):
    """In-place ReLU, on which full backward hooks raise."""

    def __init__(self):
        super().__init__()
        self.layers = torch.nn.Sequential(torch.nn.Linear(8, 8), torch.nn.ReLU(inplace=True), torch.nn.Linear(8, 2),
                                          torch.nn.ReLU(inplace=True))

    def forward(self, x):
        return self.layers(x)


ITERATION = ["forward", "loss", "backward", "optimizer"]


class StepsTest(SimulatedTest):
    def setUp(self):
        super().setUp()
        torch.manual_seed(1)
        self.net = Net()
        self.optimizer = torch.optim.SGD(self.net.parameters(), lr=0.01)
        self.loss = torch.nn.CrossEntropyLoss()
        self.x, self.y = torch.randn(4, 8), torch.tensor([0, 1, 0, 1])
        self.used = self.meter()
        self.added = Added(self.used)

    def steps(self, *args, **options):
        steps = Steps(*(args or (self.net, self.optimizer, self.loss)), meter=self.used, **{"dither": 0, **options})
        self.addCleanup(steps.remove)
        return steps

    def iterate(self):
        self.optimizer.zero_grad()
        self.loss(self.net(self.x), self.y).backward()
        self.optimizer.step()

    def assert_in_order(self, depth=0):
        """Windows of a depth follow each other."""
        windows = sorted(window[1:3] for window in self.added.windows if window[3] == depth)
        self.assertGreater(len(windows), 0)
        for (_, end), (begin, _) in zip(windows, windows[1:]):
            self.assertLessEqual(end, begin)


class Marks(StepsTest):
    def test_hooks_mark_all_but_the_moving_of_batches(self):
        steps = self.steps()
        for _ in range(3):
            self.iterate()
        steps.summary()
        self.assertEqual(self.added.names, ITERATION * 3)
        self.assert_in_order()

    def test_batches_are_moved_in_a_step_of_their_own(self):
        steps = self.steps()
        Pair = namedtuple("Pair", "x y")
        loader = [[self.x, self.y], (self.x, self.y), {"x": self.x, "y": self.y}, Pair(self.x, self.y), self.x, "text"]
        batches = steps.batches(loader, "meta")
        self.assertEqual(len(batches), 6)
        moved = list(batches)
        self.assertEqual([type(batch) for batch in moved], [list, tuple, dict, Pair, torch.Tensor, str])
        self.assertTrue(all(tensor.device.type == "meta" for tensor in
                            [*moved[0], *moved[1], *moved[2].values(), *moved[3], moved[4]]))
        for x, y in steps.batches([(self.x, self.y)], "cpu"):
            self.loss(self.net(x), y).backward()
        steps.summary()
        self.assertEqual(self.added.names, ["to device"] * 7 + ITERATION[:3])

    def test_backward_begins_with_the_losss_gradient_and_ends_with_the_last(self):
        class Slow(torch.autograd.Function):
            @staticmethod
            def forward(ctx, x):
                return x.clone()

            @staticmethod
            def backward(ctx, gradient):
                time.sleep(0.05)
                return gradient

        class SlowLoss(torch.nn.Module):
            def forward(self, x, y):
                return torch.nn.functional.cross_entropy(Slow.apply(x), y)

        slow = SlowLoss()
        self.net.layers.insert(0, torch.nn.Linear(8, 8))
        self.net.register_forward_pre_hook(lambda module, arguments: (Slow.apply(arguments[0].requires_grad_()),))
        self.steps(self.net, self.optimizer, slow)
        begin = time.monotonic()
        slow(self.net(self.x), self.y).backward()
        self.assertGreater(time.monotonic() - begin, 0.1)
        self.optimizer.step()
        name, begin_ns, end_ns, _ = self.added.windows[2]
        self.assertEqual(name, "backward")
        self.assertGreater(end_ns - begin_ns, 0.1e9)

    def test_a_loss_that_is_a_function(self):
        steps = self.steps(self.net, self.optimizer)
        with steps.loss():
            loss = steps.watch(torch.nn.functional.cross_entropy(self.net(self.x), self.y))
        loss.backward()
        self.optimizer.step()
        self.assertEqual(sorted(self.added.names), sorted(ITERATION))

    def test_contexts_mark_all_five_and_count_over_hooks(self):
        for steps in (self.steps(), Steps(meter=self.used, dither=0)):
            self.added.windows.clear()
            with steps.to_device():
                x = self.x.to("cpu")
            with steps.forward():
                output = self.net(x)
            with steps.loss():
                loss = self.loss(output, self.y)
            with steps.backward():
                loss.backward()
            with steps.optimizer():
                self.optimizer.step()
            self.assertEqual(self.added.names, ["to device"] + ITERATION)
            self.assert_in_order()
            steps.remove()

    def test_steps_within_a_window_are_one_deeper(self):
        self.steps()
        with self.used.window("epoch"):
            self.iterate()
        self.assertEqual({window[3] for window in self.added.windows}, {1})

    def test_accumulated_gradients(self):
        self.steps()
        for _ in range(3):
            (self.loss(self.net(self.x), self.y) / 3).backward()
        self.optimizer.step()
        self.assertEqual(self.added.names, ITERATION[:3] * 3 + ["optimizer"])

    def test_a_pass_without_gradients_is_evaluation(self):
        steps = self.steps()
        self.iterate()
        with torch.no_grad():
            self.loss(self.net(self.x), self.y)
        self.net.eval()
        self.loss(self.net(self.x), self.y)
        with torch.inference_mode():
            self.net(self.x)
        self.net.train()
        self.iterate()
        steps.summary()
        self.assertEqual(self.added.names, ITERATION + ["evaluation"] * 5 + ITERATION)

    def test_amp_may_skip_the_optimizer(self):
        steps = self.steps()
        scaler = torch.amp.GradScaler("cpu", init_scale=2.0 ** 16)
        for factor in (1.0, float("inf"), 1.0):
            self.optimizer.zero_grad()
            with torch.autocast("cpu", dtype=torch.bfloat16):
                loss = self.loss(self.net(self.x), self.y) * factor
            scaler.scale(loss).backward()
            scaler.step(self.optimizer)
            scaler.update()
        steps.summary()
        self.assertEqual(self.added.names, ITERATION + ITERATION[:3] + ITERATION)

    def test_a_closure_runs_within_the_optimizer(self):
        optimizer = torch.optim.LBFGS(self.net.parameters(), max_iter=2)
        steps = self.steps(self.net, optimizer, self.loss)

        def closure():
            optimizer.zero_grad()
            loss = self.loss(self.net(self.x), self.y)
            loss.backward()
            return loss

        optimizer.step(closure)
        steps.summary()
        self.assertEqual(self.added.names[-1], "optimizer")
        self.assertEqual({window[3] for window in self.added.windows if window[0] != "optimizer"}, {1})
        self.assert_in_order(1)

    def test_an_optimizer_whose_step_calls_its_bases_step(self):
        class Own(torch.optim.SGD):
            def step(self, closure=None):
                time.sleep(0.02)
                super().step(closure)
                time.sleep(0.02)

        own = Own(self.net.parameters(), lr=0.1)
        self.steps(self.net, own, self.loss)
        for _ in range(2):
            self.loss(self.net(self.x), self.y).backward()
            own.step()
        self.assertEqual(self.added.names, ITERATION * 2)
        self.assertGreaterEqual(self.added.windows[3][2] - self.added.windows[3][1], 0.04e9)

    def test_two_optimizers(self):
        second = torch.optim.SGD(self.net.parameters(), lr=0.01)
        self.steps(self.net, [self.optimizer, second], self.loss)
        self.loss(self.net(self.x), self.y).backward()
        self.optimizer.step()
        second.step()
        self.assertEqual(self.added.names, ITERATION + ["optimizer"])

    def test_a_compiled_model(self):
        compiled = torch.compile(self.net, backend="eager")
        steps = self.steps(compiled, self.optimizer, self.loss)
        for _ in range(2):
            self.loss(compiled(self.x), self.y).backward()
            self.optimizer.step()
        steps.summary()
        self.assertEqual(self.added.names, ITERATION * 2)

    def test_a_model_compiled_after_it_got_hooks_trains(self):
        self.steps()
        compiled = torch.compile(self.net, backend="eager")
        self.loss(compiled(self.x), self.y).backward()
        self.optimizer.step()
        self.assertIn("optimizer", self.added.names)

    def test_outputs_in_dictionaries(self):
        class Named(Net):
            def forward(self, x, y):
                logits = super().forward(x)
                return {"loss": torch.nn.functional.cross_entropy(logits, y), "logits": [logits]}

        named = Named()
        self.steps(named, torch.optim.SGD(named.parameters(), lr=0.1))
        named(self.x, self.y)["loss"].backward()
        with self.used.window("after"):
            pass
        self.used.summary()
        self.assertEqual(self.added.names, ["forward", "backward"])


class NoHarm(StepsTest):
    def test_the_training_is_the_same_to_the_last_bit(self):
        def train(measured):
            torch.manual_seed(2)
            net = Net()
            optimizer = torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9)
            steps = self.steps(net, optimizer, self.loss, dither=0.05) if measured else None
            for _ in range(20):
                optimizer.zero_grad()
                self.loss(net(self.x), self.y).backward()
                optimizer.step()
            if steps is not None:
                steps.remove()
            return torch.cat([parameter.flatten() for parameter in net.parameters()])

        self.assertTrue(torch.equal(train(False), train(True)))

    def test_exceptions_in_each_step_leave_the_next_iteration_whole(self):
        steps = self.steps()

        class Failing(torch.autograd.Function):
            @staticmethod
            def forward(ctx, x):
                return x.clone()

            @staticmethod
            def backward(ctx, gradient):
                raise ValueError("backward")

        with self.assertRaises(RuntimeError):
            self.net(torch.randn(4, 9))
        with self.assertRaises(ValueError):
            self.loss(self.net(self.x), torch.tensor([0]))
        with self.assertRaisesRegex(ValueError, "backward"):
            self.loss(Failing.apply(self.net(self.x)), self.y).backward()
        with self.assertRaises(ValueError):
            with steps.to_device():
                raise ValueError
        self.added.windows.clear()
        self.iterate()
        self.assertEqual(self.added.names[-4:], ITERATION)
        self.assert_in_order()

    def test_copies_and_saved_models_are_not_measured(self):
        self.steps()
        copied = copy.deepcopy(self.net)
        copied(self.x)
        file = io.BytesIO()
        torch.save(self.net, file)
        file.seek(0)
        torch.load(file, weights_only=False)(self.x)
        pickle.loads(pickle.dumps(self.optimizer))
        copy.deepcopy(self.optimizer).step()
        self.used.summary()
        self.assertEqual(self.added.names, [])
        self.net(self.x)
        self.used.summary()
        self.assertEqual(self.added.names, ["forward"])

    def test_other_threads_are_left_out(self):
        self.steps()
        self.iterate()
        other = threading.Thread(target=lambda: self.net(self.x))
        other.start()
        other.join()
        self.iterate()
        self.assertEqual(self.added.names, ITERATION * 2)

    def test_removed_hooks_leave_nothing(self):
        steps = self.steps()
        steps.remove()
        self.iterate()
        self.assertEqual(self.added.names, [])
        self.assertEqual(len(self.net._forward_hooks) + len(self.net._forward_pre_hooks), 0)

    def test_a_clock_that_fails_ends_measuring_and_not_the_training(self):
        class Broken:
            rest_every = 1

            def mark(self):
                raise RuntimeError("CUDA error: device lost")

        meter = heliograd.Meter()
        self.addCleanup(meter.close)
        Steps(self.net, self.optimizer, self.loss, meter=meter, clock=Broken())
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            self.iterate()
            self.iterate()
        self.assertEqual([str(warning.message) for warning in caught],
                         ["heliograd: the steps are not marked any more: CUDA error: device lost"])

    def test_without_a_meter_there_are_no_hooks(self):
        meter, _ = self.quiet_meter(gpus=9)
        steps = Steps(self.net, self.optimizer, self.loss, meter=meter)
        self.assertEqual(len(self.net._forward_hooks), 0)
        for x, y in steps.batches([(self.x, self.y)], "cpu"):
            with steps.forward():
                self.loss(self.net(x), y).backward()
            self.optimizer.step()
        self.assertIn("nothing was measured", str(steps.summary()))

    def test_steps_are_not_pickled(self):
        with self.assertRaisesRegex(TypeError, "cannot be pickled"):
            pickle.dumps(self.steps())


class LostGpu(StepsTest):
    gpu = SimulatedTest.gpu + "[[gpu.fault]]\nat_s = 1.5\nlasts_s = 1000\nkind = \"lost\"\n"

    def test_the_training_goes_on(self):
        steps = Steps(self.net, self.optimizer, self.loss, meter=self.used, dither=0.1)
        self.used._strict = False
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            end = time.monotonic() + 3
            while time.monotonic() < end:
                self.iterate()
            str(steps.summary())
            self.used.close()
            self.iterate()
        self.assertLessEqual(len(caught), 1)


class Busy(torch.autograd.Function):
    """Computes on the simulated GPU: 40 ms forward, 80 ms backward."""

    device = None

    @staticmethod
    def forward(ctx, x):
        Busy.device.compute(40)
        return x.clone()

    @staticmethod
    def backward(ctx, gradient):
        Busy.device.compute(80)
        return gradient


class BusyNet(Net):
    def forward(self, x):
        return super().forward(Busy.apply(x))


class BusySgd(torch.optim.SGD):
    def step(self, closure=None):
        Busy.device.compute(25)
        return super().step(closure)


class SlowLoss(torch.nn.CrossEntropyLoss):
    def forward(self, x, y):
        time.sleep(0.03)
        return super().forward(x, y)


class Joules(StepsTest):
    def test_the_steps_of_a_loop_hold_the_truth(self):
        """30 s on the sensor that looks 25 of 100 ms: each step that can be told apart lies within its interval, widened
        to three standard deviations (of 95 % intervals 1 in 20 does not hold), and so does the iteration. A level may be
        refused, which tells no wrong number (one of five runs was, on two busy cores); three refusals are a failure."""
        self.calibrate()
        for _ in range(3):
            truth, summary = self.train()
            (level,) = summary.levels
            if not level.refusal:
                break
        self.assertFalse(level.refusal, summary)
        told = 0
        for name, joules in truth.items():
            (found,) = summary[name].devices
            self.assertEqual(found.method, "repeated phases")
            if found.identifiable:
                told += 1
                half = 3 / 1.96 * (found.interval[1] - found.interval[0]) / 2
                self.assertLess(abs(found.energy_j - joules), half, f"{name}: {joules} J\n{summary}")
        self.assertGreaterEqual(told, 2, f"{truth}\n{summary}")
        self.assertEqual(set(truth), {"to device", *ITERATION})
        count = summary["forward"].count
        low, high = level.iteration_interval
        self.assertTrue(low < sum(truth.values()) / count < high, f"{truth}\n{summary}")

    def train(self):
        """A loop of 30 s: the true joules of each step, and the summary."""
        meter = self.meter()
        added = Added(meter)
        Busy.device = Device()
        net, loss = BusyNet(), SlowLoss()
        optimizer = BusySgd(net.parameters(), lr=0.01)
        steps = Steps(net, optimizer, loss, meter=meter, dither=0.05)
        x = self.x.clone().requires_grad_()
        end = time.monotonic() + 30
        while time.monotonic() < end:
            with steps.to_device():
                time.sleep(0.02)
            optimizer.zero_grad()
            loss(net(x), self.y).backward()
            optimizer.step()
        summary = steps.summary()
        truth = {}
        for name, begin_ns, end_ns, _ in added.windows:
            truth[name] = truth.get(name, 0) + self.truth(begin_ns, end_ns)
        return truth, summary


if __name__ == "__main__":
    unittest.main()

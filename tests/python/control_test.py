"""Pausing between steps: the file that `heliograd run` writes, and what the package answers."""
import os
import pathlib
import resource
import subprocess
import sys
import tempfile
import threading
import time
import unittest

from heliograd._control import Control, VARIABLE


class ControlTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.path = pathlib.Path(folder.name) / "control"
        os.environ[VARIABLE] = str(self.path)
        self.addCleanup(os.environ.pop, VARIABLE, None)

    def wait_for(self, ending, there=True):
        until = time.monotonic() + 10
        while pathlib.Path(str(self.path) + ending).exists() != there:
            self.assertLess(time.monotonic(), until, ending)
            time.sleep(0.01)

    def test_stands_still_until_it_may_run(self):
        self.path.write_text("pause\n")
        control, stood = Control(), []
        thread = threading.Thread(target=lambda: stood.append(control.point()))
        thread.start()
        self.wait_for(".listening")
        self.wait_for(".paused")
        time.sleep(0.2)
        self.assertTrue(thread.is_alive())
        self.path.write_text("run\n")
        thread.join(10)
        self.assertFalse(thread.is_alive())
        self.assertGreater(stood[0], 0.2)
        self.wait_for(".paused", there=False)

    def test_runs_on_without_an_order_or_a_file(self):
        self.path.write_text("run\n")
        self.assertEqual(Control().point(), 0.0)
        self.path.unlink()
        self.assertEqual(Control().point(), 0.0)
        os.environ[VARIABLE] = "/nowhere/at/all"
        self.assertEqual(Control().point(), 0.0)
        del os.environ[VARIABLE]
        self.assertEqual(Control().point(), 0.0)

    def test_whoever_paused_it_and_went_away_lets_it_go_on(self):
        self.path.write_text("pause\n")
        thread = threading.Thread(target=Control().point)
        thread.start()
        self.wait_for(".paused")
        self.path.unlink()
        thread.join(10)
        self.assertFalse(thread.is_alive())

    def test_a_disk_without_room_still_lets_it_pause(self):
        """Files can be made there, and nothing written: that the file is there says all."""
        before = resource.getrlimit(resource.RLIMIT_FSIZE)
        self.path.write_text("pause\n")
        control, stood = Control(), []
        thread = threading.Thread(target=lambda: stood.append(control.point()))
        try:
            resource.setrlimit(resource.RLIMIT_FSIZE, (0, before[1]))  # Python ignores SIGXFSZ
            thread.start()
            self.wait_for(".paused")
            self.assertTrue(thread.is_alive())
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)
        self.path.unlink()  # as a run does that cannot write "run"
        thread.join(10)
        self.assertFalse(thread.is_alive())
        self.assertEqual(len(stood), 1)

    def test_a_folder_that_takes_no_answer_is_not_waited_in(self):
        """Nobody would learn that it stands still."""
        control = Control()
        self.path.write_text("run\n")
        self.assertEqual(control.point(), 0)
        time.sleep(0.06)
        self.path.write_text("pause\n")
        pathlib.Path(str(self.path) + ".paused").mkdir()  # no file can be made there, for root either
        self.assertEqual(control.point(), 0)
        self.assertEqual(control.point(), 0)

    def test_steps_pause_between_iterations(self):
        """In a process of its own: heliograd.torch's Steps look after each optimizer step."""
        self.path.write_text("run\n")
        code = ("import torch\nfrom heliograd.torch import Steps\nnet = torch.nn.Linear(4, 2)\n"
                "optimizer = torch.optim.SGD(net.parameters(), lr=0.1)\nsteps = Steps(net, optimizer, dither=0)\n"
                "for _ in range(3):\n    optimizer.zero_grad(); net(torch.ones(1, 4)).sum().backward(); optimizer.step()\n")
        done = subprocess.run([sys.executable, "-W", "ignore", "-c", code], capture_output=True, text=True, timeout=120)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.wait_for(".listening")


if __name__ == "__main__":
    unittest.main()

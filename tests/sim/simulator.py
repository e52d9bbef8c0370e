"""A simulated GPU of its own for each test, and the programs around it."""
import json
import os
import pathlib
import re
import subprocess
import tempfile
import time
import unittest

import pynvml

SIM = pathlib.Path(os.environ["HELIOGRAD_SIM"])


class SimulatorTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.running = []
        self.addCleanup(self.end_all)
        self.opened = False
        self.addCleanup(self.close)

    def end_all(self):
        for process in self.running:
            if process.poll() is None:
                process.kill()
            process.communicate()

    def gpu(self, text=""):
        """Names the file that describes the GPUs to every program started from now on, this one included."""
        file = self.folder / f"gpu{len(list(self.folder.iterdir()))}.toml"
        file.write_text(text)
        os.environ["HELIOGRAD_SIM_GPU"] = str(file)

    def open(self, text=""):
        """Loads the library for these GPUs and gives the first one."""
        self.close()
        self.gpu(text)
        pynvml.nvmlInit()
        self.opened = True
        return pynvml.nvmlDeviceGetHandleByIndex(0)

    def close(self):
        if self.opened:
            pynvml.nvmlShutdown()
        self.opened = False

    def start(self, *args, **options):
        process = subprocess.Popen([SIM / "sim-train", *map(str, args)], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                   text=True, **options)
        self.running.append(process)
        return process

    def start_and_wait_for_a_step(self, *args, **options):
        process = self.start(*args, **options)
        self.assertRegex(process.stdout.readline(), r"^step \d+$")
        return process

    def result(self, process, expect=0):
        """What it printed at its end."""
        out, err = process.communicate(timeout=60)
        self.assertEqual(process.returncode, expect, err)
        return json.loads(out.splitlines()[-1])

    def train(self, *args):
        return self.result(self.start(*args))

    def truth(self, begin_ns, end_ns, gpu=0):
        command = [SIM / "sim-truth", "--gpu", gpu, "--from", begin_ns, "--to", end_ns]
        done = subprocess.run(list(map(str, command)), capture_output=True, text=True, timeout=60)
        self.assertEqual(done.returncode, 0, done.stderr)
        return float(done.stdout)


def steps_of(text):
    return [int(n) for n in re.findall(r"^step (\d+)$", text, re.M)]


def eventually(condition, seconds=5):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.005)
    return False

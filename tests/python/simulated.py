"""A simulated GPU of its own for each test, in this process: LD_LIBRARY_PATH names build/sim and build/sim/cuda."""
import ctypes
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time
import unittest
import warnings

import heliograd

SIM = pathlib.Path(os.environ["HELIOGRAD_SIM"])
HERE = pathlib.Path(__file__).parent
READY = "import sys; sys.path.insert(0, %r)\n" % str(HERE)


class SimulatedTest(unittest.TestCase):
    # More of the file that describes the GPU. With noise a sensor changes at each update, so that opening a meter, which
    # waits for a change, takes 0.2 s and not 1.2.
    gpu = "sensor_noise_w = 0.3\n"

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.describe(self.gpu)
        os.environ["XDG_STATE_HOME"] = str(self.folder / "state")
        self.addCleanup(heliograd.configure)  # closes the shared meter

    def describe(self, text):
        file = self.folder / f"gpu{time.monotonic_ns()}.toml"
        file.write_text("[[gpu]]\n" + text)
        os.environ["HELIOGRAD_SIM_GPU"] = str(file)

    def calibrate(self):
        """Keeps a calibration of the default GPU as `heliograd calibrate` found it there, made today."""
        text = json.loads((HERE / "calibration.json").read_text())
        text["made"] = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        folder = self.folder / "state" / "heliograd" / "calibrations"
        folder.mkdir(parents=True)
        (folder / "gpu.json").write_text(json.dumps(text))

    def load(self, *args):
        """A sim-train that loads the GPU until the test ends; it runs when this returns."""
        process = subprocess.Popen([SIM / "sim-train", *map(str, args)], stdout=subprocess.PIPE, text=True)
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        self.assertRegex(process.stdout.readline(), r"^step \d+$")
        return process

    def truth(self, begin_ns, end_ns):
        done = subprocess.run([SIM / "sim-truth", "--gpu", "0", "--from", str(begin_ns), "--to", str(end_ns)],
                              capture_output=True, text=True, timeout=60)
        self.assertEqual(done.returncode, 0, done.stderr)
        return float(done.stdout)

    def meter(self, **options):
        """One that fails the test where measuring fails, and notes the stamps of its windows."""
        meter = heliograd.Meter(strict=True, **options)
        self.addCleanup(meter.close)
        return meter

    def quiet_meter(self, **options):
        """One that measures nothing, its warning caught."""
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            meter = heliograd.Meter(**options)
        return meter, [str(warning.message) for warning in caught]

    def run_python(self, code, expect=0, env=None, args=()):
        done = subprocess.run([sys.executable, "-B", "-W", "ignore::DeprecationWarning", "-c", READY + code, *map(str, args)], cwd=self.folder,
                              env={**os.environ, **(env or {})}, capture_output=True, text=True, timeout=120)
        self.assertEqual(done.returncode, expect, done.stdout + done.stderr)
        return done


class Added:
    """The windows that Steps hand to a meter: (name, begin_ns, end_ns, depth)."""

    def __init__(self, meter):
        self.windows = []
        add = meter._add

        def note(name, begin_ns, end_ns, depth):
            self.windows.append((name, begin_ns, end_ns, depth))
            add(name, begin_ns, end_ns, depth)

        meter._add = note

    @property
    def names(self):
        return [window[0] for window in self.windows]


class Device:
    """The simulated GPU as a program that computes on it sees it: kernels that keep it busy. One for a process."""

    def __init__(self):
        self._cuda = ctypes.CDLL("libcuda.so.1")
        context, module, self._kernel = ctypes.c_void_p(), ctypes.c_void_p(), ctypes.c_void_p()
        self._call("cuInit", 0)
        self._call("cuCtxCreate_v2", ctypes.byref(context), 0, 0)
        self._call("cuModuleLoadData", ctypes.byref(module), b".version 6.0")
        self._call("cuModuleGetFunction", ctypes.byref(self._kernel), module, b"heliograd_burst")

    def _call(self, name, *arguments):
        status = getattr(self._cuda, name)(*arguments)
        if status != 0:
            raise RuntimeError(f"{name}: CUDA error {status}")

    def compute(self, milliseconds):
        """Returns when it is done."""
        loops = ctypes.c_uint32(round(milliseconds * 1000))
        parameters = (ctypes.c_void_p * 1)(ctypes.addressof(loops))
        self._call("cuLaunchKernel", self._kernel, 1, 1, 1, 1, 1, 1, 0, None, parameters, None)
        self._call("cuCtxSynchronize")

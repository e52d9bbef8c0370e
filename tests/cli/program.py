"""Runs the real program as a user would, in an empty folder with an empty home, and returns what it printed."""
import json
import os
import pathlib
import select
import signal
import subprocess
import tempfile
import time
import unittest

PROGRAM = os.environ["HELIOGRAD_PROGRAM"]
SIM = pathlib.Path(PROGRAM).parent / "sim"
SOURCE = pathlib.Path(os.environ["HELIOGRAD_SOURCE_DIR"])


class ProgramTest(unittest.TestCase):
    env = {}  # on top of an empty one, for `start`

    def setUp(self):
        self._folder = tempfile.TemporaryDirectory()
        self.folder = pathlib.Path(self._folder.name)
        self.addCleanup(self._folder.cleanup)

    def run_program(self, *args, expect=0, env=None, stdin=None, timeout=120, prefix=()):
        """Runs heliograd with `args`; fails when its exit code is not `expect`."""
        clean = {"PATH": os.environ["PATH"], "HOME": str(self.folder), "LANG": "C.UTF-8", "TERM": "dumb"}
        done = subprocess.run([*prefix, PROGRAM, *map(str, args)], cwd=self.folder, env={**clean, **(env or {})},
                              input=stdin, capture_output=True, text=True, timeout=timeout)
        self.assertEqual(done.returncode, expect, f"{args}\nstdout: {done.stdout[-2000:]}\nstderr: {done.stderr[-2000:]}")
        return done

    def run_without_override(self, *args, **options):
        """As `run_program`, as a user whom permissions bind: root without the capabilities that override them."""
        if os.geteuid() != 0:
            return self.run_program(*args, **options)
        if not pathlib.Path("/usr/bin/setpriv").exists():
            self.skipTest("setpriv is not here, and root may read everything")
        dropped = "-dac_override,-dac_read_search"
        return self.run_program(*args, prefix=("setpriv", "--bounding-set", dropped, "--inh-caps", dropped), **options)

    def closed_folder(self, name, **files):
        """A folder, with files in it (NAME_ENDING=content), that nobody may search, list or write to."""
        folder = self.folder / name
        folder.mkdir(parents=True)
        for file, content in files.items():
            (folder / file.replace("_", ".")).write_text(content)
        folder.chmod(0)
        self.addCleanup(folder.chmod, 0o700)
        return folder

    def run_json(self, *args, expect=0, env=None):
        return json.loads(self.run_program(*args, "--json", expect=expect, env=env).stdout)

    def write(self, name, content):
        path = self.folder / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    def assert_one_clear_sentence(self, text, *words):
        """The message names every word and is no crash report."""
        for word in words:
            self.assertIn(word, text)
        for trace in ("terminate called", "Segmentation", "std::", "exception"):
            self.assertNotIn(trace, text)

    def start(self, *args, **options):
        """Heliograd with `args`, left running."""
        clean = {"PATH": os.environ["PATH"], "HOME": str(self.folder), "LANG": "C.UTF-8", "TERM": "dumb"}
        return subprocess.Popen([PROGRAM, *map(str, args)], cwd=self.folder, env={**clean, **self.env},
                                **{"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True, **options})

    def wait_for(self, condition, seconds=30):
        until = time.monotonic() + seconds
        while not condition():
            self.assertLess(time.monotonic(), until, "nothing happened")
            time.sleep(0.02)

    def interrupt_at(self, words, *args):
        """Heliograd with `args` on a terminal, given Ctrl-C once `words` stand there: exit code, output, what else was told."""
        master, terminal = os.openpty()
        program = self.start(*args, stderr=terminal)
        self.addCleanup(program.kill)
        told = b""

        def is_told():
            nonlocal told
            if select.select([master], [], [], 0)[0]:
                told += os.read(master, 1 << 12)
            return words in told.decode()
        self.wait_for(is_told)
        program.send_signal(signal.SIGINT)
        output = program.communicate(timeout=20)[0]
        os.close(terminal)
        rest = os.read(master, 1 << 16).decode()
        os.close(master)
        return program.returncode, output, rest


class SimulatedGpuTest(ProgramTest):
    """On the simulated driver that gpu.toml describes; whoever derives from it writes that file."""

    def setUp(self):
        super().setUp()
        self.env = {"LD_LIBRARY_PATH": str(SIM), "HELIOGRAD_SIM_GPU": str(self.folder / "gpu.toml"),
                    "XDG_STATE_HOME": str(self.folder / "state")}

    def nvml(self, code):
        """Runs Python on the simulated driver: n is the library, d the first GPU's handle, w a number to fill."""
        head = ("import ctypes\nn = ctypes.CDLL('libnvidia-ml.so.1'); n.nvmlInit_v2(); d = ctypes.c_void_p()\n"
                "n.nvmlDeviceGetHandleByIndex_v2(0, ctypes.byref(d)); w = ctypes.c_uint()\n")
        done = subprocess.run(["python3", "-c", head + code], env={**os.environ, **self.env}, capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def limit_now(self):
        return float(self.nvml("n.nvmlDeviceGetPowerManagementLimit(d, ctypes.byref(w)); print(w.value / 1000)"))

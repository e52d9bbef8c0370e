"""Runs the real program as a user would, in an empty folder with an empty home, and returns what it printed."""
import json
import os
import pathlib
import subprocess
import tempfile
import unittest

PROGRAM = os.environ["HELIOGRAD_PROGRAM"]
SOURCE = pathlib.Path(os.environ["HELIOGRAD_SOURCE_DIR"])


class ProgramTest(unittest.TestCase):
    def setUp(self):
        self._folder = tempfile.TemporaryDirectory()
        self.folder = pathlib.Path(self._folder.name)
        self.addCleanup(self._folder.cleanup)

    def run_program(self, *args, expect=0, env=None, stdin=None, timeout=120):
        """Runs heliograd with `args`; fails when its exit code is not `expect`."""
        clean = {"PATH": os.environ["PATH"], "HOME": str(self.folder), "LANG": "C.UTF-8", "TERM": "dumb"}
        done = subprocess.run([PROGRAM, *map(str, args)], cwd=self.folder, env={**clean, **(env or {})},
                              input=stdin, capture_output=True, text=True, timeout=timeout)
        self.assertEqual(done.returncode, expect, f"{args}\nstdout: {done.stdout[-2000:]}\nstderr: {done.stderr[-2000:]}")
        return done

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

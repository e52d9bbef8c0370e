"""An installed tree runs from anywhere, without the build folder, the sources or .venv."""
import json
import os
import pathlib
import shutil
import subprocess
import unittest

from program import PROGRAM, ProgramTest


class Install(ProgramTest):
    def test_moved_tree_plans(self):
        build = pathlib.Path(PROGRAM).parent
        subprocess.run(["cmake", "--install", build, "--prefix", self.folder / "first"], check=True, capture_output=True)
        moved = self.folder / "elsewhere" / "heliograd"
        moved.parent.mkdir()
        shutil.move(self.folder / "first", moved)
        env = {"HOME": str(self.folder), "PATH": os.environ["PATH"]}
        done = subprocess.run([moved / "bin" / "heliograd", "plan", "builtin:paper", "--json"], cwd="/", env=env, capture_output=True,
                              text=True, timeout=60)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(json.loads(done.stdout)["status"], "optimal")
        linked = subprocess.run(["ldd", moved / "bin" / "heliograd"], env=env, capture_output=True, text=True).stdout
        highs = [line for line in linked.splitlines() if "libhighs" in line]
        self.assertTrue(all(str(moved) in line for line in highs) and highs, linked)


if __name__ == "__main__":
    unittest.main()

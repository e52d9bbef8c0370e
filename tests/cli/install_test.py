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

    def test_service_is_installed_and_its_unit_names_the_program(self):
        build = pathlib.Path(PROGRAM).parent
        subprocess.run(["cmake", "--install", build, "--prefix", self.folder / "tree"], check=True, capture_output=True)
        unit = (self.folder / "tree/lib/systemd/system/heliograd-limitd.service").read_text()
        [program] = [line.split("=", 1)[1].split()[0] for line in unit.splitlines() if line.startswith("ExecStart=")]
        self.assertEqual(program, str(self.folder / "tree/bin/heliograd-limitd"))
        done = subprocess.run([program, "--version"], env={}, capture_output=True, text=True, timeout=20)
        self.assertIn("heliograd-limitd ", done.stdout)
        # What runs as root links no solver, no database and no reader of files.
        linked = subprocess.run(["ldd", program], capture_output=True, text=True).stdout
        for library in ("highs", "sqlite", "libz", "png", "jpeg", "torch", "ssl"):
            self.assertNotIn(library, linked)
        self.assertIn("g heliograd", (self.folder / "tree/lib/sysusers.d/heliograd.conf").read_text())
        if shutil.which("systemd-analyze") is not None:
            checked = subprocess.run(["systemd-analyze", "verify", "--man=no", self.folder / "tree/lib/systemd/system/heliograd-limitd.service"],
                                     capture_output=True, text=True, timeout=60)
            self.assertNotIn("heliograd-limitd.service:", checked.stderr)


if __name__ == "__main__":
    unittest.main()

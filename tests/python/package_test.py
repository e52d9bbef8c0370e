"""The package as users install it, its types, and where it finds the library."""
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest
from unittest import mock

from heliograd import _library

SOURCE = pathlib.Path(__file__).parents[2]
LIBRARY = pathlib.Path(os.environ["HELIOGRAD_LIBRARY"])


def run(*args, **options):
    done = subprocess.run(list(map(str, args)), capture_output=True, text=True, timeout=300, **options)
    if done.returncode != 0:
        raise AssertionError(f"{args}\n{done.stdout}{done.stderr}")
    return done.stdout


class Types(unittest.TestCase):
    def test_mypy_strict(self):
        with tempfile.TemporaryDirectory() as cache:
            out = run(sys.executable, "-m", "mypy", "--config-file", SOURCE / "python" / "pyproject.toml", "--cache-dir", cache,
                      SOURCE / "python" / "heliograd")
        self.assertIn("Success", out)


class Install(unittest.TestCase):
    def test_pip_install_from_a_checkout_finds_its_build_and_nothing_of_pytorch(self):
        with tempfile.TemporaryDirectory() as folder:
            checkout = pathlib.Path(folder, "checkout")
            shutil.copytree(SOURCE / "python", checkout / "python", ignore=shutil.ignore_patterns("build", "*.egg-info", "__pycache__"))
            (checkout / "build").mkdir()
            (checkout / "build" / "libheliograd.so").symlink_to(LIBRARY)
            run(sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-build-isolation", "--no-deps",
                "--target", pathlib.Path(folder, "site"), checkout / "python")
            self.assertTrue(pathlib.Path(folder, "site", "heliograd", "py.typed").is_file())
            env = {"PATH": os.environ["PATH"], "PYTHONPATH": str(pathlib.Path(folder, "site"))}
            out = run(sys.executable, "-c", "import sys, heliograd; from heliograd import _library; "
                      "print(heliograd.__file__, _library.load().path, 'torch' in sys.modules, _library.load().version())",
                      cwd=folder, env=env)
            self.assertEqual(out.split(), [str(pathlib.Path(folder, "site", "heliograd", "__init__.py")),
                                           str(checkout / "build" / "libheliograd.so"), "False", "b'0.1.0'"])


class Places(unittest.TestCase):
    def test_in_the_order_that_is_documented(self):
        with tempfile.TemporaryDirectory() as folder, mock.patch.dict(os.environ):
            installed = pathlib.Path(folder, "bin", "heliograd")
            beside = pathlib.Path(folder, "lib", "libheliograd.so")
            for file in (installed, beside):
                file.parent.mkdir()
                file.touch(mode=0o755)
            os.environ["PATH"] = str(installed.parent)
            self.assertEqual(_library.find(), str(LIBRARY))
            del os.environ["HELIOGRAD_LIBRARY"]
            places = _library.places()
            self.assertEqual(places[0], SOURCE / "python" / "heliograd" / "libheliograd.so")
            self.assertLess(places.index(beside), places.index(SOURCE / "build" / "libheliograd.so"))
            self.assertEqual(_library.find(), str(beside))
            beside.unlink()
            with mock.patch.object(_library, "places", return_value=[]):
                self.assertEqual(_library.find(), "libheliograd.so")


class Header(unittest.TestCase):
    def test_every_function_of_the_header_is_known(self):
        header = (SOURCE / "include" / "heliograd.h").read_text()
        names = {line.split("(")[0].split()[-1].lstrip("*") for line in header.splitlines()
                 if line.startswith("HELIOGRAD_API") and "(" in line}
        known = {"heliograd_" + name for name in vars(_library.load()) if name != "path"} | {"heliograd_abi"}
        self.assertEqual(names, known)


if __name__ == "__main__":
    unittest.main()

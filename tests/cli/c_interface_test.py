"""libheliograd.so from a C program, on the simulated GPU, against the joules it really drew."""
import json
import os
import pathlib
import signal
import subprocess
import unittest

from program import PROGRAM, ProgramTest

BUILD = pathlib.Path(PROGRAM).parent
SIM = BUILD / "sim"


class CInterfaceTest(ProgramTest):
    def setUp(self):
        super().setUp()
        self.write("gpu.toml", "[[gpu]]\n")
        self.env = {"PATH": os.environ["PATH"], "HOME": str(self.folder), "LD_LIBRARY_PATH": str(SIM),
                    "HELIOGRAD_SIM_GPU": str(self.folder / "gpu.toml")}

    def job(self, *args, expect=0, env=None):
        done = subprocess.run([BUILD / "tests" / "c_interface_job", *map(str, args)], cwd=self.folder, env=env or self.env,
                              capture_output=True, text=True, timeout=60)
        self.assertEqual(done.returncode, expect, done.stdout + done.stderr)
        return done.stdout

    def truth(self, begin_ns, end_ns):
        done = subprocess.run([SIM / "sim-truth", "--gpu", "0", "--from", str(begin_ns), "--to", str(end_ns)],
                              env=self.env, capture_output=True, text=True)
        return float(done.stdout)


class Windows(CInterfaceTest):
    def test_windows_hold_the_true_joules(self):
        load = subprocess.Popen([SIM / "sim-train", "--seconds", "30"], env=self.env, stdout=subprocess.DEVNULL)
        self.addCleanup(load.wait)
        self.addCleanup(load.send_signal, signal.SIGTERM)
        answer = json.loads(self.job("measure", "run.helio", 3))
        outer, inner, other, added, short = answer["windows"]
        truth = self.truth(answer["begin_ns"], answer["end_ns"])
        for window in (outer, added):
            self.assertEqual((window["status"], window["resolved"]), (0, 1))
            self.assertLess(window["low_j"], truth)
            self.assertGreater(window["high_j"], truth)
        # The two halves are the whole up to the microseconds between them.
        self.assertAlmostEqual((inner["energy_j"] + other["energy_j"]) / outer["energy_j"], 1, delta=0.002)
        self.assertEqual(short["resolved"], 0)
        self.assertTrue(short["why"])
        self.assertEqual(answer["closed"], 0)

    def test_the_summary_and_the_kept_file_have_the_windows(self):
        answer = json.loads(self.job("measure", "run.helio", 1))
        names = {entry["name"]: entry for entry in answer["summary"]["names"]}
        self.assertEqual(set(names), {"outer", "inner", "ended elsewhere", "added", "short"})
        self.assertEqual(names["inner"]["depth"], 1)
        self.assertEqual(answer["depths"], [2, 0], "windows open within inner, and after all ended")
        self.assertEqual(names["ended elsewhere"]["depth"], 1)
        self.assertEqual(answer["summary"]["devices"][0]["uuid"], answer["uuid"])
        self.assertTrue((self.folder / "run.helio").exists())
        self.assertFalse((self.folder / "run.helio-wal").exists(), "the file is whole")

    def test_a_file_that_exists_is_not_overwritten(self):
        self.write("run.helio", "mine")
        answer = json.loads(self.job("measure", "run.helio", 1, expect=1))
        self.assert_one_clear_sentence(answer["error"], "run.helio")
        self.assertEqual((self.folder / "run.helio").read_text(), "mine")


class Report(CInterfaceTest):
    def test_a_kept_run_is_shown_with_its_windows(self):
        answer = json.loads(self.job("measure", "run.helio", 1))
        text = self.run_program("report", "run.helio", env=self.env).stdout
        for word in ("outer", "- inner", "energy counter", "95 %"):
            self.assertIn(word, text)
        shown = self.run_json("report", "run.helio", env=self.env)
        names = {entry["name"]: entry["devices"][0] for entry in shown["windows"]["names"]}
        # The kept record reaches further than what was known then, so the line through its ticks differs a little.
        self.assertAlmostEqual(names["outer"]["energy_j"] / answer["windows"][0]["energy_j"], 1, delta=0.005)
        self.assertEqual(shown["devices"][0]["uuid"], answer["uuid"])
        self.assertGreaterEqual(shown["start_unix_ns"], answer["begin_ns"])

    def test_a_measured_run_is_drawn(self):
        self.run_program("measure", "-o", "run.helio", "--", SIM / "sim-train", "--seconds", "1", env=self.env)
        self.run_program("report", "run.helio", "-o", "run.svg", env=self.env)
        figure = (self.folder / "run.svg").read_text()
        self.assertIn("NVIDIA GeForce RTX 4070", figure)
        shown = self.run_json("report", "run.helio", env=self.env)
        self.assertEqual(shown["windows"]["names"], [], "the command is no window of its own")

    def test_a_damaged_run_is_refused(self):
        self.write("run.helio", b"SQLite format 3\0" + b"x" * 5000)
        done = self.run_program("report", "run.helio", expect=1, env=self.env)
        self.assert_one_clear_sentence(done.stderr, "run.helio")


class WrongUse(CInterfaceTest):
    def test_every_misuse_is_refused_in_a_sentence(self):
        for line in self.job("misuse").splitlines():
            what, status, sentence = line.split("|")
            self.assertNotEqual(sentence, "", what)
            self.assertIn(int(status), (-1, 2) if not what.startswith("rest") else (0,), line)

    def test_a_callers_smaller_struct_is_not_written_over(self):
        answer = json.loads(self.job("old-caller"))
        self.assertEqual(answer["status"], 0)
        self.assertGreater(answer["energy_j"], 0)
        self.assertEqual(answer["guard"], 42)

    def test_without_anything_to_measure_it_says_what_is_missing(self):
        env = {key: value for key, value in self.env.items() if key != "LD_LIBRARY_PATH"}
        answer = json.loads(self.job("measure", "run.helio", 1, expect=1, env=env))
        self.assertEqual(answer["status"], 5)
        self.assertIn("libnvidia-ml.so.1", answer["error"])
        self.assertFalse((self.folder / "run.helio").exists())


if __name__ == "__main__":
    unittest.main()

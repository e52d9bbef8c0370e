"""`heliograd measure` on the simulated GPU, against the joules it really drew."""
import json
import os
import signal
import sqlite3
import subprocess
import time
import unittest

from program import PROGRAM, SIM, ProgramTest


class MeasureTest(ProgramTest):
    def setUp(self):
        super().setUp()
        self.write("gpu.toml", '[[gpu]]\nname = "Simulated A"\n')
        self.env = {"LD_LIBRARY_PATH": str(SIM), "HELIOGRAD_SIM_GPU": str(self.folder / "gpu.toml")}

    def measure(self, *args, expect=0):
        return self.run_program("measure", *args, expect=expect, env=self.env)

    def measure_json(self, *args, expect=0):
        return json.loads(self.measure("--json", *args, expect=expect).stdout)

    def truth(self, result):
        done = subprocess.run([SIM / "sim-truth", "--gpu", "0", "--from", str(result["start_unix_ns"]), "--to",
                               str(result["end_unix_ns"])], env={**os.environ, **self.env}, capture_output=True, text=True)
        return float(done.stdout)


class Energy(MeasureTest):
    def test_interval_holds_the_true_joules(self):
        result = self.measure_json("--", SIM / "sim-train", "--seconds", "3")
        device = result["devices"][0]
        truth = self.truth(result)
        # The simulated gain is exact, so the whole interval of +-5 % is room; the edges are known to about a tick.
        self.assertLess(device["energy_low_j"], truth)
        self.assertGreater(device["energy_high_j"], truth)
        self.assertLess(abs(device["energy_j"] / truth - 1), 0.05)
        self.assertAlmostEqual(device["mean_power_w"] * result["duration_s"], device["energy_j"], places=3)
        self.assertEqual(result["exit_code"], 0)
        self.assertEqual(device["name"], "Simulated A")

    def test_without_a_counter_the_readings_are_integrated(self):
        self.write("gpu.toml", '[[gpu]]\ncounter = "absent"\nsensor_window_ms = 100\n')
        result = self.measure_json("--", SIM / "sim-train", "--seconds", "3")
        device = result["devices"][0]
        self.assertEqual(device["method"], "integral of power readings")
        self.assertLess(device["energy_low_j"], self.truth(result))
        self.assertGreater(device["energy_high_j"], self.truth(result))

    def test_too_short_a_command_is_said_to_be_too_short(self):
        device = self.measure_json("--", "true")["devices"][0]
        self.assertIn("shorter than two of the sensor's updates", " ".join(device["remarks"]))
        self.assertIn("not known: at most", self.measure("--", "true").stdout)  # once "0.0 J +- 1324.9 %"

    def test_driver_that_is_loaded_again_leaves_a_remark_and_no_negative_energy(self):
        self.write("gpu.toml", '[[gpu]]\n[[gpu.fault]]\nat_s = 1.5\nlasts_s = 0.5\nkind = "driver_reload"\n')
        device = self.measure_json("--for", "4s")["devices"][0]
        self.assertGreater(device["energy_low_j"], 0)
        self.assertIn("were not seen", " ".join(device["remarks"]))


class Command(MeasureTest):
    def test_exit_code_input_and_output_pass_through(self):
        self.assertEqual(self.measure("--", "sh", "-c", "exit 7", expect=7).returncode, 7)
        self.assertEqual(self.measure("--", "sh", "-c", "kill -9 $$", expect=137).returncode, 137)
        clean = {"PATH": os.environ["PATH"], "HOME": str(self.folder), **self.env}
        done = subprocess.run([PROGRAM, "measure", "--", "cat"], input="to the command\n", env=clean, cwd=self.folder,
                              capture_output=True, text=True, timeout=60)
        self.assertTrue(done.stdout.startswith("to the command\n"))

    def test_json_leaves_standard_output_to_itself(self):
        done = self.measure("--json", "--", "echo", "noise")
        json.loads(done.stdout)
        self.assertIn("noise", done.stderr)

    def test_sigterm_reaches_the_command_and_its_energy_is_told(self):
        running = self.start("measure", "--json", "--", SIM / "sim-train", "--seconds", "60")
        time.sleep(3)
        running.send_signal(signal.SIGTERM)
        out, _ = running.communicate(timeout=30)
        result = json.loads(out)
        self.assertEqual(result["exit_code"], 143)
        self.assertGreater(result["devices"][0]["energy_j"], 0)

    def test_signals_are_the_commands_and_measuring_goes_on(self):
        traps = "".join(f"trap 'echo got {name} >> told' {name}; " for name in ("USR1", "USR2", "HUP", "QUIT"))
        running = self.start("measure", "--json", "--", "sh", "-c",
                             traps + "trap 'exit 9' TERM; echo ready >> told; while :; do sleep 0.05; done")
        told = self.folder / "told"
        self.wait_for(lambda: told.exists() and "ready" in told.read_text())
        for name in ("USR1", "USR2", "HUP", "QUIT"):
            running.send_signal(getattr(signal, "SIG" + name))
            self.wait_for(lambda: "got " + name in told.read_text() or running.poll() is not None)
            self.assertIn("got " + name, told.read_text())
        running.send_signal(signal.SIGTERM)
        out, _ = running.communicate(timeout=30)
        self.assertEqual(json.loads(out)["exit_code"], 9)

    def test_without_a_command_a_warning_is_ignored_and_a_hang_up_keeps_what_was_measured(self):
        other = subprocess.Popen(["sleep", "60"])
        self.addCleanup(other.wait)
        self.addCleanup(other.kill)
        for way in (("--for", "60s"), ("--attach", other.pid)):
            with open(self.folder / "err", "w") as err:
                running = self.start("measure", "--json", "-o", f"run{way[0]}.helio", *way, stderr=err)
                self.wait_for(lambda: (self.folder / f"run{way[0]}.helio").exists() or running.poll() is not None)
                time.sleep(3)  # so that it most likely measures by then
                for name in ("USR1", "USR2"):
                    running.send_signal(getattr(signal, "SIG" + name))
                    self.wait_for(lambda: f"SIG{name} came while" in (self.folder / "err").read_text() or running.poll() is not None)
                time.sleep(0.5)
                self.assertIsNone(running.poll())
                running.send_signal(signal.SIGHUP)
                out, _ = running.communicate(timeout=30)
            self.assertEqual(running.returncode, 130)
            self.assertIsNone(json.loads(out)["exit_code"])

    def test_a_process_is_measured_until_it_ends(self):
        other = subprocess.Popen(["sleep", "2"])
        result = self.measure_json("--attach", other.pid)
        other.wait()
        self.assertLess(result["duration_s"], 2.5)
        self.assertIsNone(result["exit_code"])


class Doctor(MeasureTest):
    def test_says_what_the_simulated_gpu_gives(self):
        self.write("gpu.toml", '[[gpu]]\nname = "Simulated A"\ncounter_period_ms = 20\nlimit_min_w = 110\n')
        findings = json.loads(self.run_program("doctor", "--json", env=self.env).stdout)["findings"]
        meter, limit = findings[0], findings[1]
        self.assertTrue(meter["usable"])
        self.assertIn("Simulated A", meter["what"])
        # Polls are 2 ms apart, so a median gap is known to about that.
        self.assertAlmostEqual(meter["update_period_ms"]["energy_uj"], 20, delta=2.5)
        self.assertEqual((limit["lowest_w"], limit["highest_w"], limit["limit_w"]), (110, 320, 320))

    def test_names_what_is_missing_and_goes_on(self):
        done = self.run_program("doctor")
        self.assert_one_clear_sentence(done.stdout, "no NVIDIA GPU", "install NVIDIA's driver", "yes planner")


class Recording(MeasureTest):
    def test_recording_is_kept_and_never_overwritten(self):
        self.measure("-o", "run.helio", "--for", "1s")
        self.assertEqual(sorted(p.name for p in self.folder.glob("run.helio*")), ["run.helio"])
        store = sqlite3.connect(self.folder / "run.helio")
        self.assertGreater(store.execute("SELECT count(*) FROM block").fetchone()[0], 0)
        self.assertEqual(store.execute("SELECT name FROM window").fetchall(), [("run",)])
        refused = self.measure("-o", "run.helio", "--for", "1s", expect=2)
        self.assert_one_clear_sentence(refused.stderr, "run.helio", "exists already")

    def test_killed_recording_keeps_all_but_the_last_second(self):
        running = self.start("measure", "-o", "run.helio", "--for", "60s")
        time.sleep(4)
        running.kill()
        running.communicate()
        store = sqlite3.connect(self.folder / "run.helio")
        first, last = store.execute("SELECT min(begin_ns), max(end_ns) FROM block").fetchone()
        # Of 4 s, less what the start takes, at most the last second may be lost.
        self.assertGreater((last - first) * 1e-9, 2.0)


class Wrong(MeasureTest):
    def test_wrong_use_is_one_sentence(self):
        for args, word in ((["--for", "soon"], "duration"), (["--gpu", "3", "--for", "1s"], "there is one GPU"),
                           (["--", "no-such-command"], "no-such-command"), (["--attach", "999999999"], "no such process"),
                           (["--period-ms", "0", "--for", "1s"], "0.1 to 1000"), ([], "one of"),
                           (["--cpu", "4000", "--for", "1s"], "processor 4000")):
            with self.subTest(args=args):
                self.assert_one_clear_sentence(self.measure(*args, expect=2).stderr, word)

    def test_without_any_source_the_reasons_are_told(self):
        done = self.run_program("measure", "--gpu", "0", "--for", "1s", expect=5)
        self.assert_one_clear_sentence(done.stderr, "install NVIDIA's driver")


if __name__ == "__main__":
    unittest.main()

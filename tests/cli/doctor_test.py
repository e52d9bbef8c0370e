"""`heliograd doctor`: what is there, what is missing and what mends it, on simulated GPUs with every fault."""
import json
import os
import pathlib
import subprocess
import unittest

from program import PROGRAM, ProgramTest

SIM = pathlib.Path(PROGRAM).parent / "sim"
UUID = "GPU-51f7ac1e-0000-4000-8000-000000000000"
FOREVER = "at_s = 0\nlasts_s = 1000000\n"


class DoctorTest(ProgramTest):
    def setUp(self):
        super().setUp()
        self.write("gpu.toml", '[[gpu]]\nname = "Simulated A"\n')
        self.env = {"LD_LIBRARY_PATH": f"{SIM}:{SIM / 'cuda'}", "HELIOGRAD_SIM_GPU": str(self.folder / "gpu.toml"),
                    "XDG_STATE_HOME": str(self.folder / "state")}

    def doctor(self, env=None):
        """All findings, by what they are about."""
        done = self.run_program("doctor", "--json", env=env if env is not None else self.env)
        self.errors = done.stderr
        report = json.loads(done.stdout)
        self.container = report["container"]
        return {finding["what"]: finding for finding in report["findings"]}

    def gpu(self, fault="", env=None):
        """The finding about the only GPU."""
        if fault:
            self.write("gpu.toml", f'[[gpu]]\nname = "Simulated A"\n[[gpu.fault]]\n{fault}')
        findings = self.doctor(env)
        return findings.get(f"Simulated A ({UUID})") or findings["NVIDIA GPU"]

    def in_driver(self, code):
        """Calls NVML as another program does."""
        code = ("import ctypes\nn = ctypes.CDLL('libnvidia-ml.so.1'); n.nvmlInit_v2(); d = ctypes.c_void_p()\n"
                "n.nvmlDeviceGetHandleByIndex_v2(0, ctypes.byref(d))\n" + code)
        subprocess.run(["python3", "-c", code], env={**os.environ, **self.env}, check=True)


class Present(DoctorTest):
    def test_what_a_gpu_gives_and_how_often(self):
        self.write("gpu.toml", '[[gpu]]\nname = "Simulated A"\nsensor_period_ms = 50\ncounter_period_ms = 20\n'
                               'sensor_noise_w = 1\nlimit_min_w = 110\n')
        findings = self.doctor()
        gpu = findings[f"Simulated A ({UUID})"]
        self.assertTrue(gpu["usable"])
        # Polls are 2 ms apart, so a median gap is known to about that.
        self.assertAlmostEqual(gpu["update_period_ms"]["energy_uj"], 20, delta=2.5)
        self.assertAlmostEqual(gpu["update_period_ms"]["power_instant_mw"], 50, delta=2.5)
        self.assertGreater(gpu["poll_us"], 20)  # the simulated call takes that long
        self.assertIn("NVIDIA 580.00", gpu["detail"])
        limit = findings["power limit of Simulated A"]
        self.assertEqual((limit["lowest_w"], limit["highest_w"], limit["limit_w"], limit["enforced_w"]), (110, 320, 320, 320))

    def test_every_gpu_is_looked_at(self):
        self.write("gpu.toml", '[[gpu]]\nname = "One"\n[[gpu]]\nname = "Two"\n')
        named = " ".join(self.doctor())
        self.assertIn("One (", named)
        self.assertIn("Two (", named)

    def test_without_root_limits_are_shown_but_not_promised(self):
        if os.geteuid() != 0:
            self.skipTest("the test itself is not root")
        if not pathlib.Path("/usr/bin/setpriv").exists():
            self.skipTest("setpriv is not here")
        done = subprocess.run(["setpriv", "--bounding-set", "-sys_admin", "--inh-caps", "-sys_admin", PROGRAM, "doctor", "--json"],
                              env={"PATH": os.environ["PATH"], "HOME": str(self.folder), **self.env}, capture_output=True,
                              text=True)
        limit = [f for f in json.loads(done.stdout)["findings"] if f["what"].startswith("power limit of")][0]
        self.assertFalse(limit["usable"])
        self.assert_one_clear_sentence(limit["detail"] + limit["mend"], "needs root", "sudo")

    def test_persistence_mode_that_is_off_is_named(self):
        self.assertNotIn("persistence mode of Simulated A", self.doctor())
        self.in_driver("assert n.nvmlDeviceSetPersistenceMode(d, 0) == 0")
        finding = self.doctor()["persistence mode of Simulated A"]
        self.assertEqual(finding["mend"], f"`sudo nvidia-smi -i {UUID} -pm 1`")

    def test_it_changes_nothing(self):
        self.in_driver("assert n.nvmlDeviceSetPowerManagementLimit(d, 150000) == 0")
        self.doctor()
        self.assertEqual(self.doctor()["power limit of Simulated A"]["limit_w"], 150)


class Calibration(DoctorTest):
    def keep(self, made, driver="NVIDIA 580.00"):
        timing = {"period_s": 0.1, "window_s": 0.025, "lag_s": 0.004, "low_pass_s": 0.001, "lag_sd_s": 0.0002,
                  "low_pass_sd_s": 0.0002, "window_sd_s": 0.0001, "lag_low_pass_correlation": -0.9, "step_sd_s": 0.0005,
                  "contiguous": False}
        content = {"format": "heliograd-calibration 1", "uuid": UUID, "name": "Simulated A", "driver": driver, "made": made,
                   "power": {"channel": "power_instant_mw", **timing, "delay_sd_s": 0.0001, "busy_w": 236, "busy_sd_w": 0.1,
                             "idle_w": 15, "idle_sd_w": 0.1, "residual_w": 0.5, "explained": 0.999, "readings": 580,
                             "long_average": False},
                   "counter": {"sight": "blind", "evidence": "a test", "over_readings": 1.0, "timing": timing}}
        folder = self.folder / "state" / "heliograd" / "calibrations"
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / "card.json"
        path.write_text(json.dumps(content))
        return path

    def test_none_names_the_command(self):
        finding = self.doctor()["calibration of Simulated A"]
        self.assertFalse(finding["usable"])
        self.assertIn(f"`heliograd calibrate --gpu {UUID}`", finding["mend"])

    def test_without_the_compute_library_that_comes_first(self):
        finding = self.doctor({**self.env, "LD_LIBRARY_PATH": str(SIM)})["calibration of Simulated A"]
        self.assert_one_clear_sentence(finding["mend"], "libcuda.so.1", "then `heliograd calibrate")

    def test_date_and_figures_are_shown(self):
        self.keep("2026-11-01T12:00:00Z")
        finding = self.doctor()["calibration of Simulated A"]
        self.assertEqual((finding["used"], finding["stale"], finding["mend"]), (True, False, ""))
        self.assert_one_clear_sentence(finding["detail"], "2026-11-01", "averages over 25.0 ms of it", "lag 4.0 ms", "blind")

    def test_stale_by_age_and_by_driver(self):
        self.keep("2020-01-01T00:00:00Z")
        finding = self.doctor()["calibration of Simulated A"]
        self.assertEqual((finding["used"], finding["stale"]), (True, True))
        self.assertIn("heliograd calibrate", finding["mend"])
        self.keep("2026-11-01T12:00:00Z", driver="NVIDIA 570.00")
        finding = self.doctor()["calibration of Simulated A"]
        self.assertEqual((finding["usable"], finding["used"], finding["stale"]), (False, False, True))
        self.assertIn("NVIDIA 570.00", finding["detail"])

    def test_a_damaged_file_is_named(self):
        path = self.keep("2026-11-01T12:00:00Z")
        path.write_text("{")
        finding = self.doctor()["calibration file"]
        self.assertIn(str(path), finding["detail"])


class Faults(DoctorTest):
    def test_lost(self):
        gpu = self.gpu(FOREVER + 'kind = "lost"\n')
        self.assertFalse(gpu["usable"])
        self.assert_one_clear_sentence(gpu["detail"], "NVML_ERROR_GPU_IS_LOST", "nvidia-smi --gpu-reset")

    def test_lost_while_it_is_watched(self):
        # The driver starts with the first process; the watch begins some 10 ms later and lasts 1.5 s.
        gpu = self.gpu('at_s = 1\nlasts_s = 1000\nkind = "lost"\n')
        self.assertFalse(gpu["usable"])
        self.assert_one_clear_sentence(gpu["detail"], "went away while it was watched", "NVML_ERROR_GPU_IS_LOST")

    def test_not_supported(self):
        gpu = self.gpu(FOREVER + 'kind = "not_supported"\n')
        self.assertFalse(gpu["usable"])
        self.assertIn("gives neither power nor energy", gpu["detail"])

    def test_no_data(self):
        self.assertFalse(self.gpu(FOREVER + 'kind = "no_data"\n')["usable"])

    def test_zero_power_leaves_the_counter(self):
        gpu = self.gpu(FOREVER + 'kind = "zero_power"\n')
        self.assertTrue(gpu["usable"])
        self.assertIn("no power readings", gpu["detail"])
        self.assertNotIn("power_instant_mw", gpu["update_period_ms"])

    def test_no_counter(self):
        self.write("gpu.toml", '[[gpu]]\nname = "Simulated A"\ncounter = "absent"\n')
        self.assertIn("no energy counter", self.gpu()["detail"])

    def test_driver_that_is_not_loaded(self):
        gpu = self.gpu(FOREVER + 'kind = "driver_reload"\n')
        self.assertFalse(gpu["usable"])
        self.assert_one_clear_sentence(gpu["detail"] + gpu["mend"], "NVML_ERROR_DRIVER_NOT_LOADED", "sudo modprobe nvidia")

    def test_a_driver_that_hangs_is_said_to_hang(self):
        gpu = self.gpu('at_s = 0\nlasts_s = 10\nkind = "hang"\n')
        self.assertTrue(gpu["usable"])  # it came back
        self.assert_one_clear_sentence(self.errors, "has not answered for 8 s", "dmesg")


class Absent(DoctorTest):
    def test_without_a_driver_it_says_why_and_goes_on(self):
        findings = self.doctor(env={})
        gpu = findings["NVIDIA GPU"]
        self.assertFalse(gpu["usable"])
        self.assertIn("no NVIDIA driver library", gpu["detail"])
        self.assertTrue(findings["planner"]["usable"])
        if pathlib.Path("/.dockerenv").exists() and not pathlib.Path("/run/.containerenv").exists():
            self.assertIn(self.container, ("docker", "kubernetes"))
            self.assertIn(self.container, gpu["detail"])
        if self.container == "docker":
            self.assert_one_clear_sentence(gpu["mend"], "docker run --gpus all", "nvidia-container-toolkit", "nvidia-ctk")
        elif not self.container and gpu["nvidia_cards"] == 0:
            self.assertIn("no NVIDIA card is on the PCI bus", gpu["detail"])

    def test_a_list_that_hides_every_gpu_is_named(self):
        gpu = self.gpu(env={**self.env, "CUDA_VISIBLE_DEVICES": ""})
        self.assertFalse(gpu["usable"])
        self.assert_one_clear_sentence(gpu["detail"] + gpu["mend"], "selects no GPU", "unset CUDA_VISIBLE_DEVICES")

    def test_text_fits_a_narrow_terminal(self):
        text = self.run_program("doctor", env={**self.env, "COLUMNS": "60"}).stdout
        self.assertTrue(all(len(line) <= 110 for line in text.splitlines()))
        self.assertIn("yes Simulated A", text)


class LeftBehind(DoctorTest):
    def leave_record(self, boot):
        folder = self.folder / "state" / "heliograd" / "leases"
        folder.mkdir(parents=True)
        (folder / f"{UUID}.lease").write_text(
            f"heliograd-lease 1\nuuid={UUID}\nprior_mw=320000\nset_mw=150000\nbefore_mw=320000\npid=4711\n"
            f"command=heliograd curve\nboot={boot}\nsince=2026-11-24T19:00:00Z\n")

    def test_a_limit_that_a_killed_program_left_is_put_back_at_the_start_and_said(self):
        self.leave_record(boot="x")
        done = self.run_program("doctor", env=self.env)
        self.assertIn("left a limit of 150 W", done.stderr)
        self.assertNotIn("power limit on loan", done.stdout)

    def test_a_limit_that_cannot_be_put_back_is_named(self):
        self.leave_record(boot=pathlib.Path("/proc/sys/kernel/random/boot_id").read_text().strip())
        self.write("gpu.toml", f"[[gpu]]\nuuid = \"{UUID}\"\nlimit_default_w = 150\nprivileged = false\n")
        finding = self.doctor()["power limit on loan"]
        self.assertFalse(finding["usable"])
        self.assert_one_clear_sentence(finding["detail"] + finding["mend"], "150 W was set", "heliograd limits restore")


if __name__ == "__main__":
    unittest.main()

"""Unchanged NVML programs on the simulated GPU: what they see, what they may do, and the faults they meet."""
import importlib.util
import os
import subprocess
import sys
import time
import unittest

import pynvml

from simulator import SimulatorTest


class Identity(SimulatorTest):
    def test_gpus_are_found_in_every_way(self):
        self.open("[[gpu]]\nname='A'\nuuid='GPU-a'\ndriver='570.9'\n[[gpu]]\nname='B'\nuuid='GPU-b'\ndriver='570.9'\n")
        self.assertEqual(pynvml.nvmlDeviceGetCount(), 2)
        self.assertEqual(pynvml.nvmlSystemGetDriverVersion(), "570.9")
        second = pynvml.nvmlDeviceGetHandleByUUID("GPU-b")
        self.assertEqual(pynvml.nvmlDeviceGetName(second), "B")
        self.assertEqual(pynvml.nvmlDeviceGetIndex(second), 1)
        bus = pynvml.nvmlDeviceGetPciInfo(second).busId
        self.assertEqual(pynvml.nvmlDeviceGetUUID(pynvml.nvmlDeviceGetHandleByPciBusId(bus)), "GPU-b")
        with self.assertRaises(pynvml.NVMLError_NotFound):
            pynvml.nvmlDeviceGetHandleByUUID("GPU-c")
        with self.assertRaises(pynvml.NVMLError_InvalidArgument):
            pynvml.nvmlDeviceGetHandleByIndex(2)

    def test_before_init_everything_says_so(self):
        self.gpu()
        with self.assertRaises(pynvml.NVMLError_Uninitialized):
            pynvml.nvmlDeviceGetCount()
        with self.assertRaises(pynvml.NVMLError_Uninitialized):
            pynvml.nvmlShutdown()

    def test_what_is_not_simulated_says_so(self):
        handle = self.open()
        for call in (pynvml.nvmlDeviceGetSerial, pynvml.nvmlDeviceGetEccMode, pynvml.nvmlDeviceGetMigMode,
                     lambda h: pynvml.nvmlDeviceGetPcieThroughput(h, 0), pynvml.nvmlDeviceGetVbiosVersion):
            with self.assertRaises(pynvml.NVMLError_NotSupported):
                call(handle)


class Power(SimulatorTest):
    def field(self, handle, field):
        value = pynvml.nvmlDeviceGetFieldValues(handle, [field])[0]
        return value.nvmlReturn, value.value.ullVal

    def test_fields_answer_one_by_one(self):
        handle = self.open()
        before_us = time.time_ns() // 1000
        module = (pynvml.NVML_FI_DEV_POWER_INSTANT, pynvml.NVML_POWER_SCOPE_MODULE)
        values = pynvml.nvmlDeviceGetFieldValues(handle, [83, 185, 186, 187, 188, 189, 190, 191, 192, 74, module, 1])
        after_us = time.time_ns() // 1000
        self.assertEqual([v.nvmlReturn for v in values], [0] * 10 + [pynvml.NVML_ERROR_NOT_SUPPORTED] * 2)
        self.assertEqual([v.value.uiVal for v in values[3:7]], [100_000, 320_000, 320_000, 320_000])
        for value in values:
            self.assertTrue(before_us <= value.timestamp + 1 and value.timestamp <= after_us + 1)

    def test_limits_are_checked(self):
        handle = self.open("[[gpu]]\nlimit_min_w=90\nlimit_max_w=200\nlimit_default_w=180\n")
        self.assertEqual(pynvml.nvmlDeviceGetPowerManagementLimitConstraints(handle), [90_000, 200_000])
        self.assertEqual(pynvml.nvmlDeviceGetEnforcedPowerLimit(handle), 180_000)
        for wrong in (89_999, 200_001, 0):
            with self.assertRaises(pynvml.NVMLError_InvalidArgument):
                pynvml.nvmlDeviceSetPowerManagementLimit(handle, wrong)
        pynvml.nvmlDeviceSetPowerManagementLimit(handle, 123_456)
        self.assertEqual(pynvml.nvmlDeviceGetPowerManagementLimit(handle), 123_456)
        pynvml.nvmlDeviceSetPowerManagementLimit_v2(handle, pynvml.NVML_POWER_SCOPE_GPU, 150_000)
        self.assertEqual(pynvml.nvmlDeviceGetEnforcedPowerLimit(handle), 150_000)
        self.assertEqual(pynvml.nvmlDeviceGetPowerManagementDefaultLimit(handle), 180_000)

    def test_without_privilege_nothing_is_set(self):
        handle = self.open("[[gpu]]\nprivileged = false\n")
        for call in (lambda: pynvml.nvmlDeviceSetPowerManagementLimit(handle, 200_000),
                     lambda: pynvml.nvmlDeviceSetGpuLockedClocks(handle, 210, 1500),
                     lambda: pynvml.nvmlDeviceResetGpuLockedClocks(handle)):
            with self.assertRaises(pynvml.NVMLError_NoPermission):
                call()
        self.assertEqual(pynvml.nvmlDeviceGetPowerManagementLimit(handle), 320_000)

    def test_samples_lie_on_the_sensors_ticks(self):
        handle = self.open("[[gpu]]\nsensor_period_ms = 20\nsensor_noise_w = 1\n")
        kind, samples = pynvml.nvmlDeviceGetSamples(handle, pynvml.NVML_TOTAL_POWER_SAMPLES, 0)
        self.assertEqual(kind, pynvml.NVML_VALUE_TYPE_UNSIGNED_INT)
        self.assertEqual(len(samples), 120)
        stamps = [sample.timeStamp for sample in samples]
        self.assertTrue(all(abs(b - a - 20_000) <= 1 for a, b in zip(stamps, stamps[1:])))
        _, newer = pynvml.nvmlDeviceGetSamples(handle, pynvml.NVML_TOTAL_POWER_SAMPLES, stamps[-3])
        seen = {sample.timeStamp: sample.sampleValue.uiVal for sample in newer}
        self.assertEqual(seen[stamps[-1]], samples[-1].sampleValue.uiVal)

    def test_all_processes_see_the_same_noise(self):
        handle = self.open("[[gpu]]\nsensor_noise_w = 5\n")
        _, mine = pynvml.nvmlDeviceGetSamples(handle, pynvml.NVML_TOTAL_POWER_SAMPLES, 0)
        script = ("import pynvml; pynvml.nvmlInit(); h = pynvml.nvmlDeviceGetHandleByIndex(0)\n"
                  "for s in pynvml.nvmlDeviceGetSamples(h, 0, 0)[1]: print(s.timeStamp, s.sampleValue.uiVal)")
        other = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=30)
        theirs = dict(map(int, line.split()) for line in other.stdout.splitlines())
        shared = [s for s in mine if s.timeStamp in theirs]
        self.assertGreater(len(shared), 60)
        for sample in shared:
            self.assertEqual(theirs[sample.timeStamp], sample.sampleValue.uiVal)

    def test_an_absent_counter_is_not_supported(self):
        handle = self.open("[[gpu]]\ncounter = 'absent'\n")
        with self.assertRaises(pynvml.NVMLError_NotSupported):
            pynvml.nvmlDeviceGetTotalEnergyConsumption(handle)
        self.assertEqual(self.field(handle, 83)[0], pynvml.NVML_ERROR_NOT_SUPPORTED)

    def test_a_call_takes_its_time(self):
        for latency_us in (500, 20_000):
            handle = self.open(f"[[gpu]]\ncall_latency_us = {latency_us}\n")
            begin = time.perf_counter()
            for _ in range(10):
                pynvml.nvmlDeviceGetPowerUsage(handle)
            self.assertGreaterEqual(time.perf_counter() - begin, 10 * latency_us * 1e-6)

    def test_stamps_are_simulated_time(self):
        handle = self.open("speed = 100\n")
        first = pynvml.nvmlDeviceGetFieldValues(handle, [186])[0].timestamp
        time.sleep(0.1)
        self.assertGreaterEqual(pynvml.nvmlDeviceGetFieldValues(handle, [186])[0].timestamp - first, 10_000_000)


class Faults(SimulatorTest):
    def open_with(self, kind, lasts_s=1e6):
        return self.open(f"[[gpu]]\n[[gpu.fault]]\nat_s = 0\nlasts_s = {lasts_s}\nkind = '{kind}'\n")

    def test_readings_fail_as_asked(self):
        for kind, code in (("not_supported", pynvml.NVML_ERROR_NOT_SUPPORTED), ("no_data", pynvml.NVML_ERROR_NO_DATA)):
            handle = self.open_with(kind)
            for call in (pynvml.nvmlDeviceGetPowerUsage, pynvml.nvmlDeviceGetTotalEnergyConsumption):
                with self.assertRaises(pynvml.NVMLError) as refused:
                    call(handle)
                self.assertEqual(refused.exception.value, code)
            values = pynvml.nvmlDeviceGetFieldValues(handle, [83, 186, 190])
            self.assertEqual([v.nvmlReturn for v in values], [code, code, 0])

    def test_spurious_zero(self):
        self.assertEqual(pynvml.nvmlDeviceGetPowerUsage(self.open_with("zero_power")), 0)

    def test_a_lost_gpu_comes_back_when_the_fault_is_over(self):
        handle = self.open_with("lost", lasts_s=0.3)
        with self.assertRaises(pynvml.NVMLError_GpuIsLost):
            pynvml.nvmlDeviceGetName(handle)
        time.sleep(0.4)
        self.assertTrue(pynvml.nvmlDeviceGetName(handle))

    def test_a_hang_blocks_until_it_is_over(self):
        handle = self.open_with("hang", lasts_s=0.5)
        begin = time.monotonic()
        pynvml.nvmlDeviceGetPowerUsage(handle)
        self.assertGreater(time.monotonic() - begin, 0.3)

    def test_a_reload_forgets_limits_and_energy(self):
        handle = self.open("[[gpu]]\n[[gpu.fault]]\nat_s = 0.5\nlasts_s = 0.2\nkind = 'driver_reload'\n")
        pynvml.nvmlDeviceSetPowerManagementLimit(handle, 150_000)
        time.sleep(0.6)
        with self.assertRaises(pynvml.NVMLError_DriverNotLoaded):
            pynvml.nvmlDeviceGetPowerManagementLimit(handle)
        time.sleep(0.25)
        self.assertEqual(pynvml.nvmlDeviceGetPowerManagementLimit(handle), 320_000)
        self.assertLess(pynvml.nvmlDeviceGetTotalEnergyConsumption(handle), 15_000)

    def test_a_counter_may_start_again(self):
        handle = self.open("speed = 10\n[[gpu]]\n[[gpu.fault]]\nat_s = 5\nkind = 'counter_reset'\n")
        time.sleep(0.4)
        before = pynvml.nvmlDeviceGetTotalEnergyConsumption(handle)
        self.assertGreater(before, 40_000)
        time.sleep(0.15)
        self.assertLess(pynvml.nvmlDeviceGetTotalEnergyConsumption(handle), before)


class OtherPrograms(SimulatorTest):
    def test_nvitop_shows_the_gpu_and_its_load(self):
        self.gpu("[[gpu]]\nlimit_max_w = 250\nlimit_default_w = 222\n")
        job = self.start_and_wait_for_a_step()
        shown = subprocess.run([sys.executable, "-m", "nvitop", "--once"], capture_output=True, text=True,
                               timeout=60, env={**os.environ, "COLUMNS": "120", "LINES": "60"})
        self.assertEqual(shown.returncode, 0, shown.stderr)
        self.assertIn("GeForce RTX 4070", shown.stdout)
        self.assertIn("/ 222W", shown.stdout)
        self.assertIn(str(job.pid), shown.stdout)

    def test_zeus_measures_a_window(self):
        """Runs where Zeus is installed: with what it brings along it is too large to install for a test."""
        if importlib.util.find_spec("zeus") is None:
            self.skipTest("the package zeus is not installed")
        self.gpu()
        self.start_and_wait_for_a_step()
        script = ("import time; from zeus.monitor import ZeusMonitor; monitor = ZeusMonitor(gpu_indices=[0])\n"
                  "begin = time.time_ns(); monitor.begin_window('w', sync_execution=False); time.sleep(2)\n"
                  "print(begin, monitor.end_window('w', sync_execution=False).total_energy, time.time_ns())")
        shown = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60)
        begin_ns, joules, end_ns = shown.stdout.split()
        # The counter is updated each 100 ms, so either edge may be off by that much of 236 W.
        self.assertAlmostEqual(float(joules), self.truth(int(begin_ns), int(end_ns)), delta=2 * 0.1 * 236)


if __name__ == "__main__":
    unittest.main()

"""Whole programs, timed from their start to their end."""
import os
import subprocess
import tempfile
import time


def run_timed(command):
    """Wall clock and processor time (all threads) of one run in ms; its output is read and given."""
    with tempfile.TemporaryFile("w+") as messages:
        begin = time.perf_counter()
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=messages, text=True) as process:
            output = process.stdout.read()
            _, status, usage = os.wait4(process.pid, 0)
            wall_ms = (time.perf_counter() - begin) * 1000
            process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode != 0:
            messages.seek(0)
            raise RuntimeError(f"{' '.join(command)}: exit code {process.returncode}: {messages.read().strip()}")
    return {"wall_ms": wall_ms, "cpu_ms": (usage.ru_utime + usage.ru_stime) * 1000, "output": output}

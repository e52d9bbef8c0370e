"""How well the sampler keeps its pace of 2 ms, and what it costs, on the simulated GPU."""
import json
import os
import pathlib
import subprocess
import tempfile

from report import RUN, Report, number

PROGRAM = "build/bench/sampler_bench"
SECONDS = 20


def measure(_repetitions):
    load = os.getloadavg()[0]
    with tempfile.TemporaryDirectory() as folder:
        # A driver of its own: others may use the one that the user's processes share.
        gpu = pathlib.Path(folder) / "gpu.toml"
        gpu.write_text("[[gpu]]\n", encoding="utf-8")
        env = {**os.environ, "LD_LIBRARY_PATH": "build/sim", "HELIOGRAD_SIM_GPU": str(gpu)}
        data = json.loads(subprocess.run([PROGRAM, str(SECONDS)], check=True, capture_output=True, text=True, env=env).stdout)
    return Report(
        name="sampler",
        title="Sampler: pace and cost at 2 ms",
        command=f"{RUN} --only sampler",
        header=["what is polled", "late p50", "late p99", "most late", "deadlines missed", "share of a core",
                "without the simulated calls"],
        rows=[row(run) for run in data["runs"]],
        notes=[f"{SECONDS} s each; load average {load:.1f} when it began; goals on an idle machine: p99 under 0.5 ms, under 1 % of a "
               "core",
               f"one read of all channels of the simulated GPU takes {number(1e6 * data['seconds_per_read'], 'us')} of processor time, "
               "measured in a loop of its own",
               f"of the share, {number(100 * data['bare_sleep_share'], '%')} is what a loop costs that wakes up every 2 ms and does nothing",
               "late: wake-up against deadline, in classes 25 % wide"],
        data={**data, "load_average_1_min": load})


def row(run):
    missed = 100 * run["skipped"] / (run["polls"] + run["skipped"])
    return [run["name"], number(run["late_p50_us"], "us"), number(run["late_p99_us"], "us"), number(run["late_most_us"], "us"),
            number(missed, "%"), number(100 * run["processor_share"], "%"), number(100 * run["own_share"], "%")]

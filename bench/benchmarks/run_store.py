"""The space that a recorded run of one GPU takes at 2 ms."""
import json
import subprocess

from report import RUN, Report, number

PROGRAM = "build/bench/store_bench"
SECONDS = 3600
DAY = 86400


def measure(_repetitions):
    data = json.loads(subprocess.run([PROGRAM, str(SECONDS)], check=True, capture_output=True, text=True).stdout)
    return Report(
        name="run_store",
        title="Run store: space of one GPU at 2 ms",
        command=f"{RUN} --only run_store",
        header=["sensor period", "SM clock and temperature", "MB a day", "GB in 30 days", "bytes a second", "of them samples"],
        rows=[row(run) for run in data["runs"]],
        notes=[f"{SECONDS} s of synthetic readings of the simulated GPU's channels through the recording's own poller and writer, "
               "extrapolated; a job under a limit that binds all the time, noise of 0.3 W",
               "goal: 30 days under 3 GB",
               "thinning: the capped time, a counter that moves at every poll while the limit binds, is kept at most ten times a second"],
        data=data)


def row(run):
    rate = run["file_bytes"] / run["seconds"]
    samples = sum(channel["bytes"] for channel in run["channels"].values()) / run["seconds"]
    return [f"{run['sensor_period_ms']} ms", "yes" if run["with_clocks"] else "no", number(rate * DAY / 1e6),
            number(rate * DAY * 30 / 1e9), number(rate), number(samples)]

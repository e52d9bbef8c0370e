"""Points per second of a parameter study on all cores."""
import os

from contenders import median
from programs import run_timed
from report import RUN, Report, number

HOURS = range(14, 29)
SIZES_W = range(100, 1001, 100)
POINTS = len(HOURS) * len(SIZES_W)
FORMULATIONS = ("blend", "paper")


def measure(repetitions):
    runs = {formulation: [timed(formulation) for _ in range(repetitions)] for formulation in FORMULATIONS}
    return Report(
        name="study_rate",
        title=f"Studies: {POINTS} plans ({len(HOURS)} durations x {len(SIZES_W)} panels) on {os.cpu_count()} cores",
        command=f"{RUN} --only study_rate --repetitions {repetitions}",
        header=["formulation", "command", "time", "points per second", "processor time per point"],
        rows=[row(formulation, runs[formulation]) for formulation in FORMULATIONS],
        notes=[f"whole program, wall clock; median of {repetitions} runs; each point is solved and checked"],
        data={"points": POINTS, "runs": runs})


def command(formulation):
    return ["build/heliograd", "study", "builtin:paper", "--formulation", formulation,
            "--vary", f"job.hours={HOURS.start}:{HOURS.stop - 1}:{HOURS.step}",
            "--vary", f"pv.dc_capacity_w={SIZES_W.start}:{SIZES_W.stop - 1}:{SIZES_W.step}"]


def timed(formulation):
    """One run; every point must be in its table."""
    one = run_timed(command(formulation))
    lines = len(one.pop("output").splitlines()) - 1
    if lines != POINTS:
        raise RuntimeError(f"{' '.join(command(formulation))}: {lines} rows, expected {POINTS}")
    return one


def row(formulation, runs):
    wall_ms, cpu_ms = median(run["wall_ms"] for run in runs), median(run["cpu_ms"] for run in runs)
    return [formulation, f"`{' '.join(command(formulation))}`", number(wall_ms / 1000, "s"),
            number(POINTS / wall_ms * 1000, "/s"), number(cpu_ms / POINTS, "ms")]

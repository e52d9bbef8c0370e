"""Points per second of a parameter study on all cores."""
import os

from contenders import median
from programs import run_timed
from report import FOLDER, RUN, Report, number

HOURS = range(14, 29)
SIZES_W = range(100, 1001, 100)
POINTS = len(HOURS) * len(SIZES_W)
FORMULATIONS = ("blend", "paper")
# Size x start x duration, one run.
MILLION = ["build/heliograd", "study", "builtin:paper", "--vary", "pv.dc_capacity_w=10:1000:10",
           "--vary", "job.start=2025-01-01 00:00:2025-02-11 15:00:1h", "--vary", "job.hours=16:25:1"]


def measure(repetitions):
    runs = {formulation: [timed(formulation) for _ in range(repetitions)] for formulation in FORMULATIONS}
    FOLDER.mkdir(parents=True, exist_ok=True)
    table = FOLDER / "million.csv"
    million = run_timed([*MILLION, "-o", str(table)])
    table.unlink()
    return Report(
        name="study_rate",
        title=f"Studies: {POINTS} plans ({len(HOURS)} durations x {len(SIZES_W)} panels) on {os.cpu_count()} cores",
        command=f"{RUN} --only study_rate --repetitions {repetitions}",
        header=["formulation", "command", "time", "points per second", "processor time per point"],
        rows=[row(formulation, command(formulation), runs[formulation], POINTS) for formulation in FORMULATIONS]
             + [row("blend", MILLION, [million], 1_000_000)],
        notes=[f"whole program, wall clock; median of {repetitions} runs; each point is solved and checked; the "
               "million once"],
        data={"points": POINTS, "runs": runs, "million": million})


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


def row(label, arguments, runs, points):
    wall_ms, cpu_ms = median(run["wall_ms"] for run in runs), median(run["cpu_ms"] for run in runs)
    text = " ".join(f'"{word}"' if " " in word else word for word in arguments)
    return [label, f"`{text}`", number(wall_ms / 1000, "s"), number(points / wall_ms * 1000, "/s"),
            number(cpu_ms / points, "ms")]

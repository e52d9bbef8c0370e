"""From the program's start to the plan of builtin:paper, PV year included."""
from contenders import median, quantile
from programs import run_timed
from report import RUN, Report, number

RUNS = 20
COMMANDS = {
    "plan with its ladder, reasons and deadline price": "build/heliograd plan builtin:paper --json".split(),
    "plan alone (a study of one point)": "build/heliograd study builtin:paper --vary job.hours=19 --json".split()}


def measure(_repetitions):
    runs = {what: [] for what in COMMANDS}
    for command in COMMANDS.values():
        run_timed(command)
    for _ in range(RUNS):
        for what, command in COMMANDS.items():
            one = run_timed(command)
            runs[what].append({"wall_ms": one["wall_ms"], "cpu_ms": one["cpu_ms"]})
    return Report(
        name="program_start",
        title="Program start to plan: builtin:paper, `blend`, PV year computed",
        command=f"{RUN} --only program_start",
        header=["what", "command", "p50", "fastest", "p50 of processor time"],
        rows=[row(what, runs[what]) for what in COMMANDS],
        notes=[f"{RUNS} runs of each in turns, after one of each that warms the file cache"],
        data={"runs": runs})


def row(what, runs):
    wall = [run["wall_ms"] for run in runs]
    return [what, f"`{' '.join(COMMANDS[what])}`", number(median(wall), "ms"), number(quantile(wall, 0), "ms"),
            number(median(run["cpu_ms"] for run in runs), "ms")]

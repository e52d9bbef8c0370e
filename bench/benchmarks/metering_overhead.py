"""What measuring costs the measured: a load like training on the processor, run in turns with and without `measure`."""
import json
import math
import os
import pathlib
import statistics
import subprocess
import tempfile

from report import RUN, Report, number

LOAD = ["build/bench/cpu_training", "600"]
PAIRS = 24
STUDENT_T_975 = 2.069  # 23 degrees of freedom


def measure(_repetitions):
    load = os.getloadavg()[0]
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder)
        (path / "gpu.toml").write_text("[[gpu]]\n", encoding="utf-8")
        env = {**os.environ, "LD_LIBRARY_PATH": "build/sim", "HELIOGRAD_SIM_GPU": str(path / "gpu.toml"),
               "XDG_STATE_HOME": folder}
        once(env, None)  # warm
        pairs = [pair(env, path / f"{i}.run", measured_first=i % 2 == 1) for i in range(PAIRS)]
    rows = [row("wall clock of the load", [100 * math.log(with_[0] / without[0]) for without, with_ in pairs]),
            row("processor time of the load", [100 * math.log(with_[1] / without[1]) for without, with_ in pairs])]
    return Report(
        name="metering_overhead",
        title="Measuring: what it costs the measured",
        command=f"{RUN} --only metering_overhead",
        header=["what", "mean of paired differences", "95 % interval", "median"],
        rows=rows,
        notes=[f"{PAIRS} pairs of a run with and one without `measure -o`, in turns, each of {number(pairs[0][0][0], 's')}; one thread; "
               f"load average {load:.1f} when it began; goal: under 0.5 %",
               "the load times itself from inside, so that what `measure` does before and after the command is not in it"],
        data={"pairs": pairs, "load_average_1_min": load})


def pair(env, run, measured_first):
    """(without, with), each (wall clock, processor time) of the load."""
    first = once(env, run if measured_first else None)
    second = once(env, None if measured_first else run)
    return (second, first) if measured_first else (first, second)


def once(env, run):
    program = ["bash", "-c", 'TIMEFORMAT="{\\"wall\\": %3R, \\"user\\": %3U, \\"system\\": %3S}"; time "$@" >/dev/null', "load", *LOAD]
    before = ["build/heliograd", "measure", "--no-processor", "--json", "-o", str(run), "--"] if run else []
    done = subprocess.run(before + program, check=True, capture_output=True, text=True, env=env)
    line = next(text for text in done.stderr.splitlines() if text.startswith('{"wall"'))
    timed = json.loads(line)
    return timed["wall"], timed["user"] + timed["system"]


def row(name, differences):
    mean = statistics.mean(differences)
    half = STUDENT_T_975 * statistics.stdev(differences) / math.sqrt(len(differences))
    return [name, f"{mean:+.2f} %", f"{mean - half:+.2f} to {mean + half:+.2f} %", f"{statistics.median(differences):+.2f} %"]

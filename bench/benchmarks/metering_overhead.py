"""What measuring costs the measured: a load like training on the processor, in turns with and without `measure`."""
import bisect
import math
import os
import pathlib
import signal
import statistics
import subprocess
import tempfile
import time

from report import RUN, Report, number

LOAD = "build/bench/cpu_training"
PAIRS = 200
TURN_S = 0.5
WARM_S = 3
NORMAL_975 = 1.96


def measure(_repetitions):
    busy = os.getloadavg()[0]
    with tempfile.TemporaryDirectory() as folder:
        turns, iterations = alternate(pathlib.Path(folder))
    rows = [row(name, iterations, turns, column)
            for name, column in (("wall clock of an iteration", 1), ("processor time of an iteration", 2))]
    return Report(
        name="metering_overhead",
        title="Measuring: what it costs the measured",
        command=f"{RUN} --only metering_overhead",
        header=["what", "without", "mean of paired differences", "95 % interval", "median", "its 95 % interval"],
        rows=rows,
        notes=[f"one load on one thread; `measure --attach` at 2 ms, on the simulated GPU, is stopped and let go on in turns of {TURN_S} s, "
               f"{PAIRS} pairs, the order within a pair changing; load average {busy:.1f} when it began; goal: under 0.5 %",
               "the interval of the median is that of order statistics, which outliers of a busy machine do not widen"],
        data={"rows": rows, "load_average_1_min": busy})


def alternate(folder):
    """[(measured?, begin, end)] and the load's iterations as (end, wall, processor)."""
    (folder / "gpu.toml").write_text("[[gpu]]\n", encoding="utf-8")
    env = {**os.environ, "LD_LIBRARY_PATH": "build/sim", "HELIOGRAD_SIM_GPU": str(folder / "gpu.toml"), "XDG_STATE_HOME": str(folder)}
    with open(folder / "iterations", "w+", encoding="utf-8") as output:
        load = subprocess.Popen([LOAD, str(2 * PAIRS * TURN_S + 2 * WARM_S)], stdout=output, stderr=subprocess.DEVNULL)
        meter = subprocess.Popen(["build/heliograd", "measure", "--no-processor", "--attach", str(load.pid), "-o", str(folder / "run")],
                                 env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(WARM_S)
        turns = [turn(meter, measured) for i in range(PAIRS) for measured in ((True, False) if i % 2 else (False, True))]
        meter.send_signal(signal.SIGCONT)
        load.wait()
        if meter.wait() != 0:
            raise RuntimeError("metering_overhead: measure failed")
        output.seek(0)
        return turns, [tuple(map(float, line.split())) for line in output]


def turn(meter, measured):
    meter.send_signal(signal.SIGCONT if measured else signal.SIGSTOP)
    begin = time.monotonic()
    time.sleep(TURN_S)
    return measured, begin, time.monotonic()


def row(name, iterations, turns, column):
    ends = [iteration[0] for iteration in iterations]

    def mean(begin, end):
        # The first iteration may have begun in the turn before.
        inside = iterations[bisect.bisect_left(ends, begin) + 1:bisect.bisect_right(ends, end)]
        return statistics.mean(iteration[column] for iteration in inside)

    means = [(measured, mean(begin, end)) for measured, begin, end in turns]
    pairs = [dict(means[i:i + 2]) for i in range(0, len(means), 2)]
    differences = sorted(100 * math.log(pair[True] / pair[False]) for pair in pairs)
    average = statistics.mean(differences)
    half = NORMAL_975 * statistics.stdev(differences) / math.sqrt(len(differences))
    rank = int(len(differences) / 2 - NORMAL_975 * math.sqrt(len(differences)) / 2)
    without = statistics.median(pair[False] for pair in pairs)
    return [name, number(1000 * without, "ms"), f"{average:+.2f} %", f"{average - half:+.2f} to {average + half:+.2f} %",
            f"{statistics.median(differences):+.2f} %", f"{differences[rank]:+.2f} to {differences[-1 - rank]:+.2f} %"]

"""What measuring costs the measured: a load like training on the processor, in turns with and without `measure`."""
import os
import pathlib
import subprocess
import tempfile
import time

import stop_and_go
from report import RUN, Report

LOAD = "build/bench/cpu_training"
PAIRS = 200
TURN_S = 0.5
WARM_S = 3


def measure(_repetitions):
    busy = os.getloadavg()[0]
    with tempfile.TemporaryDirectory() as folder:
        rows = stop_and_go.rows(*alternate(pathlib.Path(folder)))
    return Report(
        name="metering_overhead",
        title="Measuring: what it costs the measured",
        command=f"{RUN} --only metering_overhead",
        header=stop_and_go.HEADER,
        rows=rows,
        notes=[f"one load on one thread; `measure --attach` at 2 ms, on the simulated GPU, is stopped and let go on in turns of {TURN_S} s, "
               f"{PAIRS} pairs, the order within a pair changing; load average {busy:.1f} when it began; goal: under 0.5 %",
               stop_and_go.NOTE],
        data={"rows": rows, "load_average_1_min": busy})


def alternate(folder):
    """[(measured?, begin, end)] and the load's iterations as (end, wall, processor)."""
    (folder / "gpu.toml").write_text("[[gpu]]\n", encoding="utf-8")
    env = {**os.environ, "LD_LIBRARY_PATH": "build/sim", "HELIOGRAD_SIM_GPU": str(folder / "gpu.toml"), "XDG_STATE_HOME": str(folder)}
    with open(folder / "iterations", "w+", encoding="utf-8") as output:
        load = subprocess.Popen([LOAD, str(stop_and_go.seconds(PAIRS, TURN_S) + 2 * WARM_S)], stdout=output, stderr=subprocess.DEVNULL)
        meter = subprocess.Popen(["build/heliograd", "measure", "--no-processor", "--attach", str(load.pid), "-o", str(folder / "run")],
                                 env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(WARM_S)
        turns = stop_and_go.alternate(meter.pid, PAIRS, TURN_S)
        load.wait()
        if meter.wait() != 0:
            raise RuntimeError("metering_overhead: measure failed")
        output.seek(0)
        return turns, stop_and_go.iterations(output)

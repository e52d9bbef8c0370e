"""Training on PV alone from every hour of the year: prepared sums beside the plain simulation of the same runs."""
import json
import subprocess

from contenders import median
from report import RUN, Report, number

PROGRAM = "build/bench/offgrid_bench"


def measure(_repetitions):
    data = json.loads(subprocess.run([PROGRAM], check=True, capture_output=True, text=True).stdout)
    every, sample, simulated = (data[key] for key in ("prepared_all", "prepared_sample", "simulated_sample"))
    if abs(sample["sum_of_hours"] - simulated["sum_of_hours"]) > 1e-6 * simulated["sum_of_hours"]:
        raise RuntimeError(f"{PROGRAM}: {sample['sum_of_hours']} h one way, {simulated['sum_of_hours']} h the other")
    return Report(
        name="offgrid",
        title="Off grid: 10 panel sizes, every hour of the year as the start, 2 modes",
        command=f"{RUN} --only offgrid",
        header=["what", "runs", "time", "per run"],
        rows=[row("prepared sums, every start", every), row("prepared sums, sample of starts", sample),
              row("plain simulation, the same sample", simulated)],
        notes=["median of five passes; preparing the sums is included; one thread; both ways give the same hours",
               f"per run the plain simulation takes {number(per_run_us(simulated) / per_run_us(every))} times as "
               "long as the prepared sums over every start"],
        data=data)


def row(what, one):
    return [what, str(one["runs"]), number(median(one["times_ms"]), "ms"), number(per_run_us(one), "us")]


def per_run_us(one):
    return median(one["times_ms"]) / one["runs"] * 1000

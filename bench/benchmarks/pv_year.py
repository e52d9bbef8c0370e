"""One PV year of 8760 hours, heliograd beside PySAM and pvlib on the same weather."""
import subprocess
import sys

from contenders import in_turns, median, quantile, start
from report import FOLDER, RUN, Report, number

PROGRAM = "build/bench/pv_bench"
PEERS = ("bench/peers/pysam_year.py", "bench/peers/pvlib_year.py")
YEARS_IN_A_TURN = 5
TURNS_PER_REPETITION = 3


def measure(repetitions):
    FOLDER.mkdir(parents=True, exist_ok=True)
    case_file = str(FOLDER / "pv_case.json")
    subprocess.run([PROGRAM, "--case", case_file], check=True)
    contenders = start([[PROGRAM], *([sys.executable, peer, case_file] for peer in PEERS)])
    answers = in_turns(contenders, [YEARS_IN_A_TURN], repetitions * TURNS_PER_REPETITION)
    summaries = [summary(name, turns[YEARS_IN_A_TURN]) for name, turns in answers.items()]
    return Report(
        name="pv_year",
        title="PV year: 8760 hours, PVWatts, Turin, 1 kW on a roof",
        command=f"{RUN} --only pv_year --repetitions {repetitions}",
        header=["program", "p50", "p99", "p50 of processor time", "annual AC", "time / heliograd's (p50, processor)"],
        rows=[row(one, summaries[0]) for one in summaries],
        notes=[f"wall clock and processor time of one year; quantiles over {len(summaries[0]['wall_ms'])} years in "
               f"turns of {YEARS_IN_A_TURN}; one thread; weather in memory, first turn not counted",
               "heliograd and PySAM: PVWatts V8 (PySAM's has a later formula of cell temperature, about +0.07 %); "
               "pvlib's chain: PVWatts V5 equations with SAPM's cell temperature of a module close to its roof"],
        data={"summaries": summaries})


def summary(name, turns):
    wall = [ms for turn in turns for ms in turn["times_ms"]]
    cpu = [ms for turn in turns for ms in turn["cpu_times_ms"]]
    return {"name": name, "wall_ms": wall, "cpu_ms": cpu, "p50_ms": median(wall), "p99_ms": quantile(wall, 0.99),
            "cpu_p50_ms": median(cpu), "ac_annual_kwh": turns[0]["ac_annual_kwh"]}


def row(one, ours):
    ratios = f"{number(one['p50_ms'] / ours['p50_ms'])}, {number(one['cpu_p50_ms'] / ours['cpu_p50_ms'])}"
    return [one["name"], number(one["p50_ms"], "ms"), number(one["p99_ms"], "ms"), number(one["cpu_p50_ms"], "ms"),
            f"{one['ac_annual_kwh']:.2f} kWh", ratios]

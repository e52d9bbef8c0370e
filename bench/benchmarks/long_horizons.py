"""Long horizons as `blend`: two days of quarter hours and a year of hours."""
import json
import subprocess

from report import RUN, Report, number

PROGRAM = "build/bench/horizon_bench"
TIME_LIMIT_S = 60
HORIZONS = ((192, 15), (672, 15), (8760, 60))  # slots, minutes
WAYS = {"without_directions": "no rule against buying and selling at once (LP)",
        "as_planned": "as `plan` solves it: the kernel",
        "with_highs": "HiGHS: the rule kept by branching on broken slots",
        "direction_binaries": "a direction binary in each slot that could gain (MIP)"}


def measure(_repetitions):
    results = [run(slots, minutes) for slots, minutes in HORIZONS]
    return Report(
        name="long_horizons",
        title="Long horizons, `blend`: 5 kWh battery, 1 kW panel, work for 60 % of the time",
        command=f"{RUN} --only long_horizons",
        header=["slots", "way", "time", "processor time", "outcome", "cost", "bound"],
        rows=[row(result, way) for result in results for way in WAYS],
        notes=[f"one run each, one thread, tolerance 0.001 EUR, time limit {TIME_LIMIT_S} s",
               "no peer: the licence that comes with gurobipy ends at 2000 variables"],
        data={"horizons": results})


def run(slots, minutes):
    command = [PROGRAM, str(slots), str(minutes), str(TIME_LIMIT_S)]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def row(result, way):
    one = result[way]
    return [f"{result['slots']} of {result['slot_minutes']} min", WAYS[way], number(one["ms"], "ms"),
            number(one["cpu_ms"], "ms"), "proven" if one["proven"] else "time limit", money(one["cost_eur"]),
            money(one["bound_eur"])]


def money(value_eur):
    return "none" if value_eur is None else f"{value_eur:.4f} EUR"

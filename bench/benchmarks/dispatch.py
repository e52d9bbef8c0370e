"""The study's family: 96 instances in three formulations, the kernel beside HiGHS and Gurobi at equal tolerance."""
import json
import subprocess
import sys

from contenders import in_turns, median, quantile, start, start_cold
from report import FOLDER, RUN, Report, number

PROGRAM = "build/bench/dispatch_bench"
PEER = "bench/peers/gurobi_family.py"
FORMULATIONS = ("paper", "levels", "blend")
QUANTILES = {"p50": 0.5, "p99": 0.99}
COLD = "blend"  # solved in microseconds: there a first answer differs from a later one
COLD_EVERY = 2


def measure(repetitions):
    FOLDER.mkdir(parents=True, exist_ok=True)
    instances_file = FOLDER / "family_instances.json"
    subprocess.run([PROGRAM, "--instances", str(instances_file)], check=True)
    instances = json.loads(instances_file.read_text(encoding="utf-8"))
    commands = [[PROGRAM, "auto"], [PROGRAM, "highs"], [sys.executable, PEER, str(instances_file)]]
    contenders = start(commands)
    names = [contender.name for contender in contenders]
    answers = in_turns(contenders, list(range(len(instances))), repetitions)
    summaries = [summary(formulation, instances, names, answers) for formulation in FORMULATIONS]
    again = [f"{place} twice" for place in range(len(instances))]
    warm_answers = in_turns(start([command for command in commands if command[-1] != "highs"]), again, repetitions)
    warm_answers = {name: {int(request.split()[0]): found for request, found in of.items()} for name, of in warm_answers.items()}
    warm = [summary(formulation, instances, list(warm_answers), warm_answers) for formulation in FORMULATIONS]
    cold_places = [place for place, one in enumerate(instances) if one["formulation"] == COLD][::COLD_EVERY]
    cold = summary(COLD, instances, names, start_cold(contenders, cold_places), cold_places)
    return Report(
        name="dispatch",
        title="Dispatch: the study's family, 96 instances per formulation",
        command=f"{RUN} --only dispatch --repetitions {repetitions}",
        header=["formulation", "solver", "p50", "p99", "p50 of processor time", "p99 of processor time", "proven",
                "largest distance from the reference cost"],
        rows=[row for one in summaries for row in rows(one)] +
        [row for one in warm for row in rows(one, f"{one['formulation']}, warm")] + list(rows(cold, f"{COLD}, cold")),
        notes=[f"wall clock and processor time per instance, median of {repetitions} repetitions in turns; quantiles "
               "over the 96 instances; one thread; absolute tolerance 0.001 EUR",
               "heliograd: building the model, solving, reading the plan back. Gurobi: `optimize()` alone; its model "
               "is built in Python outside the clock, from the 18 levels that no other beats (23 take it longer at the "
               "median)",
               "the start of the programs and one first solve are not counted, and other programs use the caches between two "
               "answers; warm: the second of two solves of an instance in a row; cold: the first answer of a program started "
               f"anew for each of {len(cold_places)} instances, its start not counted",
               "ratio under 1: heliograd is faster"],
        data={"summaries": summaries, "warm": warm, "cold": cold, "answers": answers})


def summary(formulation, instances, names, answers, places=None):
    """Times and distances of each solver over the formulation's instances, or those at `places`."""
    places = places or [place for place, instance in enumerate(instances) if instance["formulation"] == formulation]
    return {"formulation": formulation, "instances": len(places),
            "solvers": [solver_summary(name, places, instances, answers[name]) for name in names]}


def solver_summary(name, places, instances, answers):
    wall = [median(answer["ms"] for answer in answers[place]) for place in places]
    cpu = [median(answer["cpu_ms"] for answer in answers[place]) for place in places]
    distances = [abs(answer["cost_eur"] - instances[place]["reference_cost_eur"])
                 for place in places for answer in answers[place]]
    return {"name": name, "wall_ms": wall, "cpu_ms": cpu,
            "wall_quantiles_ms": [quantile(wall, q) for q in QUANTILES.values()],
            "cpu_quantiles_ms": [quantile(cpu, q) for q in QUANTILES.values()],
            "proven": sum(all(answer["optimal"] for answer in answers[place]) for place in places),
            "largest_distance_eur": max(distances)}


def rows(one, label=None):
    label = label or one["formulation"]
    ours, *peers = one["solvers"]
    for solver in one["solvers"]:
        yield [label, solver["name"], *(number(ms, "ms") for ms in quantiles(solver)),
               f"{solver['proven']} of {one['instances']}", f"{solver['largest_distance_eur']:.6f} EUR"]
    for peer in peers:
        paired = median(mine / its for mine, its in zip(ours["wall_ms"], peer["wall_ms"]))
        yield [label, f"**heliograd / {peer['name']}**",
               *(f"**{number(mine / its)}**" for mine, its in zip(quantiles(ours), quantiles(peer))),
               f"median of paired ratios {number(paired)}", ""]


def quantiles(solver):
    return solver["wall_quantiles_ms"] + solver["cpu_quantiles_ms"]

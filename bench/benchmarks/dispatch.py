"""The study's family: 96 instances in three formulations, heliograd beside Gurobi at equal tolerance."""
import json
import subprocess
import sys

from contenders import in_turns, median, median_ms, quantile, start
from report import FOLDER, Report, number

PROGRAM = "build/bench/dispatch_bench"
PEER = "bench/peers/gurobi_family.py"
FORMULATIONS = ("paper", "levels", "blend")


def measure(repetitions):
    FOLDER.mkdir(parents=True, exist_ok=True)
    instances_file = FOLDER / "family_instances.json"
    subprocess.run([PROGRAM, "--instances", str(instances_file)], check=True)
    instances = json.loads(instances_file.read_text(encoding="utf-8"))
    contenders = start([[PROGRAM], [sys.executable, PEER, str(instances_file)]])
    names = [contender.name for contender in contenders]
    answers = in_turns(contenders, list(range(len(instances))), repetitions)
    summaries = [summary(formulation, instances, names, answers) for formulation in FORMULATIONS]
    return Report(
        name="dispatch",
        title="Dispatch: the study's family, 96 instances per formulation",
        command=f"{sys.executable} bench/run.py --only dispatch --repetitions {repetitions}",
        header=["formulation", "solver", "p50", "p99", "p50 ratio", "p99 ratio", "median of paired ratios", "proven",
                "largest cost - reference"],
        rows=[row for one in summaries for row in rows(one)],
        notes=["ms of wall clock per instance, the median of the repetitions; one thread; absolute tolerance 0.001 EUR",
               "heliograd: building the model, solving, reading the plan back; Gurobi: `optimize()` alone, its model is "
               "built in Python outside the clock",
               "ratio = heliograd / Gurobi, under 1 heliograd is faster; start of the programs and one first solve are "
               "not counted"],
        data={"summaries": summaries, "answers": answers})


def summary(formulation, instances, names, answers):
    """Quantiles over the formulation's instances for each solver, and ratios of the first to each."""
    places = [place for place, instance in enumerate(instances) if instance["formulation"] == formulation]
    solvers = {}
    for name in names:
        times = [median_ms(answers[name][place]) for place in places]
        runs = [(answer, instances[place]) for place in places for answer in answers[name][place]]
        solvers[name] = {
            "times_ms": times, "p50_ms": quantile(times, 0.5), "p99_ms": quantile(times, 0.99), "max_ms": max(times),
            "proven": sum(all(answer["optimal"] for answer in answers[name][place]) for place in places),
            "largest_excess_eur": max(answer["cost_eur"] - instance["reference_cost_eur"] for answer, instance in runs)}
    return {"formulation": formulation, "instances": len(places), "solvers": solvers}


def rows(one):
    ours = next(iter(one["solvers"].values()))
    for place, (name, solver) in enumerate(one["solvers"].items()):
        ratios = ["", "", ""]
        if place > 0:
            paired = median(mine / its for mine, its in zip(ours["times_ms"], solver["times_ms"]))
            ratios = [number(ours["p50_ms"] / solver["p50_ms"]), number(ours["p99_ms"] / solver["p99_ms"]), number(paired)]
        yield [one["formulation"], name, number(solver["p50_ms"], "ms"), number(solver["p99_ms"], "ms"), *ratios,
               f"{solver['proven']} of {one['instances']}", f"{solver['largest_excess_eur']:.6f} EUR"]

"""How far a limit is from the edge of the plan that it belongs to: a plan carried out in real time on the simulated GPU."""
import collections
import json
import os
import pathlib
import subprocess
import tempfile
import time

from contenders import quantile
from report import RUN, Report, number

PROGRAM = "build/heliograd"
SLOT_S = 10
SLOTS = 30
LOW, MIDDLE, HIGH = 150, 170, 280  # W


def measure(repetitions):
    load = os.getloadavg()[0]
    runs = [carry_out() for _ in range(max(1, repetitions // 3))]
    by_kind = collections.defaultdict(list)
    for run in runs:
        for kind, late_s in run["late_s"]:
            by_kind[kind].append(late_s)
    everything = [late_s for kind in by_kind.values() for late_s in kind]
    rows = [row(kind, by_kind[kind]) for kind in ("begin of a slot", "change within a slot") if by_kind[kind]]
    return Report(
        name="limit_edges",
        title="Carrying out: a limit's distance from its edge",
        command=f"{RUN} --only limit_edges",
        header=["edge", "limits", "p50", "p95", "most"],
        rows=rows + [row("all", everything)],
        notes=[f"real time, {SLOTS} slots of {SLOT_S} s, for each of which a plan is asked for before it begins; every limit that was due at an edge of the "
               "schedule: from the edge to the moment at which it had been set and read back, from the journal; none came early",
               f"the lease's record is on the disk before each limit; load average {load:.1f} when it began; goal: within 50 ms",
               f"limits that were due at no edge: {sum(run['others'] for run in runs)}"],
        data={"runs": runs, "load_average_1_min": load})


def row(name, late_s):
    return [name, str(len(late_s)), *(number(1000 * quantile(late_s, at), "ms") for at in (0.5, 0.95, 1))]


def carry_out():
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        (folder / "gpu.toml").write_text("[[gpu]]\n", encoding="utf-8")
        env = {**os.environ, "LD_LIBRARY_PATH": "build/sim", "HELIOGRAD_SIM_GPU": str(folder / "gpu.toml"), "XDG_STATE_HOME": str(folder)}
        (folder / "plan.json").write_text(json.dumps(plan(folder)), encoding="utf-8")
        done = subprocess.run([PROGRAM, "run", folder / "plan.json", "-o", folder / "run", "--shortest-dwell", "2s", "--on-late", "stop", "--",
                               "build/sim/sim-train", "--seconds", str(10 * SLOTS * SLOT_S)],
                              env=env, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        if done.returncode != 3:  # stopped at the deadline
            raise RuntimeError(f"limit_edges: exit code {done.returncode}: {done.stderr[-2000:]}")
        lines = [json.loads(line) for line in (folder / "run/journal.jsonl").read_text(encoding="utf-8").splitlines()]
    limits = [line for line in lines if line["kind"] == "limit"]
    if any(line["set_w"] != line["read_back_w"] for line in limits):
        raise RuntimeError("limit_edges: a limit was read back otherwise than it was set")
    begin = lines[0]["unix_s"]
    due = [line for line in limits if "due_unix_s" in line and line["due_unix_s"] > begin]
    late_s = [("begin of a slot" if line["due_unix_s"] % SLOT_S == 0 else "change within a slot",
               line["read_back_unix_s"] - line["due_unix_s"]) for line in due]
    return {"late_s": late_s, "others": len(limits) - len(due), "new_plans": sum(line["kind"] == "replan" for line in lines)}


def plan(folder):
    """Two limits a slot, other ones in the next: a change at each edge and one within. `plan` makes no slots of seconds."""
    subprocess.run([PROGRAM, "plan", "builtin:paper", "--slot-minutes", "30", "--hours", "15", "--start", "2025-01-01 00:00", "--set",
                    "battery.capacity_wh=0", "--set", "pv.dc_capacity_w=0", "-o", folder / "plan.json"],
                   check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    made = json.loads((folder / "plan.json").read_text(encoding="utf-8"))
    problem = made["problem"]
    if problem["slots"] != SLOTS:
        raise RuntimeError(f"limit_edges: {problem['slots']} slots instead of {SLOTS}")
    start = (int(time.time()) // SLOT_S + 1) * SLOT_S
    problem["start"] = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(start))
    problem["slot_duration_s"] = SLOT_S
    # Prices so low that no new plan saves enough to replace this one.
    problem["import_price_eur_per_kwh"] = [0.01] * SLOTS
    problem["battery"]["capacity_wh"] = 0
    by_limit = {level["limit_w"]: level for level in problem["gpu"]["levels"]}
    total = 0
    for i, slot in enumerate(made["slots"]):
        slot["start"] = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(start + i * SLOT_S))
        slot["start_local"] = time.strftime("%Y-%m-%dT%H:%M:%S+01:00", time.gmtime(start + i * SLOT_S + 3600))
        slot["duration_s"] = SLOT_S
        parts = ((LOW, 0.5), (HIGH, 0.5)) if i % 2 else ((MIDDLE, 0.4), (MIDDLE + 20, 0.6))
        slot["levels"] = [{"limit_w": by_limit[watts]["limit_w"], "draw_w": by_limit[watts]["draw_w"], "share": share} for watts, share in parts]
        slot["progress"] = sum(share * SLOT_S / 3600 / by_limit[watts]["job_time_h"] for watts, share in parts)
        load_wh = sum(share * SLOT_S / 3600 * watts for watts, share in parts)
        slot["load_wh"] = slot["grid_import_wh"] = slot["grid_to_gpu_wh"] = load_wh
        slot["gpu_power_w"] = load_wh * 3600 / SLOT_S
        slot["import_price_eur_per_kwh"] = 0.01
        total += slot["progress"]
        slot["progress_total"] = total
    load_wh = sum(slot["load_wh"] for slot in made["slots"])
    cost = load_wh / 1000 * 0.01
    made["load_wh"] = made["gpu_energy_wh"] = made["grid_import_wh"] = load_wh
    made["cost_eur"] = made["objective_eur"] = made["bound_eur"] = made["cost"]["import_eur"] = cost
    made["carbon_kg"] = sum(slot["load_wh"] * slot["carbon_g_per_kwh"] for slot in made["slots"]) / 1e6
    made["progress"] = total
    problem["work"] = 0.8 * total  # room, so that the deadline asks for nothing
    return made

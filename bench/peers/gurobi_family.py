"""Gurobi as a contender on the study's family.

    gurobi_family.py INSTANCES      a file that dispatch_bench --instances wrote; a request is an instance's place in it,
                                    and with " twice" behind it the second of two solves in a row counts

The formulations are written from their definition, without a look at heliograd's: `paper` is equations (1)-(16) less
(15) of Yin, Chen, Vallero, Meo, MSWiM 2025, section VI, in the paper's symbols; `levels` and `blend` are one bus with
direction binaries where a slot could otherwise buy and sell at a profit. Energies in kWh, money in EUR.
"""
import json
import sys

from answer import Stopwatch, answer_requests, decline

try:
    import gurobipy
    from gurobipy import GRB, quicksum
except ImportError as error:
    decline(f"gurobipy is not installed ({error})")

TOLERANCE_EUR = 0.001


def silent_environment():
    """Gurobi with the settings of the comparison: one thread, an absolute gap in money."""
    environment = gurobipy.Env(empty=True)
    environment.setParam("OutputFlag", 0)
    environment.start()
    environment.setParam("Threads", 1)
    environment.setParam("MIPGap", 0)
    environment.setParam("MIPGapAbs", TOLERANCE_EUR)
    return environment


class Data:
    """One instance in kWh, kW, EUR and h."""

    def __init__(self, instance):
        self.formulation = instance["formulation"]
        self.h = instance["slot_h"]
        self.pv = [wh / 1000 for wh in instance["pv_wh"]]
        self.q = instance["import_price_eur_per_kwh"]
        self.p = instance["export_price_eur_per_kwh"]
        self.e_max = instance["capacity_wh"] / 1000
        self.alpha = instance["charge_efficiency"]
        self.beta = instance["discharge_efficiency"]
        self.rho = (1 - instance["self_discharge_per_hour"]) ** self.h
        self.power = [level["power_w"] / 1000 for level in instance["levels"]]
        self.job_time = [level["job_time_h"] for level in instance["levels"]]
        self.work = instance["work"]
        self.slots = range(len(self.pv))
        self.levels = range(len(self.power))


def add_gpu(model, data, vtype):
    """Shares y of each level and slot with the work constraint (16); gives y and the GPU's energy per slot (4)."""
    y = model.addVars(data.slots, data.levels, ub=1, vtype=vtype)
    energy = [quicksum(y[t, k] * data.power[k] * data.h for k in data.levels) for t in data.slots]
    model.addConstr(quicksum(y[t, k] * data.h / data.job_time[k] for t in data.slots for k in data.levels) >= data.work)
    return y, energy


def build_paper(model, data):
    y, gpu = add_gpu(model, data, GRB.BINARY)
    p_sol, r_sol, w_sol, p_grid, r_grid, d_dc, d_grid = (model.addVars(data.slots) for _ in range(7))
    e = model.addVars(data.slots, ub=data.e_max)  # (11)
    e[0].UB = 0  # (12); with (10) nothing leaves the battery in the first slot either
    for t in data.slots:
        model.addConstr(y.sum(t, "*") == 1)  # (3)
        model.addConstr(p_sol[t] + r_sol[t] + w_sol[t] == data.pv[t])  # (5)
        model.addConstr(d_dc[t] + d_grid[t] <= e[t])  # (10)
        model.addConstr(r_sol[t] + r_grid[t] <= data.e_max - e[t])  # (7), (13)
        model.addConstr(p_sol[t] + p_grid[t] + data.beta * d_dc[t] == gpu[t])  # (14)
        if t > 0:
            charged = data.alpha * (r_sol[t - 1] + r_grid[t - 1])
            model.addConstr(e[t] == data.rho * (e[t - 1] - d_dc[t - 1] - d_grid[t - 1] + charged))  # (9)
    model.setObjective(quicksum((p_grid[t] + r_grid[t]) * data.q[t] - (w_sol[t] + data.beta * d_grid[t]) * data.p[t]
                                for t in data.slots))  # (1), (2), (6), (8)


def build_bus(model, data):
    whole = data.formulation == "levels"
    y, gpu = add_gpu(model, data, GRB.BINARY if whole else GRB.CONTINUOUS)
    charge_max = data.e_max / (data.alpha * data.rho)  # fills an empty battery within one slot
    import_max = max(data.power) * data.h + charge_max
    used = model.addVars(data.slots, ub=data.pv)
    bought = model.addVars(data.slots, ub=import_max)
    sold = model.addVars(data.slots, ub=[pv + data.beta * data.e_max for pv in data.pv])
    charge = model.addVars(data.slots, ub=charge_max)
    discharge = model.addVars(data.slots, ub=data.e_max)
    stored = model.addVars(len(data.slots) + 1, ub=data.e_max)
    stored[0].UB = 0
    for t in data.slots:
        model.addConstr(y.sum(t, "*") <= 1)
        model.addConstr(used[t] + bought[t] + data.beta * discharge[t] == gpu[t] + charge[t] + sold[t])
        model.addConstr(stored[t + 1] == data.rho * (stored[t] - discharge[t] + data.alpha * charge[t]))
        model.addConstr(discharge[t] <= stored[t])
        # Elsewhere buying what is sold again loses money; prices are never negative here, so cycling the battery too.
        if data.p[t] >= data.q[t]:
            buys = model.addVar(vtype=GRB.BINARY)
            model.addConstr(bought[t] <= import_max * buys)
            model.addConstr(sold[t] <= (data.pv[t] + data.beta * data.e_max) * (1 - buys))
    model.setObjective(quicksum(bought[t] * data.q[t] - sold[t] * data.p[t] for t in data.slots))


def solve_request(environment, instances, request):
    place, _, twice = request.partition(" ")
    if twice:
        solve(environment, instances[int(place)])
    return solve(environment, instances[int(place)])


def solve(environment, instance):
    """Building in Python is timed apart: `ms` is the solver alone, which favours Gurobi."""
    building = Stopwatch()
    data = Data(instance)
    with gurobipy.Model(env=environment) as model:
        (build_paper if data.formulation == "paper" else build_bus)(model, data)
        model.update()
        build_ms = building.ms()
        solving = Stopwatch()
        model.optimize()
        ms, cpu_ms = solving.ms(), solving.cpu_ms()
        optimal = model.Status == GRB.OPTIMAL
        return {"ms": ms, "cpu_ms": cpu_ms, "build_ms": build_ms, "optimal": optimal, "cost_eur": model.ObjVal,
                "bound_eur": model.ObjBound if model.IsMIP else model.ObjVal}


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        instances = json.load(file)
    try:
        environment = silent_environment()
    except gurobipy.GurobiError as error:
        decline(f"Gurobi has no licence here ({error})")
    version = ".".join(map(str, gurobipy.gurobi.version()))
    answer_requests(f"Gurobi {version}", lambda request: solve_request(environment, instances, request))


main()

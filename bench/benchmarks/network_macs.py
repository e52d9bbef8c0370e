"""MACs and parameters of the 22 networks, heliograd beside ptflops and fvcore."""
import csv
import sys

from contenders import in_turns, median, quantile, start
from report import RUN, Report, number

PROGRAM = "build/bench/mac_bench"
PEER = "bench/peers/network_macs.py"
PEERS = ("heliograd", "ptflops", "fvcore")


def reference():
    with open("data/models/macs.csv", newline="", encoding="utf-8") as file:
        return {row["model"]: row for row in csv.DictReader(file) if row["dataset"] == "cifar100"}


def measure(repetitions):
    rows = reference()
    contenders = start([[PROGRAM], *([sys.executable, PEER, peer] for peer in PEERS)])
    answers = in_turns(contenders, list(rows), repetitions)
    summaries = [summary(name, of_network, rows) for name, of_network in answers.items()]
    ours = answers["heliograd"]
    predicted = [ours[network][0]["ptflops"] for network in rows]
    notes = [f"one image of 3 x 224 x 224, 100 classes; {repetitions} counts of each of {len(rows)} networks in turns, one thread; "
             "building the PyTorch module is not timed, heliograd's putting together of the layers is",
             "MACs proper: convolutions, linear layers and attention, without bias. ptflops and fvcore run the network and "
             "count norms and more besides, so their sums differ by design; heliograd counts from shapes"]
    for name, of_network in answers.items():
        if name.startswith("ptflops"):
            same = sum(of_network[network][0]["macs"] == sum_of for network, sum_of in zip(rows, predicted))
            notes.append(f"heliograd's `ptflops_0_7_5` equals what {name} printed in this run for {same} of {len(rows)} networks")
    return Report(
        name="network_macs", title="MACs of the 22 networks", command=f"{RUN} --only network_macs --repetitions {repetitions}",
        header=["program", "p50", "slowest network", "p50 of processor time", "parameters right", "MACs proper right",
                "largest distance of MACs"],
        rows=[row(one) for one in summaries], notes=notes, data={"summaries": summaries})


def summary(name, of_network, rows):
    wall = [one["wall_ms"] for answers in of_network.values() for one in answers]
    cpu = [one["cpu_ms"] for answers in of_network.values() for one in answers]
    slowest = max(of_network, key=lambda network: median([one["wall_ms"] for one in of_network[network]]))
    proper = {network: int(row["macs_conv_linear"]) + int(row["macs_attn_matmul"]) for network, row in rows.items()}
    found = {network: of_network[network][0]["macs"] for network in rows}
    return {"name": name, "p50_ms": median(wall), "p99_ms": quantile(wall, 0.99), "cpu_p50_ms": median(cpu), "slowest": slowest,
            "slowest_ms": median([one["wall_ms"] for one in of_network[slowest]]),
            "parameters_right": sum(of_network[network][0]["parameters"] == int(row["params_total"]) for network, row in rows.items()),
            "macs_right": sum(found[network] == proper[network] for network in rows), "networks": len(rows),
            "largest_distance_percent": max(abs(found[network] / proper[network] - 1) * 100 for network in rows), "macs": found}


def row(one):
    return [one["name"], number(one["p50_ms"], "ms"), f"{one['slowest']}, {number(one['slowest_ms'], 'ms')}",
            number(one["cpu_p50_ms"], "ms"), f"{one['parameters_right']} of {one['networks']}",
            f"{one['macs_right']} of {one['networks']}", number(one["largest_distance_percent"], "%")]

"""A batch of images resized to what networks take, heliograd beside PyTorch and beside merely filling the memory."""
from contenders import in_turns, median, quantile, start
from report import RUN, Report, number

COMMANDS = (["build/bench/resize_bench"], ["build/bench/resize_bench", "--fill"],
            [".venv-python/bin/python", "bench/peers/torch_resize.py"])
BATCHES_IN_A_TURN = 5
TURNS_PER_REPETITION = 3
IMAGES = 128


def measure(repetitions):
    answers = in_turns(start(COMMANDS), [BATCHES_IN_A_TURN], repetitions * TURNS_PER_REPETITION)
    summaries = [summary(name, turns[BATCHES_IN_A_TURN]) for name, turns in answers.items()]
    return Report(
        name="resize",
        title="Resizing: 128 images of 3x32x32 bytes to normalised 3x224x224, one thread",
        command=f"{RUN} --only resize --repetitions {repetitions}",
        header=["program", "p50", "p99", "p50 of processor time", "images/s", "time / heliograd's (p50, processor)"],
        rows=[row(one, summaries[0]) for one in summaries],
        notes=["77 MB are written for each batch: filling as much memory with one value is the bound",
               "PyTorch normalises the small images and writes into memory made before, as heliograd does"],
        data={"summaries": summaries})


def summary(name, turns):
    wall = [ms for turn in turns for ms in turn["times_ms"]]
    cpu = [ms for turn in turns for ms in turn["cpu_times_ms"]]
    return {"name": name, "wall_ms": wall, "cpu_ms": cpu, "p50_ms": median(wall), "p99_ms": quantile(wall, 0.99),
            "cpu_p50_ms": median(cpu)}


def row(one, ours):
    ratios = f"{number(one['p50_ms'] / ours['p50_ms'])}, {number(one['cpu_p50_ms'] / ours['cpu_p50_ms'])}"
    return [one["name"], number(one["p50_ms"], "ms"), number(one["p99_ms"], "ms"), number(one["cpu_p50_ms"], "ms"),
            f"{IMAGES / one['p50_ms'] * 1000:.0f}", ratios]

"""What marking the steps of a training costs it, beside Zeus windows; and what memory `profile` needs beyond PyTorch's."""
import json
import math
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile

from report import RUN, Report, number

TRAINING = "build/bench/torch_training"
NETWORK, BATCH, TURN_ITERATIONS = "googlenet_mod9", 4, 2  # short turns: what is near in time is alike
PYTHON_TURN_ITERATIONS = 2
MEMORY_BATCHES = (4, 32)
MEMORY_ITERATIONS = 6
NORMAL_975 = 1.96
MEBIBYTE = 1024  # KiB


def measure(repetitions):
    busy = os.getloadavg()[0]
    with tempfile.TemporaryDirectory() as folder:
        env = simulated_gpu(pathlib.Path(folder))
        native = native_turns(env, 40 * repetitions)
        scripted = python_turns(env, 100 * repetitions)
        memories = [memory(batch, env, repetitions) for batch in MEMORY_BATCHES]
    rows = [*cost_rows("C++, the loop of `profile`", native, "unmarked"), *cost_rows("Python", scripted, "unmarked")]
    rows += [["memory", f"{NETWORK}, batch {batch}", number(bare, "MiB"), number(ours, "MiB"), f"{ours - bare:+.0f} MiB", ""]
             for batch, bare, ours in memories]
    return Report(
        name="marking",
        title="Marking the steps of a training: time and memory beyond the training's own",
        command=f"{RUN} --only marking --repetitions {repetitions}",
        header=["where", "what", "without", "with", "difference (median of pairs)", "its 95 % interval"],
        rows=rows,
        notes=[f"in turns within one process, the order changing; one thread; on the simulated GPU, which is polled every 2 ms all the time; "
               f"load average {busy:.1f} when it began; goal: under 0.5 %",
               f"C++: {NETWORK} at batch {BATCH}, {TURN_ITERATIONS} iterations a turn; unmarked: the same loop, told to nobody; bare: a plain loop, "
               "which does not add up loss and accuracy and is other code",
               f"Python: a network of two convolutions, {PYTHON_TURN_ITERATIONS} iterations a turn; five steps each",
               "memory: peak resident set of the whole program against a plain loop in C++ on the same network, images and loader; goal: under 50 MiB"],
        data={"native": native, "python": scripted, "memory_mib": memories, "load_average_1_min": busy})


def simulated_gpu(folder):
    (folder / "gpu.toml").write_text("[[gpu]]\n", encoding="utf-8")
    return {**os.environ, "LD_LIBRARY_PATH": "build/sim", "HELIOGRAD_SIM_GPU": str(folder / "gpu.toml"), "XDG_STATE_HOME": str(folder),
            "HELIOGRAD_LIBRARY": str(pathlib.Path("build/libheliograd.so").resolve())}


def native_turns(env, turns):
    """[(which, wall s, processor s)]."""
    lines = run([TRAINING, "turns", NETWORK, BATCH, turns, TURN_ITERATIONS], env).splitlines()
    return [(which, float(wall), float(cpu)) for which, wall, cpu in map(str.split, lines)]


def python_turns(env, turns):
    lines = run([".venv-bench/bin/python", "bench/peers/torch_marking.py", turns, PYTHON_TURN_ITERATIONS], env).splitlines()
    return [(record["which"], record["wall_s"], record["cpu_s"]) for record in map(json.loads, lines)]


def run(command, env):
    done = subprocess.run([str(word) for word in command], env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if done.returncode != 0:
        raise RuntimeError(f"{command[0]}: exit code {done.returncode}: {done.stderr.strip()}")
    sys.stderr.write(done.stderr)
    return done.stdout


def cost_rows(where, turns, base):
    """A row for each way of marking and each clock: paired with the nearest unmarked turn."""
    others = list(dict.fromkeys(which for which, *_ in turns if which != base))
    return [cost_row(where, f"{other}, {clock}", turns, base, other, column)
            for other in others for clock, column in (("wall clock", 1), ("processor time", 2))]


def cost_row(where, what, turns, base, other, column):
    bare = [turn[column] for turn in turns if turn[0] == base]
    marked = [turn[column] for turn in turns if turn[0] == other]
    differences = sorted(100 * math.log(b / a) for a, b in zip(bare, marked))
    rank = max(0, int(len(differences) / 2 - NORMAL_975 * math.sqrt(len(differences)) / 2))
    without, middle = statistics.median(bare), statistics.median(differences)
    extra_us = without * math.expm1(middle / 100) * 1e6
    return [where, what, number(1e3 * without, "ms"), number(1e3 * statistics.median(marked), "ms"),
            f"{middle:+.2f} % ({extra_us:+.0f} us an iteration)", f"{differences[rank]:+.2f} to {differences[-1 - rank]:+.2f} %"]


def memory(batch, env, repetitions):
    """Peaks in MiB: (batch, a plain loop's, `profile`'s), the lowest of the repetitions each."""
    env = {**env, "OMP_NUM_THREADS": "1"}
    bare = min(peak([TRAINING, "bare", NETWORK, batch, MEMORY_ITERATIONS], env) for _ in range(repetitions))
    ours = min(peak(["build/heliograd", "profile", NETWORK, "--data", "synthetic", "--batch", batch, "--iterations", MEMORY_ITERATIONS],
                    env) for _ in range(repetitions))
    return batch, bare, ours


def peak(command, env):
    with subprocess.Popen([str(word) for word in command], env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise RuntimeError(f"{command[0]}: exit code {process.returncode}")
    return usage.ru_maxrss / MEBIBYTE

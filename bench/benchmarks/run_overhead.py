"""What carrying a plan out costs the job: the same load on the processor bare and under `run`, in turns."""
import math
import os
import pathlib
import statistics
import subprocess
import tempfile
import time

from report import RUN, Report, number

PROGRAM = "build/heliograd"
LOAD = "build/bench/cpu_training"
PAIRS = 40
TURN_S = 4
WARM_S = 1  # of each turn, which does not count
STUDENT_975 = 2.02  # 39 degrees of freedom
NORMAL_975 = 1.96
OWN_S = 60  # over which run's own processor time is read


def measure(_repetitions):
    busy = os.getloadavg()[0]
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        (folder / "gpu.toml").write_text("[[gpu]]\n", encoding="utf-8")
        env = {**os.environ, "LD_LIBRARY_PATH": "build/sim", "HELIOGRAD_SIM_GPU": str(folder / "gpu.toml"), "XDG_STATE_HOME": str(folder)}
        # One processor for both, so that whatever run takes it takes from the job.
        pinned = ["taskset", "-c", str(max(os.sched_getaffinity(0)))]
        subprocess.run([PROGRAM, "plan", "builtin:paper", "--start", "now", "--hours", "14", "--set", "job.work=0.95", "-o", folder / "plan.json"],
                       check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        pairs = [pair(folder, env, pinned, i) for i in range(PAIRS)]
        own = own_share(folder, env, pinned)
    rows = [row(what, pairs, key) for what, key in (("wall clock of an iteration", "wall_s"), ("processor time of an iteration", "processor_s"))]
    share = own["processor_s"] / own["wall_s"]
    return Report(
        name="run_overhead",
        title="Carrying out: what it costs the job",
        command=f"{RUN} --only run_overhead",
        header=["what", "bare", "under `run`: mean of paired differences", "95 % interval", "median", "its 95 % interval"],
        rows=rows + [["processor time of `run` itself, of a core", "", number(100 * share, "%"), "", "", ""]],
        notes=[f"the same load on one thread, bare and under `run`, both on one processor, in real time on the simulated GPU; {PAIRS} pairs of "
               f"turns of {TURN_S} s of which the first {WARM_S} s does not count, the order within a pair changing; load average {busy:.1f} "
               "when it began; goal: under 0.2 %",
               f"run's own: all of its threads over {OWN_S} s, in which it slept {own['switches'] / own['wall_s']:.0f} times a second; "
               "the simulated driver's calls (20 us each on the caller's processor) and its thread are in it",
               "the interval of the mean is Student's over the pairs, that of the median order statistics, which outliers of a busy machine do "
               "not widen"],
        data={"pairs": pairs, "own": own, "load_average_1_min": busy})


def row(name, pairs, key):
    differences = sorted(100 * math.log(each[True][key] / each[False][key]) for each in pairs)
    mean = statistics.mean(differences)
    half = STUDENT_975 * statistics.stdev(differences) / math.sqrt(len(differences))
    rank = int(len(differences) / 2 - NORMAL_975 * math.sqrt(len(differences)) / 2)
    bare = statistics.median(each[False][key] for each in pairs)
    return [name, number(1000 * bare, "ms"), f"{mean:+.2f} %", f"{mean - half:+.2f} to {mean + half:+.2f} %",
            f"{statistics.median(differences):+.2f} %", f"{differences[rank]:+.2f} to {differences[-1 - rank]:+.2f} %"]


def pair(folder, env, pinned, index):
    return {carried: turn(folder, env, pinned, index, carried) for carried in ((True, False) if index % 2 else (False, True))}


def turn(folder, env, pinned, index, carried):
    """Means over the iterations of one turn."""
    load = [LOAD, str(TURN_S)]
    command = [PROGRAM, "run", folder / "plan.json", "-o", folder / f"run{index}", "--", *load] if carried else load
    done = subprocess.run([*pinned, *command], env=env, capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError(f"run_overhead: exit code {done.returncode}: {done.stderr[-2000:]}")
    lines = [tuple(map(float, line.split())) for line in done.stdout.splitlines() if line[:1].isdigit() and len(line.split()) == 3]
    counted = [line for line in lines if line[0] - lines[0][0] > WARM_S]
    return {"wall_s": statistics.mean(line[1] for line in counted), "processor_s": statistics.mean(line[2] for line in counted),
            "iterations": len(counted)}


def own_share(folder, env, pinned):
    """Of the run's process alone, between its second second and its last."""
    run = subprocess.Popen([*pinned, PROGRAM, "run", folder / "plan.json", "-o", folder / "own", "--", "sleep", str(OWN_S + 6)], env=env,
                           stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    time.sleep(2)
    begin, before = time.monotonic(), processor_of(run.pid)
    time.sleep(OWN_S)
    after, end = processor_of(run.pid), time.monotonic()
    if run.wait() != 0:
        raise RuntimeError("run_overhead: run failed")
    threads = {name: spent[0] - before.get(name, (0, 0))[0] for name, spent in after.items()}
    switches = sum(spent[1] - before.get(name, (0, 0))[1] for name, spent in after.items())
    return {"wall_s": end - begin, "processor_s": sum(threads.values()), "threads_s": threads, "switches": switches}


def processor_of(pid):
    """Each thread's processor time in s and number of times on a processor."""
    found = {}
    for folder in pathlib.Path(f"/proc/{pid}/task").iterdir():
        spent_ns, _, times = (folder / "schedstat").read_text().split()
        found[folder.name] = (int(spent_ns) / 1e9, int(times))
    return found

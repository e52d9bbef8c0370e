"""What carrying a plan out costs the job: a load on the processor, with `run` stopped and let go on in turns."""
import os
import pathlib
import subprocess
import tempfile
import time

import stop_and_go
from report import RUN, Report, number

PROGRAM = "build/heliograd"
LOAD = "build/bench/cpu_training"
PAIRS = 600
TURN_S = 0.25
WARM_S = 3
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
        turns, iterations = alternate(folder, env, pinned)
        own = own_share(folder, env, pinned)
    rows = stop_and_go.rows(turns, iterations)
    share = own["processor_s"] / own["wall_s"]
    return Report(
        name="run_overhead",
        title="Carrying out: what it costs the job",
        command=f"{RUN} --only run_overhead",
        header=stop_and_go.HEADER,
        rows=rows + [["processor time of `run` itself, of a core", "", number(100 * share, "%"), "", "", ""]],
        notes=[f"one load on one thread as the job of `run`, both on one processor, in real time on the simulated GPU; `run` is stopped and let "
               f"go on in turns of {TURN_S} s, {PAIRS} pairs, the order within a pair changing; load average {busy:.1f} when it began; goal: "
               "under 0.2 %",
               f"run's own: all of its threads over {OWN_S} s, in which it slept {own['switches'] / own['wall_s']:.0f} times a second; "
               "the simulated driver's calls (20 us each on the caller's processor) and its thread are in it",
               stop_and_go.NOTE],
        data={"rows": rows, "own": own, "load_average_1_min": busy})


def alternate(folder, env, pinned):
    load = [LOAD, str(stop_and_go.seconds(PAIRS, TURN_S) + 2 * WARM_S)]
    with open(folder / "iterations", "w+", encoding="utf-8") as output:
        run = subprocess.Popen([*pinned, PROGRAM, "run", folder / "plan.json", "-o", folder / "run", "--", *load], env=env, stdout=output,
                               stderr=subprocess.DEVNULL)
        time.sleep(WARM_S)
        # To the process alone: a terminal's stop would go to the job as well.
        turns = stop_and_go.alternate(run.pid, PAIRS, TURN_S)
        if run.wait() != 0:
            raise RuntimeError("run_overhead: run failed")
        output.seek(0)
        return turns, stop_and_go.iterations(output)


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

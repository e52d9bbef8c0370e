"""A contender written in Python: see bench/contender.h for the protocol."""
import json
import sys
import time


def say(record):
    print(json.dumps(record), flush=True)


def answer_requests(name, answer):
    """Says its name, then answers each line of standard input with one line of JSON."""
    say({"name": name})
    for line in sys.stdin:
        say(answer(line.strip()))


class Stopwatch:
    """Wall clock, and processor time of the whole program, from its making."""

    def __init__(self):
        self.wall_start, self.cpu_start = time.perf_counter(), time.process_time()

    def ms(self):
        return (time.perf_counter() - self.wall_start) * 1000

    def cpu_ms(self):
        return (time.process_time() - self.cpu_start) * 1000


def timed_years(simulate_year, years):
    """Times of `years` calls one after the other."""
    times_ms, cpu_times_ms = [], []
    for _ in range(years):
        watch = Stopwatch()
        simulate_year()
        times_ms.append(watch.ms())
        cpu_times_ms.append(watch.cpu_ms())
    return {"times_ms": times_ms, "cpu_times_ms": cpu_times_ms}


def decline(reason):
    """The peer cannot run here: its comparison is skipped, which is no failure."""
    say({"unavailable": reason})
    sys.exit(0)

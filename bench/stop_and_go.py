"""What a watching program costs a load: one load runs on, the watcher is stopped and let go on in short turns, so that
whatever drifts with the machine meets both."""
import bisect
import math
import os
import signal
import statistics
import time

NORMAL_975 = 1.96
HEADER = ["what", "without", "mean of paired differences", "95 % interval", "median", "its 95 % interval"]
NOTE = "the interval of the median is that of order statistics, which outliers of a busy machine do not widen"


def seconds(pairs, turn_s):
    """How long `alternate` takes."""
    return 2 * pairs * turn_s


def alternate(watcher_pid, pairs, turn_s):
    """[(watched?, begin, end)], the order within a pair changing; the watcher goes on afterwards."""
    def turn(watched):
        os.kill(watcher_pid, signal.SIGCONT if watched else signal.SIGSTOP)
        begin = time.monotonic()
        time.sleep(turn_s)
        return watched, begin, time.monotonic()
    turns = [turn(watched) for i in range(pairs) for watched in ((True, False) if i % 2 else (False, True))]
    os.kill(watcher_pid, signal.SIGCONT)
    return turns


def iterations(lines):
    """Of bench/cpu_training: (end, wall, processor) in seconds, in order; other lines are passed over."""
    split = (line.split() for line in lines)
    return [tuple(map(float, words)) for words in split if len(words) == 3 and words[0][:1].isdigit()]


def rows(turns, found):
    return [row(name, turns, found, column) for name, column in (("wall clock of an iteration", 1), ("processor time of an iteration", 2))]


def row(name, turns, found, column):
    ends = [iteration[0] for iteration in found]

    def mean(begin, end):
        # The first iteration may have begun in the turn before.
        inside = found[bisect.bisect_left(ends, begin) + 1:bisect.bisect_right(ends, end)]
        return statistics.mean(iteration[column] for iteration in inside)

    means = [(watched, mean(begin, end)) for watched, begin, end in turns]
    pairs = [dict(means[i:i + 2]) for i in range(0, len(means), 2)]
    differences = sorted(100 * math.log(pair[True] / pair[False]) for pair in pairs)
    average = statistics.mean(differences)
    half = NORMAL_975 * statistics.stdev(differences) / math.sqrt(len(differences))
    rank = int(len(differences) / 2 - NORMAL_975 * math.sqrt(len(differences)) / 2)
    without = statistics.median(pair[False] for pair in pairs)
    return [name, f"{1000 * without:.3g} ms", f"{average:+.2f} %", f"{average - half:+.2f} to {average + half:+.2f} %",
            f"{statistics.median(differences):+.2f} %", f"{differences[rank]:+.2f} to {differences[-1 - rank]:+.2f} %"]

"""Programs measured in turns, so that a busy moment of the machine meets all of them."""
import json
import subprocess
import sys


class Unavailable(Exception):
    """A peer that cannot run here: its comparison is skipped."""


class Contender:
    """A running program that answers one request at a time (protocol: bench/contender.h)."""

    def __init__(self, command):
        self.command = command
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        greeting = self._read()
        if "unavailable" in greeting:
            self.process.wait()
            raise Unavailable(greeting["unavailable"])
        self.name = greeting["name"]

    def ask(self, request):
        self.process.stdin.write(f"{request}\n")
        self.process.stdin.flush()
        return self._read()

    def close(self):
        self.process.stdin.close()
        self.process.wait()

    def _read(self):
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"{' '.join(self.command)}: ended with exit code {self.process.wait()}")
        return json.loads(line)


def start(commands):
    """Starts the contenders, the first of which is heliograd; peers that are not available are named and left out."""
    started = []
    for command in commands:
        try:
            started.append(Contender(command))
        except Unavailable as reason:
            print(f"bench: skipped `{' '.join(command)}`: {reason}", file=sys.stderr)
    return started


def in_turns(contenders, requests, repetitions):
    """Asks every contender every request `repetitions` times, one after the other, each time another one first.

    Gives answers[contender's name][request] = list of answers. One answer to the first request comes before, uncounted:
    what a program loads once is not part of any time.
    """
    for contender in contenders:
        contender.ask(requests[0])
    answers = {contender.name: {request: [] for request in requests} for contender in contenders}
    for repetition in range(repetitions):
        for place, request in enumerate(requests):
            turn = (repetition + place) % len(contenders)
            for contender in contenders[turn:] + contenders[:turn]:
                answers[contender.name][request].append(contender.ask(request))
    for contender in contenders:
        contender.close()
    return answers


def start_cold(contenders, requests):
    """The first answer of each contender's program to each request, started anew for it; in turns, as in_turns gives them."""
    answers = {contender.name: {} for contender in contenders}
    for place, request in enumerate(requests):
        turn = place % len(contenders)
        for contender in contenders[turn:] + contenders[:turn]:
            fresh = Contender(contender.command)
            answers[contender.name][request] = [fresh.ask(request)]
            fresh.close()
    return answers


def median(values):
    return quantile(values, 0.5)


def quantile(values, q):
    """The value at rank q of the sorted values, interpolated between neighbours."""
    ordered = sorted(values)
    position = q * (len(ordered) - 1)
    low = int(position)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (position - low) * (ordered[high] - ordered[low])

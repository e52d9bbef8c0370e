"""A contender written in Python: see bench/contender.h for the protocol."""
import json
import sys


def say(record):
    print(json.dumps(record), flush=True)


def answer_requests(name, answer):
    """Says its name, then answers each line of standard input with one line of JSON."""
    say({"name": name})
    for line in sys.stdin:
        say(answer(line.strip()))


def decline(reason):
    """The peer cannot run here: its comparison is skipped, which is no failure."""
    say({"unavailable": reason})
    sys.exit(0)

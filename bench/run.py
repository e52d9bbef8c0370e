#!/usr/bin/env python3
"""Measures heliograd beside its peers. `make bench` builds and installs what this needs, then runs all of it.

    .venv-bench/bin/python bench/run.py                    everything
    .venv-bench/bin/python bench/run.py --only dispatch    one benchmark

Prints a table per benchmark and leaves every number in out/bench: NAME.json each, results.md for people. No time is
ever asserted: each is read beside the peer's of the same run.
"""
import argparse
import os
import pathlib
import sys

from benchmarks import (dispatch, limit_edges, long_horizons, marking, metering_overhead, network_macs, offgrid, program_start,
                        pv_year, resize, run_overhead, run_store, sampler, study_rate, truth)
from report import machine, markdown, write, write_page

BENCHMARKS = {"pv_year": pv_year.measure, "dispatch": dispatch.measure, "program_start": program_start.measure,
              "offgrid": offgrid.measure, "long_horizons": long_horizons.measure, "study_rate": study_rate.measure,
              "sampler": sampler.measure, "run_store": run_store.measure,
              "metering_overhead": metering_overhead.measure, "resize": resize.measure,
              "network_macs": network_macs.measure, "marking": marking.measure, "limit_edges": limit_edges.measure,
              "run_overhead": run_overhead.measure}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", choices=[*BENCHMARKS, "truth"], action="append", help="measure this one (repeatable)")
    parser.add_argument("--repetitions", type=int, default=3, help="runs of each instance, of which the median counts")
    parser.add_argument("--truth-runs", type=int, default=40, help="runs of each cell of the truth's tables")
    parser.add_argument("--truth-long", action="store_true", help="the truth's long tables too")
    options = parser.parse_args()
    os.chdir(pathlib.Path(__file__).resolve().parent.parent)
    where = machine()
    reports = []
    for name in options.only or [*BENCHMARKS, "truth"]:
        print(f"bench: measuring {name}", file=sys.stderr, flush=True)
        try:
            found = (truth.measure(options.truth_runs, options.truth_long) if name == "truth"
                     else [BENCHMARKS[name](options.repetitions)])
        except FileNotFoundError as error:
            sys.exit(f"bench: {error.filename} is missing: `make bench` builds it")
        for report in found:
            write(report, where)
            print(markdown(report), flush=True)
        reports += found
        write_page(reports, where)
    print("bench: written to out/bench", file=sys.stderr)


main()

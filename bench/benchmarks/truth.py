"""The estimators of slow power sensors against the truth of simulated ones: how often the intervals hold it."""
import json
import subprocess

from report import RUN, Report, number

PROGRAM = "build/bench/truth"
LEAST_COVERAGE = 0.9


def measure(_repetitions):
    data = json.loads(subprocess.run([PROGRAM], check=True, capture_output=True, text=True).stdout)
    return Report(
        name="truth",
        title="Truth: how often a 95 % interval holds the simulated truth",
        command=f"{RUN} --only truth",
        header=["what", "case", "runs", "covered", "identified", "half-width", "closure at 95 % of runs", "refused"],
        rows=[window(cell) for cell in data["windows"]] + [phase(cell) for cell in data["phases"]]
        + [sweep(cell) for cell in data["sweeps"]],
        notes=["windows of 30 s: joules with the gain in the interval, then apart from the gain, which a run draws once; half-widths "
               "are without it",
               "phases: shares of those with 5 % of the energy or more, then joules, then pooled groups; half-widths of shares",
               "closure: the estimated total against the truth as the sensor's gain and offset show it",
               "sweeps: the knee, least energy x time, and where limits stop binding; the width is of the knee's interval",
               below(data)],
        data=data)


def share(part, whole):
    return f"{part / whole:.2f}" if whole else "-"


def percent(value):
    return number(100 * value, "%")


def window(cell):
    resolved = cell["runs"] - cell["unresolved"]
    return [f"window, {cell['iteration_s'] * 1000:.0f} ms iterations", cell["sensor"], str(cell["runs"]),
            f"{share(cell['covered'], resolved)} / {share(cell['shown_covered'], resolved)}", share(resolved, cell["runs"]), percent(cell["half_width"]),
            percent(cell["error_95"]), str(cell["unresolved"])]


def phase(cell):
    covered = "{} / {} / {}".format(share(cell["share_covered"], cell["phases"]),
                                    share(cell["energy_covered"], cell["phases"]),
                                    share(cell["groups_covered"], cell["groups"]))
    return [f"phases, {cell['iteration_s'] * 1000:.0f} ms iterations, {cell['length_s']:.0f} s", cell["sensor"],
            str(cell["runs"]), covered, share(cell["identified"], cell["phases"]), percent(cell["share_half_width"]),
            percent(cell["closure_95"]), str(cell["refused"])]


def sweep(cell):
    covered = " / ".join(share(cell[key], cell["runs"]) for key in
                         ("knee_covered", "energy_time_covered", "binding_covered"))
    return [f"sweep, {cell['rounds']} rounds, scatter {percent(cell['scatter'])}", cell["curve"], str(cell["runs"]),
            covered, share(cell["knee_within_step"], cell["runs"]), number(cell["width_w"], "W"), "-", "0"]


def below(data):
    """Names the cells that fall short, so that nobody has to look for them."""
    short = [f"{cell['sensor']} at {cell['iteration_s'] * 1000:.0f} ms, {cell['length_s']:.0f} s"
             for cell in data["phases"] if cell["share_covered"] < LEAST_COVERAGE * cell["phases"]]
    short += [f"window of {cell['sensor']} at {cell['iteration_s'] * 1000:.0f} ms" for cell in data["windows"]
              if cell["shown_covered"] < LEAST_COVERAGE * (cell["runs"] - cell["unresolved"])]
    short += [f"knee, {cell['curve']}, {cell['rounds']} rounds" for cell in data["sweeps"]
              if cell["knee_covered"] < LEAST_COVERAGE * cell["runs"]]
    return "covered in less than 90 %: " + ("; ".join(short) if short else "no cell")

"""The estimators of slow power sensors against the truth of simulated ones: how often the intervals hold it."""
import json
import subprocess

from report import RUN, Report, number

PROGRAM = "build/bench/truth"
LEAST_COVERAGE = 0.9
SHORT_TABLES = ["windows", "phases", "sweeps", "coverage", "closure"]
LONG_TABLES = ["calibrated", "miscalibration", "rough"]


def measure(runs, long):
    """One report per table. The program's results depend on `runs` alone, not on the machine."""
    reports = []
    for table in SHORT_TABLES + (LONG_TABLES if long else []):
        command = [PROGRAM, "--only", table, "--runs", str(runs)]
        cells = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)[table]
        reports.append(report(table, cells, " ".join(command)))
    return reports


def report(table, cells, command):
    """The cells of one table of build/bench/truth as a table for people."""
    title, header, rows, notes = TABLES[table](cells)
    if table != "closure":  # whose cells hold few runs that are not refused
        notes = notes + [below(cells)]
    flag = " --truth-long" if table in LONG_TABLES else ""
    return Report(name=f"truth_{table}", title=f"Truth: {title}", command=f"{RUN} --only truth{flag}`, or `{command}",
                  header=header, rows=rows, notes=notes, data={"cells": cells})


def share(part, whole):
    return f"{part / whole:.2f}" if whole else "-"


def percent(value):
    return number(100 * value, "%")


def milliseconds(cell):
    return f"{cell['iteration_s'] * 1000:.0f} ms"


def phase_cell(cell):
    """Coverage (identified) half-width of the shares, and the runs that were refused."""
    text = (f"{share(cell['share_covered'], cell['phases'])} ({share(cell['identified'], cell['phases'])}) "
            f"{percent(cell['share_half_width'])}")
    return text + (f", {cell['refused']} refused" if cell["refused"] else "")


def unique(cells, key):
    return list(dict.fromkeys(key(cell) for cell in cells))


def grid(cells, row, column, text):
    """Rows and columns in the order in which the cells name them."""
    found = {(row(cell), column(cell)): text(cell) for cell in cells}
    columns = unique(cells, column)
    rows = [[name, *(found.get((name, other), "-") for other in columns)] for name in unique(cells, row)]
    return columns, rows


PHASE_NOTE = ("coverage (identified) half-width of the shares of phases that hold 5 % of the energy or more; "
              "half-widths over the identified")


def windows(cells):
    def text(cell):
        resolved = cell["runs"] - cell["unresolved"]
        return (f"{share(cell['shown_covered'], resolved)}, {share(cell['covered'], resolved)} ({share(resolved, cell['runs'])}) "
                f"{percent(cell['half_width'])}, {percent(cell['error_95'])}; {share(cell['coarse'], resolved)}, "
                f"{share(cell['far_untold'], resolved)}")
    columns, rows = grid(cells, lambda cell: cell["sensor"], milliseconds, text)
    return (f"windows of 30 s, {cells[0]['runs']} runs a cell", ["sensor", *columns], rows,
            ["coverage without and with the gain (resolved) half-width, error at 95 % of runs, both without the gain; windows said to "
             "be open by more than 2 %, and those off by more that were not said to be; a run draws its gain once", "the columns are the length of an iteration of the load, which the window ignores"])


def phases(cells):
    columns, rows = grid(cells, lambda cell: cell["sensor"], milliseconds, lambda cell: (
        f"{phase_cell(cell)}; {share(cell['energy_covered'], cell['phases'])}; "
        f"{share(cell['groups_covered'], cell['groups'])}"))
    return (f"phases, runs of 120 s, {cells[0]['runs']} a cell", ["sensor", *columns], rows,
            [PHASE_NOTE + "; then the coverage of joules with the gain, and of pooled groups"])


def coverage(cells):
    columns, rows = grid(cells, lambda cell: f"{cell['sensor']} | {milliseconds(cell)}",
                         lambda cell: f"{cell['length_s']:.0f} s", phase_cell)
    runs = " and ".join(str(count) for count in sorted({cell["runs"] for cell in cells}, reverse=True))
    return (f"phases by length of run, {runs} runs a cell", ["sensor", "iteration", *columns],
            [row[0].split(" | ") + row[1:] for row in sorted(rows, key=lambda row: row[0].split(" | ")[0])], [PHASE_NOTE])


def cases(title, cells):
    columns, rows = grid(cells, lambda cell: f"{cell['what']} | {cell['sensor']}", milliseconds, phase_cell)
    return (f"{title}, {cells[0]['runs']} runs a cell", ["case", "sensor", *columns],
            [row[0].split(" | ") + row[1:] for row in rows], [PHASE_NOTE])


def closure(cells):
    def text(cell):
        return f"{percent(cell['plain_mean_95'])}, {percent(cell['closure_95'])}, {cell['refused']} of {cell['runs']}"
    columns, rows = grid(cells, lambda cell: f"{cell['what']} | {100 * cell['sleep_share']:.0f} %",
                         lambda cell: f"{cell['length_s']:.0f} s", text)
    return ("a sensor that looks a quarter of the time, 100 ms iterations", ["load", "sleep", *columns],
            [row[0].split(" | ") + row[1:] for row in rows],
            ["distance from the true mean at 95 % of runs: of the plain mean (a blind counter), of the phases' total; refused runs",
             "in step: the sensor updates once in each mean iteration"])


def sweeps(cells):
    rows = [[cell["curve"], str(cell["rounds"]), percent(cell["scatter"]), share(cell["knee_covered"], cell["runs"]),
             share(cell["knee_within_step"], cell["runs"]), number(cell["width_w"], "W"),
             share(cell["energy_time_covered"], cell["runs"]), share(cell["binding_covered"], cell["runs"])]
            for cell in cells]
    return (f"sweeps over limits, {cells[0]['runs']} a cell",
            ["curve", "rounds", "scatter of a window", "knee covered", "knee within 10 W", "width of its interval",
             "least energy x time covered", "end of binding covered"], rows, [])


TABLES = {"windows": windows, "phases": phases, "sweeps": sweeps, "coverage": coverage, "closure": closure,
          "calibrated": lambda cells: cases("the whole way, 60 s of bursts, then phases in runs of 120 s", cells),
          "miscalibration": lambda cells: cases("calibration errors of lag, low pass and window each, runs of 120 s", cells),
          "rough": lambda cells: cases("rougher loads and sensors, runs of 120 s", cells)}


def below(cells):
    """Names the cells that fall short, so that nobody has to look for them."""
    short = [name(cell) for cell in cells if worst(cell) < LEAST_COVERAGE]
    return "covered in less than 90 %: " + ("; ".join(short) if short else "no cell")


def name(cell):
    if "curve" in cell:
        return f"{cell['curve']}, {cell['rounds']} rounds, scatter {percent(cell['scatter'])}"
    parts = [cell.get("what"), cell["sensor"], milliseconds(cell)]
    return ", ".join(part for part in parts + [f"{cell['length_s']:.0f} s" if "length_s" in cell else ""] if part)


def worst(cell):
    """The least of the coverages that a cell promises."""
    if "curve" in cell:
        parts = [(cell["knee_covered"], cell["runs"]), (cell["energy_time_covered"], cell["runs"]),
                 (cell["binding_covered"], cell["runs"])]
    elif "shown_covered" in cell:
        parts = [(cell["shown_covered"], cell["runs"] - cell["unresolved"])]
    else:
        parts = [(cell["share_covered"], cell["phases"]), (cell["energy_covered"], cell["phases"]),
                 (cell["groups_covered"], cell["groups"])]
    return min((part / whole for part, whole in parts if whole), default=1)

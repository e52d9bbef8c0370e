"""What a benchmark found, and how it is written: a JSON file each, and one Markdown page of all."""
import dataclasses
import json
import os
import pathlib
import platform
import time

FOLDER = pathlib.Path("out/bench")
RUN = ".venv-bench/bin/python bench/run.py"


@dataclasses.dataclass
class Report:
    """`header` and `rows` are the table for people; `data` holds every number behind it."""

    name: str
    title: str
    command: str
    header: list
    rows: list
    notes: list
    data: dict


def number(value, unit=""):
    """Three significant digits, as people write them: 0.612, 4.25, 118, 12300."""
    if value == 0:
        text = "0"
    elif abs(value) >= 100:
        text = f"{value:.0f}"
    else:
        text = f"{value:#.3g}".rstrip(".")
    return f"{text} {unit}".rstrip()


def markdown(report):
    lines = [f"## {report.title}", ""]
    lines.append("| " + " | ".join(report.header) + " |")
    lines.append("|" + "---|" * len(report.header))
    lines += ["| " + " | ".join(row) + " |" for row in report.rows]
    lines += [""] + [f"- {note}" for note in report.notes]
    lines += [f"- again: `{report.command}`", ""]
    return "\n".join(lines)


def processor():
    """The processor's name where the system tells it."""
    try:
        for line in pathlib.Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    except OSError:
        pass
    return platform.machine()


def machine():
    """Where and when: the cores, and how busy they were when the run began."""
    return {"cores": os.cpu_count(), "processor": processor(), "load_average_1_min": os.getloadavg()[0],
            "utc": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())}


def write(report, where):
    """One benchmark's numbers as out/bench/NAME.json."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    record = {"title": report.title, "command": report.command, "machine": where, "notes": report.notes,
              "table": {"header": report.header, "rows": report.rows}, "data": report.data}
    (FOLDER / f"{report.name}.json").write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")


def write_page(reports, where):
    """All of a run's tables as out/bench/results.md."""
    head = (f"# Benchmarks\n\n{where['cores']} cores of {where['processor']}, {where['utc']}, load average "
            f"{where['load_average_1_min']:.1f} at the start.\n\n")
    (FOLDER / "results.md").write_text(head + "\n".join(markdown(report) for report in reports), encoding="utf-8")

"""`heliograd report DIR`: a plan against what came of it, on the simulated GPU."""
import csv
import html.parser
import json
import pathlib
import re
import shutil
import unittest

from program import PROGRAM, ProgramTest

SIM = pathlib.Path(PROGRAM).parent / "sim"
# A tenth of the study's job, 20 hours with a long dear time between: limits, a pause, new plans.
STEPS = 46900
PLAN = ["--start", "2025-01-02 06:00", "--hours", "20", "--set", "job.work=0.1", "--set", "battery.capacity_wh=500",
        "--formulation", "levels"]
FLOWS = ("load_wh", "pv_used_wh", "battery_to_node_wh", "battery_charge_wh", "grid_import_wh", "grid_export_wh", "cost_eur",
         "carbon_kg", "progress")


class Unclosed(html.parser.HTMLParser):
    """Which tags stay open."""
    def __init__(self):
        super().__init__()
        self.open = []

    def handle_starttag(self, tag, attrs):
        if tag not in ("meta", "img"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag, tag


class ReportRun(ProgramTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.made = None

    def setUp(self):
        super().setUp()
        if ReportRun.made is None:
            self.carry_out()
            ReportRun.made = {path.name: path.read_bytes() for path in (self.folder / "run").iterdir() if path.is_file()}
        shutil.rmtree(self.folder / "run", ignore_errors=True)
        (self.folder / "run").mkdir()
        for name, content in ReportRun.made.items():
            (self.folder / "run" / name).write_bytes(content)

    def carry_out(self):
        self.write("gpu.toml", "speed = 4000\n[[gpu]]\nsensor_window_ms = 100\ncall_latency_us = 5\n")
        env = {"LD_LIBRARY_PATH": str(SIM), "HELIOGRAD_SIM_GPU": str(self.folder / "gpu.toml"),
               "XDG_STATE_HOME": str(self.folder / "state")}
        self.run_program("plan", "builtin:paper", *PLAN, "-o", "plan.json")
        self.run_program("run", "plan.json", "--simulated-clock", "--progress", "step ([0-9]+)", "--steps", STEPS, "-o", "run",
                         "--", SIM / "sim-train", "--iterations", STEPS, env=env)

    def test_sums_deviations_and_savings_agree(self):
        report = self.run_json("report", "run")
        summary = json.loads((self.folder / "run" / "summary.json").read_text())
        self.assertEqual(report["status"], summary["status"])
        # The run's own books, whatever way they are summed.
        for ours, theirs in (("gpu_energy_wh", "gpu_energy_wh"), ("work_done", "work_done")):
            self.assertAlmostEqual(report[ours], summary[theirs], places=6)
        for key in ("cost_eur", "grid_import_wh", "load_wh"):
            self.assertAlmostEqual(report["actual"][key], summary[key], places=6)
        self.assertAlmostEqual(report["planned"]["cost_eur"], summary["planned_cost_eur"], places=6)
        self.assertAlmostEqual(report["planned"]["load_wh"], summary["planned_load_wh"], places=6)
        # Every slot: the causes sum to the difference, and the bus balances.
        for slot in report["slots"]:
            self.assertTrue(slot["settled"])
            for key in ("load_wh", "progress", "cost_eur"):
                whole = slot["actual"][key] - slot["planned"][key]
                self.assertAlmostEqual(sum(part[key] for part in slot["deviations"]), whole, places=9)
            for flows in (slot["planned"], slot["actual"]):
                fed = flows["pv_used_wh"] + flows["grid_import_wh"] + flows["battery_to_node_wh"]
                self.assertAlmostEqual(fed, flows["load_wh"] + flows["battery_charge_wh"] + flows["grid_export_wh"], places=5)
        for key in ("load_wh", "cost_eur"):
            whole = report["actual"][key] - report["planned"][key]
            self.assertAlmostEqual(sum(part[key] for part in report["deviations"]), whole, places=9)
        # The report tells what the run reckoned with all that it knew.
        for ours, theirs in zip(report["baselines"], summary["baselines"]):
            self.assertEqual(ours["name"], theirs["name"])
            self.assertAlmostEqual(ours["saved_eur"], theirs["saved_eur"], places=6)

    def test_text_names_causes_and_where_numbers_come_from(self):
        text = self.run_program("report", "run").stdout
        for words in ("Run finished: 100.0 %", "deadline", "why it went otherwise", "full power from the grid", "measured",
                      "modelled", "off"):
            self.assertIn(words, text)

    def test_csv_has_a_row_per_slot(self):
        report = self.run_json("report", "run")
        self.run_program("report", "run", "--csv", "slots.csv")
        with open(self.folder / "slots.csv") as file:
            rows = list(csv.DictReader(file))
        self.assertEqual(len(rows), len(report["slots"]))
        for row, slot in zip(rows, report["slots"]):
            self.assertEqual(row["start"], slot["start"])
            self.assertAlmostEqual(float(row["load_wh"]), slot["actual"]["load_wh"], places=9)
            self.assertAlmostEqual(float(row["cost_eur"]), slot["actual"]["cost_eur"], places=9)

    def test_unfinished_run_from_its_journal(self):
        lines = (self.folder / "run" / "journal.jsonl").read_text().splitlines(keepends=True)
        whole = self.run_json("report", "run")
        # Half of it, or up to the first slot's end where that is later.
        cut = max(len(lines) // 2, next(i for i, line in enumerate(lines) if '"kind":"slot"' in line) + 2)
        (self.folder / "run" / "journal.jsonl").write_text("".join(lines[:cut]) + lines[cut][:20])
        (self.folder / "run" / "summary.json").unlink()
        report = self.run_json("report", "run")
        self.assertEqual(report["status"], "running")
        self.assertFalse(report["in_time"])
        over = [slot for slot in report["slots"] if slot["settled"]]
        self.assertEqual(report["settled_slots"], len(over))
        self.assertLess(0, len(over))
        self.assertLess(len(over), len(report["slots"]))
        # What is over was as it is in the whole run; what is to come is not told as if it had been.
        for slot, later in zip(over, whole["slots"]):
            self.assertAlmostEqual(slot["actual"]["load_wh"], later["actual"]["load_wh"], places=6)
        self.assertIsNone(report["slots"][-1]["actual"])
        # Savings are of the slots that are over, against rules that do the same work.
        told = [rung for rung in report["baselines"] if rung["saved_eur"] is not None]
        self.assertTrue(told or report["savings"]["unknown"], report["savings"])
        for rung in told:
            self.assertAlmostEqual(rung["saved_eur"], rung["cost_eur"] - report["actual"]["cost_eur"] - report["savings"]["battery_surplus_eur"],
                                   places=9)
        self.assertIn("slots", self.run_program("report", "run").stdout)
        self.run_program("report", "run", "-o", "run.html", "--csv", "run.csv")

    def test_page_is_one_file_without_network_or_script(self):
        self.run_program("report", "run", "-o", "run.html")
        page = (self.folder / "run.html").read_text()
        tags = Unclosed()
        tags.feed(page)
        self.assertEqual(tags.open, ["html"] if tags.open else [])
        self.assertEqual(len(re.findall(r'<img src="data:image/svg\+xml;base64,', page)), 2)
        self.assertNotIn("<script", page)
        self.assertNotRegex(page, r'(src|href)="(https?:)?//')
        for words in ("prefers-color-scheme: dark", "<details>", "Why it went otherwise", "full power from the grid"):
            self.assertIn(words, page)
        self.run_program("report", "run", "-o", "run.html")  # an earlier report is replaced

    def test_page_of_someone_else_stays(self):
        self.write("mine.html", "<p>mine</p>")
        done = self.run_program("report", "run", "-o", "mine.html", expect=2)
        self.assert_one_clear_sentence(done.stderr, "mine.html", "exists already")
        self.assertEqual((self.folder / "mine.html").read_text(), "<p>mine</p>")

    def test_figure(self):
        self.run_program("report", "run", "-o", "run.svg")
        svg = (self.folder / "run.svg").read_text()
        for words in ("from the battery", "limit in force", "planned", "work done", "import price", "trouble"):
            self.assertIn(words, svg)

    def test_broken_folders(self):
        (self.folder / "empty").mkdir()
        self.assert_one_clear_sentence(self.run_program("report", "empty", expect=1).stderr, "empty/run.json", "heliograd run -o")
        for name, content, words in (("plan.json", "{", ("plan.json",)), ("run.json", "{}", ("run.json", "no run")),
                                     ("journal.jsonl", "", ("journal.jsonl", "not begun")),
                                     ("journal.jsonl", '{"kind":"state","unix_s":1,"slot":99}\n', ("journal.jsonl:1", "slot")),
                                     ("summary.json", "[]", ("summary.json", "no summary")),
                                     ("summary.json", '{"format":"heliograd-run-summary-1"}', ("summary.json", "no summary"))):
            with self.subTest(name=name, content=content):
                kept = (self.folder / "run" / name).read_bytes()
                self.write(f"run/{name}", content)
                done = self.run_program("report", "run", "-o", "broken.html", expect=1)
                self.assert_one_clear_sentence(done.stderr, *words)
                self.assertFalse((self.folder / "broken.html").exists())
                self.write(f"run/{name}", kept)

    def test_flags_of_runs_alone(self):
        self.run_program("plan", "builtin:paper", "-o", "plan.json")
        self.assertIn("run's folder", self.run_program("report", "plan.json", "--csv", "x.csv", expect=2).stderr)
        self.assertIn("run's folder", self.run_program("report", "plan.json", "-o", "x.html", expect=2).stderr)
        self.assertIn("takes a plan", self.run_program("report", "run", "--explain", "3", expect=2).stderr)


if __name__ == "__main__":
    unittest.main()

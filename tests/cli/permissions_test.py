"""Files and folders that may not be looked at: one sentence with the name, and exit code 4."""
import unittest

from program import ProgramTest


class ClosedFolders(ProgramTest):
    def refused(self, *args, names, env=None):
        done = self.run_without_override(*args, expect=4, env=env)
        self.assert_one_clear_sentence(done.stderr, *names, "Permission denied")
        self.assertEqual(done.stdout, "")
        self.assertEqual(len(done.stderr.splitlines()), 1, done.stderr)

    def test_the_folder_of_ones_own_scenario(self):
        closed = self.closed_folder("config")
        env = {"XDG_CONFIG_HOME": str(closed)}
        for args in (("init", "--yes"), ("plan",), ("run", "--deadline", "+14h", "--dry-run", "--steps", "10")):
            with self.subTest(args=args):
                self.refused(*args, names=(f"{closed}/heliograd/scenario.toml",), env=env)

    def test_a_scenario_file_still_says_that_ones_own_cannot_be_read(self):
        closed = self.closed_folder("config")
        self.write("my.toml", "[job]\nhours = 3\n")
        self.refused("plan", "my.toml", names=(f"{closed}/heliograd/scenario.toml",), env={"XDG_CONFIG_HOME": str(closed)})

    def test_a_new_scenario(self):
        self.closed_folder("closed")
        self.refused("scenario", "new", "closed/a/s.toml", names=("closed/a/s.toml",))

    def test_the_folder_of_curves(self):
        closed = self.closed_folder("state")
        self.run_program("init", "--yes")
        self.refused("plan", "--deadline", "+14h", names=(f"{closed}/heliograd/curves",),
                     env={"XDG_STATE_HOME": str(closed)})


class ClosedFiles(ProgramTest):
    """What may not be read or written is exit code 4 with its name, whichever command meets it."""

    def closed_file(self, name, content=""):
        path = self.write(name, content)
        path.chmod(0)
        return path

    def test_every_command(self):
        self.closed_file("shut.csv")
        self.closed_file("shut.toml")
        self.closed_file("shut.helio")
        self.run_program("plan", "builtin:paper", "--hours", "4", "--set", "job.work=0.1", "-o", "plan.json")
        run = self.folder / "run"
        run.mkdir()
        for name in ("run.json", "journal.jsonl", "plan.json"):
            self.closed_file(f"run/{name}")
        self.closed_folder("closed")
        day = ("backtest", "builtin:paper", "--starts", "2025-06-01:2025-06-01")
        for args, name in ((("plan", "shut.toml"), "shut.toml"), (("plan", "builtin:paper", "--curve", "shut.toml"), "shut.toml"),
                           (("plan", "builtin:paper", "--set", "tariff.import=shut.csv"), "shut.csv"),
                           (("plan", "builtin:paper", "--pv-series", "shut.csv"), "shut.csv"),
                           (("size", "builtin:paper", "--calendar", "shut.csv"), "shut.csv"),
                           ((*day, "--actual-pv", "shut.csv"), "shut.csv"), ((*day, "--actual-price", "shut.csv"), "shut.csv"),
                           (("run", "--resume", "run"), "run.json"), (("report", "run"), "run.json"),
                           (("report", "shut.helio"), "shut.helio"), (("report", "closed"), "closed/run.json"),
                           (("run", "--resume", "closed"), "closed/run.json"),
                           (("run", "plan.json", "--price-file", "shut.csv", "--dry-run"), "shut.csv"),
                           (("run", "plan.json", "--pv-forecast", "closed/pv.csv", "--dry-run"), "closed/pv.csv"),
                           (("run", "plan.json", "-o", "closed/new", "--", "true"), "closed/new"),
                           (("plan", "builtin:paper", "-o", "closed/plan.json"), "closed/plan.json"),
                           (("study", "builtin:paper", "--vary", "job.hours=16,19", "-o", "closed/s.csv"), "closed/s.csv"),
                           (("scenario", "new", "closed/s.toml"), "closed/s.toml"),
                           (("pv", "--csv", "closed/pv.csv"), "closed/pv.csv"),
                           (("campaign", "shut.toml"), "shut.toml")):
            with self.subTest(args=args):
                done = self.run_without_override(*args, expect=4)
                self.assert_one_clear_sentence(done.stderr, name)
                self.assertRegex(done.stderr, "Permission denied|may not be written")
                self.assertNotIn("is not there", done.stderr)


if __name__ == "__main__":
    unittest.main()

"""Files that commands write: nobody's other file is lost, and a name that cannot be written is refused before the work."""
import unittest

from program import ProgramTest

DAY = ("backtest", "builtin:paper", "--starts", "2025-06-01:2025-06-01", "--forecast", "none")
STUDY = ("study", "builtin:paper", "--vary", "job.hours=16,19")
MINE = "# mine, and nowhere else\n"


class Outputs(ProgramTest):
    def commands(self):
        """Every flag that names a file to write, as words before that name, and the endings that it takes."""
        self.run_program("plan", "builtin:paper", "-o", "plan.json")
        figure = (".svg", ".png", ".pdf")
        return [(("plan", "builtin:paper", "-o"), (".toml",)),
                (("plan", "builtin:paper", "--csv"), (".toml",)),
                ((*STUDY, "-o"), (".toml",)),
                ((*STUDY, "--json", "-o"), (".toml",)),
                ((*STUDY, "--resume", "-o"), (".csv",)),
                ((*STUDY, "--mode", "dynamic", "-o"), (".csv",)),
                ((*DAY, "--csv"), (".toml",)),
                ((*DAY, "-o"), figure),
                (("pv", "--csv"), (".toml",)),
                (("size", "builtin:paper", "-o"), figure),
                (("report", "plan.json", "-o"), figure),
                (("report", "plan.json", "--explain", "3", "-o"), figure),
                (("estimate", "--law", "absent.toml", "-o"), (".toml",)),
                (("estimate", "--law", "absent.toml", "--figure"), figure),
                (("profile", "vgg11", "-o"), (".toml",)),
                (("profile", "vgg11", "--figure"), figure),
                (("profile", "vgg11", "--layers", "--layer-figure"), figure),
                (("curve", "-o", "curve.toml", "--figure"), figure),
                (("curve", "-o"), (".toml",))]

    def test_no_command_replaces_a_file_of_another_kind(self):
        for words, endings in self.commands():
            for ending in endings:
                with self.subTest(words=words, ending=ending):
                    name = "mine" + ending
                    self.write(name, MINE)
                    end = ("--", "true") if words[0] == "curve" else ()
                    done = self.run_program(*words, name, *end, expect=2)
                    self.assert_one_clear_sentence(done.stderr, name, "exists already")
                    self.assertEqual(done.stdout, "")
                    self.assertEqual((self.folder / name).read_text(), MINE)
        self.assertEqual(list(self.folder.glob("*.partial")), [])

    def test_a_folder_that_is_not_there_is_one_sentence_before_the_work(self):
        more = [(("measure", "--for", "1s", "-o"), (".helio",)), (("scenario", "new"), (".toml",))]
        for words, endings in self.commands() + more:
            with self.subTest(words=words):
                name = "no/such/file" + endings[0]
                end = ("--", "true") if words[0] == "curve" else ()
                done = self.run_program(*words, name, *end, expect=2)
                self.assert_one_clear_sentence(done.stderr, f"{name}: its folder does not exist")

    def test_a_folder_is_no_file(self):
        (self.folder / "folder.svg").mkdir()
        done = self.run_program("size", "builtin:paper", "-o", "folder.svg", expect=2)
        self.assert_one_clear_sentence(done.stderr, "folder.svg: is a folder")

    def test_earlier_outputs_and_empty_files_are_replaced(self):
        for words, names in ((("plan", "builtin:paper", "--csv"), ["a.csv"]), ((*STUDY, "-o"), ["b.csv"]),
                             ((*STUDY, "--json", "-o"), ["b.json"]), ((*STUDY, "--mode", "dynamic", "-o"), ["c.csv"]),
                             ((*DAY, "--csv"), ["d.csv"]), (("pv", "--csv"), ["e.csv"]),
                             (("report", "plan.json", "-o"), ["f.svg", "f.png", "f.pdf"])):
            if words[0] == "report":
                self.run_program("plan", "builtin:paper", "-o", "plan.json")
            for name in names:
                with self.subTest(words=words, name=name):
                    self.write(name, "")
                    self.run_program(*words, name)
                    first = (self.folder / name).read_bytes()
                    self.assertGreater(len(first), 100)
                    self.run_program(*words, name)

    def test_a_study_of_another_grid_stays(self):
        self.run_program(*STUDY, "-o", "grid.csv")
        before = (self.folder / "grid.csv").read_text()
        done = self.run_program("study", "builtin:paper", "--vary", "pv.dc_capacity_w=0,500", "-o", "grid.csv", expect=2)
        self.assert_one_clear_sentence(done.stderr, "grid.csv", "exists already")
        self.assertEqual((self.folder / "grid.csv").read_text(), before)

    def test_pages_of_someone_else_stay(self):
        self.write("index.html", "<!doctype html><title>mine</title>")
        self.write("campaign.toml", self.run_program("campaign", "--template").stdout)
        for words in (("reproduce", "table4"), ("campaign", "campaign.toml")):
            done = self.run_program(*words, "-o", ".", expect=2)
            self.assert_one_clear_sentence(done.stderr, "index.html", "exists already")
        self.assertIn("mine", (self.folder / "index.html").read_text())

    def test_standard_output_by_name_is_written(self):
        done = self.run_program("plan", "builtin:paper", "--csv", "/dev/stderr")
        self.assertTrue(done.stderr.startswith("start,start_local,"))


if __name__ == "__main__":
    unittest.main()

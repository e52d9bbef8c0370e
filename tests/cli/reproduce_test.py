"""`reproduce`: the files it writes, the claims it prints, and what it refuses."""
import unittest

from program import ProgramTest


class Reproduce(ProgramTest):
    def test_figures_tables_and_page(self):
        claims = self.run_json("reproduce", "fig10", "fig16", "table4", "-o", "out")
        for name in ("fig10.svg", "fig10.png", "fig10.csv", "fig10b.svg", "fig16.svg", "table4.csv", "index.html"):
            self.assertGreater((self.folder / "out" / name).stat().st_size, 100, name)
        self.assertEqual((self.folder / "out" / "fig16.csv").read_text().count("\n"), 49)  # header and 48 hours
        table = (self.folder / "out" / "table4.csv").read_text()
        self.assertEqual(table.count("\n"), 24)  # header and 23 levels
        self.assertIn("misprint", table)
        never = [claim for claim in claims if "100 W of panel" in claim["claim"]]
        self.assertEqual(never[0]["holds"], "no")  # contradiction of the study: a 100 W panel never runs the GPU
        page = (self.folder / "out" / "index.html").read_text()
        self.assertIn("<table", page)
        self.assertNotIn("http://", page.replace("http://www.w3.org", ""))  # nothing is loaded from a network

    def test_what_is_not_known_names_what_is(self):
        done = self.run_program("reproduce", "fig99", expect=2)
        self.assert_one_clear_sentence(done.stderr, "fig99", "fig10", "table6")

    def test_a_folder_that_cannot_be_made(self):
        self.write("file", "")
        done = self.run_program("reproduce", "table4", "-o", "file/out", expect=1)
        self.assert_one_clear_sentence(done.stderr, "file/out")


if __name__ == "__main__":
    unittest.main()

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


if __name__ == "__main__":
    unittest.main()

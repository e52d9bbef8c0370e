"""Completions and the manual page hold every command and flag that the program has."""
import re
import subprocess
import unittest

from program import ProgramTest


class Completions(ProgramTest):
    def tree(self, path=()):
        """Every command with its flags, as its help lists them."""
        text = self.run_program(*path, "--help").stdout
        flags = set(re.findall(r"^\s+(?:-\w,)?(--[a-z][\w-]*)", text, re.M))
        _, _, below = text.partition("Subcommands:\n")
        if not below:
            _, _, below = text.partition("SUBCOMMANDS:\n")
        commands = re.findall(r"^  ([a-z][\w-]*)", below, re.M)
        found = {path: flags}
        for command in commands:
            found.update(self.tree((*path, command)))
        return found

    def setUp(self):
        super().setUp()
        self.commands = self.tree()
        self.assertIn(("plan",), self.commands)
        self.assertIn(("scenario", "check"), self.commands)
        self.assertIn("--deadline", self.commands[("run",)])

    def test_bash(self):
        script = self.write("complete.bash", self.run_program("completions", "bash").stdout)
        subprocess.run(["bash", "-n", script], check=True)
        for path, flags in self.commands.items():
            line = " ".join(["heliograd", *path])
            typed = " ".join(f"'{word}'" for word in ["heliograd", *path, ""])
            done = subprocess.run(["bash", "-c", f"source {script}; COMP_WORDS=({typed}); COMP_CWORD={len(path) + 1}; _heliograd; "
                                   "printf '%s\\n' \"${COMPREPLY[@]}\""], capture_output=True, text=True, check=True)
            words = set(done.stdout.split())
            self.assertLessEqual(flags, words, line)
            self.assertLessEqual({other[-1] for other in self.commands if other and other[:-1] == path}, words, line)

    def test_zsh_and_fish(self):
        zsh = self.run_program("completions", "zsh").stdout
        fish = self.run_program("completions", "fish").stdout
        for path, flags in self.commands.items():
            line = next(line for line in zsh.splitlines() if line.startswith(f"    '{' '.join(path)}') "))
            self.assertLessEqual(flags, set(re.findall(r"--[\w-]+", line)))
            seen = "; and ".join(f"__fish_seen_subcommand_from {word}" for word in path) or "__fish_use_subcommand"
            lines = [line for line in fish.splitlines() if f"-n '{seen}'" in line]
            self.assertLessEqual({flag[2:] for flag in flags}, {name for line in lines for name in re.findall(r" -l (\S+)", line)})

    def test_manual_page(self):
        page = self.run_program("man").stdout.replace("\\-", "-")
        for path, flags in self.commands.items():
            start = page.index(f".SH heliograd {' '.join(path)}\n") if path else page.index(".SH OPTIONS\n")
            section = page[start:page.find("\n.SH ", start + 1)]
            for flag in flags:
                self.assertIn(flag, section, path)

    def test_hidden_and_unknown(self):
        self.assertNotIn("completions", self.run_program("--help").stdout)
        self.run_program("completions", "csh", expect=2)


if __name__ == "__main__":
    unittest.main()

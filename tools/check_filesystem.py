#!/usr/bin/env python3
"""Finds calls of std::filesystem that throw: a folder that may not be read must be a sentence, never an abort."""
import pathlib
import re
import sys

REPOSITORY = pathlib.Path(__file__).resolve().parent.parent

# These have a form that throws and one that fills a std::error_code, given last.
FUNCTIONS = ("absolute|canonical|copy|copy_file|copy_symlink|create_directories|create_directory|create_hard_link|"
             "create_symlink|current_path|equivalent|exists|file_size|hard_link_count|is_block_file|is_character_file|"
             "is_directory|is_empty|is_fifo|is_other|is_regular_file|is_socket|is_symlink|last_write_time|permissions|"
             "proximate|read_symlink|relative|remove|remove_all|rename|resize_file|space|status|symlink_status|"
             "temp_directory_path|weakly_canonical")
CALL = re.compile(rf"(?:filesystem|\bfs)::({FUNCTIONS})\(|\b(?:entry|it)(?:\.|->)"
                  rf"(exists|file_size|is_directory|is_regular_file|is_symlink|last_write_time|status|symlink_status)\(")
ITERATOR = re.compile(r"\bfor \([^;()]*:\s*(?:std::)?(?:filesystem|fs)::(?:recursive_)?directory_iterator\(")
ERROR_CODE = re.compile(r"std::error_code\s+([^;=()]+);|std::error_code& (\w+)")


def arguments_of(text, begin):
    """The arguments of the call whose bracket opened just before `begin`."""
    depth, arguments, quoted = 0, [""], False
    for place in range(begin, len(text)):
        letter = text[place]
        if letter == '"' and text[place - 1] != "\\":
            quoted = not quoted
        if not quoted:
            if letter in ")]}" and depth == 0:
                return [a.strip() for a in arguments if a.strip()]
            depth += (letter in "([{") - (letter in ")]}")
            if letter == "," and depth == 0:
                arguments.append("")
                continue
        arguments[-1] += letter
    return arguments


def problems_of(path):
    text = path.read_text()
    codes = {name.strip() for match in ERROR_CODE.finditer(text) for name in (match[1] or match[2]).split(",")}
    where = lambda place: f"{path.relative_to(REPOSITORY)}:{text.count(chr(10), 0, place) + 1}"
    for match in CALL.finditer(text):
        arguments = arguments_of(text, match.end())
        if arguments and arguments[-1].startswith(("std::filesystem::symlink_status(", "fs::symlink_status(")):
            continue  # of a status that is known: looks at nothing
        if not arguments or arguments[-1] not in codes:
            yield (f"{where(match.start())}: {match[1] or match[2]}() throws where it may not look: give it a "
                   "std::error_code last, or take heliograd/base/path.h")
    for match in ITERATOR.finditer(text):
        yield f"{where(match.start())}: going on in a folder throws: take ListFolder() of heliograd/base/path.h"


def main():
    files = sorted(p for folder in ("src", "sim") for p in (REPOSITORY / folder).rglob("*")
                   if p.suffix in (".h", ".cc") and not p.stem.endswith(("_test", "_testing", "_fuzz")))
    found = [problem for path in files for problem in problems_of(path)]
    print("\n".join(found) if found else f"{len(files)} files look at folders without exceptions")
    sys.exit(bool(found) or not files)


main()

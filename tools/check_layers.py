#!/usr/bin/env python3
"""Checks that every file includes only rooms of lower levels (and its own), and third parties only where they belong."""
import pathlib
import re
import sys

LEVELS = {"base": 0, "trace": 1, "meter": 2, "feed": 2, "profile": 2, "model": 2, "plan": 3,
          "optimize": 4, "control": 4, "report": 5, "serve": 6, "app": 7}

# Third-party header prefix -> rooms that own it. fmt is base's and may be used above it.
OWNERS = {"fmt/": set(LEVELS), "spdlog/": set(LEVELS), "tl/": {"base"}, "date/": {"base"}, "sqlite3.h": {"trace"},
          "torch/": {"profile"}, "ATen/": {"profile"}, "c10/": {"profile"}, "zlib.h": {"profile"}, "png.h": {"profile"},
          "jpeglib.h": {"profile"}, "Eigen/": {"model"}, "nlohmann/": {"plan", "report", "serve", "app"},
          "interfaces/highs_c_api.h": {"optimize"}, "boost/": {"serve"}, "CLI/": {"app"}, "toml++/": {"app"},
          "gtest/": set(LEVELS), "gmock/": set(LEVELS)}

TORCH = ("torch/", "ATen/", "c10/")

REPOSITORY = pathlib.Path(__file__).resolve().parent.parent
ROOT = REPOSITORY / "src" / "heliograd"

# The simulated driver is met from outside: no room includes it, and of the rooms it sees only these.
SIM = REPOSITORY / "sim"
SIM_MAY_INCLUDE = ("heliograd/base/", "heliograd/model/", "heliograd/meter/nvml_abi.h",
                   "heliograd/meter/cuda_abi.h", "sim/")
SIM_THIRD_PARTY = ("fmt/", "CLI/", "toml++/", "gtest/", "gmock/")
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^">]+)[">]')


def problems_of(path):
    room = path.relative_to(ROOT).parts[0]
    if room not in LEVELS:
        yield f"{path}: folder '{room}' is no room: expected one of {', '.join(LEVELS)}"
        return
    for number, line in enumerate(path.read_text().splitlines(), 1):
        match = INCLUDE.match(line)
        if not match:
            continue
        quote, header = match.groups()
        where = f"{path.relative_to(ROOT.parent)}:{number}"
        if header.startswith("heliograd/"):
            other = header.split("/")[1]
            if other != room and LEVELS.get(other, 99) >= LEVELS[room]:
                yield f"{where}: {room} (level {LEVELS[room]}) includes {header} of a room that is not lower"
        elif quote == '"':
            yield f"{where}: own headers are included from the root, as heliograd/ROOM/FILE.h: {header}"
        else:
            if header.startswith(TORCH) and path.parent.name != "torch":
                yield f"{where}: {header} may be seen only in profile/torch, which the program opens when it is needed"
            if header.startswith("fmt/") and path.parent.name == "torch":
                yield f"{where}: PyTorch brings headers of another fmt along, which would be found first"
            for prefix, owners in OWNERS.items():
                if header.startswith(prefix) and room not in owners:
                    yield f"{where}: {header} belongs to {', '.join(sorted(owners))}, not to {room}"


def problems_of_sim(path):
    for number, line in enumerate(path.read_text().splitlines(), 1):
        match = INCLUDE.match(line)
        if not match:
            continue
        quote, header = match.groups()
        where = f"{path.relative_to(REPOSITORY)}:{number}"
        if quote == '"' and not header.startswith(SIM_MAY_INCLUDE):
            yield f"{where}: the simulated driver may include {', '.join(SIM_MAY_INCLUDE)}, not {header}"
        if quote == "<" and any(header.startswith(prefix) for prefix in OWNERS) and not header.startswith(SIM_THIRD_PARTY):
            yield f"{where}: {header} has no place in the simulated driver"


def sources_in(folder):
    return sorted(p for p in folder.rglob("*") if p.suffix in (".h", ".cc"))


def main():
    files = sources_in(ROOT)
    found = [problem for path in files for problem in problems_of(path)]
    sim_files = sources_in(SIM)
    found += [problem for path in sim_files for problem in problems_of_sim(path)]
    files += sim_files
    print("\n".join(found) if found else f"{len(files)} files include only what their room may see")
    sys.exit(bool(found) or not files)


main()

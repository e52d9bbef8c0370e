#!/usr/bin/env bash
# Format (must match .clang-format) and a short, curated clang-tidy over every source file.
set -euo pipefail
cd "$(dirname "$0")/.."
mapfile -t files < <(git ls-files 'src/*.cc' 'src/*.h' 'tests/*.cc' 'bench/*.cc')
echo "lint: clang-format over ${#files[@]} files"
clang-format --dry-run --Werror "${files[@]}"
cmake -G Ninja -DCMAKE_BUILD_TYPE=Release -B build >/dev/null
# What is built against PyTorch is left out: its headers take clang-tidy minutes a file, and the precompiled one is g++'s.
mapfile -t sources < <(git ls-files 'src/*.cc' | grep -v '/profile/torch/')
echo "lint: clang-tidy over ${#sources[@]} files"
# clang-tidy counts suppressed warnings of system headers on standard error; everything else there is a real problem.
printf '%s\n' "${sources[@]}" | xargs -P "$(nproc)" -n 4 clang-tidy --quiet -p build \
  2> >(grep -vE '^[0-9]+ warnings? (generated|treated)|^Suppressed|^Use -header-filter' >&2 || true)
python3 tools/check_layers.py
python3 tools/check_filesystem.py
echo "lint: nothing to mend"

#!/usr/bin/env bash
# Installs the peers of the benchmarks (requirements-bench.txt) into .venv-bench, each by itself: one that cannot be had
# is named and its comparison skipped later. Asks nothing and does nothing on a second run.
set -euo pipefail
cd "$(dirname "$0")/.."

if [ ! -x .venv-bench/bin/python ]; then
  echo "setup: making the Python environment .venv-bench"
  python3 -m venv .venv-bench
fi
if cmp -s requirements-bench.txt .venv-bench/installed-requirements.txt; then
  echo "setup: the peers are installed"
  exit 0
fi

complete=true
# Zeus brings 400 MB along, scikit-learn most of it.
for peer in nrel-pysam pvlib gurobipy fvcore ptflops zeus; do
  pinned=$(grep "^$peer==" requirements-bench.txt)
  echo "setup: installing into .venv-bench: $pinned"
  # ptflops and fvcore count with the PyTorch of .venv-python, where that is; ptflops alone would bring another.
  alone=(); if [ "$peer" = ptflops ]; then alone=(--no-deps); fi
  if ! .venv-bench/bin/python -m pip install --quiet "${alone[@]}" --disable-pip-version-check --constraint requirements-bench.txt \
    "$pinned" 2>.venv-bench/pip.log; then
    echo "setup: $pinned could not be installed, its comparison will be skipped: $(tail -1 .venv-bench/pip.log)" >&2
    complete=false
  fi
done
# Only a complete installation is remembered: what failed is tried again next time.
if $complete; then cp requirements-bench.txt .venv-bench/installed-requirements.txt; fi

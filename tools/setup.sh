#!/usr/bin/env bash
# Installs what heliograd is built with: Debian packages and a pinned Python environment in .venv.
# Asks nothing, prints what it does, and does nothing on a second run. Without root it says what is missing.
set -euo pipefail
cd "$(dirname "$0")/.."

PACKAGES=(g++ make cmake ninja-build ccache python3 python3-venv tzdata gnuplot-nox librsvg2-bin
  libcli11-dev libtomlplusplus-dev nlohmann-json3-dev libfmt-dev libexpected-dev libhowardhinnant-date-dev
  libsqlite3-dev libeigen3-dev zlib1g-dev libpng-dev libjpeg62-turbo-dev libgtest-dev libgmock-dev)
# With --python: an environment with PyTorch in .venv-python, for `make profile` and for the tests of the Python package
# (1.3 GB; more where PyTorch comes with CUDA), and Fashion-MNIST (30 MB), for the tests that read it.
if [ "${1:-}" = --python ]; then PACKAGES+=(dataset-fashion-mnist); fi
# With --dev: what `make lint`, `make fuzz` and `make bench` need on top.
if [ "${1:-}" = --dev ]; then PACKAGES+=(clang clang-format clang-tidy libclang-rt-14-dev libbenchmark-dev); fi

missing=()
for package in "${PACKAGES[@]}"; do
  dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null | grep -qx installed || missing+=("$package")
done
if [ ${#missing[@]} -gt 0 ]; then
  if [ "$(id -u)" -ne 0 ]; then
    echo "setup: these Debian packages are missing and installing them needs root:" >&2
    echo "    sudo apt-get install -y --no-install-recommends ${missing[*]}" >&2
    exit 4
  fi
  echo "setup: installing Debian packages: ${missing[*]}"
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -qq
  apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
fi

# environment FOLDER REQUIREMENTS...: makes the folder, and installs into it unless it has just these already.
environment() {
  local folder=$1 wanted file files=()
  shift
  if [ ! -x "$folder/bin/python" ]; then
    echo "setup: making the Python environment $folder"
    python3 -m venv "$folder"
  fi
  wanted=$(cat "$@")
  [ "$wanted" != "$(cat "$folder/installed-requirements.txt" 2>/dev/null)" ] || return 0
  echo "setup: installing into $folder: $(tr '\n' ' ' <<<"$wanted")"
  for file in "$@"; do files+=(-r "$file"); done
  "$folder/bin/python" -m pip install --quiet --disable-pip-version-check "${files[@]}"
  echo "$wanted" >"$folder/installed-requirements.txt"
}

environment .venv requirements.txt tests/sim/requirements.txt
if [ "${1:-}" = --python ]; then environment .venv-python tests/python/requirements.txt; fi
echo "setup: everything is installed"

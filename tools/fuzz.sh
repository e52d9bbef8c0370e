#!/usr/bin/env bash
# Builds every fuzz target with clang, libFuzzer, AddressSanitizer and UndefinedBehaviorSanitizer, and runs each for
# SECONDS_EACH seconds (default 20) from its seeds.
set -euo pipefail
cd "$(dirname "$0")/.."
seconds="${SECONDS_EACH:-20}"
cmake -G Ninja -DCMAKE_BUILD_TYPE=RelWithDebInfo -DCMAKE_CXX_COMPILER=clang++ -DHELIOGRAD_SANITIZE=address,undefined \
  -B build-fuzz >/dev/null
mapfile -t targets < <(git ls-files 'src/*_fuzz.cc' | xargs -n1 basename | sed 's/\.cc$//')
ninja -C build-fuzz "${targets[@]}" >/dev/null
for target in "${targets[@]}"; do
  corpus="build-fuzz/corpus/${target%_fuzz}"
  mkdir -p "$corpus"
  echo "fuzz: $target for $seconds s"
  "build-fuzz/src/heliograd/$target" -max_total_time="$seconds" -max_len=65536 -timeout=10 -print_final_stats=0 \
    "$corpus" "tests/fuzz_seeds/${target%_fuzz}" 2>"build-fuzz/$target.log" || { tail -30 "build-fuzz/$target.log"; exit 1; }
done
echo "fuzz: ${#targets[@]} targets, no crash"

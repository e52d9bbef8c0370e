#!/usr/bin/env bash
# The chain on a simulated GPU, twenty times as fast as real: measure a job, find its power curve, plan with it, carry the plan out,
# report plan against actual.
set -euo pipefail
cd "$(dirname "$0")/.."
out=out/demo
rm -rf "$out" && mkdir -p "$out"
trap 'cat "$out/messages.txt" >&2' ERR
printf 'speed = 20\n[[gpu]]\nsensor_window_ms = 100\n' >"$out/gpu.toml"
export HELIOGRAD_SIM_GPU="$PWD/$out/gpu.toml" XDG_STATE_HOME="$PWD/$out/state"
simulated() { LD_LIBRARY_PATH="$PWD/build/sim" "$@"; }

echo; echo "== A job on the simulated GPU is measured: heliograd measure -- sim-train"
simulated build/heliograd measure --no-processor -- build/sim/sim-train --seconds 40 >"$out/measure.txt" 2>"$out/messages.txt"
grep -A3 '^Measured' "$out/measure.txt"
echo; echo "== Its power curve is measured (half a minute): heliograd curve -- sim-train"
simulated build/heliograd curve --progress 'step ([0-9]+)' --limits 110,130,150,170,190,220,250,290 --rounds 2 \
  --settle 0.2s --window 1.5s --warm-up 0s --most-drift-k 100 -o "$out/curve.toml" --figure "$out/curve.svg" \
  -- build/sim/sim-train >"$out/curve.txt" 2>>"$out/messages.txt"
sed -n '/^  limit/,$p' "$out/curve.txt"
echo; echo "== The plan of the study's job with that curve: heliograd plan --set gpu.curve=$out/curve.toml"
build/heliograd plan builtin:paper --set "gpu.curve=$out/curve.toml" --set job.units=469000
echo; echo "== A tenth of it is carried out, 400 times as fast as real: heliograd run plan.json -- sim-train"
printf 'speed = 400\n[[gpu]]\nsensor_window_ms = 100\n' >"$out/gpu_fast.toml"
export HELIOGRAD_SIM_GPU="$PWD/$out/gpu_fast.toml"
build/heliograd plan builtin:paper --set "gpu.curve=$out/curve.toml" --set job.units=469000 --set job.work=0.1 --set gpu.idle_w=15 --hours 4 \
  -o "$out/plan.json" >"$out/plan.txt" 2>>"$out/messages.txt"
simulated build/heliograd run "$out/plan.json" --simulated-clock -o "$out/run" --progress 'step ([0-9]+)' --steps 46900 \
  -- build/sim/sim-train --iterations 46900 >"$out/run.txt" 2>>"$out/messages.txt"
sed -n '/^Run /,$p' "$out/run.txt"
echo; echo "== Plan against actual, slot by slot: heliograd report $out/run -o $out/report.html"
build/heliograd report "$out/run" >"$out/report.txt"
build/heliograd report "$out/run" -o "$out/report.html" 2>>"$out/messages.txt"
sed -n '/^\(why it went\|slot \)/,/^What happened/{/^What happened/d;p}' "$out/report.txt"

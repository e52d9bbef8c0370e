// The estimators against a known truth: simulated sensors x loads x runs. Prints one JSON object of tallies; with
// --runs N each cell has N runs (40 by default), with --long the cells of 600 s come too. Nothing is timed but as a
// whole.
#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <iostream>
#include <nlohmann/json.hpp>
#include <string>

#include "heliograd/model/truth_trials.h"

namespace heliograd::bench {
namespace {

using nlohmann::json;

constexpr double kIterationsS[] = {0.02, 0.1, 0.3};
constexpr double kPhaseRunS = 120;
constexpr double kWindowS = 30;
constexpr int kSweeps = 120;

double Quantile95OfSizes(std::vector<double> values) {
  if (values.empty()) return 0;
  for (double& value : values) value = std::abs(value);
  std::sort(values.begin(), values.end());
  return values[static_cast<size_t>(0.95 * static_cast<double>(values.size() - 1))];
}

json PhaseCell(const SensorKind& kind, double iteration_s, double length_s, double sleep, int runs, uint64_t seed) {
  const TrainingLoad load{.iteration_s = iteration_s, .sleep_share = sleep};
  PhaseTally tally;
  for (int run = 0; run < runs; ++run) {
    tally.Add(RunPhaseTrial(kind, load, {.length_s = length_s}, seed + static_cast<uint64_t>(run)));
  }
  const double identified = std::max(1, tally.identified);
  return {{"sensor", kind.name},
          {"iteration_s", iteration_s},
          {"length_s", length_s},
          {"sleep_share", sleep},
          {"runs", tally.runs},
          {"refused", tally.refused},
          {"phases", tally.phases},
          {"share_covered", tally.share_covered},
          {"energy_covered", tally.energy_covered},
          {"identified", tally.identified},
          {"groups", tally.groups},
          {"groups_covered", tally.groups_covered},
          {"share_half_width", tally.share_half_width / identified},
          {"energy_half_width", tally.energy_half_width / identified},
          {"share_rms", std::sqrt(tally.share_error2 / identified)},
          {"closure_95", Quantile95OfSizes(tally.closures)},
          {"condition", tally.condition / std::max(1, tally.runs - tally.refused)}};
}

json WindowCell(const SensorKind& kind, double iteration_s, int runs, uint64_t seed) {
  WindowTally tally;
  for (int run = 0; run < runs; ++run) {
    tally.Add(RunWindowTrial(kind, {.iteration_s = iteration_s}, kWindowS, seed + static_cast<uint64_t>(run)));
  }
  const int resolved = tally.runs - tally.unresolved;
  return {{"sensor", kind.name},
          {"iteration_s", iteration_s},
          {"runs", tally.runs},
          {"unresolved", tally.unresolved},
          {"covered", tally.covered},
          {"shown_covered", tally.shown_covered},
          {"half_width", tally.half_width / std::max(1, resolved)},
          {"error_95", Quantile95OfSizes(tally.errors)}};
}

json SweepCell(const SweepTrial& trial) {
  SweepTally tally;
  for (uint64_t seed = 0; seed < kSweeps; ++seed) tally.Add(RunSweepTrial(trial, seed));
  return {{"curve", trial.flat_valley ? "flat valley, least at 150 W" : "two phases, least at 170 W"},
          {"rounds", trial.rounds},
          {"scatter", trial.scatter},
          {"runs", tally.runs},
          {"knee_within_step", tally.knee_close},
          {"knee_covered", tally.energy_covered},
          {"energy_time_covered", tally.energy_time_covered},
          {"binding_covered", tally.binding_covered},
          {"width_w", tally.width_w / tally.runs}};
}

json Cells(int runs) {
  json cells = {{"phases", json::array()}, {"windows", json::array()}, {"sweeps", json::array()}};
  uint64_t seed = 10000;
  for (const double iteration_s : kIterationsS) {
    for (const SensorKind& kind : TruthSensors()) {
      cells["phases"].push_back(PhaseCell(kind, iteration_s, kPhaseRunS, 0.05, runs, seed += 1000));
      cells["windows"].push_back(WindowCell(kind, iteration_s, runs, seed += 1000));
    }
  }
  for (const bool flat : {false, true}) {
    for (const int rounds : {3, 5}) {
      for (const double scatter : {0.003, 0.01, 0.02}) {
        cells["sweeps"].push_back(SweepCell({.rounds = rounds, .scatter = scatter, .flat_valley = flat}));
      }
    }
  }
  return cells;
}

json LongCells(int runs) {
  json cells = {{"phases", json::array()}, {"windows", json::array()}, {"sweeps", json::array()}};
  const std::vector<SensorKind> kinds = TruthSensors();
  uint64_t seed = 200000;
  for (const double iteration_s : {0.02, 0.1, 0.2, 0.3}) {
    for (size_t kind = 0; kind < 5; ++kind) {
      cells["phases"].push_back(PhaseCell(kinds[kind], iteration_s, 600, 0.05, runs, seed += 1000));
    }
  }
  return cells;
}

int Main(int count, char** arguments) {
  int runs = 40;
  bool long_runs = false;
  for (int i = 1; i < count; ++i) {
    const std::string argument = arguments[i];
    if (argument == "--long") {
      long_runs = true;
    } else if (argument == "--runs" && i + 1 < count && std::atoi(arguments[i + 1]) > 0) {
      runs = std::atoi(arguments[++i]);
    } else {
      std::cerr << "usage: truth [--runs N] [--long]\n";
      return 2;
    }
  }
  std::cout << (long_runs ? LongCells(runs) : Cells(runs)).dump(1) << '\n';
  return 0;
}

}  // namespace
}  // namespace heliograd::bench

int main(int count, char** arguments) { return heliograd::bench::Main(count, arguments); }

#include "bench/truth_tables.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <thread>

#include "heliograd/model/truth_trials.h"

namespace heliograd::bench {
namespace {

using nlohmann::json;

constexpr double kPhaseRunS = 120;
constexpr double kWindowS = 30;
constexpr int kSweepsPerRun = 3;     // a sweep takes microseconds
constexpr size_t kNotedSensors = 5;  // A, B, C, T20, D

/// Calls visit(0 .. count - 1), each once, on some threads.
template <typename Visit>
void InParallel(size_t count, int threads, Visit visit) {
  std::atomic<size_t> next{0};
  const auto work = [&] {
    for (size_t i = next++; i < count; i = next++) visit(i);
  };
  std::vector<std::thread> others;
  for (int i = 1; i < threads; ++i) others.emplace_back(work);
  work();
  for (std::thread& other : others) other.join();
}

/// The tally of each cell over its runs. Trials end in any order but are added in theirs.
template <typename Tally, typename Cell, typename Trial>
std::vector<Tally> Tallies(const std::vector<Cell>& cells, const TruthOptions& options, Trial trial) {
  std::vector<std::pair<size_t, int>> jobs;
  for (size_t cell = 0; cell < cells.size(); ++cell) {
    for (int run = 0; run < cells[cell].runs; ++run) jobs.emplace_back(cell, run);
  }
  std::vector<Tally> outcomes(jobs.size());
  InParallel(jobs.size(), options.threads, [&](size_t i) {
    const Cell& cell = cells[jobs[i].first];
    outcomes[i] = trial(cell, cell.first_seed + static_cast<uint64_t>(jobs[i].second));
  });
  std::vector<Tally> tallies(cells.size());
  for (size_t i = 0; i < jobs.size(); ++i) tallies[jobs[i].first].Add(outcomes[i]);
  return tallies;
}

double Quantile95OfSizes(std::vector<double> values) {
  if (values.empty()) return 0;
  for (double& value : values) value = std::abs(value);
  std::sort(values.begin(), values.end());
  return values[static_cast<size_t>(0.95 * static_cast<double>(values.size() - 1))];
}

struct PhaseCell {
  std::string what;  // that sets the cell apart, beyond sensor and load
  SensorKind kind;
  TrainingLoad load;
  TrialOptions options;
  int runs = 40;
  uint64_t first_seed = 0;
};

/// Gives every cell its own seeds.
class PhaseCells {
 public:
  PhaseCells(const TruthOptions& options, uint64_t first_seed) : options_(options), seed_(first_seed) {}

  void Add(std::string what, const SensorKind& kind, const TrainingLoad& load, const TrialOptions& trial) {
    const int runs = trial.length_s > 300 ? (options_.runs * 14 + 39) / 40 : options_.runs;
    cells_.push_back({std::move(what), kind, load, trial, runs, seed_});
    seed_ += 100000;
  }
  json Measure() const {
    const auto tallies = Tallies<PhaseTally>(cells_, options_, [](const PhaseCell& cell, uint64_t seed) {
      return RunPhaseTrial(cell.kind, cell.load, cell.options, seed);
    });
    json list = json::array();
    for (size_t i = 0; i < cells_.size(); ++i) list.push_back(Told(cells_[i], tallies[i]));
    return list;
  }

 private:
  static json Told(const PhaseCell& cell, const PhaseTally& tally) {
    const double identified = std::max(1, tally.identified);
    return {{"what", cell.what},
            {"sensor", cell.kind.name},
            {"iteration_s", cell.load.iteration_s},
            {"length_s", cell.options.length_s},
            {"sleep_share", cell.load.sleep_share},
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
            {"share_bias", tally.share_error / identified},
            {"closure_95", Quantile95OfSizes(tally.closures)},
            {"plain_mean_95", Quantile95OfSizes(tally.plain_means)},
            {"condition", tally.condition / std::max(1, tally.runs - tally.refused)}};
  }

  TruthOptions options_;
  uint64_t seed_;
  std::vector<PhaseCell> cells_;
};

std::vector<SensorKind> NotedSensors() {
  std::vector<SensorKind> kinds = TruthSensors();
  kinds.resize(kNotedSensors);
  return kinds;
}

json Phases(const TruthOptions& options) {
  PhaseCells cells(options, 100'000'000);
  for (const double iteration_s : {0.02, 0.1, 0.3}) {
    for (const SensorKind& kind : TruthSensors()) {
      cells.Add("", kind, {.iteration_s = iteration_s}, {.length_s = kPhaseRunS});
    }
  }
  return cells.Measure();
}

json Coverage(const TruthOptions& options) {
  PhaseCells cells(options, 200'000'000);
  for (const double length_s : {30, 120, 600}) {
    for (const double iteration_s : {0.02, 0.1, 0.2, 0.3}) {
      for (const SensorKind& kind : NotedSensors()) {
        cells.Add("", kind, {.iteration_s = iteration_s}, {.length_s = length_s});
      }
    }
  }
  return cells.Measure();
}

/// Calibration worse than the estimator is told, and told honestly.
json Miscalibration(const TruthOptions& options) {
  struct Case {
    const char* what;
    double true_sd_s, told_sd_s, step_sd_s;
  };
  constexpr Case kCases[] = {
      {"0.5 ms, told 0.3 ms", 0.0005, 0.0003, 0.0002}, {"0.5 ms, told so", 0.0005, 0.0005, 0.0005},
      {"1 ms, told 0.3 ms", 0.001, 0.0003, 0.0002},    {"1 ms, told so", 0.001, 0.001, 0.001},
      {"5 ms, told 0.3 ms", 0.005, 0.0003, 0.0002},    {"5 ms, told so", 0.005, 0.005, 0.005}};
  PhaseCells cells(options, 300'000'000);
  for (const Case& each : kCases) {
    for (const double iteration_s : {0.02, 0.1}) {
      for (const SensorKind& kind : NotedSensors()) {
        cells.Add(each.what, kind, {.iteration_s = iteration_s},
                  {.length_s = kPhaseRunS,
                   .calibration_sd_s = each.true_sd_s,
                   .told_sd_s = each.told_sd_s,
                   .step_sd_s = each.step_sd_s});
      }
    }
  }
  return cells.Measure();
}

/// Loads and sensors that are less tame.
json Rough(const TruthOptions& options) {
  PhaseCells cells(options, 400'000'000);
  for (const double iteration_s : {0.02, 0.1, 0.3}) {
    for (SensorKind kind : NotedSensors()) {
      const auto add = [&](const char* what, TrainingLoad load) {
        load.iteration_s = iteration_s;
        cells.Add(what, kind, load, {.length_s = kPhaseRunS});
      };
      add("2 % stalls", {.stall_probability = 0.02});
      add("5 % power jitter", {.power_jitter = 0.05});
      add("10 % drift", {.drift = 0.1});
      add("sleep in one of 8", {.sleep_every = 8});
      kind.noise_w = 3;
      add("noise 3 W", {});
    }
  }
  return cells.Measure();
}

/// The whole way: bursts, calibration, then the run.
json Calibrated(const TruthOptions& options) {
  PhaseCells cells(options, 500'000'000);
  for (const auto& [what, ramp_s] :
       {std::pair{"power steps at once", 0.0}, std::pair{"power ramps within 1 ms", 0.001}}) {
    for (const double iteration_s : {0.02, 0.1, 0.3}) {
      for (const SensorKind& kind : TruthSensors()) {
        cells.Add(what, kind, {.iteration_s = iteration_s},
                  {.length_s = kPhaseRunS,
                   .calibration = TrialCalibration::kBursts,
                   .step_sd_s = SensorTiming{}.step_sd_s,
                   .ramp_s = ramp_s});
      }
    }
  }
  return cells.Measure();
}

/// How far a sensor that looks a quarter of the time is off, as a plain mean and through the phases.
json Closure(const TruthOptions& options) {
  PhaseCells cells(options, 600'000'000);
  const SensorKind kind = TruthSensors()[1];
  for (const bool in_step : {false, true}) {
    for (const double sleep : {0.0, 0.02, 0.05, 0.1}) {
      for (const double length_s : {30, 120, 600}) {
        cells.Add(in_step ? "in step" : "free", kind, {.sleep_share = sleep},
                  {.length_s = length_s, .in_step = in_step});
      }
    }
  }
  return cells.Measure();
}

struct WindowCell {
  SensorKind kind;
  double iteration_s = 0.1;
  int runs = 40;
  uint64_t first_seed = 0;
};

json Windows(const TruthOptions& options) {
  std::vector<WindowCell> cells;
  for (const double iteration_s : {0.02, 0.1, 0.3}) {
    for (const SensorKind& kind : TruthSensors()) {
      cells.push_back({kind, iteration_s, options.runs, 700'000'000 + 100000 * cells.size()});
    }
  }
  const auto tallies = Tallies<WindowTally>(cells, options, [](const WindowCell& cell, uint64_t seed) {
    return RunWindowTrial(cell.kind, {.iteration_s = cell.iteration_s}, kWindowS, seed);
  });
  json list = json::array();
  for (size_t i = 0; i < cells.size(); ++i) {
    const WindowTally& tally = tallies[i];
    list.push_back({{"sensor", cells[i].kind.name},
                    {"iteration_s", cells[i].iteration_s},
                    {"runs", tally.runs},
                    {"unresolved", tally.unresolved},
                    {"covered", tally.covered},
                    {"shown_covered", tally.shown_covered},
                    {"half_width", tally.half_width / std::max(1, tally.runs - tally.unresolved)},
                    {"coarse", tally.coarse},
                    {"far_untold", tally.far_untold},
                    {"error_95", Quantile95OfSizes(tally.errors)}});
  }
  return list;
}

struct SweepCell {
  SweepTrial trial;
  int runs = 120;
  uint64_t first_seed = 0;
};

json Sweeps(const TruthOptions& options) {
  std::vector<SweepCell> cells;
  for (const bool flat : {false, true}) {
    for (const int rounds : {3, 5}) {
      for (const double scatter : {0.003, 0.01, 0.02}) {
        cells.push_back({{.rounds = rounds, .scatter = scatter, .flat_valley = flat},
                         kSweepsPerRun * options.runs,
                         800'000'000 + 100000 * cells.size()});
      }
    }
  }
  const auto tallies = Tallies<SweepTally>(
      cells, options, [](const SweepCell& cell, uint64_t seed) { return RunSweepTrial(cell.trial, seed); });
  json list = json::array();
  for (size_t i = 0; i < cells.size(); ++i) {
    const SweepTally& tally = tallies[i];
    list.push_back(
        {{"curve", cells[i].trial.flat_valley ? "flat valley, least at 150 W" : "two phases, least at 170 W"},
         {"rounds", cells[i].trial.rounds},
         {"scatter", cells[i].trial.scatter},
         {"runs", tally.runs},
         {"knee_within_step", tally.knee_close},
         {"knee_covered", tally.energy_covered},
         {"energy_time_covered", tally.energy_time_covered},
         {"binding_covered", tally.binding_covered},
         {"width_w", tally.width_w / tally.runs}});
  }
  return list;
}

}  // namespace

const std::vector<TruthTable>& TruthTables() {
  static const std::vector<TruthTable> kTables = {{"windows", Windows},       {"phases", Phases},
                                                  {"sweeps", Sweeps},         {"coverage", Coverage},
                                                  {"calibrated", Calibrated}, {"miscalibration", Miscalibration},
                                                  {"rough", Rough},           {"closure", Closure}};
  return kTables;
}

}  // namespace heliograd::bench

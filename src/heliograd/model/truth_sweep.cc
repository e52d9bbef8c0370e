// The simulated card's sweep of truth_trials.h.
#include <algorithm>
#include <cmath>
#include <random>

#include "heliograd/model/limit_sweep.h"
#include "heliograd/model/truth_trials.h"

namespace heliograd {
namespace {

constexpr double kTopMhz = 2800, kLeastMhz = 210, kStepMhz = 15;
constexpr double kLowW = 100, kHighW = 320, kStepW = 10;

double Volts(double mhz) { return mhz <= 2580 ? 0.903 : 0.903 + (1.05 - 0.903) * (mhz - 2580) / (kTopMhz - 2580); }

double PowerW(double mhz, double use) {
  const double volts = Volts(mhz);
  return 15 + 46.7 * volts * volts + 170 * use * (mhz / kTopMhz) * std::pow(volts / 1.05, 2);
}

/// Time against that at the top clock, for memory-bound time `memory` times the compute-bound one.
double TimeRatio(double mhz, double memory) {
  constexpr double kSharpness = 7;
  const auto both = [&](double ratio) {
    return std::pow(std::pow(ratio, kSharpness) + std::pow(memory, kSharpness), 1 / kSharpness);
  };
  return both(kTopMhz / mhz) / both(1);
}

double ClockMhz(double limit_w, double use) {
  double mhz = kTopMhz;
  while (mhz - kStepMhz >= kLeastMhz && PowerW(mhz, use) > limit_w) mhz -= kStepMhz;
  return mhz;
}

struct CardPhase {
  double use, share, memory;
};

std::vector<double> Limits() {
  std::vector<double> limits_w;
  for (double limit_w = kLowW; limit_w <= kHighW; limit_w += kStepW) limits_w.push_back(limit_w);
  return limits_w;
}

bool Holds(const SweepLimit& found, double true_w) {
  return InWatts(found.low) <= true_w && true_w <= InWatts(found.high);
}

}  // namespace

CardPoint SimulatedCard(double limit_w, bool flat_valley) {
  if (flat_valley) {
    // Least at 150 W, 0.3 % more at 10 W beside, and nothing changes above the card's 236 W.
    const double x = std::log(std::min(limit_w, PowerW(kTopMhz, 1)) / 150);
    const double time_s = std::exp(-0.7 * x);
    return {(1 + 0.7 * x * x) / time_s, time_s};
  }
  const CardPhase phases[] = {{1.0, 0.68, 0.96}, {0.30, 0.32, 3.2}};
  double energy_j = 0, time_s = 0;
  for (const CardPhase& phase : phases) {
    const double mhz = ClockMhz(limit_w, phase.use);
    const double spent_s = phase.share * TimeRatio(mhz, phase.memory);
    time_s += spent_s;
    energy_j += spent_s * PowerW(mhz, phase.use);
  }
  return {energy_j / time_s, time_s};
}

void SweepTally::Add(const SweepTally& other) {
  runs += other.runs;
  knee_close += other.knee_close;
  energy_covered += other.energy_covered;
  energy_time_covered += other.energy_time_covered;
  binding_covered += other.binding_covered;
  width_w += other.width_w;
}

SweepTally RunSweepTrial(const SweepTrial& trial, uint64_t seed) {
  std::mt19937_64 random(seed);
  std::normal_distribution<double> normal;
  const std::vector<double> limits_w = Limits();
  std::vector<SweepWindow> windows;
  double knee_w = 0, knee_time_w = 0, least = 1e300, least_time = 1e300;
  for (double limit_w : limits_w) {
    const CardPoint card = SimulatedCard(limit_w, trial.flat_valley);
    if (card.EnergyJ() < least) least = card.EnergyJ(), knee_w = limit_w;
    if (card.EnergyJ() * card.time_s < least_time) least_time = card.EnergyJ() * card.time_s, knee_time_w = limit_w;
  }
  for (int round = 0; round < trial.rounds; ++round) {
    std::vector<double> order = limits_w;
    std::shuffle(order.begin(), order.end(), random);
    const double gain = 1 + 0.025 * normal(random);
    for (size_t i = 0; i < order.size(); ++i) {
      const CardPoint card = SimulatedCard(order[i], trial.flat_valley);
      // Power drifts by 2 % over the round; a tenth of the scatter is the time's.
      const double drift = 1 + 0.02 * static_cast<double>(i) / static_cast<double>(order.size());
      const double time_factor = std::exp(0.1 * trial.scatter * normal(random));
      const double energy_factor = std::exp(trial.scatter * normal(random));
      windows.push_back({round, Watts(order[i]), Joules(gain * drift * energy_factor * card.EnergyJ()),
                         Seconds(time_factor * card.time_s)});
    }
  }
  const auto found = AnalyseSweep(windows);
  SweepTally tally;
  tally.runs = 1;
  if (!found) return tally;
  // The limit stops binding where it reaches the most that the card ever draws at the top clock.
  const double binding_w = PowerW(kTopMhz, 1);
  tally.knee_close = std::abs(InWatts(found->least_energy.limit) - knee_w) <= kStepW;
  tally.energy_covered = Holds(found->least_energy, knee_w);
  tally.energy_time_covered = Holds(found->least_energy_time, knee_time_w);
  tally.binding_covered = found->stops_binding && Holds(*found->stops_binding, binding_w);
  tally.width_w = InWatts(found->least_energy.high - found->least_energy.low);
  return tally;
}

}  // namespace heliograd

#include "heliograd/model/simulated_load.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>

namespace heliograd {
namespace {

constexpr int kPhases = 5;
constexpr int kSteps = 10;
constexpr size_t kOther = kPhases, kSleep = kPhases + 1;
constexpr double kDriftS = 60;

double Uniform(double low, double high, std::mt19937_64& random) {
  return std::uniform_real_distribution<double>(low, high)(random);
}

struct PhaseShape {
  double length_s = 0;
  std::array<double, kSteps> widths{};  // sum to 1
  std::array<double, kSteps> powers_w{};
};

PhaseShape DrawPhase(double length_s, double mean_w, double spread, std::mt19937_64& random) {
  PhaseShape shape{length_s, {}, {}};
  for (double& width : shape.widths) width = Uniform(0.3, 1.7, random);
  const double sum = std::accumulate(shape.widths.begin(), shape.widths.end(), 0.0);
  for (double& width : shape.widths) width /= sum;
  for (double& power : shape.powers_w) power = mean_w * (1 + Uniform(-spread, spread, random));
  return shape;
}

struct IterationShape {
  std::array<PhaseShape, kPhases> phases;
  double other_s, other_w, idle_w;
};

IterationShape DrawIteration(const TrainingLoad& load, std::mt19937_64& random) {
  // Relative lengths and watts of copy, forward, backward, optimizer, and of what lies between.
  std::array<double, 5> lengths = {Uniform(0.05, 0.15, random), Uniform(0.2, 0.35, random), Uniform(0.35, 0.55, random),
                                   Uniform(0.06, 0.18, random), Uniform(0.03, 0.1, random)};
  const double sum = std::accumulate(lengths.begin(), lengths.end(), 0.0);
  const double loss_s = Uniform(1e-4, 5e-4, random);
  for (double& length : lengths) length *= (load.iteration_s - loss_s) / sum;
  const double spread = load.step_spread;
  IterationShape shape{{DrawPhase(lengths[0], Uniform(80, 160, random), spread, random),
                        DrawPhase(lengths[1], Uniform(180, 300, random), spread, random),
                        DrawPhase(loss_s, Uniform(100, 200, random), spread, random),
                        DrawPhase(lengths[2], Uniform(200, 330, random), spread, random),
                        DrawPhase(lengths[3], Uniform(110, 260, random), spread, random)},
                       lengths[4],
                       Uniform(70, 120, random),
                       Uniform(55, 75, random)};
  return shape;
}

/// Appends pieces and keeps the books of each phase.
class Writer {
 public:
  Writer(const TrainingLoad& load, SimulatedTraining& run) : load_(load), run_(run) {
    run.energy_j.assign(kSleep + 1, 0);
  }

  double now_s() const { return now_s_; }

  void Spend(size_t group, double length_s, double power_w) {
    if (length_s <= 0) return;
    const double warm_w = power_w * (1 + load_.drift * (1 - std::exp(-now_s_ / kDriftS)));
    now_s_ += length_s;
    run_.power.push_back({now_s_, warm_w});
    run_.energy_j[group] += warm_w * length_s;
  }

  void Run(int phase, const PhaseShape& shape, double stretch, double power_factor) {
    const double begin_s = now_s_;
    for (int step = 0; step < kSteps; ++step) {
      Spend(static_cast<size_t>(phase), shape.length_s * stretch * shape.widths[step],
            shape.powers_w[step] * power_factor);
    }
    run_.marks.push_back({phase, begin_s, now_s_});
  }

  void Sleep(double length_s, double idle_w) {
    const double begin_s = now_s_;
    Spend(kSleep, length_s, idle_w);
    if (length_s > 0) run_.marks.push_back({kSleepMark, begin_s, now_s_});
  }

 private:
  const TrainingLoad& load_;
  SimulatedTraining& run_;
  double now_s_ = 0;
};

}  // namespace

double SimulatedTraining::Share(size_t phase) const {
  return energy_j[phase] / std::accumulate(energy_j.begin(), energy_j.end() - 1, 0.0);
}

SimulatedTraining SimulateTraining(const TrainingLoad& load, double length_s, std::mt19937_64& random) {
  const IterationShape shape = DrawIteration(load, random);
  std::normal_distribution<double> normal;
  SimulatedTraining run;
  Writer writer(load, run);
  for (int iteration = 0; writer.now_s() < length_s; ++iteration) {
    for (int phase = 0; phase < kPhases; ++phase) {
      writer.Run(phase, shape.phases[phase], std::exp(load.duration_jitter * normal(random)),
                 1 + load.power_jitter * normal(random));
    }
    writer.Spend(kOther, shape.other_s * std::exp(load.duration_jitter * normal(random)), shape.other_w);
    if (Uniform(0, 1, random) < load.stall_probability) writer.Spend(kOther, Uniform(0.05, 0.5, random), shape.idle_w);
    if (load.sleep_share > 0 && iteration % load.sleep_every == 0) {
      writer.Sleep(Uniform(0, 2 * load.sleep_share * load.sleep_every * load.iteration_s, random), shape.idle_w);
    }
    run.iterations += 1;
  }
  for (double& energy : run.energy_j) energy /= run.iterations;
  return run;
}

SimulatedBursts SimulateBursts(const BurstLoad& load, double length_s, std::mt19937_64& random) {
  constexpr int kRampSteps = 10;
  SimulatedBursts bursts;
  double now_s = 0;
  while (now_s < length_s) {
    now_s += Uniform(0.005, 0.15, random);
    bursts.power.push_back({now_s, load.idle_w});
    const double end_s = now_s + Uniform(0.005, 0.15, random);
    bursts.busy.push_back({now_s, end_s});
    for (int step = 0; load.ramp_s > 0 && step < kRampSteps; ++step) {
      const double share = (step + 0.5) / kRampSteps;
      now_s += std::min(load.ramp_s, 0.005) / kRampSteps;
      bursts.power.push_back({now_s, load.idle_w + share * (load.busy_w - load.idle_w)});
    }
    now_s = end_s;
    bursts.power.push_back({now_s, load.busy_w});
  }
  return bursts;
}

}  // namespace heliograd

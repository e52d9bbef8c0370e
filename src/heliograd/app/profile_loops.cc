#include "heliograd/app/profile_loops.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "heliograd/app/command_line.h"
#include "heliograd/model/steady_loop.h"

namespace heliograd {
namespace {

constexpr size_t kSteps = kTrainingSteps.size();
constexpr size_t kToDevice = 0, kForward = 1, kLoss = 2, kBackward = 3, kOptimizer = 4;
constexpr size_t kLoops = 5;
constexpr double kWidest = 0.25;    // half-width over energy, beyond which a step is pooled (docs/attribution.md)
constexpr double kIsolated = 0.05;  // relative: a loop that takes another time than its steps within the training

/// What each loop repeats.
constexpr std::array<LoopedSteps, kLoops> kLooped = {LoopedSteps::kToDevice, LoopedSteps::kForward,
                                                     LoopedSteps::kForwardLoss, LoopedSteps::kForwardLossBackward,
                                                     LoopedSteps::kOptimizer};
using StepSet = std::array<bool, kSteps>;
constexpr std::array<StepSet, kLoops> kStepsOfLoop = {{{true, false, false, false, false},
                                                       {false, true, false, false, false},
                                                       {false, true, true, false, false},
                                                       {false, true, true, true, false},
                                                       {false, false, false, false, true}}};

/// A step's energy is this combination of the loops' energies.
using LoopWeights = std::array<double, kLoops>;
constexpr std::array<LoopWeights, kSteps> kWeightsOfStep = {
    {{1, 0, 0, 0, 0}, {0, 1, 0, 0, 0}, {0, -1, 1, 0, 0}, {0, 0, -1, 1, 0}, {0, 0, 0, 0, 1}}};
constexpr LoopWeights kWeightsOfAll = {1, 0, 0, 1, 1};

/// The loops' energies per iteration, each with its half-width without the gain.
struct LoopEnergies {
  std::array<double, kLoops> energy_j{}, half_j{};
};

std::array<double, kSteps> StepSeconds(const TrainingProfile& profile) {
  std::array<double, kSteps> seconds{};
  for (size_t i = 0; i < kSteps; ++i) {
    for (const ProfiledStep& step : profile.steps) {
      if (step.name == kTrainingSteps[i]) seconds[i] = InSeconds(step.duration);
    }
  }
  return seconds;
}

double SecondsOfLoop(size_t loop, const std::array<double, kSteps>& step_s) {
  double sum_s = 0;
  for (size_t i = 0; i < kSteps; ++i) sum_s += kStepsOfLoop[loop][i] ? step_s[i] : 0;
  return sum_s;
}

std::vector<LoopTrials> LoopsOf(const std::array<double, kSteps>& step_s) {
  std::vector<LoopTrials> loops(kLoops);
  for (size_t loop = 0; loop < kLoops; ++loop) {
    for (size_t i = 0; i < kSteps; ++i) {
      if (!kStepsOfLoop[loop][i]) continue;
      loops[loop].parts.push_back({AssumedUtilisation(static_cast<int>(i)), step_s[i] / SecondsOfLoop(loop, step_s)});
    }
  }
  return loops;
}

/// Power while the loop ran times the time of its steps within the training.
Result<LoopEnergies> EnergiesOf(const std::vector<LoopTrials>& loops, const std::array<double, kSteps>& step_s) {
  std::vector<LoopEnergy> energies;
  for (size_t loop = 0; loop < kLoops; ++loop) {
    if (loops[loop].trials.empty()) return Fail(loops[loop].why);
    for (const LoopTrials::Trial& trial : loops[loop].trials) {
      energies.push_back({static_cast<int>(loop), trial.round, trial.power * Seconds(SecondsOfLoop(loop, step_s))});
    }
  }
  const Result<LoopResult> found = EnergiesOfLayers(energies);
  if (!found) return Fail(found.error());
  LoopEnergies result;
  for (size_t loop = 0; loop < kLoops; ++loop) {
    result.energy_j[loop] = InJoules(found->layers[loop].energy);
    result.half_j[loop] = InJoules(found->layers[loop].half_width);
  }
  return result;
}

struct Combined {
  double energy_j = 0, half_j = 0;  // without the gain
};

/// The loops' errors are independent of each other, but for the gain.
Combined Combine(const LoopEnergies& loops, const LoopWeights& weights) {
  Combined sum;
  for (size_t loop = 0; loop < kLoops; ++loop) {
    sum.energy_j += weights[loop] * loops.energy_j[loop];
    sum.half_j = std::hypot(sum.half_j, weights[loop] * loops.half_j[loop]);
  }
  return sum;
}

ProfiledEnergy WithGain(const Combined& found, double gain_half_width) {
  const double half_j = std::hypot(found.half_j, gain_half_width * found.energy_j);
  return {Joules(found.energy_j), Joules(found.energy_j - half_j), Joules(found.energy_j + half_j)};
}

bool IsKnown(const Combined& found) { return found.energy_j > 0 && found.half_j <= kWidest * found.energy_j; }

void TakeStep(size_t i, const LoopEnergies& loops, double gain_half_width, ProfiledStep& step) {
  const Combined own = Combine(loops, kWeightsOfStep[i]), all = Combine(loops, kWeightsOfAll);
  step.energy = WithGain(own, gain_half_width);
  step.share = own.energy_j / all.energy_j;
  LoopWeights of_share{};
  for (size_t loop = 0; loop < kLoops; ++loop) {
    of_share[loop] = (kWeightsOfStep[i][loop] - *step.share * kWeightsOfAll[loop]) / all.energy_j;
  }
  step.share_half_width = Combine(loops, of_share).half_j;
  step.identifiable = IsKnown(own);
  step.why = step.identifiable ? "" : "too small beside the loops that it is the difference of";
}

/// A difference that is too small to be known is told together with the step after it.
void TellTogether(const LoopEnergies& loops, const TrainingProfile& told, std::vector<std::string>& pooled) {
  const auto pool = [&](const char* names, const LoopWeights& weights) {
    const Combined sum = Combine(loops, weights);
    const ProfiledEnergy energy = WithGain(sum, told.gain_half_width);
    pooled.push_back(fmt::format("{}: {:.4g} +-{:.2g} J", names, sum.energy_j, InJoules(energy.high - energy.energy)));
  };
  const LoopWeights loss_backward = {0, -1, 0, 1, 0};
  if (!IsKnown(Combine(loops, kWeightsOfStep[kBackward])) && !IsKnown(Combine(loops, loss_backward))) {
    pool("Forward + Loss + Backward", {0, 0, 0, 1, 0});
  } else if (!IsKnown(Combine(loops, kWeightsOfStep[kLoss]))) {
    pool("Loss + Backward", loss_backward);
  }
}

/// Against the whole iteration within the training, less the part of its time that lies between the steps.
void TellClosure(const LoopEnergies& loops, const std::array<double, kSteps>& step_s, TrainingProfile& profile) {
  double steps_s = 0, all_s = 0;
  for (const double seconds : step_s) steps_s += seconds;
  for (const ProfiledStep& step : profile.steps) all_s += InSeconds(step.duration);
  const double sum_j = Combine(loops, kWeightsOfAll).energy_j;
  profile.closure.reset();
  profile.closure_tells = false;
  if (profile.iteration_energy && profile.refusal.empty()) {
    profile.closure = sum_j / (InJoules(profile.iteration_energy->energy) * steps_s / all_s) - 1;
    profile.closure_tells = true;
    return;
  }
  profile.iteration_energy = WithGain(Combine(loops, kWeightsOfAll), profile.gain_half_width);
  profile.notes.push_back("the iteration is the sum of its steps in loops, without what lies between them");
}

/// Loops that run at another pace than the training tell of steps by themselves.
void TellPace(const std::vector<LoopTrials>& loops, const std::array<double, kSteps>& step_s,
              TrainingProfile& profile) {
  std::string paces;
  bool is_isolated = false;
  const auto add = [&](const char* name, double looped_s, double own_s) {
    const double pace = looped_s / own_s;
    paces += fmt::format("{}{} {:.2f}", paces.empty() ? "" : ", ", name, pace);
    is_isolated = is_isolated || std::abs(pace - 1) > kIsolated;
  };
  add("To Device", InSeconds(loops[kToDevice].Repetition()), step_s[kToDevice]);
  add("Forward", InSeconds(loops[kForward].Repetition()), step_s[kForward]);
  add("Backward", InSeconds(loops[kBackward].Repetition() - loops[kLoss].Repetition()), step_s[kBackward]);
  add("Optimizer", InSeconds(loops[kOptimizer].Repetition()), step_s[kOptimizer]);
  profile.notes.push_back(
      "in loops the steps took, of their time within the training: " + paces +
      (is_isolated ? "; more than 5 % apart: their power is that of steps by themselves, not within an iteration"
                   : ""));
}

void TakeLoops(const LoopEnergies& loops, const std::array<double, kSteps>& step_s, TrainingProfile& profile) {
  TellClosure(loops, step_s, profile);
  profile.pooled.clear();
  profile.refusal.clear();
  profile.condition.reset();
  TellTogether(loops, profile, profile.pooled);
  for (ProfiledStep& step : profile.steps) {
    const auto found = std::find(kTrainingSteps.begin(), kTrainingSteps.end(), step.name);
    if (found != kTrainingSteps.end()) {
      TakeStep(static_cast<size_t>(found - kTrainingSteps.begin()), loops, profile.gain_half_width, step);
      continue;
    }
    step.energy.reset();
    step.share.reset();
    step.share_half_width.reset();
    step.identifiable = false;
    step.why = "lies between the steps: in no loop";
  }
}

}  // namespace

Result<void> ProfileStepLoops(StepLoops& loops, StepMeter& meter, const LoopRoundOptions& options,
                              TrainingProfile& profile) {
  const std::array<double, kSteps> step_s = StepSeconds(profile);
  for (size_t i = 0; i < kSteps; ++i) {
    if (!(step_s[i] > 0)) {
      return Fail(
          fmt::format("{} took no time that could be measured: a larger --batch makes it longer", kTrainingSteps[i]));
    }
  }
  PrintMessage(fmt::format("steps: {} loops of {:g} s in {} rounds, about {:.0f} s", kLoops, options.loop_s,
                           options.rounds, options.loop_s * options.rounds * static_cast<double>(kLoops)));
  std::vector<LoopTrials> trials = LoopsOf(step_s);
  const auto run = [&](size_t loop, const LoopOptions& looped) { return loops.Loop(kLooped[loop], looped); };
  const Result<int> rounds = RunLoopRounds(trials, run, meter, options);
  if (!rounds) return Fail(rounds.error());
  const Result<LoopEnergies> energies = EnergiesOf(trials, step_s);
  if (!energies) return Fail(energies.error());
  TakeLoops(*energies, step_s, profile);
  TellPace(trials, step_s, profile);
  profile.notes.push_back(
      "steps in loops: a network of the same initial parameters, all data warm in the device's caches; the optimizer "
      "at a rate of zero, without setting gradients to none");
  if (*rounds < options.rounds) {
    profile.notes.push_back(fmt::format("interrupted: the steps are from {} of {} rounds", *rounds, options.rounds));
  }
  return {};
}

}  // namespace heliograd

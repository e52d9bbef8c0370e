// Rounds over things that run in loops, each in a new random order: which loop when, and the power of each.
//
// Enters: what loops, and a meter. Leaves: mean power and time of a repetition for each trial, of whole rounds alone.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "heliograd/app/profile_steps.h"
#include "heliograd/base/result.h"
#include "heliograd/profile/training.h"

namespace heliograd {

/// One loop's trials, one of each round but where the meter could not tell.
struct LoopTrials {
  std::vector<LoopPart> parts;  // what a repetition is made of
  struct Trial {
    int round = 0;
    Power power;
    Duration repetition;
  };
  std::vector<Trial> trials;
  std::string why;  // why the latest trial has no power

  /// Mean over the trials. Precondition: there is one.
  Duration Repetition() const;
};

struct LoopRoundOptions {
  double loop_s = 5;
  int rounds = 5;
  uint64_t seed = 1;
};

/// Runs loop number so-and-so.
using LoopRunner = std::function<Result<void>(size_t, const LoopOptions&)>;

/// Runs each loop in each round, and gives the number of whole rounds; fewer than asked for after an interruption.
/// Errors: the runner's own, an interruption (kInterrupted) before two whole rounds.
Result<int> RunLoopRounds(std::vector<LoopTrials>& loops, const LoopRunner& run, StepMeter& meter,
                          const LoopRoundOptions& options);

}  // namespace heliograd

#include "heliograd/app/loop_rounds.h"

#include <algorithm>
#include <random>

#include "heliograd/app/interrupt.h"

namespace heliograd {
namespace {

/// Of a whole repetition, from its parts.
double SlowdownOf(const std::vector<LoopPart>& parts, const StepMeter& meter) {
  double unslowed = 0;
  for (const LoopPart& part : parts) unslowed += part.share / meter.Slowdown(part.utilisation);
  return 1 / unslowed;
}

Result<void> RunTrial(LoopTrials& loop, size_t number, int round, const LoopRunner& run, StepMeter& meter,
                      const LoopRoundOptions& options) {
  std::vector<LoopRun> runs;
  LoopOptions looped;
  looped.seconds = options.loop_s;
  looped.seed = options.seed + static_cast<uint64_t>(round);
  looped.now_ns = [&] { return meter.NowNs(); };
  looped.on_run = [&](const LoopRun& one) { runs.push_back(one); };
  looped.goes_on = [] { return !Interrupted(); };
  if (Result<void> done = run(number, looped); !done) return done;
  if (Interrupted()) return Fail("interrupted", ErrorKind::kInterrupted);
  double seconds = 0, repetitions = 0;
  for (const LoopRun& one : runs) {
    seconds += 1e-9 * static_cast<double>(one.end_ns - one.begin_ns);
    repetitions += static_cast<double>(one.repetitions);
  }
  const Result<LoopPower> power = meter.PowerOfLoop(runs, loop.parts);
  if (!power) {
    loop.why = power.error().Message();
    return {};
  }
  loop.trials.push_back({round, power->running, Seconds(seconds / repetitions * SlowdownOf(loop.parts, meter))});
  return {};
}

}  // namespace

Duration LoopTrials::Repetition() const {
  Duration sum;
  for (const Trial& trial : trials) sum += trial.repetition;
  return sum / static_cast<double>(trials.size());
}

Result<int> RunLoopRounds(std::vector<LoopTrials>& loops, const LoopRunner& run, StepMeter& meter,
                          const LoopRoundOptions& options) {
  std::mt19937_64 random(options.seed);
  std::vector<size_t> order(loops.size());
  for (size_t i = 0; i < order.size(); ++i) order[i] = i;
  for (int round = 0; round < options.rounds; ++round) {
    std::shuffle(order.begin(), order.end(), random);
    for (const size_t i : order) {
      const Result<void> done = RunTrial(loops[i], i, round, run, meter, options);
      if (done) continue;
      if (done.error().kind != ErrorKind::kInterrupted || round < 2) return Fail(done.error());
      for (LoopTrials& loop : loops) {
        std::erase_if(loop.trials, [&](const LoopTrials::Trial& trial) { return trial.round == round; });
      }
      return round;
    }
  }
  return options.rounds;
}

}  // namespace heliograd

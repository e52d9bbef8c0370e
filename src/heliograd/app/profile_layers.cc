#include "heliograd/app/profile_layers.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <random>

#include "heliograd/app/command_line.h"
#include "heliograd/app/interrupt.h"
#include "heliograd/profile/mac_count.h"

namespace heliograd {
namespace {

/// Simulated power only: a layer that does this many MACs for each byte it moves keeps the arithmetic units busy, one
/// that only moves data as busy as the memory phase of the study's job. Assumed.
constexpr double kMacsPerByteWhenBusy = 20, kUtilisationOfMoving = 0.3;

double AssumedUtilisation(const Architecture& network, const Layer& layer, int64_t batch) {
  const double bytes = static_cast<double>(EstimateForwardBytes(network, layer, batch));
  const double macs = static_cast<double>(CountMacs(network, layer).Macs() * batch);
  const double busy = bytes > 0 ? std::min(1.0, macs / bytes / kMacsPerByteWhenBusy) : 0;
  return kUtilisationOfMoving + (1 - kUtilisationOfMoving) * busy;
}

/// Of the whole network: its layers' by the time that the bytes and MACs take alike.
double AssumedUtilisation(const Architecture& network, int64_t batch) {
  double busy = 0, all = 0;
  for (const Layer& layer : network.layers) {
    const double weight = static_cast<double>(EstimateForwardBytes(network, layer, batch)) * kMacsPerByteWhenBusy +
                          static_cast<double>(CountMacs(network, layer).Macs() * batch);
    busy += weight * AssumedUtilisation(network, layer, batch);
    all += weight;
  }
  return busy / all;
}

/// One item's trials so far.
struct Trials {
  LoopItem item;
  double utilisation = 1;
  std::vector<LoopEnergy> energies;
  double seconds = 0, repetitions = 0;
  std::string why;  // why it has no energy

  Duration Repetition() const { return Seconds(seconds / repetitions); }
};

std::vector<Trials> ItemsOf(const Architecture& network, const LayerLoops& loops, int64_t batch) {
  std::vector<Trials> items;
  for (const bool backward : {false, true}) {
    items.push_back({{kWholeNetwork, backward}, AssumedUtilisation(network, batch), {}, 0, 0, ""});
    for (size_t i = 0; i < network.layers.size(); ++i) {
      const LoopItem item = {static_cast<int>(i), backward};
      if (!loops.DoesWork(item)) continue;
      items.push_back({item, AssumedUtilisation(network, network.layers[i], batch), {}, 0, 0, ""});
    }
  }
  return items;
}

Result<void> RunTrial(Trials& trials, int number, int round, LayerLoops& loops, StepMeter& meter,
                      const LayerOptions& options) {
  std::vector<LoopRun> runs;
  LoopOptions loop;
  loop.seconds = options.loop_s;
  loop.seed = options.seed + static_cast<uint64_t>(round);
  loop.now_ns = [&] { return meter.NowNs(); };
  loop.on_run = [&](const LoopRun& run) { runs.push_back(run); };
  loop.goes_on = [] { return !Interrupted(); };
  if (Result<void> done = loops.Loop(trials.item, loop); !done) return done;
  if (Interrupted()) return Fail("interrupted", ErrorKind::kInterrupted);
  double seconds = 0, repetitions = 0;
  for (const LoopRun& run : runs) {
    seconds += 1e-9 * static_cast<double>(run.end_ns - run.begin_ns);
    repetitions += static_cast<double>(run.repetitions);
  }
  const Result<LoopPower> power = meter.PowerOfLoop(runs, trials.utilisation);
  if (!power) {
    trials.why = power.error().Message();
    return {};
  }
  seconds *= meter.Slowdown(trials.utilisation);
  trials.seconds += seconds;
  trials.repetitions += repetitions;
  trials.energies.push_back({number, round, power->running * Seconds(seconds / repetitions)});
  return {};
}

/// Rounds over all items; whole ones alone count. The number of them.
Result<int> RunRounds(std::vector<Trials>& items, LayerLoops& loops, StepMeter& meter, const LayerOptions& options) {
  std::mt19937_64 random(options.seed);
  std::vector<size_t> order(items.size());
  for (size_t i = 0; i < order.size(); ++i) order[i] = i;
  for (int round = 0; round < options.rounds; ++round) {
    std::shuffle(order.begin(), order.end(), random);
    for (const size_t i : order) {
      const Result<void> done = RunTrial(items[i], static_cast<int>(i), round, loops, meter, options);
      if (done) continue;
      if (done.error().kind != ErrorKind::kInterrupted || round < 2) return Fail(done.error());
      for (Trials& trials : items) {
        std::erase_if(trials.energies, [&](const LoopEnergy& energy) { return energy.round == round; });
      }
      return round;
    }
  }
  return options.rounds;
}

ProfiledEnergy Limits(const LayerEnergy& energy, double gain_half_width) {
  const double middle = InJoules(energy.energy);
  const double half = std::hypot(InJoules(energy.half_width), gain_half_width * middle);
  return {energy.energy, Joules(middle - half), Joules(middle + half)};
}

/// Layers (or the whole network) of one direction, numbered anew from 0 as the estimator wants it.
std::vector<LoopEnergy> EnergiesOf(const std::vector<Trials>& items, bool backward, bool whole,
                                   std::map<int, size_t>& item_of) {
  std::vector<LoopEnergy> energies;
  for (size_t i = 0; i < items.size(); ++i) {
    const LoopItem& item = items[i].item;
    if (item.backward != backward || (item.layer == kWholeNetwork) != whole || items[i].energies.empty()) continue;
    const int number = static_cast<int>(item_of.size());
    item_of[number] = i;
    for (LoopEnergy energy : items[i].energies) {
      energy.layer = number;
      energies.push_back(energy);
    }
  }
  return energies;
}

Result<void> TakeDirection(const std::vector<Trials>& items, bool backward, const IdlePower& idle,
                           double gain_half_width, std::vector<ProfiledLayer>& layers, std::optional<LayerSum>& sum) {
  std::map<int, size_t> item_of, whole_of;
  const std::vector<LoopEnergy> energies = EnergiesOf(items, backward, false, item_of);
  if (energies.empty()) return {};
  const Result<LoopResult> found = EnergiesOfLayers(energies);
  if (!found) return Fail(found.error());
  for (const auto& [number, i] : item_of) {
    const LayerEnergy& energy = found->layers[static_cast<size_t>(number)];
    const Duration repetition = items[i].Repetition();
    const LayerEnergy net = NetOfIdle(energy, repetition, idle.mean, idle.sd);
    ProfiledLayer& layer = layers[static_cast<size_t>(items[i].item.layer)];
    (backward ? layer.backward : layer.forward) =
        ProfiledPass{repetition, Limits(energy, gain_half_width), Limits(net, gain_half_width)};
  }
  const Result<LoopResult> whole = EnergiesOfLayers(EnergiesOf(items, backward, true, whole_of));
  if (!whole) return {};
  const LoopClosure closure = AgainstWhole(*found, whole->layers.front());
  sum = LayerSum{closure.ratio, closure.half_width, closure.isolated};
  return {};
}

}  // namespace

Result<void> ProfileLayers(const Architecture& network, LayerLoops& loops, StepMeter& meter,
                           const LayerOptions& options, TrainingProfile& profile) {
  const Result<IdlePower> idle = meter.PowerAtIdle();
  if (!idle) return Fail(idle.error());
  std::vector<Trials> items = ItemsOf(network, loops, options.batch);
  PrintMessage(fmt::format("layers: {} loops of {:g} s in {} rounds, about {:.0f} min", items.size(), options.loop_s,
                           options.rounds, static_cast<double>(items.size()) * options.loop_s * options.rounds / 60));
  const Result<int> rounds = RunRounds(items, loops, meter, options);
  if (!rounds) return Fail(rounds.error());

  std::vector<ProfiledLayer> layers;
  for (const Layer& layer : network.layers) {
    layers.push_back({layer.name,
                      std::string(KindName(layer.operation)),
                      CountMacs(network, layer).Macs() * options.batch,
                      {},
                      {},
                      "a view of its input: no work"});
  }
  for (const Trials& trials : items) {
    if (trials.item.layer != kWholeNetwork && !trials.item.backward) {
      layers[static_cast<size_t>(trials.item.layer)].why = trials.why;
    }
  }
  for (const bool backward : {false, true}) {
    if (Result<void> done = TakeDirection(items, backward, *idle, profile.gain_half_width, layers,
                                          backward ? profile.backward_sum : profile.forward_sum);
        !done) {
      return done;
    }
  }
  profile.layers = std::move(layers);
  if (*rounds < options.rounds) {
    profile.notes.push_back(fmt::format("interrupted: the layers are from {} of {} rounds", *rounds, options.rounds));
  }
  return {};
}

}  // namespace heliograd

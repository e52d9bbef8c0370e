#include "heliograd/app/profile_layers.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "heliograd/app/command_line.h"
#include "heliograd/app/loop_rounds.h"
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

/// What loops, and where its trials are.
struct Items {
  std::vector<LoopItem> items;
  std::vector<LoopTrials> trials;  // of each

  void Add(const LoopItem& item, double utilisation) {
    items.push_back(item);
    trials.push_back({{{utilisation, 1}}, {}, ""});
  }
};

Items ItemsOf(const Architecture& network, const LayerLoops& loops, int64_t batch) {
  Items items;
  for (const bool backward : {false, true}) {
    items.Add({kWholeNetwork, backward}, AssumedUtilisation(network, batch));
    for (size_t i = 0; i < network.layers.size(); ++i) {
      const LoopItem item = {static_cast<int>(i), backward};
      if (loops.DoesWork(item)) items.Add(item, AssumedUtilisation(network, network.layers[i], batch));
    }
  }
  return items;
}

ProfiledEnergy Limits(const LayerEnergy& energy, double gain_half_width) {
  const double middle = InJoules(energy.energy);
  const double half = std::hypot(InJoules(energy.half_width), gain_half_width * middle);
  return {energy.energy, Joules(middle - half), Joules(middle + half)};
}

/// Layers (or the whole network) of one direction, numbered anew from 0 as the estimator wants it.
std::vector<LoopEnergy> EnergiesOf(const Items& items, bool backward, bool whole, std::map<int, size_t>& item_of) {
  std::vector<LoopEnergy> energies;
  for (size_t i = 0; i < items.items.size(); ++i) {
    const LoopItem& item = items.items[i];
    const std::vector<LoopTrials::Trial>& trials = items.trials[i].trials;
    if (item.backward != backward || (item.layer == kWholeNetwork) != whole || trials.empty()) continue;
    const int number = static_cast<int>(item_of.size());
    item_of[number] = i;
    for (const LoopTrials::Trial& trial : trials) {
      energies.push_back({number, trial.round, trial.power * trial.repetition});
    }
  }
  return energies;
}

Result<void> TakeDirection(const Items& items, bool backward, const IdlePower& idle, double gain_half_width,
                           std::vector<ProfiledLayer>& layers, std::optional<LayerSum>& sum) {
  std::map<int, size_t> item_of, whole_of;
  const std::vector<LoopEnergy> energies = EnergiesOf(items, backward, false, item_of);
  if (energies.empty()) return {};
  const Result<LoopResult> found = EnergiesOfLayers(energies);
  if (!found) return Fail(found.error());
  for (const auto& [number, i] : item_of) {
    const LayerEnergy& energy = found->layers[static_cast<size_t>(number)];
    const Duration repetition = items.trials[i].Repetition();
    const LayerEnergy net = NetOfIdle(energy, repetition, idle.mean, idle.sd);
    ProfiledLayer& layer = layers[static_cast<size_t>(items.items[i].layer)];
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
  Items items = ItemsOf(network, loops, options.batch);
  const double count = static_cast<double>(items.items.size());
  PrintMessage(fmt::format("layers: {} loops of {:g} s in {} rounds, about {:.0f} min", count, options.rounds_of.loop_s,
                           options.rounds_of.rounds, count * options.rounds_of.loop_s * options.rounds_of.rounds / 60));
  const auto run = [&](size_t i, const LoopOptions& looped) { return loops.Loop(items.items[i], looped); };
  const Result<int> rounds = RunLoopRounds(items.trials, run, meter, options.rounds_of);
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
  for (size_t i = 0; i < items.items.size(); ++i) {
    const LoopItem& item = items.items[i];
    if (item.layer != kWholeNetwork && !item.backward)
      layers[static_cast<size_t>(item.layer)].why = items.trials[i].why;
  }
  for (const bool backward : {false, true}) {
    if (Result<void> done = TakeDirection(items, backward, *idle, profile.gain_half_width, layers,
                                          backward ? profile.backward_sum : profile.forward_sum);
        !done) {
      return done;
    }
  }
  profile.layers = std::move(layers);
  if (*rounds < options.rounds_of.rounds) {
    profile.notes.push_back(
        fmt::format("interrupted: the layers are from {} of {} rounds", *rounds, options.rounds_of.rounds));
  }
  return {};
}

}  // namespace heliograd

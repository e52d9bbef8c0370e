#include "heliograd/report/window_summary.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "heliograd/model/phase_energy.h"
#include "heliograd/report/channel_ticks.h"
#include "heliograd/report/device_ticks.h"
#include "heliograd/report/run_energy.h"

namespace heliograd {
namespace {

constexpr size_t kMostSingleWindows = 200;  // worked out one by one
constexpr double kLongestStretchS = 600;    // of a record that is estimated at once
constexpr double kLongWindowPeriods = 20;   // edges of a window this long are a few percent of it

using Windows = std::vector<const WindowMark*>;

/// The windows of one level: same thread, same depth, in order of time.
struct Level {
  int64_t thread = 0;
  int depth = 0;
  Windows windows;
};

struct Recorded {
  const RunReader& run;
  std::vector<DeviceCalibration> calibrations;
  std::vector<DeviceRecord> devices;
  std::vector<ChannelRecord> channels;
  double poll_s = 0.002;
};

bool IsRest(const WindowMark& window) { return window.name == kRestName; }

double Seconds(const WindowMark& window) { return static_cast<double>(window.end_ns - window.begin_ns) * 1e-9; }

std::vector<NameSummary> NamesOf(const std::vector<WindowMark>& windows) {
  std::vector<NameSummary> names;
  std::map<std::pair<int, std::string>, size_t> places;
  for (const WindowMark& window : windows) {
    if (IsRest(window)) continue;
    const auto [place, is_new] = places.try_emplace({window.depth, window.name}, names.size());
    if (is_new) names.push_back({window.name, window.depth, 0, Duration{}, {}});
    NameSummary& name = names[place->second];
    ++name.count;
    name.duration += heliograd::Seconds(Seconds(window));
  }
  std::stable_sort(names.begin(), names.end(), [](const auto& a, const auto& b) { return a.depth < b.depth; });
  return names;
}

std::vector<Level> LevelsOf(const std::vector<WindowMark>& windows) {
  std::map<std::pair<int, int64_t>, Level> levels;
  for (const WindowMark& window : windows) {
    if (IsRest(window)) continue;
    Level& level = levels[{window.depth, window.thread}];
    level.thread = window.thread;
    level.depth = window.depth;
    level.windows.push_back(&window);
  }
  std::vector<Level> list;
  for (auto& [key, level] : levels) list.push_back(std::move(level));
  return list;
}

/// The sum of windows that the sensor resolves one by one; why not where it does not.
NameEnergy EnergyOfEach(const Recorded& recorded, const Windows& windows, int device) {
  NameEnergy sum;
  sum.device = device;
  sum.method = "each window";
  for (const WindowMark* window : windows) {
    std::vector<std::string> left_out;
    const auto energies =
        EnergyBetween(recorded.run, window->begin_ns, window->end_ns, left_out, recorded.calibrations);
    const std::string& uuid = recorded.devices[static_cast<size_t>(device)].uuid;
    const DeviceEnergy* found = nullptr;
    if (energies) {
      for (const DeviceEnergy& energy : *energies) found = energy.device.uuid == uuid ? &energy : found;
    }
    if (found == nullptr || !found->unresolved.empty()) {
      sum.why = found != nullptr   ? found->unresolved
                : !energies        ? energies.error().Message()
                : left_out.empty() ? "the device was not recorded in this window"
                                   : left_out.front();
      return sum;
    }
    // Lag, offset and gain are the same in all windows, so limits add up.
    sum.energy += found->energy;
    sum.low += found->low;
    sum.high += found->high;
  }
  sum.identifiable = true;
  return sum;
}

/// What the phase estimator takes, with the memory it refers to.
struct PhaseInput {
  std::vector<PhaseMark> marks;
  std::vector<SensorTick> ticks;
  std::vector<std::string> names;  // of the phases
  double iterations = 0;
  double clock_ratio = 1;
  int64_t begin_ns = 0, end_ns = 0;
};

/// The level's windows and the rests between them within the interval, on a clock that begins with it.
Result<PhaseInput> MarksOf(const Level& level, const std::vector<WindowMark>& all, int64_t begin_ns, int64_t end_ns) {
  PhaseInput input;
  input.begin_ns = begin_ns;
  input.end_ns = end_ns;
  std::map<std::string, std::pair<int, double>> numbers;  // phase and count by name
  int64_t last_end_ns = begin_ns;
  Windows marks;
  for (const WindowMark* window : level.windows) marks.push_back(window);
  for (const WindowMark& window : all) {
    if (IsRest(window) && window.thread == level.thread) marks.push_back(&window);
  }
  std::stable_sort(marks.begin(), marks.end(), [](const auto* a, const auto* b) { return a->begin_ns < b->begin_ns; });
  for (const WindowMark* mark : marks) {
    if (mark->begin_ns < begin_ns || mark->end_ns > end_ns) continue;
    if (mark->begin_ns < last_end_ns) {
      if (IsRest(*mark)) continue;  // a rest within a window belongs to it
      return Fail(
          fmt::format("windows of one level overlap (\"{}\" begins before the one before it ends): they cannot "
                      "be told apart",
                      mark->name));
    }
    int phase = kSleepMark;
    if (!IsRest(*mark)) {
      const auto [place, is_new] = numbers.try_emplace(mark->name, static_cast<int>(input.names.size()), 0.0);
      if (is_new) input.names.push_back(mark->name);
      phase = place->second.first;
      input.iterations = std::max(input.iterations, ++place->second.second);
    }
    input.marks.push_back({phase, static_cast<double>(mark->begin_ns - begin_ns) * 1e-9,
                           static_cast<double>(mark->end_ns - begin_ns) * 1e-9});
    last_end_ns = mark->end_ns;
  }
  return input;
}

/// The longest unbroken stretch of the device's record under the level's windows, at most ten minutes of it.
Result<PhaseInput> InputOf(const Recorded& recorded, const Level& level, const std::vector<WindowMark>& all, int device,
                           const TellingSensor& sensor, SensorTiming& timing) {
  const int64_t end_ns = level.windows.back()->end_ns;
  // The latest part: a load that warms up is steady by then.
  const int64_t begin_ns =
      std::max(level.windows.front()->begin_ns, end_ns - static_cast<int64_t>(kLongestStretchS * 1e9));
  Result<DeviceTicks> ticks =
      TicksBetween(recorded.run, recorded.channels, device, sensor, {begin_ns, end_ns, recorded.poll_s});
  if (!ticks) return Fail(ticks.error());
  Result<PhaseInput> input = MarksOf(level, all, ticks->begin_ns, ticks->end_ns);
  if (!input) return input;
  // Everything on the driver's clock, on which powers are powers.
  input->clock_ratio = ticks->clock_ratio;
  for (PhaseMark& mark : input->marks) {
    mark.begin_s *= ticks->clock_ratio;
    mark.end_s *= ticks->clock_ratio;
  }
  input->ticks = std::move(ticks->ticks);
  timing = ticks->timing;
  return input;
}

/// The counter's mean power between the first and the last mark.
std::optional<Power> CounterPower(const Recorded& recorded, const PhaseInput& input, int device) {
  std::vector<std::string> left_out;
  const auto at_ns = [&](double time_s) {
    return input.begin_ns + static_cast<int64_t>(time_s / input.clock_ratio * 1e9);
  };
  const auto energies = EnergyBetween(recorded.run, at_ns(input.marks.front().begin_s), at_ns(input.marks.back().end_s),
                                      left_out, recorded.calibrations);
  if (!energies) return std::nullopt;
  for (const DeviceEnergy& energy : *energies) {
    const bool same = energy.device.uuid == recorded.devices[static_cast<size_t>(device)].uuid;
    if (same && energy.method == "energy counter" && energy.unresolved.empty()) return energy.mean;
  }
  return std::nullopt;
}

std::string Joined(const std::vector<int>& phases, const std::vector<std::string>& names, int without) {
  std::string text;
  for (const int phase : phases) {
    if (phase == without) continue;
    const bool is_other = phase == static_cast<int>(names.size());
    text +=
        (text.empty() ? "" : ", ") + (is_other ? "what lies between" : '"' + names[static_cast<size_t>(phase)] + '"');
  }
  return text;
}

/// Why a phase is not identifiable, with what can be said of it together with its neighbours.
std::string PooledText(const PhaseEnergies& energies, const std::vector<std::string>& names, int phase) {
  for (const PhaseEstimate& group : energies.groups) {
    if (std::find(group.phases.begin(), group.phases.end(), phase) == group.phases.end()) continue;
    if (!group.identifiable) return "nothing within the iteration can be told apart: measure longer, or rest more";
    return fmt::format("cannot be told apart from {}: together {:.3g} J +- {:.2g} J each time",
                       Joined(group.phases, names, phase), InJoules(group.energy),
                       InJoules(energies.HalfWidthWithGain(group)));
  }
  return "cannot be told apart from its neighbours";
}

/// Of `times` iterations.
NameEnergy FromPhase(const PhaseEnergies& energies, const PhaseInput& input, int phase, int device, double times) {
  const PhaseEstimate& estimate = energies.phases[static_cast<size_t>(phase)];
  const Energy half = energies.HalfWidthWithGain(estimate);
  NameEnergy energy;
  energy.device = device;
  energy.method = "repeated phases";
  energy.energy = estimate.energy * times;
  energy.low = (estimate.energy - half) * times;
  energy.high = (estimate.energy + half) * times;
  energy.share = estimate.share;
  energy.share_low = estimate.share - estimate.share_half_width;
  energy.share_high = estimate.share + estimate.share_half_width;
  energy.identifiable = estimate.identifiable && energies.refusal.empty();
  if (!energy.identifiable) {
    energy.why = energies.refusal.empty() ? PooledText(energies, input.names, phase) : energies.refusal;
  }
  return energy;
}

/// Iterations that hold `count` windows of the phase: a name that ran in all of them has one window in each.
double IterationsOf(const PhaseInput& input, int phase, double count) {
  const auto marks =
      std::count_if(input.marks.begin(), input.marks.end(), [&](const PhaseMark& mark) { return mark.phase == phase; });
  return count * input.iterations / static_cast<double>(marks);
}

LevelSummary FromEnergies(const PhaseEnergies& energies, const PhaseInput& input, const Level& level, int device) {
  LevelSummary summary;
  const Energy half = energies.HalfWidthWithGain(energies.iteration);
  summary.device = device;
  summary.depth = level.depth;
  summary.iterations = input.iterations;
  summary.iteration = energies.iteration.energy;
  summary.iteration_low = energies.iteration.energy - half;
  summary.iteration_high = energies.iteration.energy + half;
  // What lies in no window is the phase after the last name's.
  summary.other = FromPhase(energies, input, static_cast<int>(input.names.size()), device, 1);
  summary.other_duration = energies.phases.back().duration / input.clock_ratio;
  summary.rest = energies.sleep;
  summary.closure = energies.closure;
  summary.closure_tells = energies.closure_tells;
  summary.condition = energies.condition;
  summary.refusal = energies.refusal;
  return summary;
}

NameSummary* NameAt(WindowSummary& summary, int depth, const std::string& name) {
  const auto found = std::find_if(summary.names.begin(), summary.names.end(), [&](const NameSummary& candidate) {
    return candidate.depth == depth && candidate.name == name;
  });
  return found == summary.names.end() ? nullptr : &*found;
}

bool HasDevice(const NameSummary& name, int device) {
  return std::any_of(name.devices.begin(), name.devices.end(),
                     [&](const NameEnergy& energy) { return energy.device == device; });
}

/// Estimates the level's names as phases of one iteration; a sentence where that is not possible.
Result<void> AddRepeatedPhases(WindowSummary& summary, const Recorded& recorded, const Level& level,
                               const std::vector<WindowMark>& all, int device, const TellingSensor& sensor) {
  PhaseRun run;
  Result<PhaseInput> input = InputOf(recorded, level, all, device, sensor, run.timing);
  if (!input) return Fail(input.error());
  if (input->marks.empty()) return Fail("no window lies within an unbroken part of the record");
  run.marks = input->marks;
  run.phase_count = static_cast<int>(input->names.size());
  run.iterations = input->iterations;
  run.ticks = input->ticks;
  run.counter_power = CounterPower(recorded, *input, device);
  const Result<PhaseEnergies> energies = EstimatePhaseEnergies(run);
  if (!energies) return Fail(energies.error());
  for (size_t phase = 0; phase < input->names.size(); ++phase) {
    NameSummary& name = *NameAt(summary, level.depth, input->names[phase]);
    if (HasDevice(name, device)) continue;  // long enough to be worked out one by one
    const int number = static_cast<int>(phase);
    const double iterations = IterationsOf(*input, number, static_cast<double>(name.count));
    name.devices.push_back(FromPhase(*energies, *input, number, device, iterations));
  }
  summary.levels.push_back(FromEnergies(*energies, *input, level, device));
  const double covered_s = static_cast<double>(input->end_ns - input->begin_ns) * 1e-9;
  const double whole_s = static_cast<double>(level.windows.back()->end_ns - level.windows.front()->begin_ns) * 1e-9;
  if (covered_s < 0.99 * whole_s) {
    summary.notes.push_back(
        fmt::format("windows of level {} are estimated from {:.0f} s of {:.0f} s and taken as alike in the rest",
                    level.depth, covered_s, whole_s));
  }
  return {};
}

Windows WindowsOf(const std::vector<WindowMark>& all, const NameSummary& name) {
  Windows windows;
  for (const WindowMark& window : all) {
    if (window.depth == name.depth && window.name == name.name) windows.push_back(&window);
  }
  return windows;
}

/// Whether edges are so small a part of the windows that each can be worked out by itself.
bool AreLong(const NameSummary& name) {
  constexpr double kUsualPeriodS = 0.1;
  return name.count == 1 ||
         (static_cast<size_t>(name.count) <= kMostSingleWindows &&
          InSeconds(name.duration) / static_cast<double>(name.count) >= kLongWindowPeriods * kUsualPeriodS);
}

/// Names whose windows are all long get their sums; the rest is left to the phases.
void AddLongWindows(WindowSummary& summary, const Recorded& recorded, const std::vector<WindowMark>& all, int device) {
  for (NameSummary& name : summary.names) {
    if (AreLong(name)) name.devices.push_back(EnergyOfEach(recorded, WindowsOf(all, name), device));
  }
}

void AddPhases(WindowSummary& summary, const Recorded& recorded, const std::vector<WindowMark>& all, int device,
               Stamp recorded_at) {
  const DeviceRecord& record = recorded.devices[static_cast<size_t>(device)];
  const DeviceCalibration* calibration = FindCalibration(recorded.calibrations, record);
  const bool usable = calibration != nullptr && JudgeCalibration(*calibration, record, recorded_at).used;
  std::map<int, std::string> why;  // by depth
  const std::vector<Level> levels = LevelsOf(all);
  for (const Level& level : levels) {
    const bool is_asked_for = std::any_of(level.windows.begin(), level.windows.end(), [&](const WindowMark* window) {
      return !HasDevice(*NameAt(summary, level.depth, window->name), device);
    });
    if (!is_asked_for) continue;
    const auto threads =
        std::count_if(levels.begin(), levels.end(), [&](const Level& other) { return other.depth == level.depth; });
    if (threads > 1) {
      why[level.depth] = "its level has windows on several threads, whose work mixes on the device";
      continue;
    }
    if (!usable) {
      why[level.depth] =
          "its windows are shorter than what the sensor resolves; repeated ones can be told apart once the sensor is "
          "calibrated: run `heliograd calibrate`";
      continue;
    }
    const Result<void> added = AddRepeatedPhases(summary, recorded, level, all, device, TellingSensorOf(*calibration));
    if (!added) why[level.depth] = added.error().Message();
  }
  for (NameSummary& name : summary.names) {
    if (HasDevice(name, device)) continue;
    NameEnergy unknown;
    unknown.device = device;
    unknown.why = why[name.depth];
    name.devices.push_back(unknown);
  }
}

}  // namespace

Result<WindowSummary> SummariseWindows(const RunReader& run, std::span<const DeviceCalibration> calibrations) {
  const auto devices = run.Devices();
  const auto channels = run.Channels();
  const auto facts = run.Facts();
  const auto windows = run.Windows();
  if (!devices) return Fail(devices.error());
  if (!channels) return Fail(channels.error());
  if (!facts) return Fail(facts.error());
  if (!windows) return Fail(windows.error());
  std::vector<WindowMark> ordered = *windows;
  std::stable_sort(ordered.begin(), ordered.end(),
                   [](const WindowMark& a, const WindowMark& b) { return a.begin_ns < b.begin_ns; });
  const Recorded recorded = {run, {calibrations.begin(), calibrations.end()}, *devices, *channels, PollSeconds(*facts)};
  const Stamp recorded_at(std::chrono::nanoseconds(ordered.empty() ? 0 : ordered.back().end_ns));
  WindowSummary summary;
  summary.devices = *devices;
  summary.names = NamesOf(ordered);
  for (size_t device = 0; device < devices->size(); ++device) {
    AddLongWindows(summary, recorded, ordered, static_cast<int>(device));
    AddPhases(summary, recorded, ordered, static_cast<int>(device), recorded_at);
  }
  return summary;
}

}  // namespace heliograd

// `heliograd curve`: energy and time of a job at each power limit, and the limit that needs least.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <nlohmann/json.hpp>
#include <random>

#include "heliograd/app/command_line.h"
#include "heliograd/app/duration_text.h"
#include "heliograd/app/progress_pump.h"
#include "heliograd/app/recording.h"
#include "heliograd/app/sources.h"
#include "heliograd/base/file.h"
#include "heliograd/base/text.h"
#include "heliograd/base/time.h"
#include "heliograd/control/child_process.h"
#include "heliograd/control/limit_lease.h"
#include "heliograd/meter/nvml_meter.h"
#include "heliograd/model/limit_sweep.h"
#include "heliograd/report/run_energy.h"

namespace heliograd {
namespace {

using Json = nlohmann::ordered_json;
using std::chrono::milliseconds;

struct CurveFlags {
  std::vector<std::string> command;
  std::string gpu = "0", output = "curve.toml", record, progress, limits, settle = "5s", window = "10s";
  int rounds = 3, most_rounds = 5;
  double knee_width_w = 40;
  unsigned seed = 1;
  bool json = false;
};

/// One stretch of the job under one limit.
struct MeasuredWindow {
  int round = 0;
  Power limit;
  int64_t begin_ns = 0, end_ns = 0;
  double units = 0;
};

/// "100:320:10" or "100,150,200" in watts, within what the device accepts; every 10 W of its range without one.
Result<std::vector<Power>> ParseLimits(const std::string& text, const PowerLimitRange& range) {
  std::vector<Power> limits;
  const auto wrong = [&](const std::string& what) {
    return Fail(fmt::format("--limits {}: {}: expected START:STOP:STEP or a list, in W, within {:.0f} to {:.0f}",
                            Quoted(text), what, InWatts(range.lowest), InWatts(range.highest)),
                ErrorKind::kUsage);
  };
  const std::vector<std::string> parts = SplitCsvLine(text, text.find(':') == std::string::npos ? ',' : ':');
  std::vector<double> numbers;
  for (const std::string& part : parts) {
    const std::optional<double> number = text.empty() ? 0 : ParseNumber(part);
    if (!number) return wrong(Quoted(part) + " is no number");
    numbers.push_back(*number);
  }
  if (text.empty()) {
    numbers = {std::ceil(InWatts(range.lowest) / 10) * 10, InWatts(range.highest), 10};
  }
  if (text.empty() || text.find(':') != std::string::npos) {
    if (numbers.size() != 3 || numbers[2] <= 0) return wrong("is no range");
    for (double watts = numbers[0]; watts <= numbers[1] + 1e-9; watts += numbers[2]) limits.push_back(Watts(watts));
  } else {
    for (const double watts : numbers) limits.push_back(Watts(watts));
  }
  std::sort(limits.begin(), limits.end());
  limits.erase(std::unique(limits.begin(), limits.end()), limits.end());
  if (limits.size() < 3) return wrong("names fewer than three limits");
  if (limits.front() < range.lowest || limits.back() > range.highest) return wrong("is out of range");
  return limits;
}

/// The sweep of one job: the device, its lease, the recording.
class Sweep {
 public:
  Sweep(const CurveFlags& flags, Recording& recording, LimitLease& lease, const WaitedSignalsBlocked& signals)
      : flags_(flags), recording_(recording), lease_(lease), signals_(signals) {}

  /// Rounds over all limits, each in another order, until the knee is known or the most rounds are done.
  Result<std::vector<MeasuredWindow>> Run(const std::vector<Power>& limits, Duration settle, Duration window) {
    return flags_.progress.empty() ? RunRepeatedly(limits) : RunOn(limits, settle, window);
  }

  /// Energies and times per unit of what was measured so far.
  Result<std::vector<SweepWindow>> Evaluate(const std::vector<MeasuredWindow>& windows, double& gain_half_width,
                                            std::vector<std::string>& notes) {
    if (Result<void> done = recording_.CatchUp(); !done) return Fail(done.error());
    const Result<RunReader> run = RunReader::Open(recording_.path());
    if (!run) return Fail(run.error());
    std::vector<SweepWindow> evaluated;
    for (const MeasuredWindow& window : windows) {
      const auto energies = EnergyBetween(*run, window.begin_ns, window.end_ns, notes);
      if (!energies) return Fail(energies.error());
      if (energies->empty()) continue;
      const DeviceEnergy& energy = energies->front();
      gain_half_width = energy.gain_half_width;
      evaluated.push_back({window.round, window.limit, energy.energy / window.units, energy.duration / window.units});
    }
    return evaluated;
  }

 private:
  std::vector<Power> Shuffled(std::vector<Power> limits, int round) const {
    std::mt19937 random(flags_.seed * 1000003u + static_cast<unsigned>(round));
    std::shuffle(limits.begin(), limits.end(), random);
    return limits;
  }

  void Tell(int round, Power limit) const {
    PrintMessage(fmt::format("round {}: {:.0f} W", round + 1, InWatts(limit)));
  }

  bool KneeIsKnown(const std::vector<MeasuredWindow>& windows, int rounds_done) {
    if (rounds_done < flags_.rounds) return false;
    double gain = 0;
    std::vector<std::string> notes;
    const auto evaluated = Evaluate(windows, gain, notes);
    const auto result = evaluated ? AnalyseSweep(*evaluated) : Fail(evaluated.error());
    return result && InWatts(result->least_energy.high - result->least_energy.low) <= flags_.knee_width_w;
  }

  /// One whole run of the command is one window of one unit.
  Result<std::vector<MeasuredWindow>> RunRepeatedly(const std::vector<Power>& limits) {
    std::vector<MeasuredWindow> windows;
    for (int round = 0; round < flags_.most_rounds && !KneeIsKnown(windows, round); ++round) {
      for (const Power limit : Shuffled(limits, round)) {
        Tell(round, limit);
        if (Result<void> set = lease_.Set(limit); !set) return Fail(set.error());
        const int64_t begin_ns = recording_.NowNs();
        Result<ChildProcess> child = ChildProcess::Start(flags_.command, {.output_to_stderr = flags_.json}, signals_);
        if (!child) return Fail(child.error());
        std::optional<ExitStatus> exit;
        while (!exit) exit = child->Wait(milliseconds(200));
        if (exit->AsShell() != 0) {
          return Fail(fmt::format("the command ended with {} at {:.0f} W: a curve needs runs that succeed",
                                  exit->AsShell(), InWatts(limit)));
        }
        windows.push_back({round, limit, begin_ns, recording_.NowNs(), 1});
      }
    }
    return windows;
  }

  /// One run of the command; windows between two of the lines that tell its progress.
  Result<std::vector<MeasuredWindow>> RunOn(const std::vector<Power>& limits, Duration settle, Duration window) {
    Result<std::regex> expression = ParseProgress(flags_.progress);
    if (!expression) return Fail(expression.error());
    Result<ChildProcess> child = ChildProcess::Start(flags_.command, {.pipe_output = true}, signals_);
    if (!child) return Fail(child.error());
    std::vector<MeasuredWindow> windows;
    Result<void> swept;
    {
      ProgressPump pump(child->output(), flags_.json ? STDERR_FILENO : STDOUT_FILENO, std::move(*expression));
      for (int round = 0; swept && round < flags_.most_rounds && !KneeIsKnown(windows, round); ++round) {
        for (const Power limit : Shuffled(limits, round)) {
          Tell(round, limit);
          swept = MeasureAt(limit, round, settle, window, *child, pump, windows);
          if (!swept) break;
        }
      }
      Stop(*child);
    }
    // What whole rounds there are is enough, whatever ended the sweep.
    const bool has_two_rounds = windows.size() >= 2 * limits.size();
    if (!swept && !has_two_rounds) return Fail(swept.error());
    if (!swept) PrintMessage("note: " + swept.error().Message() + "; the curve is from what was measured before");
    return windows;
  }

  Result<void> MeasureAt(Power limit, int round, Duration settle, Duration window, ChildProcess& child,
                         const ProgressPump& pump, std::vector<MeasuredWindow>& windows) {
    if (Result<void> set = lease_.Set(limit); !set) return set;
    const auto nanoseconds = [](Duration duration) { return static_cast<int64_t>(InSeconds(duration) * 1e9); };
    const auto begin = WaitForMark(recording_.NowNs() + nanoseconds(settle), child, pump);
    if (!begin) return Fail(begin.error());
    const auto end = WaitForMark(begin->at_ns + nanoseconds(window), child, pump);
    if (!end) return Fail(end.error());
    windows.push_back({round, limit, begin->at_ns, end->at_ns, end->units - begin->units});
    return {};
  }

  Result<ProgressMark> WaitForMark(int64_t from_ns, ChildProcess& child, const ProgressPump& pump) {
    constexpr int64_t kSilence = 120'000'000'000;  // two minutes without a word: the expression matches nothing
    while (true) {
      if (const std::optional<ProgressMark> mark = pump.FirstFrom(from_ns)) return *mark;
      if (const auto exit = child.Wait(milliseconds(50))) {
        return Fail(
            fmt::format("the command ended ({}) before the sweep did: give it more work, or take fewer --limits "
                        "or a shorter --window",
                        exit->AsShell()));
      }
      const std::optional<ProgressMark> last = pump.Last();
      if (recording_.NowNs() - std::max(from_ns, last ? last->at_ns : 0) > kSilence) {
        return Fail("no line of the command told progress for two minutes: does --progress match what it prints?");
      }
    }
  }

  static void Stop(ChildProcess& child) {
    child.Signal(SIGTERM);
    if (!child.Wait(std::chrono::seconds(10))) child.Signal(SIGKILL);
    while (!child.Wait(milliseconds(200))) {
    }
  }

  const CurveFlags& flags_;
  Recording& recording_;
  LimitLease& lease_;
  const WaitedSignalsBlocked& signals_;
};

std::string AsToml(const SweepResult& result, const DeviceRecord& device, const CurveFlags& flags, double gain) {
  std::string command;
  for (const std::string& word : flags.command) command += (command.empty() ? "" : " ") + word;
  const auto quoted = [](std::string text) {
    for (char& c : text) {
      if (static_cast<unsigned char>(c) < 0x20 || c == '"' || c == '\\') c = ' ';
    }
    return '"' + text + '"';
  };
  std::string text = fmt::format(
      "# Measured by heliograd curve on {}: {} ({}, {}).\n# Least energy at {:.0f} W ({:.0f} to {:.0f} W). Intervals "
      "hold the truth in 95 of 100 sweeps; the sensor's gain, +-{:.1f} %\n# on every energy alike, is not in them. A "
      "unit "
      "is {}.\n[curve]\nname = {}\ngain_half_width_percent = {:.3g}\n",
      FormatStamp(SystemClock().Now()), device.name, device.uuid, device.driver, InWatts(result.least_energy.limit),
      InWatts(result.least_energy.low), InWatts(result.least_energy.high), 100 * gain,
      flags.progress.empty() ? "one run of the command" : "one unit of the progress that the command prints",
      quoted(command + " on " + device.name), 100 * gain);
  for (const SweepLevel& level : result.levels) {
    const double seconds = InSeconds(level.time), joules = InJoules(level.energy);
    text += fmt::format(
        "\n[[points]]{}\nlimit_w = {:g}\nseconds_per_unit = {:.9g}\nseconds_per_unit_low = {:.9g}\n"
        "seconds_per_unit_high = {:.9g}\nenergy_j_per_unit = {:.9g}\nenergy_j_per_unit_low = {:.9g}\n"
        "energy_j_per_unit_high = {:.9g}\n",
        level.dominated ? "  # dominated: another is as fast and needs less" : "", InWatts(level.limit), seconds,
        seconds * (1 - level.time_half_width), seconds * (1 + level.time_half_width), joules,
        joules * (1 - level.energy_half_width), joules * (1 + level.energy_half_width));
  }
  return text;
}

std::string AsJson(const SweepResult& result, const DeviceRecord& device, double gain) {
  Json json;
  json["device"] = {{"uuid", device.uuid}, {"name", device.name}, {"driver", device.driver}};
  json["obtained"] = "measured";
  json["points"] = Json::array();
  for (const SweepLevel& level : result.levels) {
    const double seconds = InSeconds(level.time), joules = InJoules(level.energy);
    json["points"].push_back({{"limit_w", InWatts(level.limit)},
                              {"seconds_per_unit", seconds},
                              {"seconds_per_unit_low", seconds * (1 - level.time_half_width)},
                              {"seconds_per_unit_high", seconds * (1 + level.time_half_width)},
                              {"energy_j_per_unit", joules},
                              {"energy_j_per_unit_low", joules * (1 - level.energy_half_width)},
                              {"energy_j_per_unit_high", joules * (1 + level.energy_half_width)},
                              {"dominated", level.dominated}});
  }
  json["knee_w"] = InWatts(result.least_energy.limit);
  json["knee_low_w"] = InWatts(result.least_energy.low);
  json["knee_high_w"] = InWatts(result.least_energy.high);
  json["least_energy_time_w"] = InWatts(result.least_energy_time.limit);
  json["least_energy_time_low_w"] = InWatts(result.least_energy_time.low);
  json["least_energy_time_high_w"] = InWatts(result.least_energy_time.high);
  json["binding_until_w"] = result.stops_binding ? Json(InWatts(result.stops_binding->limit)) : Json();
  json["energy_scatter_percent"] = 100 * result.energy_scatter;
  json["gain_half_width_percent"] = 100 * gain;
  return json.dump() + "\n";
}

std::string AsText(const SweepResult& result, const std::string& path) {
  double least = InJoules(result.levels.front().energy);
  for (const SweepLevel& level : result.levels) least = std::min(least, InJoules(level.energy));
  std::string text = "  limit      J/unit              s/unit              energy against the least\n";
  for (const SweepLevel& level : result.levels) {
    text += fmt::format("  {:>4.0f} W  {:>10.4g} +-{:>4.1f} %  {:>10.4g} +-{:>4.1f} %  {:>+6.1f} %{}\n",
                        InWatts(level.limit), InJoules(level.energy), 100 * level.energy_half_width,
                        InSeconds(level.time), 100 * level.time_half_width, 100 * (InJoules(level.energy) / least - 1),
                        level.dominated ? "  dominated" : "");
  }
  const auto limit = [](const SweepLimit& found) {
    return fmt::format("{:.0f} W ({:.0f} to {:.0f} W)", InWatts(found.limit), InWatts(found.low), InWatts(found.high));
  };
  text += "Least energy (the knee) at " + limit(result.least_energy) + ", least energy x time at " +
          limit(result.least_energy_time) + ".\n";
  if (result.stops_binding) text += "The limit no longer binds from " + limit(*result.stops_binding) + ".\n";
  text += fmt::format(
      "All measured; intervals hold the truth in 95 of 100 sweeps, without the sensor's gain, which all energies "
      "share.\n"
      "Written to {}. Next: set gpu.curve = \"{}\" in a scenario, and job.units to the units of your job.\n",
      path, path);
  return text;
}

Result<int> MeasureCurve(const CurveFlags& flags) {
  if (flags.command.empty()) {
    return Fail(
        "curve needs the command after --, as in `heliograd curve --progress 'step ([0-9]+)' -- python train.py`",
        ErrorKind::kUsage);
  }
  const Result<Duration> settle = ParseDuration(flags.settle, "--settle");
  const Result<Duration> window = ParseDuration(flags.window, "--window");
  if (!settle) return Fail(settle.error());
  if (!window) return Fail(window.error());
  if (!flags.progress.empty()) {
    if (const auto expression = ParseProgress(flags.progress); !expression) return Fail(expression.error());
  }
  const Result<SelectedGpus> gpus = SelectGpus(flags.gpu);
  if (!gpus) return Fail(gpus.error());
  if (gpus->devices.size() != 1) return Fail("--gpu: a curve is of one GPU", ErrorKind::kUsage);
  const auto capper = OpenNvmlCapper(gpus->library, gpus->devices.front());
  if (!capper) return Fail(capper.error());
  const Result<PowerLimitRange> range = (*capper)->Range();
  if (!range) return Fail(range.error());
  const Result<std::vector<Power>> limits = ParseLimits(flags.limits, *range);
  if (!limits) return Fail(limits.error());

  const WaitedSignalsBlocked signals;
  const Result<std::string> folder = LeaseFolder();
  if (!folder) return Fail(folder.error());
  std::string command = "heliograd curve --";
  for (const std::string& word : flags.command) command += " " + word;
  const auto lease = LimitLease::Take(
      **capper, {.folder = *folder, .command = command, .guard = {"/proc/self/exe", "limits", "guard"}});
  if (!lease) return Fail(lease.error());
  // Asked before the sensors warm up: without the right to set a limit there is no curve.
  if (Result<void> set = (*lease)->Set(limits->front()); !set) return Fail(set.error());

  Result<OpenedSources> sources = OpenSources({flags.gpu, false, false});
  if (!sources) return Fail(sources.error());
  RecordingOptions options;
  options.tell = PrintMessage;
  options.path = flags.record;
  options.facts = {{"command", command}, {"heliograd", HELIOGRAD_VERSION}};
  Result<std::unique_ptr<Recording>> recording = Recording::Start(std::move(*sources), options);
  if (!recording) return Fail(recording.error());

  Sweep sweep(flags, **recording, **lease, signals);
  const auto windows = sweep.Run(*limits, *settle, *window);
  if (const Result<Restored> restored = (*lease)->Release(); !restored) PrintMessage(restored.error().Message());
  if (!windows) return Fail(windows.error());
  double gain = 0;
  std::vector<std::string> notes;
  const auto evaluated = sweep.Evaluate(*windows, gain, notes);
  if (!evaluated) return Fail(evaluated.error());
  for (const std::string& note : notes) PrintMessage("note: " + note);
  const auto result = AnalyseSweep(*evaluated);
  if (!result) return Fail(result.error());
  const DeviceRecord& device = (*capper)->Device();
  if (Result<void> written = WriteFile(flags.output, AsToml(*result, device, flags, gain)); !written) {
    return Fail(written.error());
  }
  if (Result<void> done = Print(flags.json ? AsJson(*result, device, gain) : AsText(*result, flags.output)); !done) {
    return Fail(done.error());
  }
  return kExitOk;
}

}  // namespace

void AddCurveCommand(CLI::App& program, Commands& commands) {
  CLI::App* app = AddCommand(program, "curve", "Measures energy and time of a job at each power limit",
                             {"heliograd curve --progress 'step ([0-9]+)' -- python train.py",
                              "heliograd curve --limits 100:300:20 -o curve.toml -- ./one-epoch.sh"});
  auto flags = std::make_shared<CurveFlags>();
  app->add_option("command", flags->command, "the job, after --; it is ended when the curve is known");
  app->add_option("--progress", flags->progress,
                  "regular expression of lines that tell progress; its first group is the units done. Without it the "
                  "command is run once at each limit and round, and one run is the unit");
  app->add_option("--limits", flags->limits, "START:STOP:STEP or a list, in W (default: the GPU's range by 10)");
  app->add_option("--rounds", flags->rounds, "fewest rounds over all limits")
      ->capture_default_str()
      ->check(CLI::Range(2, 50));
  app->add_option("--most-rounds", flags->most_rounds, "most rounds, while the knee is not known")
      ->capture_default_str()
      ->check(CLI::Range(2, 50));
  app->add_option("--knee-width-w", flags->knee_width_w, "done when the knee's interval is no wider")
      ->capture_default_str()
      ->check(CLI::Range(1.0, 1000.0));
  app->add_option("--settle", flags->settle, "time after each change of the limit")->capture_default_str();
  app->add_option("--window", flags->window, "time measured at each limit")->capture_default_str();
  app->add_option("--gpu", flags->gpu, "the GPU, by number or start of UUID")->capture_default_str();
  app->add_option("--seed", flags->seed, "of the random orders")->capture_default_str();
  app->add_option("-o,--output", flags->output, "the curve's file")->capture_default_str();
  app->add_option("--record", flags->record, "keep the recording in this file");
  app->add_flag("--json", flags->json,
                "one JSON object on standard output; the command's own output goes to standard error");
  commands.push_back({app, [flags] { return MeasureCurve(*flags); }});
}

}  // namespace heliograd

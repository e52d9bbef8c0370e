// `heliograd measure`: the energy of a command, of a running process, or of a while.
#include <fmt/format.h>
#include <poll.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cmath>
#include <memory>
#include <nlohmann/json.hpp>

#include "heliograd/app/calibration_store.h"
#include "heliograd/app/command_line.h"
#include "heliograd/app/duration_text.h"
#include "heliograd/app/held_limits.h"
#include "heliograd/app/interrupt.h"
#include "heliograd/app/output_check.h"
#include "heliograd/app/recording.h"
#include "heliograd/app/sources.h"
#include "heliograd/base/text.h"
#include "heliograd/control/child_process.h"
#include "heliograd/report/number_text.h"
#include "heliograd/report/run_energy.h"

namespace heliograd {
namespace {

using std::chrono::milliseconds;

struct MeasureFlags {
  std::vector<std::string> command;
  std::string output, gpus, for_text;
  int attach = 0;
  double period_ms = 2;
  int cpu = -1;
  double limit_w = 0;
  bool json = false, clocks = false, no_processor = false;
};

/// What was measured, and when.
struct Measured {
  int64_t begin_ns = 0, end_ns = 0;
  std::optional<ExitStatus> exit;  // of a command
};

/// Power now, once a second, on a terminal whose standard output is not in use for something else.
class LiveLine {
 public:
  explicit LiveLine(Recording& recording, bool shown) : recording_(recording), shown_(shown) {}
  ~LiveLine() {
    if (drawn_) PrintError("\r\x1b[K");
  }

  void Update(int64_t begin_ns) {
    if (!shown_ || recording_.NowNs() - last_ns_ < 1'000'000'000) return;
    last_ns_ = recording_.NowNs();
    std::string text = "\r\x1b[K" + DurationText(Seconds(std::floor(static_cast<double>(last_ns_ - begin_ns) * 1e-9)));
    const auto& channels = recording_.sampler().Channels();
    const std::vector<ChannelReading> latest = recording_.sampler().Latest();
    for (size_t i = 0; i < channels.size(); ++i) {
      if (channels[i].kind != ChannelKind::kPowerInstant || latest[i].state != ReadingState::kValue) continue;
      text += fmt::format("  GPU {}: {:.0f} W", channels[i].device, static_cast<double>(latest[i].value) / 1000);
    }
    PrintError(text);
    drawn_ = true;
  }

 private:
  static void PrintError(const std::string& text) {
    static_cast<void>(!write(STDERR_FILENO, text.data(), text.size()));
  }

  Recording& recording_;
  bool shown_;
  bool drawn_ = false;
  int64_t last_ns_ = 0;
};

Result<Measured> MeasureCommand(Recording& recording, ChildProcess& child, int64_t begin_ns, LiveLine& line) {
  Measured measured{begin_ns, 0, std::nullopt};
  while (!measured.exit) {
    measured.exit = child.Wait(milliseconds(200));
    measured.end_ns = recording.NowNs();
    if (!measured.exit) line.Update(begin_ns);
  }
  return measured;
}

/// Waits for the end of a process that is not our child.
Result<Measured> MeasureProcess(Recording& recording, int pid, LiveLine& line) {
  const int handle = static_cast<int>(syscall(SYS_pidfd_open, pid, 0));
  if (handle < 0) {
    return Fail(fmt::format("--attach {}: there is no such process", pid), ErrorKind::kUsage);
  }
  Measured measured{recording.NowNs(), 0, std::nullopt};
  pollfd ended = {handle, POLLIN, 0};
  while (!Interrupted()) {
    const int ready = poll(&ended, 1, 200);
    if (ready > 0 || (ready < 0 && errno != EINTR)) break;
    line.Update(measured.begin_ns);
  }
  measured.end_ns = recording.NowNs();
  close(handle);
  return measured;
}

Measured MeasureWhile(Recording& recording, Duration duration, LiveLine& line) {
  Measured measured{recording.NowNs(), 0, std::nullopt};
  const int64_t end_ns = measured.begin_ns + static_cast<int64_t>(InSeconds(duration) * 1e9);
  while (!Interrupted() && recording.NowNs() < end_ns) {
    const int64_t left_ns = std::min<int64_t>(end_ns - recording.NowNs(), 100'000'000);
    SteadyClock().SleepUntil(SteadyClock().Now() + std::chrono::nanoseconds(std::max<int64_t>(left_ns, 0)));
    line.Update(measured.begin_ns);
  }
  measured.end_ns = recording.NowNs();
  return measured;
}

nlohmann::ordered_json AsJson(const DeviceEnergy& energy) {
  nlohmann::ordered_json json = {{"uuid", energy.device.uuid},
                                 {"name", energy.device.name},
                                 {"energy_j", InJoules(energy.energy)},
                                 {"energy_low_j", InJoules(energy.low)},
                                 {"energy_high_j", InJoules(energy.high)},
                                 {"mean_power_w", InWatts(energy.mean)},
                                 {"peak_power_w", InWatts(energy.peak)},
                                 {"method", energy.method},
                                 {"obtained", "measured"},
                                 {"samples", energy.samples},
                                 {"gain_half_width_percent", 100 * energy.gain_half_width}};
  json["integral_j"] = energy.integral ? nlohmann::ordered_json(InJoules(*energy.integral)) : nullptr;
  json["calibration"] = nullptr;
  if (energy.calibration) {
    json["calibration"] = {{"made", FormatStamp(energy.calibration->made)},
                           {"used", energy.calibration->used},
                           {"stale", !energy.calibration->stale.empty()}};
  }
  json["remarks"] = energy.remarks;
  return json;
}

std::string AsJson(const std::vector<DeviceEnergy>& energies, const Measured& measured,
                   const std::vector<std::string>& notes, const SamplerFigures& figures) {
  nlohmann::ordered_json json;
  json["devices"] = nlohmann::ordered_json::array();
  for (const DeviceEnergy& energy : energies) json["devices"].push_back(AsJson(energy));
  json["start_unix_ns"] = measured.begin_ns;
  json["end_unix_ns"] = measured.end_ns;
  json["duration_s"] = static_cast<double>(measured.end_ns - measured.begin_ns) * 1e-9;
  json["exit_code"] = measured.exit ? nlohmann::ordered_json(measured.exit->AsShell()) : nullptr;
  json["notes"] = notes;
  json["sampler"] = {{"polls", figures.polls},
                     {"slow_polls", figures.slow_polls},
                     {"skipped", figures.skipped},
                     {"rested", figures.rested},
                     {"late_p99_us", static_cast<double>(figures.p99_late.count()) * 1e-3}};
  return json.dump() + "\n";
}

/// "7.5 J (2.1 mWh) +- 5.1 %", or how little is known of so short a time.
std::string EnergyAndInterval(const DeviceEnergy& energy) {
  const double half = (InJoules(energy.high) - InJoules(energy.low)) / 2;
  if (half >= InJoules(energy.energy)) return fmt::format("not known: at most {:.3g} J", InJoules(energy.high));
  return fmt::format("{:.1f} J ({}) +- {:.1f} %", InJoules(energy.energy), EnergyText(energy.energy),
                     100 * half / InJoules(energy.energy));
}

std::string AsText(const std::vector<DeviceEnergy>& energies, const Measured& measured) {
  const double seconds = static_cast<double>(measured.end_ns - measured.begin_ns) * 1e-9;
  std::string text = fmt::format("Measured over {:.3f} s:\n", seconds);
  for (const DeviceEnergy& energy : energies) {
    text += fmt::format("  {}: {}\n", energy.device.name, EnergyAndInterval(energy));
    text += fmt::format("    mean {:.1f} W, peak {:.1f} W, by {}, {} values\n", InWatts(energy.mean),
                        InWatts(energy.peak), energy.method, energy.samples);
    for (const std::string& remark : energy.remarks) text += "    note: " + remark + "\n";
  }
  text +=
      "Intervals hold the truth in 95 of 100 runs. They include the sensor's gain, +-5 % where it was\n"
      "not compared with a meter: one factor, the same in every energy of a device; ratios are free of it.\n";
  return text;
}

void TellAboutPace(const SamplerFigures& figures, double period_ms) {
  if (figures.polls == 0 || figures.slow_polls * 100 < figures.polls) return;
  PrintMessage(fmt::format(
      "{} of {} polls took longer than the period of {:g} ms (the longest {:.1f} ms): the driver is slow, take a "
      "longer "
      "--period-ms",
      figures.slow_polls, figures.polls, period_ms, static_cast<double>(figures.longest_poll.count()) * 1e-6));
}

Result<void> CheckFlags(const MeasureFlags& flags) {
  const int ways = (flags.command.empty() ? 0 : 1) + (flags.for_text.empty() ? 0 : 1) + (flags.attach == 0 ? 0 : 1);
  if (ways != 1) {
    return Fail("measure takes one of: a command after --, --for DURATION, --attach PID", ErrorKind::kUsage);
  }
  if (flags.period_ms < 0.1 || flags.period_ms > 1000) {
    return Fail(fmt::format("--period-ms {:g}: expected 0.1 to 1000", flags.period_ms), ErrorKind::kUsage);
  }
  return {};
}

std::string CommandLine(const MeasureFlags& flags) {
  std::string text;
  for (const std::string& word : flags.command) text += (text.empty() ? "" : " ") + word;
  return text;
}

Result<HeldLimits> LimitsOf(const MeasureFlags& flags) {
  if (flags.limit_w <= 0) return HeldLimits();
  return HeldLimits::Set(flags.gpus, Watts(flags.limit_w), "heliograd measure -- " + CommandLine(flags));
}

RecordingOptions OptionsOf(const MeasureFlags& flags) {
  RecordingOptions options;
  options.tell = PrintMessage;
  options.path = flags.output;
  options.sampler.period = std::chrono::nanoseconds(static_cast<int64_t>(flags.period_ms * 1e6));
  if (flags.cpu >= 0) options.sampler.cpu = flags.cpu;
  options.facts = {{"command", CommandLine(flags)}, {"heliograd", HELIOGRAD_VERSION}};
  return options;
}

Result<int> Measure(const MeasureFlags& flags) {
  KeepUserSignals();
  if (Result<void> sound = CheckFlags(flags); !sound) return Fail(sound.error());
  if (Result<void> sound = CheckOutput(flags.output, "", "recording"); !sound) return Fail(sound.error());
  Result<Duration> duration = Seconds(0);
  if (!flags.for_text.empty()) duration = ParseDuration(flags.for_text, "--for");
  if (!duration) return Fail(duration.error());
  Result<OpenedSources> sources = OpenSources({flags.gpus, flags.clocks, !flags.no_processor});
  if (!sources) return Fail(sources.error());
  const std::vector<std::string> absent = sources->absent;
  const bool is_command = !flags.command.empty();
  Result<HeldLimits> limits = LimitsOf(flags);
  if (!limits) return Fail(limits.error());
  // Before any thread starts, so that a command's end and SIGTERM come to this thread.
  std::optional<WaitedSignalsBlocked> signals;
  if (is_command) {
    signals.emplace();
  } else {
    CatchInterrupts();
    CatchHangUps();
  }
  Result<std::unique_ptr<Recording>> recording = Recording::Start(std::move(*sources), OptionsOf(flags));
  if (!recording) return Fail(recording.error());
  LiveLine line(**recording, isatty(STDERR_FILENO) != 0 && (!is_command || isatty(STDOUT_FILENO) == 0));
  Result<Measured> measured = Measured{};
  if (is_command) {
    const int64_t begin_ns = (*recording)->NowNs();
    Result<ChildProcess> child = ChildProcess::Start(flags.command, {.output_to_stderr = flags.json}, *signals);
    if (!child) return Fail(child.error());
    measured = MeasureCommand(**recording, *child, begin_ns, line);
  } else if (flags.attach != 0) {
    measured = MeasureProcess(**recording, flags.attach, line);
  } else {
    measured = MeasureWhile(**recording, *duration, line);
  }
  if (!measured) return Fail(measured.error());
  limits->Release();
  (*recording)->AddWindow({"run", measured->begin_ns, measured->end_ns, 0, 0});
  if (Result<void> finished = (*recording)->Finish(); !finished) PrintMessage(finished.error().Message());

  const SamplerFigures figures = (*recording)->sampler().Figures();
  const Result<RunReader> run = RunReader::Open((*recording)->path());
  if (!run) return Fail(run.error());
  std::vector<std::string> notes = absent;
  const LoadedCalibrations calibrations = LoadCalibrations();
  notes.insert(notes.end(), calibrations.problems.begin(), calibrations.problems.end());
  const auto energies = EnergyBetween(*run, measured->begin_ns, measured->end_ns, notes, calibrations.usable);
  if (!energies) return Fail(energies.error());
  for (const std::string& sentence : notes) PrintMessage("note: " + sentence);
  TellAboutPace(figures, flags.period_ms);
  const std::string text = flags.json ? AsJson(*energies, *measured, notes, figures) : AsText(*energies, *measured);
  if (Result<void> printed = Print(text); !printed) return Fail(printed.error());
  if (!flags.output.empty()) PrintMessage("recorded in " + flags.output);
  if (measured->exit) return measured->exit->AsShell();
  return Interrupted() ? static_cast<int>(ErrorKind::kInterrupted) : kExitOk;
}

}  // namespace

void AddMeasureCommand(CLI::App& program, Commands& commands) {
  CLI::App* app =
      AddCommand(program, "measure", "Measures the energy of a command, of a running process, or of a while",
                 {"heliograd measure -- python train.py", "heliograd measure -o run.helio -- ./train --epochs 3",
                  "heliograd measure --attach 4711", "heliograd measure --for 60s --json"});
  auto flags = std::make_shared<MeasureFlags>();
  app->add_option("command", flags->command,
                  "the command and its arguments, after --; it runs untouched, and its exit code is ours");
  app->add_option("-o,--output", flags->output, "keep the recording in this file");
  app->add_option("--for", flags->for_text, "measure for so long: 60s, 5min, 2h");
  app->add_option("--attach", flags->attach, "measure until this process ends");
  app->add_option("--gpu", flags->gpus,
                  "GPUs by number or start of UUID, comma-separated (default: all visible to CUDA)");
  app->add_option("--limit-w", flags->limit_w,
                  "power limit while it lasts; the prior one is put back, whatever happens")
      ->check(CLI::Range(1.0, 10'000.0));
  app->add_option("--period-ms", flags->period_ms, "time between two polls")->capture_default_str();
  app->add_option("--cpu", flags->cpu, "processor that the sampler stays on");
  app->add_flag("--clocks", flags->clocks, "record SM clock and temperature too");
  app->add_flag("--no-processor", flags->no_processor, "leave the processor's energy out");
  app->add_flag("--json", flags->json,
                "one JSON object on standard output; the command's own output goes to standard error");
  commands.push_back({app, [flags] { return Measure(*flags); }});
}

}  // namespace heliograd

// `heliograd curve`: energy and time of a job at each power limit, and the limit that needs least.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <memory>

#include "heliograd/app/calibration_store.h"
#include "heliograd/app/command_line.h"
#include "heliograd/app/curve_limits.h"
#include "heliograd/app/curve_report.h"
#include "heliograd/app/curve_store.h"
#include "heliograd/app/curve_sweep.h"
#include "heliograd/app/duration_text.h"
#include "heliograd/app/interrupt.h"
#include "heliograd/app/left_limits.h"
#include "heliograd/app/output_check.h"
#include "heliograd/app/recording.h"
#include "heliograd/app/sources.h"
#include "heliograd/base/file.h"
#include "heliograd/base/text.h"
#include "heliograd/control/child_process.h"
#include "heliograd/control/limitd_client.h"
#include "heliograd/meter/clock_reasons.h"
#include "heliograd/meter/nvml_meter.h"
#include "heliograd/model/limit_sweep.h"
#include "heliograd/report/curve_figure.h"

namespace heliograd {
namespace {

constexpr double kLeastOfLowestLimit = 0.9;  // a draw below it at every limit is an idle GPU's

struct CurveFlags {
  std::vector<std::string> command;
  std::string gpu = "0", output = "curve.toml", figure, record, progress, limits;
  std::string settle = "5s", window = "10s", warm_up = "60s", cooldown = "0s";
  int rounds = 3, most_rounds = 5, most_repeats = 2;
  double knee_width_w = 40, most_drift_k = 5;
  unsigned seed = 1;
  bool progress_hook = false, adaptive = false, json = false;
};

std::string CommandLine(const CurveFlags& flags) {
  std::string text;
  for (const std::string& word : flags.command) text += (text.empty() ? "" : " ") + word;
  return text;
}

/// A duration that may also be zero, "0" or "0s".
Result<Duration> ParseDurationOrZero(const std::string& text, const std::string& flag) {
  if (text == "0" || text == "0s") return Seconds(0);
  return ParseDuration(text, flag);
}

/// All that the command line says, but for the limits, which depend on the device.
Result<SweepOptions> OptionsOf(const CurveFlags& flags) {
  if (flags.command.empty()) {
    return Fail(
        "curve needs the command after --, as in `heliograd curve --progress 'step ([0-9]+)' -- python train.py`",
        ErrorKind::kUsage);
  }
  if (!flags.progress.empty() && flags.progress_hook) {
    return Fail("take one of --progress and --progress-hook: one way of telling progress is enough", ErrorKind::kUsage);
  }
  if (flags.most_rounds < flags.rounds) {
    return Fail(fmt::format("--most-rounds {}: is below --rounds {}", flags.most_rounds, flags.rounds),
                ErrorKind::kUsage);
  }
  const Result<Duration> settle = ParseDurationOrZero(flags.settle, "--settle");
  const Result<Duration> window = ParseDuration(flags.window, "--window");
  const Result<Duration> warm_up = ParseDurationOrZero(flags.warm_up, "--warm-up");
  const Result<Duration> cooldown = ParseDurationOrZero(flags.cooldown, "--cooldown");
  for (const Result<Duration>* each : {&settle, &window, &warm_up, &cooldown}) {
    if (!*each) return Fail(each->error());
  }
  SweepOptions options;
  if (!flags.progress.empty()) {
    Result<std::regex> expression = ParseProgress(flags.progress);
    if (!expression) return Fail(expression.error());
    options.progress = std::move(*expression);
    options.progress_text = flags.progress;
  }
  options.command = flags.command;
  options.progress_hook = flags.progress_hook;
  options.output_to_stderr = flags.json;
  options.adaptive = flags.adaptive;
  options.rounds = flags.rounds;
  options.most_rounds = flags.most_rounds;
  options.knee_width = Watts(flags.knee_width_w);
  options.settle = *settle;
  options.window = *window;
  options.warm_up = *warm_up;
  options.cooldown = *cooldown;
  options.most_drift_k = flags.most_drift_k;
  options.most_repeats = flags.most_repeats;
  options.seed = flags.seed;
  options.tells_time_left = isatty(STDERR_FILENO) != 0;
  return options;
}

/// An interrupted sweep whose windows do not make a curve says what is missing.
Error TooLittle(const SweepOutcome& outcome, const Error& reason) {
  Error error = outcome.stopped ? *outcome.stopped : reason;
  if (outcome.stopped && (!outcome.windows.empty() || error.kind == ErrorKind::kInterrupted)) {
    error.problems.back() += fmt::format(
        "; {} window{} and {} whole round{} were measured: a curve needs 2 whole rounds", outcome.windows.size(),
        outcome.windows.size() == 1 ? "" : "s", outcome.whole_rounds, outcome.whole_rounds == 1 ? "" : "s");
  }
  return error;
}

/// Why a curve says nothing that a plan could go by; empty where it does.
std::string NothingSaid(const SweepResult& result) {
  const Power lowest = result.levels.front().limit, highest = result.levels.back().limit;
  Power most;
  for (const SweepLevel& level : result.levels) most = std::max(most, level.energy / level.time);
  if (most < lowest * kLeastOfLowestLimit) {
    return fmt::format("the GPU drew {:.0f} W at most, so that no limit changed anything: does the command use it?",
                       InWatts(most));
  }
  if (result.least_energy.low > lowest || result.least_energy.high < highest) return "";
  return fmt::format(
      "the limit of least energy may be anywhere from {:.0f} to {:.0f} W, which are all that were measured: give it "
      "longer windows, more rounds or a steadier command",
      InWatts(lowest), InWatts(highest));
}

Result<void> Write(const MeasuredCurve& curve, const CurveFlags& flags) {
  const std::string toml = CurveToml(curve);
  if (Result<void> written = WriteFile(flags.output, toml); !written) return written;
  if (const std::string nothing = NothingSaid(curve.result); !nothing.empty()) {
    PrintMessage("note: the curve is not kept for heliograd run and plan: " + nothing);
  } else {
    const Result<std::string> stored = StoreCurve(curve.device.uuid, toml);
    PrintMessage(stored ? *stored + ": kept for heliograd run and plan" : "note: " + stored.error().Message());
  }
  if (flags.figure.empty()) return {};
  return WriteFigure(CurveFigure(CurveChartOf(curve)), flags.figure);
}

Result<int> MeasureCurve(const CurveFlags& flags) {
  KeepUserSignals();
  if (Result<void> sound = CheckOutput(flags.output, "# Measured by heliograd curve", "curve"); !sound)
    return Fail(sound.error());
  if (Result<void> sound = CheckFigureOutput(flags.figure, "--figure"); !sound) return Fail(sound.error());
  if (Result<void> sound = CheckOutput(flags.record, "", "recording", "--record"); !sound) return Fail(sound.error());
  Result<SweepOptions> options = OptionsOf(flags);
  if (!options) return Fail(options.error());
  const Result<SelectedGpus> gpus = SelectGpus(flags.gpu);
  if (!gpus) return Fail(gpus.error());
  if (gpus->devices.size() != 1) return Fail("--gpu: a curve is of one GPU", ErrorKind::kUsage);
  const nvml::Device device = gpus->devices.front();
  const auto capper = OpenNvmlCapper(gpus->library, device);
  if (!capper) return Fail(capper.error());
  const Result<PowerLimitRange> range = (*capper)->Range();
  if (!range) return Fail(range.error());
  const Result<std::vector<Power>> limits = ParseLimits(flags.limits, *range);
  if (!limits) return Fail(limits.error());
  options->limits = *limits;

  const WaitedSignalsBlocked signals;
  const Result<std::string> folder = LeaseFolder();
  if (!folder) return Fail(folder.error());
  const std::string command = "heliograd curve -- " + CommandLine(flags);
  const std::unique_ptr<PowerLimits> held = MakePowerLimits(
      **capper, {.folder = *folder, .command = command, .guard = {"/proc/self/exe", "limits", "guard"}}, PrintMessage);
  // Asked before the sensors warm up: without the right to set a limit there is no curve.
  if (Result<void> set = held->Set(limits->front()); !set) return Fail(set.error());

  Result<OpenedSources> sources = OpenSources({.gpus = flags.gpu, .with_clocks = true, .with_processor = false});
  if (!sources) return Fail(sources.error());
  RecordingOptions recording_options;
  recording_options.tell = PrintMessage;
  recording_options.path = flags.record;
  recording_options.facts = {{"command", command}, {"heliograd", HELIOGRAD_VERSION}};
  const Result<std::unique_ptr<Recording>> recording = Recording::Start(std::move(*sources), recording_options);
  if (!recording) return Fail(recording.error());

  const LoadedCalibrations calibrations = LoadCalibrations();
  const auto analyse = [&](const std::vector<MeasuredWindow>& windows) -> Result<SweepResult> {
    const auto evaluated = EvaluateRecorded(**recording, windows, calibrations.usable);
    if (!evaluated) return Fail(evaluated.error());
    return AnalyseSweep(evaluated->windows);
  };
  LimitSweep sweep(*options, {.recording = **recording,
                              .limits = *held,
                              .capper = **capper,
                              .signals = signals,
                              .slowdown = [&] { return SlowdownNow(*gpus->library, device); },
                              .analyse = analyse,
                              .tell = PrintMessage});
  const Result<SweepOutcome> outcome = sweep.Run();
  ReleaseLimits(*held, (*capper)->Device().uuid);
  if (!outcome) return Fail(outcome.error());
  // What whole rounds there are is enough, whatever ended the sweep.
  if (outcome->whole_rounds < 2) return Fail(TooLittle(*outcome, {ErrorKind::kFailure, {"nothing was measured"}}));
  Result<EvaluatedSweep> evaluated = EvaluateRecorded(**recording, outcome->windows, calibrations.usable);
  if (!evaluated) return Fail(evaluated.error());
  const Result<SweepResult> result = AnalyseSweep(evaluated->windows);
  if (!result) return Fail(TooLittle(*outcome, result.error()));

  MeasuredCurve curve = CurveOf(*outcome, *evaluated, *result, *limits);
  curve.device = (*capper)->Device();
  curve.command = CommandLine(flags);
  curve.unit_is_run = flags.progress.empty() && !flags.progress_hook;
  curve.notes = calibrations.problems;
  curve.notes.insert(curve.notes.end(), evaluated->notes.begin(), evaluated->notes.end());
  for (const std::string& note : curve.notes) PrintMessage("note: " + note);
  curve.notes.insert(curve.notes.end(), outcome->notes.begin(), outcome->notes.end());
  if (outcome->stopped) {
    const std::string note =
        outcome->stopped->Message() + "; the curve is from the " + std::to_string(curve.windows) + " windows before";
    PrintMessage("note: " + note);
    curve.notes.push_back(note);
  }
  if (Result<void> written = Write(curve, flags); !written) return Fail(written.error());
  const std::string text =
      flags.json ? CurveJson(curve, flags.output, flags.figure) : CurveText(curve, flags.output, flags.figure);
  if (Result<void> done = Print(text); !done) return Fail(done.error());
  const bool interrupted = outcome->stopped && outcome->stopped->kind == ErrorKind::kInterrupted;
  return interrupted ? static_cast<int>(ErrorKind::kInterrupted) : kExitOk;
}

}  // namespace

void AddCurveCommand(CLI::App& program, Commands& commands) {
  CLI::App* app = AddCommand(program, "curve", "Measures energy and time of a job at each power limit",
                             {"heliograd curve --progress 'step ([0-9]+)' --figure curve.svg -- python train.py",
                              "heliograd curve --adaptive --progress-hook -- python train.py",
                              "heliograd curve --limits 100:300:20 -o curve.toml -- ./one-epoch.sh"});
  auto flags = std::make_shared<CurveFlags>();
  app->add_option("command", flags->command, "the job, after --; it is ended when the curve is known");
  app->add_option("--progress", flags->progress,
                  "regular expression of lines that tell progress; its first group is the units done. Without it the "
                  "command is run once at each limit and round, and one run is the unit");
  app->add_flag(
      "--progress-hook", flags->progress_hook,
      "the command tells its progress by itself: it finds the number of an open file in "
      "HELIOGRAD_PROGRESS_FD and writes a line with the total of units done to it, such as \"17\", as often as "
      "it likes");
  app->add_option("--limits", flags->limits, "START:STOP:STEP or a list, in W (default: the GPU's range by 10)");
  app->add_flag("--adaptive", flags->adaptive,
                "coarse rounds over about 8 of the limits first, then only the limits around the knee; done as soon as "
                "the knee is known to --knee-width-w");
  app->add_option("--rounds", flags->rounds, "fewest rounds over all limits (with --adaptive 2)")
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
  app->add_option("--warm-up", flags->warm_up,
                  "at most so long before the first window, until the temperature holds still; repeated runs have one "
                  "that does not count in its place (0s: none)")
      ->capture_default_str();
  app->add_option("--cooldown", flags->cooldown, "pause between repeated runs")->capture_default_str();
  app->add_option("--most-drift-k", flags->most_drift_k,
                  "a window in which the GPU's temperature moves by more is measured again")
      ->capture_default_str()
      ->check(CLI::Range(0.0, 1000.0));
  app->add_option("--most-repeats", flags->most_repeats,
                  "how often a window is measured again at most; the last one is kept, and said")
      ->capture_default_str()
      ->check(CLI::Range(0, 100));
  app->add_option("--gpu", flags->gpu, "the GPU, by number or start of UUID")->capture_default_str();
  app->add_option("--seed", flags->seed, "of the random orders")->capture_default_str();
  app->add_option("-o,--output", flags->output, "the curve's file")->capture_default_str();
  app->add_option("--figure", flags->figure, "draw the curve in this file: .svg, .png or .pdf");
  app->add_option("--record", flags->record, "keep the recording in this file");
  app->add_flag("--json", flags->json,
                "one JSON object on standard output; the command's own output goes to standard error");
  commands.push_back({app, [flags] { return MeasureCurve(*flags); }});
}

}  // namespace heliograd

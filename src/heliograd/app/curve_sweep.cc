#include "heliograd/app/curve_sweep.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <csignal>
#include <cstring>
#include <random>

#include "heliograd/app/interrupt.h"
#include "heliograd/base/text.h"
#include "heliograd/model/limit_refinement.h"
#include "heliograd/report/number_text.h"

namespace heliograd {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kLookEvery{50};
constexpr milliseconds kLastWords{100};          // in which the last lines of a command that has ended are read
constexpr int64_t kSilenceNs = 120'000'000'000;  // two minutes without a word: what should tell progress does not
constexpr std::chrono::seconds kTimeToEnd{10};   // between SIGTERM and SIGKILL

int64_t Nanoseconds(Duration duration) { return static_cast<int64_t>(InSeconds(duration) * 1e9); }
Duration FromNanoseconds(int64_t nanoseconds) { return Seconds(static_cast<double>(nanoseconds) * 1e-9); }

tl::unexpected<Error> Interruption() { return Fail("interrupted", ErrorKind::kInterrupted); }

/// A command that Ctrl-C, or a signal that was passed on to it, ended.
bool EndedBySignal(const ExitStatus& exit) {
  const int code = exit.AsShell();
  return code == 128 + SIGINT || code == 128 + SIGTERM || code == 128 + SIGHUP || code == 128 + SIGQUIT;
}

/// A pipe whose writing end a command inherits.
struct ProgressPipe {
  int reading = -1, writing = -1;

  ProgressPipe() = default;
  ProgressPipe(const ProgressPipe&) = delete;
  ProgressPipe& operator=(const ProgressPipe&) = delete;
  ~ProgressPipe() {
    CloseWriting();
    if (reading >= 0) close(reading);
  }
  Result<void> Open() {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) return Fail("no pipe for the command's progress can be made");
    reading = ends[0];
    writing = ends[1];
    return {};
  }
  void CloseWriting() {
    if (writing >= 0) close(writing);
    writing = -1;
  }
};

/// The command of a sweep by itself: started for it, and ended with it.
class OwnCommand : public SweptCommand {
 public:
  OwnCommand(ChildProcess process, std::unique_ptr<ProgressPump> pump)
      : process_(std::move(process)), pump_(std::move(pump)) {}
  ~OwnCommand() override {
    process_.Signal(SIGTERM);
    if (!process_.Wait(kTimeToEnd)) process_.Signal(SIGKILL);
    while (!process_.Wait(milliseconds(200))) {
    }
  }

  std::optional<ProgressMark> FirstFrom(int64_t at_ns) const override { return pump_->FirstFrom(at_ns); }
  std::optional<ProgressMark> Last() const override { return pump_->Last(); }
  std::string Unreadable() const override { return pump_->Unreadable(); }
  std::optional<ExitStatus> Wait(milliseconds at_most) override { return process_.Wait(at_most); }

 private:
  ChildProcess process_;
  std::unique_ptr<ProgressPump> pump_;
};

}  // namespace

Result<SweepOutcome> LimitSweep::Run() {
  started_ns_ = parts_.recording.NowNs();
  job_ = parts_.running;
  const bool runs_once = options_.progress || options_.progress_hook;
  if (job_ != nullptr || !runs_once) {
    CatchInterrupts();
    return Sweep();
  }
  ProgressPipe pipe;
  if (options_.progress_hook) {
    if (Result<void> opened = pipe.Open(); !opened) return Fail(opened.error());
  }
  ChildOptions child;
  child.pipe_output = options_.progress.has_value();
  child.output_to_stderr = options_.output_to_stderr;
  if (options_.progress_hook) {
    child.inherited = pipe.writing;
    child.environment = {fmt::format("{}={}", kProgressVariable, pipe.writing)};
  }
  Result<ChildProcess> process = ChildProcess::Start(options_.command, child, parts_.signals);
  if (!process) return Fail(process.error());
  CatchInterrupts();  // the child is started, and gets its own Ctrl-C from the terminal
  pipe.CloseWriting();
  auto pump = options_.progress_hook ? std::make_unique<ProgressPump>(pipe.reading)
                                     : std::make_unique<ProgressPump>(
                                           process->output(), options_.output_to_stderr ? STDERR_FILENO : STDOUT_FILENO,
                                           *options_.progress);
  OwnCommand command(std::move(*process), std::move(pump));
  job_ = &command;
  return Sweep();
}

Result<SweepOutcome> LimitSweep::Sweep() {
  Result<void> done = WarmUp();
  if (done) done = RunRounds();
  if (!done) outcome_.stopped = done.error();
  outcome_.elapsed = FromNanoseconds(parts_.recording.NowNs() - started_ns_);
  return std::move(outcome_);
}

/// A running job warms the GPU until its temperature holds still for the length of a window; repeated runs are warmed
/// up by one that does not count.
Result<void> LimitSweep::WarmUp() {
  if (options_.warm_up <= Seconds(0)) return {};
  if (!job_) {
    parts_.tell("warming up: one run that does not count");
    const Result<Window> run = RunOnce();
    return run ? Rest(options_.cooldown) : Result<void>(Fail(run.error()));
  }
  parts_.tell(fmt::format("warming up, at most {}", DurationText(options_.warm_up)));
  const int64_t end_ns = parts_.recording.NowNs() + Nanoseconds(options_.warm_up);
  while (parts_.recording.NowNs() < end_ns) {
    Watch watch;
    const int64_t to_ns = std::min(end_ns, parts_.recording.NowNs() + Nanoseconds(options_.window));
    while (parts_.recording.NowNs() < to_ns) {
      Look(watch);
      if (Result<void> rested = Rest(Seconds(0.05)); !rested) return rested;
    }
    const bool told = watch.coldest_c.has_value();
    if (told && static_cast<double>(*watch.hottest_c - *watch.coldest_c) <= options_.most_drift_k) return {};
  }
  return {};
}

Result<void> LimitSweep::RunRounds() {
  std::vector<Power> limits = options_.adaptive ? CoarseLimits(options_.limits) : options_.limits;
  // Two rounds tell the scatter; a sweep that goes on to finer limits has the later ones for its third.
  const int fewest = options_.adaptive ? 2 : options_.rounds;
  first_window_ns_ = parts_.recording.NowNs();
  for (int round = 0; round < options_.most_rounds; ++round) {
    if (round >= 2) {
      const std::optional<SweepResult> found = Known();
      if (found && KneeIsNarrow(*found) && round >= fewest) return {};
      if (found && options_.adaptive) limits = LimitsAroundKnee(options_.limits, *found);
    }
    left_in_later_rounds_ = limits.size() * static_cast<size_t>(std::max(0, fewest - round - 1));
    if (Result<void> done = RunRound(round, limits); !done) return done;
    if (left_in_round_ > 0) return {};  // what there is was enough
    ++outcome_.whole_rounds;
  }
  return {};
}

/// Limits and rounds each take a degree of freedom but for one; what is left tells the scatter.
bool LimitSweep::IsEnough(int round) const {
  if (!options_.enough || round == 0) return false;
  const auto taken = options_.limits.size() + static_cast<size_t>(round);
  return outcome_.windows.size() > taken && FromNanoseconds(parts_.recording.NowNs() - started_ns_) >= *options_.enough;
}

bool LimitSweep::KneeIsNarrow(const SweepResult& found) const {
  const SweepLimit knee = Framed(options_.limits, found, found.least_energy);
  return knee.high - knee.low <= options_.knee_width + Watts(1e-9);
}

Result<void> LimitSweep::RunRound(int round, std::vector<Power> limits) {
  std::mt19937 random(options_.seed * 1000003u + static_cast<unsigned>(round));
  std::shuffle(limits.begin(), limits.end(), random);
  left_in_round_ = limits.size();
  for (const Power limit : limits) {
    if (IsEnough(round)) return {};
    if (Result<void> done = MeasureAt(round, limit); !done) return done;
    --left_in_round_;
    if (job_) continue;
    if (Result<void> rested = Rest(options_.cooldown); !rested) return rested;
  }
  return {};
}

/// One window that counts, or the last of so many tries.
Result<void> LimitSweep::MeasureAt(int round, Power limit) {
  Tell(round, limit);
  for (int repeats = 0;; ++repeats) {
    if (Result<void> set = parts_.limits.Set(limit); !set) return set;
    Result<Window> window = job_ ? WindowOfJob() : RunOnce();
    if (!window) return Fail(window.error());
    const std::string limit_fault = LimitFault(limit);
    if (!limit_fault.empty()) window->fault = limit_fault;
    const bool again = !window->fault.empty() && repeats < options_.most_repeats;
    if (!again && !limit_fault.empty()) return Fail(limit_fault, ErrorKind::kDevice);
    if (!again) {
      if (!window->fault.empty()) {
        const std::string note = fmt::format("{:.0f} W, round {}: {}; kept after {} tries", InWatts(limit), round + 1,
                                             window->fault, repeats + 1);
        parts_.tell(note);
        outcome_.notes.push_back(note);
      }
      outcome_.windows.push_back({round, limit, window->begin_ns, window->end_ns, window->units});
      if (parts_.on_window) parts_.on_window(outcome_.windows.back());
      return {};
    }
    ++outcome_.repeats;
    parts_.tell(fmt::format("{:.0f} W: {}: measured again", InWatts(limit), window->fault));
  }
}

/// Why a limit is not what was set; empty where it is.
std::string LimitSweep::LimitFault(Power limit) {
  const Result<Power> found = parts_.capper.Limit();
  if (!found) return found.error().Message();
  if (std::abs(InWatts(*found) - InWatts(limit)) < 0.5) return "";
  return fmt::format(
      "the limit was {:.0f} W when a window at {:.0f} W ended: someone else set it, or the driver was reloaded",
      InWatts(*found), InWatts(limit));
}

/// One whole run of the command is one window of one unit.
Result<LimitSweep::Window> LimitSweep::RunOnce() {
  Window window;
  Watch watch;
  window.begin_ns = parts_.recording.NowNs();
  Result<ChildProcess> child =
      ChildProcess::Start(options_.command, {.output_to_stderr = options_.output_to_stderr}, parts_.signals);
  if (!child) return Fail(child.error());
  CatchInterrupts();
  std::optional<ExitStatus> exit;
  while (!exit) {
    exit = child->Wait(kLookEvery);
    Look(watch);
  }
  window.end_ns = parts_.recording.NowNs();
  window.units = 1;
  if (Interrupted() || EndedBySignal(*exit)) return Interruption();
  if (exit->AsShell() != 0) {
    return Fail(fmt::format("the command ended with {}: a curve needs runs that succeed", exit->AsShell()));
  }
  // A run heats the GPU from where the last one left it; that is part of the run.
  watch.coldest_c = watch.hottest_c;
  window.fault = FaultOf(watch);
  return window;
}

/// A window between two marks of the running job's progress.
Result<LimitSweep::Window> LimitSweep::WindowOfJob() {
  Watch settling, watch;
  const auto begin = WaitForMark(parts_.recording.NowNs() + Nanoseconds(options_.settle), settling);
  if (!begin) return Fail(begin.error());
  const auto end = WaitForMark(begin->at_ns + Nanoseconds(options_.window), watch);
  if (!end) return Fail(end.error());
  return Window{begin->at_ns, end->at_ns, end->units - begin->units, FaultOf(watch)};
}

/// Where a word of progress was looked for in vain.
std::string LimitSweep::UntoldText() const {
  return options_.progress_hook
             ? fmt::format("it wrote no line such as \"17\" to the file that {} names", kProgressVariable)
             : fmt::format("no line matched '{}'", options_.progress_text);
}

/// Empty where it told some; its last words may be on their way yet.
std::string LimitSweep::EndedUntold(const ExitStatus& exit) const {
  SteadyClock().SleepUntil(SteadyClock().Now() + kLastWords);
  if (job_->Last()) return "";
  return fmt::format("the command ended ({}) and told no progress: {}", exit.AsShell(), UntoldText());
}

Result<ProgressMark> LimitSweep::WaitForMark(int64_t from_ns, Watch& watch) {
  while (true) {
    Look(watch);
    if (Interrupted()) return Interruption();
    if (const std::optional<ProgressMark> mark = job_->FirstFrom(from_ns)) return *mark;
    if (const auto exit = job_->Wait(kLookEvery)) {
      outcome_.exit = exit;
      if (Interrupted() || EndedBySignal(*exit)) return Interruption();
      if (const std::string untold = EndedUntold(*exit); !untold.empty()) return Fail(untold);
      return Fail(
          fmt::format("the command ended ({}) before the sweep did: give it more work, or take fewer --limits "
                      "or a shorter --window",
                      exit->AsShell()));
    }
    const std::optional<ProgressMark> last = job_->Last();
    if (parts_.recording.NowNs() - std::max(from_ns, last ? last->at_ns : 0) < kSilenceNs) continue;
    const std::string unreadable = job_->Unreadable();
    const std::string expected = last ? "does it still tell it?" : UntoldText();
    return Fail("the command told no progress for two minutes" +
                (unreadable.empty() ? std::string() : " (last it said " + Quoted(unreadable) + ")") + ": " + expected);
  }
}

/// Waits, with the signals that end a sweep noticed.
Result<void> LimitSweep::Rest(Duration duration) {
  const int64_t end_ns = parts_.recording.NowNs() + Nanoseconds(duration);
  for (int64_t left_ns = Nanoseconds(duration); left_ns > 0; left_ns = end_ns - parts_.recording.NowNs()) {
    if (Interrupted()) return Interruption();
    const auto step = std::min<int64_t>(left_ns, std::chrono::nanoseconds(kLookEvery).count());
    if (job_) {
      if (const auto exit = job_->Wait(milliseconds(std::max<int64_t>(step / 1'000'000, 1)))) {
        outcome_.exit = exit;
        if (Interrupted() || EndedBySignal(*exit)) return Interruption();
        if (const std::string untold = EndedUntold(*exit); !untold.empty()) return Fail(untold);
        return Fail("the command ended before the first window: give it more work, or a shorter --warm-up");
      }
      continue;
    }
    const auto ignored = [&](int signal) {
      parts_.tell(fmt::format("SIG{} came while no command runs: it is ignored", sigabbrev_np(signal)));
    };
    if (WaitForEndingSignal(std::chrono::nanoseconds(step), ignored)) return Interruption();
  }
  if (Interrupted()) return Interruption();
  return {};
}

std::string LimitSweep::FaultOf(const Watch& watch) const {
  if (!watch.slowdown.empty()) return watch.slowdown;
  if (!watch.coldest_c) return "";
  const auto moved_k = static_cast<double>(*watch.hottest_c - *watch.coldest_c);
  if (moved_k <= options_.most_drift_k) return "";
  return fmt::format("the GPU's temperature moved by {:.0f} K within the window", moved_k);
}

void LimitSweep::Look(Watch& watch) const {
  if (watch.slowdown.empty()) watch.slowdown = parts_.slowdown().value_or("");
  const std::optional<int64_t> celsius = Temperature();
  if (!celsius) return;
  watch.coldest_c = std::min(watch.coldest_c.value_or(*celsius), *celsius);
  watch.hottest_c = std::max(watch.hottest_c.value_or(*celsius), *celsius);
}

std::optional<int64_t> LimitSweep::Temperature() const {
  const auto& channels = parts_.recording.sampler().Channels();
  const std::vector<ChannelReading> latest = parts_.recording.sampler().Latest();
  for (size_t i = 0; i < channels.size(); ++i) {
    if (channels[i].kind == ChannelKind::kTemperature && latest[i].state == ReadingState::kValue) {
      return latest[i].value;
    }
  }
  return std::nullopt;
}

std::optional<SweepResult> LimitSweep::Known() {
  const Result<SweepResult> found = parts_.analyse(outcome_.windows);
  if (!found) return std::nullopt;
  return *found;
}

void LimitSweep::Tell(int round, Power limit) {
  std::string text = fmt::format("round {}: {:.0f} W", round + 1, InWatts(limit));
  if (options_.tells_time_left && !outcome_.windows.empty()) {
    const auto each =
        FromNanoseconds(parts_.recording.NowNs() - first_window_ns_) / static_cast<double>(outcome_.windows.size());
    const Duration left = each * static_cast<double>(left_in_round_ + left_in_later_rounds_);
    text += fmt::format(", {} left of this round, about {} to go{}", left_in_round_,
                        DurationText(Seconds(std::ceil(InSeconds(left)))),
                        round + 1 < options_.most_rounds ? ", more if the knee is not known by then" : "");
  }
  parts_.tell(text);
}

Result<EvaluatedSweep> EvaluateRecorded(Recording& recording, const std::vector<MeasuredWindow>& windows,
                                        const std::vector<DeviceCalibration>& calibrations) {
  if (Result<void> done = recording.CatchUp(); !done) return Fail(done.error());
  const Result<RunReader> run = RunReader::Open(recording.path());
  if (!run) return Fail(run.error());
  return EvaluateWindows(*run, windows, calibrations);
}

}  // namespace heliograd

#include "heliograd/app/run_news.h"

#include <fmt/format.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <csignal>
#include <cstring>
#include <ctime>

#include "heliograd/base/file.h"
#include "heliograd/base/text.h"
#include "heliograd/feed/price_file.h"
#include "heliograd/feed/pv_forecast_file.h"
#include "heliograd/trace/step_series.h"

namespace heliograd {
namespace {

constexpr std::chrono::milliseconds kCommandTime{5000};
constexpr double kSameRelative = 0.01;  // less than a hundredth is no news

void Add(RunNews& news, const std::string& sentence) { news.text += (news.text.empty() ? "" : "; ") + sentence; }

/// The first slot of the problem that ends after `now`.
int FirstAhead(const Horizon& horizon, Stamp now) {
  int slot = 0;
  while (slot < horizon.slots && horizon.SlotStart(slot + 1) <= now) ++slot;
  return slot;
}

/// Takes the series' means for the slots ahead. How many slots it does not cover; `moved` when some value differs.
template <typename Q, typename V, typename Convert>
int TakeAhead(const StepSeries<Q>& series, const Horizon& horizon, Stamp now, std::vector<V>& values, bool& moved,
              const Convert& convert) {
  int missing = 0;
  for (int t = FirstAhead(horizon, now); t < horizon.slots; ++t) {
    const auto mean = MeanPerSlot(series, {horizon.SlotStart(t), horizon.step, 1});
    if (!mean) {
      ++missing;
      continue;
    }
    V& value = values[static_cast<size_t>(t)];
    const V fresh = convert(mean->front());
    const double scale = std::max(std::abs(value.in_si()), std::abs(fresh.in_si()));
    if (std::abs(fresh.in_si() - value.in_si()) > kSameRelative * scale) moved = true;
    value = fresh;
  }
  return missing;
}

/// What a command prints, at most 64 KiB, within its time.
Result<std::string> OutputOf(const std::string& command, const WaitedSignalsBlocked& signals) {
  ChildOptions options;
  options.pipe_output = true;
  options.own_group = true;
  options.takes_no_signals = true;
  Result<ChildProcess> child = ChildProcess::Start({"/bin/sh", "-c", command}, options, signals);
  if (!child) return Fail(child.error());
  std::string output;
  const auto give_up = std::chrono::steady_clock::now() + kCommandTime;
  char buffer[4096];
  while (output.size() < 65536) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(give_up - std::chrono::steady_clock::now());
    pollfd ready = {child->output(), POLLIN, 0};
    if (left.count() <= 0 || poll(&ready, 1, static_cast<int>(left.count())) == 0) break;
    const ssize_t length = read(child->output(), buffer, sizeof buffer);
    if (length <= 0) break;
    output.append(buffer, static_cast<size_t>(length));
  }
  const auto exit = child->Wait(
      std::max(std::chrono::milliseconds(1),
               std::chrono::duration_cast<std::chrono::milliseconds>(give_up - std::chrono::steady_clock::now())));
  if (!exit) {
    child->Signal(SIGKILL);
    static_cast<void>(child->Wait(std::chrono::milliseconds(1000)));
    return Fail("--battery-cmd: did not answer within 5 s");
  }
  if (exit->AsShell() != 0) return Fail(fmt::format("--battery-cmd: ended with {}", exit->AsShell()));
  return output;
}

}  // namespace

template <typename Parse>
void RunNewsReader::LookAt(File& file, const char* what, RunNews& news, const Parse& parse) {
  if (file.path.empty()) return;
  struct stat found {};
  const auto trouble = [&](const std::string& why) {
    if (!std::exchange(file.troubled, true)) Add(news, fmt::format("{}: {}; the last good values are kept", what, why));
  };
  if (stat(file.path.c_str(), &found) != 0) {
    const bool is_absent = errno == ENOENT || errno == ENOTDIR;
    return trouble(is_absent ? file.path + " is not there"
                             : fmt::format("{} cannot be read: {}", file.path, std::strerror(errno)));
  }
  if (!S_ISREG(found.st_mode)) return trouble(file.path + " is no file any more");
  const auto modified = std::chrono::seconds(found.st_mtim.tv_sec) + std::chrono::nanoseconds(found.st_mtim.tv_nsec);
  if (modified == file.modified) {
    const bool is_old = std::chrono::seconds(std::time(nullptr)) - modified > sources_.stale_after;
    if (is_old && !std::exchange(file.stale_told, true)) {
      Add(news, fmt::format("{}: {} was written more than {:.0f} h ago; its values are kept", what, file.path,
                            std::chrono::duration<double>(sources_.stale_after).count() / 3600));
    }
    return;
  }
  file.modified = modified;
  file.stale_told = false;
  const Result<std::string> content = ReadFile(file.path);
  if (!content) return trouble(content.error().Message());
  if (Trim(*content).empty()) return trouble(file.path + " is empty");
  const Result<std::string> said = parse(*content);
  if (!said) return trouble(said.error().problems.front());
  file.troubled = false;
  if (!said->empty()) Add(news, *said);
}

std::optional<RunNews> RunNewsReader::Look(Stamp now, DispatchProblem& problem) {
  const auto real_now = std::chrono::steady_clock::now();
  if (real_now < next_) return std::nullopt;
  next_ = real_now + std::chrono::seconds(1);
  RunNews news;
  const Duration slot = problem.horizon.SlotDuration();
  const auto told = [&](const char* what, File& file, bool moved, int missing) {
    news.changes = news.changes || moved;
    // The first look finds what the plan did not know; nothing was written anew.
    const bool is_first = !std::exchange(file.was_read, true);
    std::string text = moved ? fmt::format("{} {}", what, is_first ? "was read" : "has changed") : "";
    if (missing > 0) {
      text += fmt::format("{}{} does not reach over {} slots ahead, which keep the values from before",
                          text.empty() ? "" : "; ", what, missing);
    }
    return text;
  };
  LookAt(pv_, "the PV forecast", news, [&](const std::string& content) -> Result<std::string> {
    const auto series = ParsePvForecast(content, sources_.pv_forecast, sources_.zone);
    if (!series) return Fail(series.error());
    bool moved = false;
    const int missing =
        TakeAhead(*series, problem.horizon, now, problem.pv, moved, [&](Power mean) { return mean * slot; });
    return told("the PV forecast", pv_, moved, missing);
  });
  LookAt(price_, "the price file", news, [&](const std::string& content) -> Result<std::string> {
    const auto series = ParsePriceSeries(content, sources_.price_file, sources_.zone);
    if (!series) return Fail(series.error());
    bool moved = false;
    const int missing = TakeAhead(*series, problem.horizon, now, problem.import_price, moved,
                                  [&](EnergyPrice mean) { return mean + sources_.import_fee; });
    return told("the price file", price_, moved, missing);
  });
  if (news.text.empty()) return std::nullopt;
  return news;
}

Result<Energy> ParseStored(std::string_view text, Energy capacity, const std::string& name) {
  const std::string_view trimmed = Trim(text);
  const size_t number_end = std::min(trimmed.find_first_not_of("0123456789.+-eE"), trimmed.size());
  const std::optional<double> number = ParseNumber(trimmed.substr(0, number_end));
  const std::string_view unit = Trim(trimmed.substr(number_end));
  std::optional<Energy> stored;
  if (number && (unit.empty() || unit == "Wh")) stored = WattHours(*number);
  if (number && unit == "kWh") stored = KilowattHours(*number);
  if (number && unit == "%") stored = capacity * (*number / 100);
  if (stored && *stored >= Energy() && *stored <= capacity * 1.02) return std::min(*stored, capacity);
  return Fail(
      fmt::format("{} says {}: expected the battery's energy as \"1234 Wh\", \"1.2 kWh\" or \"45 %\", within its "
                  "{:.0f} Wh",
                  name, Quoted(trimmed), InWattHours(capacity)));
}

Result<std::optional<Energy>> RunNewsReader::Battery(Energy capacity, const WaitedSignalsBlocked& signals) const {
  if (sources_.battery_command.empty() && sources_.battery_file.empty()) return std::optional<Energy>();
  const bool by_file = !sources_.battery_file.empty();
  const Result<std::string> text =
      by_file ? ReadFile(sources_.battery_file, 1 << 16) : OutputOf(sources_.battery_command, signals);
  if (!text) return Fail(text.error());
  const auto stored = ParseStored(*text, capacity, by_file ? sources_.battery_file : "--battery-cmd");
  if (!stored) return Fail(stored.error());
  return std::optional(*stored);
}

}  // namespace heliograd

#include "heliograd/app/progress_pump.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "heliograd/base/clock.h"
#include "heliograd/base/text.h"

namespace heliograd {
namespace {

constexpr size_t kLongestLine = 1 << 16;   // a longer one is passed on, but not looked at
constexpr int kLastWordsMs = 50;           // after the end, in which what is in the pipe is still read
constexpr int kMostReadsAfterTheEnd = 64;  // a pipe holds four

bool WriteAll(int file, const char* data, size_t size) {
  while (size > 0) {
    const ssize_t written = write(file, data, size);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    data += written;
    size -= static_cast<size_t>(written);
  }
  return true;
}

}  // namespace

Result<std::regex> ParseProgress(const std::string& expression) {
  try {
    return std::regex(expression, std::regex::ECMAScript | std::regex::optimize);
  } catch (const std::regex_error& error) {
    return Fail("--progress " + Quoted(expression) + ": is no regular expression (" + error.what() +
                    "): expected one such as 'step ([0-9]+)'",
                ErrorKind::kUsage);
  }
}

ProgressPump::ProgressPump(int from, int to, std::regex expression)
    : expression_(std::move(expression)), wake_(eventfd(0, EFD_CLOEXEC)) {
  thread_ = std::thread([this, from, to] { Loop(from, to); });
}

ProgressPump::ProgressPump(int from) : wake_(eventfd(0, EFD_CLOEXEC)) {
  thread_ = std::thread([this, from] { Loop(from, -1); });
}

ProgressPump::~ProgressPump() {
  stop_ = true;
  const uint64_t one = 1;
  static_cast<void>(!write(wake_, &one, sizeof one));
  thread_.join();
  close(wake_);
}

void ProgressPump::Loop(int from, int to) {
  std::string line;
  char buffer[1 << 14];
  bool passes_on = to >= 0;
  int reads_left = kMostReadsAfterTheEnd;
  while (!stop_ || reads_left-- > 0) {
    pollfd ready[2] = {{from, POLLIN, 0}, {wake_, POLLIN, 0}};
    const bool stops = stop_;
    const int polled = poll(ready, stops ? 1 : 2, stops ? kLastWordsMs : -1);
    if (polled == 0) return;
    if (polled < 0 && errno != EINTR) return;
    if (polled < 0 || ready[0].revents == 0) continue;
    const ssize_t length = read(from, buffer, sizeof buffer);
    if (length < 0 && errno == EINTR) continue;
    if (length <= 0) return;
    // A reader that went away ends the passing on, not the command.
    if (passes_on) passes_on = WriteAll(to, buffer, static_cast<size_t>(length));
    for (ssize_t i = 0; i < length; ++i) {
      // Progress bars end their lines with a carriage return.
      if (buffer[i] == '\n' || buffer[i] == '\r') {
        Read(line);
        line.clear();
      } else if (line.size() < kLongestLine) {
        line.push_back(buffer[i]);
      }
    }
  }
}

/// With the lock held: the units that a line tells; nothing where it tells none.
std::optional<double> ProgressPump::UnitsIn(const std::string& line) {
  std::string number = line;
  if (expression_) {
    std::smatch match;
    if (!std::regex_search(line, match, *expression_)) return std::nullopt;
    if (match.size() < 2) return marks_.empty() ? 1 : marks_.back().units + 1;
    number = match[1].str();
  }
  const std::optional<double> units = ParseNumber(number);
  if (!units) unreadable_ = line;
  return units;
}

void ProgressPump::Read(const std::string& line) {
  if (line.empty() || line.size() >= kLongestLine) return;
  const int64_t now_ns = SteadyClock().Now().time_since_epoch().count();
  const std::lock_guard lock(mutex_);
  const std::optional<double> units = UnitsIn(line);
  // A second epoch that counts from zero again, or a line that comes twice, is no progress.
  if (!units || (!marks_.empty() && *units <= marks_.back().units)) return;
  marks_.push_back({now_ns, *units});
}

std::optional<ProgressMark> ProgressPump::FirstFrom(int64_t at_ns) const {
  const std::lock_guard lock(mutex_);
  const auto found = std::lower_bound(marks_.begin(), marks_.end(), at_ns,
                                      [](const ProgressMark& mark, int64_t time) { return mark.at_ns < time; });
  return found == marks_.end() ? std::nullopt : std::optional(*found);
}

std::optional<ProgressMark> ProgressPump::Last() const {
  const std::lock_guard lock(mutex_);
  return marks_.empty() ? std::nullopt : std::optional(marks_.back());
}

std::string ProgressPump::Unreadable() const {
  const std::lock_guard lock(mutex_);
  return unreadable_;
}

}  // namespace heliograd

// Reads how far a command has come: from the lines that it prints, while they go on to the user, or from a pipe of its
// own that it writes its progress to.
#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <optional>
#include <regex>
#include <string>
#include <thread>
#include <vector>

#include "heliograd/base/result.h"

namespace heliograd {

/// The environment variable that names the pipe for progress: the number of an open file.
inline constexpr const char* kProgressVariable = "HELIOGRAD_PROGRESS_FD";

/// How far the command was, and when. Stamps count as a recording's do.
struct ProgressMark {
  int64_t at_ns = 0;
  double units = 0;
};

/// A regular expression (ECMAScript) for lines that tell progress. Its first group is the number of units done; without
/// a group each line that matches is one unit more. Errors (kUsage): not a regular expression.
Result<std::regex> ParseProgress(const std::string& expression);

/// Reads a file in a thread of its own until it ends or the pump is destroyed.
class ProgressPump {
 public:
  /// Lines that match the expression tell progress; all that is read is copied to `to`.
  ProgressPump(int from, int to, std::regex expression);
  /// Each line is the total of units done so far, a plain decimal number.
  explicit ProgressPump(int from);
  /// Reads what is there already; a process that the command left behind does not hold it up.
  ~ProgressPump();
  ProgressPump(const ProgressPump&) = delete;
  ProgressPump& operator=(const ProgressPump&) = delete;

  /// The first mark at or after the stamp; nothing while there is none.
  std::optional<ProgressMark> FirstFrom(int64_t at_ns) const;
  /// The last mark; nothing before the first.
  std::optional<ProgressMark> Last() const;
  /// The last line that should have been a number and was none; empty without one.
  std::string Unreadable() const;

 private:
  void Loop(int from, int to);
  void Read(const std::string& line);
  std::optional<double> UnitsIn(const std::string& line);

  std::optional<std::regex> expression_;
  std::atomic<bool> stop_{false};
  int wake_;                  // tells the thread to look at stop_
  mutable std::mutex mutex_;  // guards what follows
  std::vector<ProgressMark> marks_;
  std::string unreadable_;
  std::thread thread_;
};

}  // namespace heliograd

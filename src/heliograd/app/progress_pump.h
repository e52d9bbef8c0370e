// Reads how far a command has come from the lines it prints, while the lines go on to the user.
#pragma once

#include <cstdint>
#include <mutex>
#include <optional>
#include <regex>
#include <string>
#include <thread>
#include <vector>

#include "heliograd/base/result.h"

namespace heliograd {

/// How far the command was, and when. Stamps count as a recording's do.
struct ProgressMark {
  int64_t at_ns = 0;
  double units = 0;
};

/// A regular expression (ECMAScript) for lines that tell progress. Its first group is the number of units done; without
/// a group each line that matches is one unit more. Errors (kUsage): not a regular expression.
Result<std::regex> ParseProgress(const std::string& expression);

/// Copies from one file to another in a thread of its own until the first ends.
class ProgressPump {
 public:
  ProgressPump(int from, int to, std::regex expression);
  ~ProgressPump();
  ProgressPump(const ProgressPump&) = delete;
  ProgressPump& operator=(const ProgressPump&) = delete;

  /// The first mark at or after the stamp; nothing while there is none.
  std::optional<ProgressMark> FirstFrom(int64_t at_ns) const;
  /// The last mark; nothing before the first.
  std::optional<ProgressMark> Last() const;

 private:
  void Loop(int from, int to);
  void Read(const std::string& line);

  std::regex expression_;
  mutable std::mutex mutex_;
  std::vector<ProgressMark> marks_;
  std::thread thread_;
};

}  // namespace heliograd

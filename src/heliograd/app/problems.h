// Gathers the problems of several steps so that all are shown at once.
#pragma once

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "heliograd/base/result.h"

namespace heliograd {

class Problems {
 public:
  /// The value, or nothing after noting the error.
  template <typename T>
  std::optional<T> Take(Result<T> result) {
    if (result) return std::move(*result);
    Add(result.error());
    return std::nullopt;
  }
  /// True when it went well; else the error is noted.
  bool Note(const Result<void>& result) {
    if (!result) Add(result.error());
    return result.has_value();
  }
  void Add(const Error& error) {
    if (error.problems.empty()) failed_ = true;  // what follows from a problem that is told already
    for (const std::string& text : error.problems) Add(text, error.kind);
  }
  void Add(std::string problem, ErrorKind kind) {
    // Whoever typed the wrong value on the command line should hear "usage", whatever else is wrong.
    if (texts_.empty() || kind == ErrorKind::kUsage) kind_ = kind;
    failed_ = true;
    if (std::find(texts_.begin(), texts_.end(), problem) == texts_.end()) texts_.push_back(std::move(problem));
  }
  /// No step has failed.
  bool empty() const { return !failed_; }
  tl::unexpected<Error> Fail() const { return heliograd::Fail(texts_, kind_); }

 private:
  bool failed_ = false;
  ErrorKind kind_ = ErrorKind::kFailure;
  std::vector<std::string> texts_;
};

}  // namespace heliograd

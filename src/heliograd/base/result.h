// Results of work that can fail, and the errors that users read.
//
// A function whose failure is the user's or the machine's business returns Result<T>. Programming mistakes assert.
// "Infeasible" is not an error: it is a value of the plan.
#pragma once

#include <string>
#include <tl/expected.hpp>
#include <utility>
#include <vector>

namespace heliograd {

/// What kind of failure, and with it the program's exit code.
enum class ErrorKind {
  kFailure = 1,       // a file, the solver or the system failed; a file's content is wrong
  kUsage = 2,         // a flag or a value on the command line is wrong
  kPermission = 4,    // the operating system refuses
  kDevice = 5,        // a device is missing or broken
  kInterrupted = 130  // Ctrl-C
};

/// One or more problems, each one clear sentence: file, line or key, value, what was expected, what to do.
struct Error {
  ErrorKind kind = ErrorKind::kFailure;
  std::vector<std::string> problems;

  /// All problems, one per line, without a newline at the end.
  std::string Message() const;
};

template <typename T>
using Result = tl::expected<T, Error>;

/// An error value to return from a function that gives Result<T>.
tl::unexpected<Error> Fail(std::string problem, ErrorKind kind = ErrorKind::kFailure);
tl::unexpected<Error> Fail(std::vector<std::string> problems, ErrorKind kind = ErrorKind::kFailure);
/// Passes another result's error on.
inline tl::unexpected<Error> Fail(Error error) { return tl::unexpected<Error>(std::move(error)); }

}  // namespace heliograd

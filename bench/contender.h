// A contender: a program that is asked for one run at a time and answers with its time, so that bench/run.py can
// measure two programs in turns and a busy moment of the machine meets both.
//
//   standard output, first line   {"name": "HiGHS 1.15.1"}
//   standard input                one request a line; the end of input ends the program
//   standard output               one JSON object a line, the answer
#pragma once

#include <chrono>
#include <ctime>
#include <functional>
#include <nlohmann/json.hpp>
#include <string>

#include "heliograd/base/result.h"

namespace heliograd::bench {

using Answer = std::function<Result<nlohmann::json>(const std::string& request)>;

/// Says its name, then answers until the input ends. Gives the exit code: 1 with a message at the first failure.
int AnswerRequests(const std::string& name, const Answer& answer);

/// Writes what peers read, one file; gives the exit code.
int WriteJson(const std::string& path, const nlohmann::json& content);

/// Prints the problems on standard error and gives exit code 1.
int Complain(const Error& error);

/// Wall clock, and processor time of the whole program, from its making. On a busy machine the second says more.
class Stopwatch {
 public:
  double ElapsedMs() const {
    return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start_).count();
  }
  double ElapsedCpuMs() const { return static_cast<double>(std::clock() - cpu_start_) * 1000 / CLOCKS_PER_SEC; }

 private:
  std::clock_t cpu_start_ = std::clock();
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

}  // namespace heliograd::bench

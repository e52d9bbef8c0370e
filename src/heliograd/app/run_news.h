// What changes in the world while a run goes on: files with forecasts and prices that are written anew, the battery's
// state.
//
// What cannot be read, or does not cover a slot, is said once and the last good value is kept; it is never read as
// zero.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>

#include "heliograd/base/quantity.h"
#include "heliograd/base/result.h"
#include "heliograd/base/time.h"
#include "heliograd/control/child_process.h"
#include "heliograd/control/plan_runner.h"
#include "heliograd/plan/problem.h"

namespace heliograd {

struct NewsSources {
  std::string pv_forecast;  // CSV start,pv_w
  std::string price_file;   // as a scenario's tariff.import takes it
  EnergyPrice import_fee;   // on top of the file's prices
  std::string battery_command, battery_file;
  TimeZone zone;  // of stamps without an offset
  std::chrono::seconds stale_after{24 * 3600};
};

/// One thread.
class RunNewsReader {
 public:
  explicit RunNewsReader(NewsSources sources) : sources_(std::move(sources)) {}

  /// Looks at the files, at most once a second. What changed goes into `problem`, for the slots that end after `now`.
  std::optional<RunNews> Look(Stamp now, DispatchProblem& problem);
  /// The energy in the battery, read now. Nothing without a source; an error says why it is not known.
  Result<std::optional<Energy>> Battery(Energy capacity, const WaitedSignalsBlocked& signals) const;

 private:
  struct File {
    std::string path;
    std::chrono::nanoseconds modified{-1};
    bool troubled = false, stale_told = false, was_read = false;
  };
  template <typename Parse>
  void LookAt(File& file, const char* what, RunNews& news, const Parse& parse);

  NewsSources sources_;
  File pv_{sources_.pv_forecast}, price_{sources_.price_file};
  std::chrono::steady_clock::time_point next_;
};

/// "1234", "1.2 kWh", "1234 Wh" or "45 %" of the capacity. Errors: anything else, and what does not fit into it.
Result<Energy> ParseStored(std::string_view text, Energy capacity, const std::string& name);

}  // namespace heliograd

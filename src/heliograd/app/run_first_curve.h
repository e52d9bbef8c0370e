// The first minutes of a run whose GPU has no power curve yet: the job is started and its curve measured, then what is
// left of it is planned, and the same process goes on.
//
// Enters: a run that is prepared but for its plan. Leaves: its plan, with what the measuring took in `facts.curve`; or
// how the run ended before it had one. In the run's folder it keeps journal and run.json as it goes.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "heliograd/app/recording.h"
#include "heliograd/app/run_folder.h"
#include "heliograd/app/run_job.h"
#include "heliograd/app/run_preparation.h"
#include "heliograd/base/result.h"
#include "heliograd/control/gpu_watch.h"
#include "heliograd/control/power_limits.h"
#include "heliograd/control/run_clock.h"

namespace heliograd {

/// How a run ended before it had a plan.
struct EndedUnplanned {
  std::string status;  // "finished", "failed", "interrupted"
  int exit_code = 0;
  std::optional<Error> error;  // why the job was ended
};

struct FirstMinutes {
  const RunFlags& flags;
  PreparedRun& prepared;  // pending; its plan and facts are filled in
  OpenGpu& gpu;
  RunJob& job;
  PowerLimits& limits;
  GpuWatch& watch;
  Recording& recording;
  RunClock& clock;
  RunJournal& journal;
  const WaitedSignalsBlocked& signals;
  std::function<void(std::string_view)> tell;
};

/// Nothing when the job runs on and `prepared` has its plan, which lies in the folder too. A job that must be ended, as
/// it tells no progress or no plan can be made, has ended when it returns. Errors: the job cannot be started.
Result<std::optional<EndedUnplanned>> MeasureThenPlan(const FirstMinutes& run);

/// The summary of a run that had no plan, as JSON and for people.
std::string UnplannedSummaryJson(const PreparedRun& prepared, const EndedUnplanned& ended,
                                 const std::vector<RunEvent>& events);
std::string UnplannedSummaryText(const PreparedRun& prepared, const EndedUnplanned& ended);

}  // namespace heliograd

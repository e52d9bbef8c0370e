// A coarse power curve of a job that runs already and goes on afterwards.
//
// Enters: a job that tells its progress, its GPU's limits, a recording. Leaves: the job's windows under a handful of
// limits, and the curve that they make, kept where `heliograd curve` keeps its own. It starts and ends nothing, and
// knows no plan.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "heliograd/app/curve_report.h"
#include "heliograd/app/curve_sweep.h"
#include "heliograd/app/recording.h"
#include "heliograd/app/run_job.h"
#include "heliograd/base/result.h"
#include "heliograd/control/power_limits.h"
#include "heliograd/meter/meter.h"

namespace heliograd {

struct FirstCurveOptions {
  std::vector<Power> limits;  // ascending
  Duration at_each;           // run time at each limit, both rounds together
  double speed = 1;           // run seconds per real second
  bool progress_is_printed = false;
  std::string command;  // in one line
};

/// Run time at each limit, as long as it must be: longer than asked for where time passes faster.
Duration TimeAtEach(const FirstCurveOptions& options);
/// Run time that a job may take to its first word of progress.
Duration PatienceForFirstWord(double speed);

struct FirstCurveParts {
  RunJob& job;
  Recording& recording;
  PowerLimits& limits;
  PowerCapper& capper;
  const WaitedSignalsBlocked& signals;
  std::function<std::optional<std::string>()> slowdown;
  std::function<void(std::string_view)> tell;
  std::function<void(const MeasuredWindow&)> on_window;
};
/// Measures each limit in two rounds, in random order; where long steps make that take more than twice its time, the
/// second round has only as many limits as tell the scatter. One thread. Errors: as LimitSweep's.
Result<SweepOutcome> SweepRunningJob(const FirstCurveOptions& options, const FirstCurveParts& parts);

/// A curve that is kept.
struct KeptCurve {
  MeasuredCurve curve;
  std::string path;
};
/// The curve of the windows, stored for `run` and `plan`. Errors: the windows make none; it cannot be kept.
Result<KeptCurve> KeepCurve(const FirstCurveOptions& options, const SweepOutcome& outcome, Recording& recording,
                            const DeviceRecord& device);

}  // namespace heliograd

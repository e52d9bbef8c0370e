// A measured power curve as a file, as JSON, as text and as a figure.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "heliograd/app/curve_sweep.h"
#include "heliograd/app/curve_windows.h"
#include "heliograd/model/limit_sweep.h"
#include "heliograd/report/curve_figure.h"
#include "heliograd/trace/samples.h"

namespace heliograd {

/// All that there is to say of a curve.
struct MeasuredCurve {
  DeviceRecord device;
  std::string command;       // in one line
  bool coarse = false;       // in the first minutes of a run, whose job then went on
  bool unit_is_run = false;  // else a unit of the progress that the command tells
  SweepResult result;
  std::vector<LevelState> states;  // of the levels of `result`
  double gain_half_width = 0;
  int rounds = 0;   // whole ones
  int repeats = 0;  // windows measured again
  int windows = 0;  // that count
  Duration elapsed;
  std::vector<std::string> notes;
};

/// What a sweep over `limits` came to; device, command, unit and notes of calibrations are left to the caller.
MeasuredCurve CurveOf(const SweepOutcome& outcome, const EvaluatedSweep& evaluated, const SweepResult& result,
                      const std::vector<Power>& limits);

/// The file that `plan` and `estimate` read.
std::string CurveToml(const MeasuredCurve& curve);
std::string CurveJson(const MeasuredCurve& curve, const std::string& path, const std::string& figure);
std::string CurveText(const MeasuredCurve& curve, const std::string& path, const std::string& figure);
CurveChart CurveChartOf(const MeasuredCurve& curve);

}  // namespace heliograd

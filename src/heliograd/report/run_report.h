// A recorded run as people read it: what it needed, window by window, and what went wrong meanwhile.
//
// Enters: a run store, calibrations. Leaves: text, or a figure of power over time. Knows no device and no clock.
#pragma once

#include <span>
#include <string>
#include <utility>
#include <vector>

#include "heliograd/base/result.h"
#include "heliograd/report/gnuplot.h"
#include "heliograd/report/run_energy.h"
#include "heliograd/report/terminal_style.h"
#include "heliograd/report/window_summary.h"
#include "heliograd/trace/run_store.h"

namespace heliograd {

struct RunReport {
  std::vector<std::pair<std::string, std::string>> facts;
  int64_t begin_ns = 0, end_ns = 0;  // a command measured, else the span of the windows, else the record
  std::vector<DeviceEnergy> energies;
  WindowSummary windows;  // those that the program marked
  std::vector<Gap> gaps;
  std::vector<ChannelRecord> channels;
  std::vector<Remark> remarks;
  std::vector<std::string> notes;
};

/// Errors: the store cannot be read, or holds no sample.
Result<RunReport> MakeRunReport(const RunReader& run, std::span<const DeviceCalibration> calibrations);

std::string RunReportText(const RunReport& report, const TerminalStyle& style);

/// Power of every device over the run: mean in each of some hundred columns of time, with lowest and highest readings
/// as a band. Errors: the store cannot be read.
Result<Figure> PowerFigure(const RunReader& run, const RunReport& report);

}  // namespace heliograd

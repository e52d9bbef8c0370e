// What a year of training runs costs with a given panel and battery, and what the hardware costs per year.
//
// Enters: a dispatch problem over a year (and a run more), when runs begin, a solver. Leaves: money, energy and carbon
// of the year. Each run has an optimal plan of its own that begins with an empty battery and is paid nothing for what
// it leaves in it, so that no energy comes from nowhere; between runs the panel sells what it makes and the battery
// rests. Pure but for the solver.
#pragma once

#include <optional>
#include <vector>

#include "heliograd/base/quantity.h"
#include "heliograd/base/result.h"
#include "heliograd/optimize/solver.h"

namespace heliograd {

struct ScheduledRun {
  int first_slot = 0;  // counted from the year's begin
  int slots = 0;

  friend bool operator==(const ScheduledRun&, const ScheduledRun&) = default;
};

/// Runs that do not overlap, within a year.
struct RunCalendar {
  std::vector<ScheduledRun> runs;  // ascending
  int slots_per_year = 0;

  int LongestRun() const;  // slots
};

/// `runs` starts spread evenly over the year, each at the year's own hour of the day where days allow it. Errors
/// (kUsage): they would overlap.
Result<RunCalendar> SpreadRuns(int runs, int slots_per_run, int slots_per_day, int slots_per_year);
/// The most runs that SpreadRuns takes, at least 1.
int MostSpreadRuns(int slots_per_run, int slots_per_day, int slots_per_year);

struct YearOfRuns {
  Money cost;     // of all runs, less what PV sells between them
  Money between;  // the part of it that is sold between runs; a revenue, so not below zero
  Energy grid_import, grid_export;
  CarbonMass carbon;  // of what is imported
  /// The first run that cannot be done; nothing else counts then.
  std::optional<ScheduledRun> impossible_run;
};

/// `year` covers slots_per_year slots, and as many more as its longest run has. Errors: the solver's or the checker's.
Result<YearOfRuns> CostOfYear(const DispatchProblem& year, const RunCalendar& calendar, Formulation formulation,
                              const SolveOptions& options, const DispatchSolver& solver);

/// The run that begins in slot `first` of `year` and takes `slots`; past the year's end it goes on at its begin. It
/// begins with an empty battery, need leave nothing in it and is paid nothing for what it leaves.
DispatchProblem RunOf(const DispatchProblem& year, int first, int slots, int slots_per_year);

/// The yearly payment that an investment is worth over its life: price x r / (1 - (1 + r)^-n); price / n at r = 0.
Money YearlyPayment(Money price, double lifetime_years, double discount_rate);

}  // namespace heliograd

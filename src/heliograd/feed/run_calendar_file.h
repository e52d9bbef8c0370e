// A training calendar: when the runs of a year begin, and how long each may take.
//
// Enters: text, one start a line on the site's clock, "2025-03-01 20:00" or "2025-03-01 20:00,14" (the run's own
// hours); a header "start" or "start,hours" may come first, what follows a # is a comment. Leaves: runs in slots of a
// year that begins with the first of them, or every mistake at once. Lines may stand in any order. Knows no weather and
// no price.
#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "heliograd/base/result.h"
#include "heliograd/base/time.h"

namespace heliograd {

/// What a calendar's lines are read by.
struct RunCalendarRules {
  TimeZone zone;
  std::chrono::seconds slot{3600};
  int slots = 0;  // of a run whose line says no hours; at least 1
};

struct CalendarRun {
  int first_slot = 0;  // counted from the year's begin
  int slots = 0;
};

struct RunCalendarYear {
  Stamp begin;  // that of the first run
  /// To the same date of the next year: 365 or 366 days, an hour off where summer time begins or ends otherwise.
  int slots = 0;
  std::vector<CalendarRun> runs;  // ascending; they do not overlap, and the last ends with the year at the latest
};

/// Errors: lines that are no start, starts that are not whole slots apart or more than a year after the first, runs
/// that overlap, the last one and the first of the next year too; a calendar without a run.
Result<RunCalendarYear> ParseRunCalendar(std::string_view content, const std::string& name,
                                         const RunCalendarRules& rules);

}  // namespace heliograd

// A horizon laid out over the columns of a terminal: how much time a column stands for, and the local clock below it.
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "heliograd/base/time.h"

namespace heliograd {

/// Equal columns over a horizon. Short plans give a slot several characters, long plans give a character several slots.
struct TimeColumns {
  int slots_per_column = 1;
  int cells_per_column = 1;  // characters; more than 1 only when slots_per_column is 1
  int columns = 0;

  int cells() const { return columns * cells_per_column; }
  int FirstSlot(int column) const { return column * slots_per_column; }
  int EndSlot(int column, int slots) const { return std::min(slots, (column + 1) * slots_per_column); }
};

/// The finest columns that fit into `cells` (>= 1) characters; a column of several slots lasts a round time where one
/// fits.
TimeColumns FitColumns(const Horizon& horizon, int cells);

/// How long a column lasts.
Duration ColumnDuration(const Horizon& horizon, const TimeColumns& columns);

/// A place where the local clock or calendar is marked.
struct TimeMark {
  int column = 0;
  std::string label;         // "22", the day, or the month
  std::string date;          // the day, month or year that the column lies in
  std::string short_date;    // the same where room is short
  bool date_begins = false;  // in this column
};

/// Marks of hours with days, days with months, or months with years: the finest for which labels have room at
/// `cells_per_column`.
std::vector<TimeMark> MarkTime(const Horizon& horizon, const TimeColumns& columns, const TimeZone& zone);

/// The three lines below a chart.
struct TimeAxis {
  std::string ticks;             // a line with a tick at each label and a cross at each new day (month, year)
  std::string labels;            // "20  22  00"
  std::string dates;             // "Wed 1 Jan"
  std::vector<bool> day_begins;  // per character: a new day (month, year) begins here
};

TimeAxis MakeTimeAxis(const Horizon& horizon, const TimeColumns& columns, const TimeZone& zone, bool utf8);

}  // namespace heliograd

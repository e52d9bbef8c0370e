#include "heliograd/report/time_axis.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <functional>

#include "heliograd/report/number_text.h"
#include "heliograd/report/text_table.h"

namespace heliograd {
namespace {

constexpr int kMostCellsPerSlot = 4;
constexpr std::array<int, 20> kRoundMinutes{1,   2,   5,   10,  15,   20,   30,   60,   120,   180,
                                            240, 360, 480, 720, 1440, 2880, 4320, 7200, 10080, 14400};

/// One way to mark time: a tick wherever `minor` changes, a date wherever `major` changes.
struct Calendar {
  double minor_hours;  // least time between ticks
  int label_cells;     // that much room a label needs
  std::function<long(const CivilTime&)> minor;
  std::function<long(const CivilTime&)> major;
  std::function<std::string(const CivilTime&)> label;
  std::function<std::string(const CivilTime&)> date;
  std::function<std::string(const CivilTime&)> short_date;
};

long DayNumber(const CivilTime& c) {
  return std::chrono::floor<std::chrono::days>(StampFromUtc(c)).time_since_epoch().count();
}
long MonthNumber(const CivilTime& c) { return c.year * 12L + c.month - 1; }

Calendar HoursAndDays(int hours) {
  return {static_cast<double>(hours),
          4,
          [hours](const CivilTime& c) { return DayNumber(c) * 24 + c.hour / hours * hours; },
          DayNumber,
          [hours](const CivilTime& c) { return fmt::format("{:02}", c.hour / hours * hours); },
          DayText,
          [](const CivilTime& c) { return fmt::format("{} {}", c.day, MonthText(c.month)); }};
}

Calendar DaysAndMonths(int days) {
  return {24.0 * days,
          4,
          [days](const CivilTime& c) { return MonthNumber(c) * 100 + (c.day - 1) / days; },
          MonthNumber,
          [days](const CivilTime& c) { return fmt::format("{}", (c.day - 1) / days * days + 1); },
          [](const CivilTime& c) { return fmt::format("{} {}", MonthText(c.month), c.year); },
          [](const CivilTime& c) { return MonthText(c.month); }};
}

Calendar MonthsAndYears(int months) {
  return {24.0 * 28 * months,
          4,
          [months](const CivilTime& c) { return MonthNumber(c) / months; },
          [](const CivilTime& c) { return static_cast<long>(c.year); },
          [months](const CivilTime& c) { return MonthText((c.month - 1) / months * months + 1); },
          [](const CivilTime& c) { return fmt::format("{}", c.year); },
          [](const CivilTime& c) { return fmt::format("{}", c.year); }};
}

Calendar FittingCalendar(double cells_per_hour) {
  std::vector<Calendar> calendars;
  for (int hours : {1, 2, 3, 4, 6, 12}) calendars.push_back(HoursAndDays(hours));
  for (int days : {1, 2, 5, 10}) calendars.push_back(DaysAndMonths(days));
  for (int months : {1, 3, 12}) calendars.push_back(MonthsAndYears(months));
  for (const Calendar& calendar : calendars) {
    if (calendar.minor_hours * cells_per_hour >= calendar.label_cells) return calendar;
  }
  return calendars.back();
}

/// Columns in which `key` takes a new value: at the column's start, or within it.
std::vector<bool> Changes(const Horizon& horizon, const TimeColumns& columns, const TimeZone& zone,
                          const std::function<long(const CivilTime&)>& key) {
  std::vector<bool> changes(columns.columns, false);
  for (int c = 0; c < columns.columns; ++c) {
    const Stamp start = horizon.SlotStart(columns.FirstSlot(c));
    const Stamp end = horizon.SlotStart(columns.EndSlot(c, horizon.slots));
    const long before = key(zone.ToCivil(start - std::chrono::seconds(1)));
    const long last = key(zone.ToCivil(end - std::chrono::seconds(1)));
    changes[c] = before != last;
  }
  return changes;
}

/// Writes a label at a cell unless it would touch another one or leave the line.
bool Place(std::string& line, int cell, const std::string& label) {
  const int end = cell + static_cast<int>(label.size());
  if (end > static_cast<int>(line.size())) return false;
  for (int i = std::max(0, cell - 1); i < std::min(end + 1, static_cast<int>(line.size())); ++i) {
    if (line[i] != ' ') return false;
  }
  line.replace(cell, label.size(), label);
  return true;
}

std::string TickLine(const std::vector<bool>& minor, const std::vector<bool>& major, bool utf8) {
  std::string line;
  for (size_t i = 0; i < minor.size(); ++i) {
    if (major[i]) {
      line += utf8 ? "┼" : "|";
    } else if (minor[i]) {
      line += utf8 ? "┴" : "+";
    } else {
      line += utf8 ? "─" : "-";
    }
  }
  return line;
}

}  // namespace

TimeColumns FitColumns(const Horizon& horizon, int cells) {
  TimeColumns fit;
  if (horizon.slots <= 0) return fit;
  if (horizon.slots <= cells) {
    fit.columns = horizon.slots;
    fit.cells_per_column = std::min(kMostCellsPerSlot, cells / horizon.slots);
    return fit;
  }
  const int least = (horizon.slots + cells - 1) / cells;
  fit.slots_per_column = least;
  for (int minutes : kRoundMinutes) {
    const long slots = minutes * 60L / horizon.step.count();
    if (slots >= least && slots * horizon.step.count() == minutes * 60L) {
      fit.slots_per_column = static_cast<int>(slots);
      break;
    }
  }
  fit.columns = (horizon.slots + fit.slots_per_column - 1) / fit.slots_per_column;
  return fit;
}

Duration ColumnDuration(const Horizon& horizon, const TimeColumns& columns) {
  return horizon.SlotDuration() * columns.slots_per_column;
}

std::vector<TimeMark> MarkTime(const Horizon& horizon, const TimeColumns& columns, const TimeZone& zone) {
  std::vector<TimeMark> marks;
  if (columns.columns == 0) return marks;
  const Calendar calendar = FittingCalendar(columns.cells_per_column / InHours(ColumnDuration(horizon, columns)));
  const std::vector<bool> minor = Changes(horizon, columns, zone, calendar.minor);
  const std::vector<bool> major = Changes(horizon, columns, zone, calendar.major);
  for (int c = 0; c < columns.columns; ++c) {
    if (!minor[c] && !major[c]) continue;
    const CivilTime civil =
        zone.ToCivil(horizon.SlotStart(columns.EndSlot(c, horizon.slots)) - std::chrono::seconds(1));
    marks.push_back({c, calendar.label(civil), calendar.date(civil), calendar.short_date(civil), major[c]});
  }
  return marks;
}

TimeAxis MakeTimeAxis(const Horizon& horizon, const TimeColumns& columns, const TimeZone& zone, bool utf8) {
  const int cells = columns.cells();
  TimeAxis axis;
  axis.labels.assign(cells, ' ');
  axis.dates.assign(cells, ' ');
  axis.day_begins.assign(cells, false);
  std::vector<bool> ticks(cells, false);
  const std::vector<TimeMark> marks = MarkTime(horizon, columns, zone);
  for (const TimeMark& mark : marks) {
    const int cell = mark.column * columns.cells_per_column;
    axis.day_begins[cell] = mark.date_begins;
    if (mark.date_begins) Place(axis.dates, cell, mark.date);
    ticks[cell] = Place(axis.labels, cell, mark.label);
  }
  if (!marks.empty() && !marks.front().date_begins) {
    const int cell = marks.front().column * columns.cells_per_column;
    if (!Place(axis.dates, cell, marks.front().date)) Place(axis.dates, cell, marks.front().short_date);
  }
  axis.labels.erase(axis.labels.find_last_not_of(' ') + 1);
  axis.dates.erase(axis.dates.find_last_not_of(' ') + 1);
  axis.ticks = TickLine(ticks, axis.day_begins, utf8);
  return axis;
}

}  // namespace heliograd

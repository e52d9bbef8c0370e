#include "heliograd/feed/run_calendar_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "heliograd/base/text.h"
#include "heliograd/feed/csv_table.h"

namespace heliograd {
namespace {

/// The longest horizon that a plan may have, hours.
constexpr double kLongestHours = 8784;

/// Where a year more can still be counted.
constexpr int kFirstYear = 1900, kLastYear = 2200;

/// One line of the file.
struct Entry {
  size_t line = 0;
  std::string text;  // its start as it stands there
  Stamp start;
  int slots = 0;
};

std::string_view WithoutComment(std::string_view line) { return Trim(line.substr(0, line.find('#'))); }

bool IsHeader(const std::vector<std::string>& fields) {
  return ToLower(fields.front()) == "start" &&
         (fields.size() == 1 || (fields.size() == 2 && ToLower(fields[1]) == "hours"));
}

std::string ExpectedStart(std::string_view text, const TimeZone& zone) {
  const std::string why = WhyImpossible(text);
  if (!why.empty()) return fmt::format("a date and time that exists ({})", why);
  if (ParseCivil(text)) return fmt::format("a time that occurs in {} (the clock is put forward then)", zone.name());
  return "a start such as 2025-03-01 20:00";
}

class CalendarReader {
 public:
  CalendarReader(const std::string& name, const RunCalendarRules& rules) : rules_(rules), problems_(name) {}

  Result<RunCalendarYear> Read(std::string_view content) {
    ReadLines(content);
    if (entries_.empty() && problems_.empty()) {
      problems_.AddForFile("no run: expected one start a line, such as 2025-03-01 20:00.");
    }
    if (!problems_.empty()) return problems_.Failure();
    std::stable_sort(entries_.begin(), entries_.end(),
                     [](const Entry& a, const Entry& b) { return a.start < b.start; });
    year_.begin = entries_.front().start;
    const auto year_end = YearEnd();
    if (!year_end) return Fail(year_end.error());
    year_.slots = static_cast<int>((*year_end - year_.begin) / rules_.slot);
    for (size_t i = 0; i < entries_.size(); ++i) Place(i);
    if (!problems_.empty()) return problems_.Failure();
    return std::move(year_);
  }

 private:
  void ReadLines(std::string_view content) {
    CsvReader csv(content);
    bool may_be_header = true;
    while (csv.Next()) {
      const std::string_view line = WithoutComment(csv.line());
      if (line.empty()) continue;
      const std::vector<std::string> fields = SplitCsvLine(line);
      if (!(may_be_header && IsHeader(fields))) ReadEntry(csv.line_number(), line, fields);
      may_be_header = false;
    }
    if (csv.too_long()) problems_.AddForLine(csv.line_number(), "too long for a line: expected one start a line.");
  }

  void ReadEntry(size_t line, std::string_view text, const std::vector<std::string>& fields) {
    if (fields.size() > 2) {
      return problems_.AddForValue(line, "row", text,
                                   "a start, or a start and hours with a decimal point: START,HOURS");
    }
    const auto start = ParseStamp(fields.front(), rules_.zone);
    const int year = start ? rules_.zone.ToCivil(*start).year : kFirstYear;
    if (year < kFirstYear || year > kLastYear) {
      return problems_.AddForValue(line, "start", fields.front(), "a start of the years 1900 to 2200");
    }
    if (!start) problems_.AddForValue(line, "start", fields.front(), ExpectedStart(fields.front(), rules_.zone));
    const std::optional<int> slots = SlotsOf(line, fields.size() < 2 ? "" : fields[1]);
    if (start && slots) entries_.push_back({line, fields.front(), *start, *slots});
  }

  /// Whole slots within the hours of a line; the scenario's where it says none.
  std::optional<int> SlotsOf(size_t line, const std::string& hours) {
    if (hours.empty()) return rules_.slots;
    const double slot_hours = static_cast<double>(rules_.slot.count()) / 3600;
    const auto read = NumberFromText(hours, line, {"hours", slot_hours, kLongestHours, "h"}, problems_);
    return read ? std::optional(static_cast<int>(*read / slot_hours + 1e-9)) : std::nullopt;
  }

  /// The same date and time a year after the first run, on the site's clock.
  Result<Stamp> YearEnd() const {
    CivilTime civil = rules_.zone.ToCivil(year_.begin);
    ++civil.year;
    if (!IsValid(civil)) civil.day = 28;  // 29 February
    const auto end = rules_.zone.ToStamp(civil);
    // Where the clock skips that time, or another begins in mid-slot, 365 days are the year.
    if (!end || (*end - year_.begin) % rules_.slot != Stamp::duration::zero())
      return year_.begin + std::chrono::days(365);
    return *end;
  }

  void Place(size_t i) {
    const Entry& entry = entries_[i];
    const Entry& first = entries_.front();
    const auto after = entry.start - year_.begin;
    const auto slot = after / rules_.slot;
    if (slot >= year_.slots) {
      return problems_.AddForValue(
          entry.line, "start", entry.text,
          fmt::format("a start less than a year after the first, {} on line {}", first.text, first.line));
    }
    if (after % rules_.slot != Stamp::duration::zero()) {
      return problems_.AddForValue(entry.line, "start", entry.text,
                                   fmt::format("a start whole slots of {} minutes after the first, {} on line {}; "
                                               "--slot-minutes takes shorter slots",
                                               rules_.slot.count() / 60, first.text, first.line));
    }
    const CalendarRun run{static_cast<int>(slot), entry.slots};
    if (i > 0) RequireApart(entries_[i - 1], entry, entry.start, "");
    year_.runs.push_back(run);
    if (i + 1 == entries_.size()) {
      RequireApart(entry, first, year_.begin + year_.slots * rules_.slot, " of the next year");
    }
  }

  /// `at`: when the later run begins.
  void RequireApart(const Entry& earlier, const Entry& later, Stamp at, std::string_view when) {
    const Stamp end = earlier.start + earlier.slots * rules_.slot;
    if (end <= at) return;
    problems_.AddForLine(
        later.line,
        fmt::format("the run from {}{} begins before the run from {} on line {} has ended, at {}: expected runs one "
                    "after the other: move one, or give fewer hours",
                    later.text, when, earlier.text, earlier.line, FormatCivil(rules_.zone.ToCivil(end))));
  }

  const RunCalendarRules& rules_;
  ProblemList problems_;
  std::vector<Entry> entries_;
  RunCalendarYear year_;
};

}  // namespace

Result<RunCalendarYear> ParseRunCalendar(std::string_view content, const std::string& name,
                                         const RunCalendarRules& rules) {
  return CalendarReader(name, rules).Read(content);
}

}  // namespace heliograd

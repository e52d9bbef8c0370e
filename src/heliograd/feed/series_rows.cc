#include "heliograd/feed/series_rows.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "heliograd/base/text.h"

namespace heliograd {
namespace {

using std::chrono::seconds;

constexpr seconds kHour(3600);

/// Gives each row without a length that of the row before it, and the first rows that of the first known.
void FillUnknown(std::vector<seconds>& lengths) {
  const auto known = [](seconds length) { return length != seconds(0); };
  seconds last = *std::find_if(lengths.begin(), lengths.end(), known);
  for (seconds& length : lengths) {
    if (known(length)) last = length;
    length = last;
  }
}

}  // namespace

bool IsGap(std::string_view field) {
  const std::string text = ToLower(Trim(field));
  return text.empty() || text == "-" || text == "n/e" || text == "n/a";
}

char SeparatorOf(std::string_view content) {
  const std::string_view start = content.substr(0, kLongestLine);
  const std::string_view header = start.substr(0, start.find_first_of("\r\n"));
  constexpr std::array<char, 3> kSeparators = {',', ';', '\t'};
  return *std::ranges::max_element(kSeparators, {}, [header](char c) { return std::ranges::count(header, c); });
}

bool IsWholeRow(CsvReader& csv, size_t header_fields, ProblemList& problems) {
  const std::vector<std::string_view>& fields = csv.fields();
  // Some programs end each row with separators.
  const bool has_more =
      std::any_of(fields.begin() + static_cast<std::ptrdiff_t>(std::min(fields.size(), header_fields)), fields.end(),
                  [](std::string_view field) { return !field.empty(); });
  if (fields.size() >= header_fields && !has_more) return true;
  problems.AddForValue(
      csv.line_number(), "row", csv.line(),
      fmt::format("{} fields, as in the header{}", header_fields,
                  has_more ? "; a number with a decimal comma counts as two, write 0.25 in place of 0,25" : ""));
  return false;
}

std::optional<Stamp> RowClock::Read(size_t line, std::string_view text, bool has_value, ProblemList& problems) {
  if (const auto civil = ParseCivil(text)) return Take(line, *civil, text, has_value, problems);
  const auto stamp = ParseStamp(text, zone_);
  if (stamp) return CheckOrder(line, *stamp, text, problems);
  problems.AddForValue(line, column_, text, "a time such as 2025-01-01T20:00Z, or 2025-01-01 20:00 on the local clock");
  return std::nullopt;
}

std::optional<Stamp> RowClock::Take(size_t line, const CivilTime& civil, std::string_view text, bool has_value,
                                    ProblemList& problems) {
  const std::vector<Stamp> instants = zone_.ToStamps(civil);
  if (instants.empty()) {
    if (has_value) problems.AddForValue(line, column_, text, fmt::format("a time that occurs in {}", zone_.name()));
    return std::nullopt;
  }
  const auto next = std::ranges::find_if(instants, [this](Stamp stamp) { return !last_ || stamp > *last_; });
  return CheckOrder(line, next == instants.end() ? instants.back() : *next, text, problems);
}

std::optional<Stamp> RowClock::CheckOrder(size_t line, Stamp stamp, std::string_view text, ProblemList& problems) {
  const bool in_order = !last_ || stamp > *last_;
  if (!in_order) {
    problems.AddForValue(line, column_, text,
                         fmt::format("a time after {}, that of the row before", FormatStamp(*last_)));
  }
  last_ = stamp;
  return in_order ? std::optional(stamp) : std::nullopt;
}

std::vector<seconds> RowLengths(const std::vector<Stamp>& starts, const std::vector<size_t>& lines,
                                ProblemList& problems) {
  std::vector<seconds> lengths(starts.size(), seconds(0));
  bool any_known = false;
  for (size_t i = 0; i + 1 < starts.size(); ++i) {
    const auto step = std::chrono::floor<seconds>(starts[i + 1] - starts[i]);
    if (step > kHour) continue;
    if (step < seconds(60) || kHour % step != seconds(0)) {
      problems.AddForLine(lines[i + 1],
                          fmt::format("begins {} s after the row before: expected a step that divides the "
                                      "hour, such as 15 or 60 minutes.",
                                      step.count()));
    }
    lengths[i] = step;
    any_known = true;
  }
  if (any_known) {
    FillUnknown(lengths);
  } else {
    problems.AddForFile("no two rows are within an hour of each other: expected a row for each hour or less.");
  }
  return lengths;
}

}  // namespace heliograd

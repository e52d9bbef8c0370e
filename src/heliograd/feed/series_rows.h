// Rows of a price or intensity table: when each begins, how long it lasts, and what marks a value that is not known.
// Shared by the readers of this room; knows nothing of units.
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "heliograd/base/time.h"
#include "heliograd/feed/csv_table.h"
#include "heliograd/trace/step_series.h"

namespace heliograd {

/// One row of a table without ends: it lasts until the next, see StepsOf.
template <typename Q>
struct SeriesRow {
  size_t line = 0;
  Stamp start;
  std::optional<Q> value;  // nothing where it is not known
};

/// True for what publishers write in place of a value that they do not have: nothing, "-", "n/e", "n/a".
bool IsGap(std::string_view field);

/// The field separator of a table: comma, semicolon or tab, whichever its first line holds most of.
char SeparatorOf(std::string_view content);

/// True when the line has as many fields as the header, empty ones at its end aside; else adds a problem.
bool IsWholeRow(CsvReader& csv, size_t header_fields, ProblemList& problems);

/// Turns the times of successive rows into stamps. Where they are local and an hour occurs twice in autumn, its first
/// appearance in the file is summer time. Rows that do not follow each other are problems.
class RowClock {
 public:
  /// `column` names the time in messages.
  RowClock(TimeZone zone, std::string column) : zone_(std::move(zone)), column_(std::move(column)) {}

  /// Reads "2025-01-01 20:00" on the clock of the zone, or a stamp with its own "Z" or "+01:00". Nothing after a
  /// problem, or for a row without a value at a time that the clock skips in spring.
  std::optional<Stamp> Read(size_t line, std::string_view text, bool has_value, ProblemList& problems);
  /// The same for a civil time already read; `text` is how it stands in the file.
  std::optional<Stamp> Take(size_t line, const CivilTime& civil, std::string_view text, bool has_value,
                            ProblemList& problems);

 private:
  std::optional<Stamp> CheckOrder(size_t line, Stamp stamp, std::string_view text, ProblemList& problems);

  TimeZone zone_;
  std::string column_;
  std::optional<Stamp> last_;
};

/// How long the rows that begin at `starts` last; `lines` are their lines. See StepsOf.
std::vector<std::chrono::seconds> RowLengths(const std::vector<Stamp>& starts, const std::vector<size_t>& lines,
                                             ProblemList& problems);

/// Steps of ascending rows. A row lasts until the next one when that is at most an hour later; else a gap follows, and
/// the row lasts as long as the row before it (the first rows: as the first known), so also the last row. A step that
/// does not divide the hour, and a table in which no two rows are within an hour, are problems.
template <typename Q>
std::vector<Step<Q>> StepsOf(const std::vector<SeriesRow<Q>>& rows, ProblemList& problems) {
  std::vector<Stamp> starts;
  std::vector<size_t> lines;
  for (const SeriesRow<Q>& row : rows) starts.push_back(row.start), lines.push_back(row.line);
  const std::vector<std::chrono::seconds> lengths = RowLengths(starts, lines, problems);
  std::vector<Step<Q>> steps;
  for (size_t i = 0; i < rows.size(); ++i) {
    if (rows[i].value) steps.push_back({rows[i].start, rows[i].start + lengths[i], *rows[i].value});
  }
  return steps;
}

}  // namespace heliograd

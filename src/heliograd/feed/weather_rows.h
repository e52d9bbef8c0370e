// What all weather readers share: the limits of each quantity, the collection of rows into a year, and the move of a
// year from one clock to another. Private to the readers of weather files.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "heliograd/base/result.h"
#include "heliograd/feed/csv_table.h"
#include "heliograd/feed/weather_file.h"
#include "heliograd/trace/weather.h"

namespace heliograd {

/// The year whose sun is used where a file does not say when its rows were measured. Within a leap cycle the sun at a
/// given hour of the calendar moves by less than 0.2 degrees.
inline constexpr int kAssumedSourceYear = 2005;

// Columns with the limits of what can occur at the ground; values outside are mistakes of type or unit.
NumberColumn YearColumn(std::string name, size_t index);
NumberColumn MonthColumn(std::string name, size_t index);
NumberColumn DayColumn(std::string name, size_t index);
NumberColumn HourColumn(std::string name, size_t index);  // 0..23
NumberColumn IrradianceColumn(std::string name, size_t index);
NumberColumn TemperatureColumn(std::string name, size_t index);
NumberColumn WindColumn(std::string name, size_t index);
NumberColumn PressureColumn(std::string name, size_t index);        // hPa
NumberColumn PascalPressureColumn(std::string name, size_t index);  // Pa
NumberColumn AlbedoColumn(std::string name, size_t index);
NumberColumn LatitudeColumn(std::string name, size_t index);
NumberColumn LongitudeColumn(std::string name, size_t index);
NumberColumn ElevationColumn(std::string name, size_t index);
NumberColumn UtcOffsetColumn(std::string name, size_t index);

/// An irradiance in W/m2; what sensors report slightly below zero at night becomes 0. 0 when a problem was added.
double ReadIrradiance(CsvReader& reader, const NumberColumn& column, ProblemList& problems);

/// Puts rows into the 8760 hours of a year and finds duplicate and missing ones.
class YearCollector {
 public:
  explicit YearCollector(ProblemList& problems);

  /// The hour that a row with this date describes, to be filled by the caller; its date is set. Gives nullptr where the
  /// row is to be ignored: 29 February (a typical year has none), or an impossible or second date, which is a problem.
  WeatherHour* Claim(size_t line, int source_year, int month, int day, int hour);
  /// A row whose date could not be read: its hour will be missing, which is not reported again.
  void SkipRow() { ++skipped_; }
  /// The year in order. Missing hours are added to the problems.
  std::vector<WeatherHour> Finish();

 private:
  void ReportMissing() const;

  ProblemList& problems_;
  std::vector<WeatherHour> hours_;
  std::vector<size_t> line_of_hour_;  // 0 = no row yet
  size_t skipped_ = 0;
};

/// Checks the overrides themselves: an impossible one is a usage error.
Result<void> CheckOverrides(const WeatherOverrides& overrides);

/// Replaces what the file says of the site by what the user says.
void ApplySite(const WeatherOverrides& overrides, WeatherYear& year);

/// Sets the clock of a year whose rows are already in local standard time.
void SetUtcOffset(double utc_offset_hours, WeatherYear& year);

/// Moves rows from the clock they carry (`from_utc_offset_hours`) to local standard time. An instant keeps its meaning
/// for any difference; hour means can move by whole hours only, other differences are a problem.
void MoveToLocalTime(double from_utc_offset_hours, double to_utc_offset_hours, WeatherYear& year,
                     ProblemList& problems);

/// Adds a problem where the reader stopped before a line that is too long.
void CheckLineLength(const CsvReader& reader, ProblemList& problems);

}  // namespace heliograd

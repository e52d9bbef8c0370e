// The sun of each weather row: at which instant of the row it is taken, whether it is up, and where it stands.
#pragma once

#include <array>
#include <optional>
#include <span>

#include "heliograd/model/sun_position.h"
#include "heliograd/trace/weather.h"

namespace heliograd {

/// Hours with the sun up, in order: their rows, and where the sun stands.
struct LitHours {
  size_t count = 0;
  std::array<size_t, kMostHoursAtOnce> row;
  SunDirections sun;
};

/// Follows one weather year. Rows may be asked in any order; in order is fast. One object serves one thread.
class RowSun {
 public:
  /// `weather` must outlive the object.
  explicit RowSun(const WeatherYear& weather);

  /// The time of the row's date, in hours of local standard time, whose sun stands for the row's light; nothing while
  /// the sun is down.
  ///
  /// Rows of hourly means follow the midpoint rule of PVWatts: an hour of sunrise or sunset takes the middle of its
  /// sunlit part (whole minutes, rounded down), every other hour its own middle. Instants are taken as they are.
  std::optional<double> SunlitTime(size_t row);

  /// The sun at a time of the date of the row that SunlitTime was asked for last.
  SunDirection Direction(size_t row, double time_h) const;

  /// The hours with the sun up from row `first` on, as many as `lit` takes and one track follows: SunlitTime and
  /// Direction for many rows at once. The answer is the row to go on with; all rows before it are told.
  size_t FindLit(size_t first, LitHours& lit);

 private:
  /// When the sun is above -0.8333 degrees, in hours of local standard time of one date; may reach into the dates
  /// beside.
  struct Daylight {
    double rise_h = 0;
    double set_h = 0;  // not after the rise: the sun does not come up

    /// The same light in the hours of a date that begins `hours` later.
    Daylight From(double hours) const { return {rise_h - hours, set_h - hours}; }
    bool Holds(double time_h) const { return time_h >= rise_h && time_h <= set_h && set_h > rise_h; }
  };

  /// The sun's path over a date as it would be if its declination stood still.
  struct Arc {
    double middle_h;
    double half_h;
  };

  /// SunlitTime of an hour of the date, or kNight: an optional would have the loop over the year wait for its stores.
  double SunlitTimeOrNight(const WeatherHour& hour) const;
  bool IsOfDate(const WeatherHour& hour) const;
  bool IsOfRun(const WeatherHour& hour) const;
  void TurnTo(size_t row);
  void StartTrack(size_t row);
  Arc ArcAt(double midnight_ut_days, double time_h) const;
  Daylight DaylightOf(double midnight_ut_days) const;
  std::span<const Daylight> DaylightNear() const;
  double MidpointRule(double middle_h) const;
  bool IsUp(double time_h) const;

  const WeatherYear& weather_;
  Observer observer_;
  double utc_offset_h_;
  // The run of rows whose sun the track follows, and the date of the row asked last.
  std::optional<SunTrack> track_;
  int source_year_ = 0;
  double terrestrial_minus_universal_s_ = 0;
  int month_ = 0;
  int day_ = 0;
  double midnight_ut_days_ = 0;
  std::array<Daylight, 3> daylight_;  // of the date before, the date, and the date after, all in the date's hours
  bool crosses_midnight_ = false;     // light of the dates beside reaches into the date
  bool nears_midnight_ = false;       // or into the half hour before or after it
  SunMoments moments_;                // of the lit hours at hand
};

}  // namespace heliograd

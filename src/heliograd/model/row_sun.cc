#include "heliograd/model/row_sun.h"

#include <cmath>
#include <limits>

#include "heliograd/model/pvwatts.h"

namespace heliograd {
namespace {

// A day of midnight sun holds a little more than its 24 hours, so that it joins the next one.
constexpr double kHalfEndlessDayH = 12.1;
constexpr double kNight = std::numeric_limits<double>::infinity();
constexpr double kStandardPressureHpa = 1013.25;
constexpr double kLowestPressureHpa = 800.0;  // PVWatts takes anything lower as not given

int SourceYear(const WeatherHour& hour) { return hour.source_year != 0 ? hour.source_year : kDefaultSourceYear; }

double DateOf(const WeatherHour& hour) { return DaysSinceJ2000(SourceYear(hour), hour.month, hour.day); }

double PressureHpa(const WeatherHour& hour) {
  return hour.pressure_hpa > kLowestPressureHpa ? hour.pressure_hpa : kStandardPressureHpa;
}

double WrapDay(double hours) { return hours - 24.0 * std::floor(hours / 24.0); }

}  // namespace

RowSun::RowSun(const WeatherYear& weather)
    : weather_(weather),
      observer_(weather.latitude_deg, weather.longitude_deg, weather.elevation_m),
      utc_offset_h_(static_cast<double>(weather.utc_offset.count()) / 3600.0) {}

std::optional<double> RowSun::SunlitTime(size_t row) {
  const WeatherHour& hour = weather_.hours[row];
  if (!IsOfDate(hour)) TurnTo(row);
  const double time_h = SunlitTimeOrNight(hour);
  if (time_h == kNight) return std::nullopt;
  return time_h;
}

double RowSun::SunlitTimeOrNight(const WeatherHour& hour) const {
  if (weather_.stamp == IrradianceStamp::kHourMean) return MidpointRule(hour.hour + 0.5);
  const double time_h = hour.hour + weather_.instant_offset_h;
  return IsUp(time_h) ? time_h : kNight;
}

SunDirection RowSun::Direction(size_t row, double time_h) const {
  const WeatherHour& hour = weather_.hours[row];
  return observer_.Direction(track_->At(midnight_ut_days_ + time_h * (1.0 / 24.0)), time_h - utc_offset_h_,
                             PressureHpa(hour), hour.ambient_c);
}

size_t RowSun::FindLit(size_t first, LitHours& lit) {
  lit.count = 0;
  size_t row = first;
  for (; row < weather_.hours.size() && lit.count < kMostHoursAtOnce; ++row) {
    const WeatherHour& hour = weather_.hours[row];
    if (!IsOfDate(hour)) {
      if (row > first && !IsOfRun(hour)) break;
      TurnTo(row);
    }
    const double time_h = SunlitTimeOrNight(hour);
    if (time_h == kNight) continue;
    lit.row[lit.count] = row;
    moments_.days[lit.count] = midnight_ut_days_ + time_h * (1.0 / 24.0);
    moments_.ut_h[lit.count] = time_h - utc_offset_h_;
    moments_.pressure_hpa[lit.count] = PressureHpa(hour);
    moments_.air_c[lit.count] = hour.ambient_c;
    ++lit.count;
  }
  if (lit.count > 0) observer_.Directions(*track_, moments_, lit.count, lit.sun);
  return row;
}

bool RowSun::IsOfDate(const WeatherHour& hour) const {
  return hour.day == day_ && hour.month == month_ && SourceYear(hour) == source_year_;
}

bool RowSun::IsOfRun(const WeatherHour& hour) const {
  const double midnight_ut_days = DateOf(hour) - utc_offset_h_ / 24.0;
  return track_ && SourceYear(hour) == source_year_ && track_->Covers(midnight_ut_days - 1.0) &&
         track_->Covers(midnight_ut_days + 2.0);
}

void RowSun::TurnTo(size_t row) {
  const WeatherHour& hour = weather_.hours[row];
  const double midnight_ut_days = DateOf(hour) - utc_offset_h_ / 24.0;
  const bool next_date = SourceYear(hour) == source_year_ && midnight_ut_days == midnight_ut_days_ + 1.0;
  const bool same_run = IsOfRun(hour);
  source_year_ = SourceYear(hour);
  month_ = hour.month;
  day_ = hour.day;
  midnight_ut_days_ = midnight_ut_days;

  if (!same_run) StartTrack(row);
  if (next_date) {
    daylight_ = {daylight_[1].From(24.0), daylight_[2].From(24.0), DaylightOf(midnight_ut_days_ + 1.0).From(-24.0)};
  } else {
    for (int beside = -1; beside <= 1; ++beside) {
      daylight_[static_cast<size_t>(beside + 1)] = DaylightOf(midnight_ut_days_ + beside).From(-24.0 * beside);
    }
  }
  crosses_midnight_ = daylight_[0].set_h >= 0.0 || daylight_[2].rise_h <= 24.0;
  nears_midnight_ = daylight_[0].set_h >= -0.5 || daylight_[2].rise_h <= 24.5;
}

void RowSun::StartTrack(size_t row) {
  // The run may be entered after its first hour, and the first hours of the date after it may belong to it where rows
  // were turned to local time; the dates before and after are needed for light that reaches over midnight.
  constexpr double kBefore = 1.0;
  constexpr double kAfter = 3.0;
  constexpr size_t kRowsPerDay = 24;
  terrestrial_minus_universal_s_ = TerrestrialMinusUniversalSeconds(source_year_);
  double days = 0;
  for (size_t next = row + kRowsPerDay; next < weather_.hours.size(); next += kRowsPerDay) {
    const WeatherHour& other = weather_.hours[next];
    if (SourceYear(other) != source_year_ || days + 1.0 + kBefore + kAfter > SunTrack::kLongestDays) break;
    if (DateOf(other) != DateOf(weather_.hours[row]) + days + 1.0) break;
    days += 1.0;
  }
  track_.emplace(midnight_ut_days_ - kBefore, midnight_ut_days_ + days + kAfter, terrestrial_minus_universal_s_);
}

RowSun::Arc RowSun::ArcAt(double midnight_ut_days, double time_h) const {
  const GeocentricSun sun = track_->At(midnight_ut_days + time_h / 24.0);
  const double noon_h = WrapDay(12.0 - (sun.noon_angle_deg - 180.0 + observer_.longitude_deg()) / 15.0 + utc_offset_h_);
  const double half_arc_deg = observer_.HalfDayArcDeg(sun.sin_declination);
  return {noon_h, half_arc_deg >= 180.0 ? kHalfEndlessDayH : half_arc_deg / 15.0};
}

RowSun::Daylight RowSun::DaylightOf(double midnight_ut_days) const {
  // The sun moves on between noon and the edges of the day, so each edge is found again with the sun of its first
  // guess.
  const Arc noon = ArcAt(midnight_ut_days, 12.0);
  if (noon.half_h <= 0 || noon.half_h >= 12.0) return {noon.middle_h - noon.half_h, noon.middle_h + noon.half_h};
  const Arc rise = ArcAt(midnight_ut_days, noon.middle_h - noon.half_h);
  const Arc set = ArcAt(midnight_ut_days, noon.middle_h + noon.half_h);
  return {rise.middle_h - rise.half_h, set.middle_h + set.half_h};
}

bool RowSun::IsUp(double time_h) const {
  if (daylight_[1].Holds(time_h)) return true;
  return crosses_midnight_ && (daylight_[0].Holds(time_h) || daylight_[2].Holds(time_h));
}

/// Those whose sunrise, sunset or light an hour of the date can hold.
std::span<const RowSun::Daylight> RowSun::DaylightNear() const {
  return nears_midnight_ ? std::span<const Daylight>(daylight_) : std::span<const Daylight>(daylight_).subspan(1, 1);
}

double RowSun::MidpointRule(double middle_h) const {
  if (!nears_midnight_) {
    // Most hours of most dates: night, or wholly between sunrise and sunset.
    const Daylight& day = daylight_[1];
    if (middle_h < day.rise_h - 0.5 || middle_h > day.set_h + 0.5) return kNight;
    if (middle_h >= day.rise_h + 0.5 && middle_h <= day.set_h - 0.5) return middle_h;
  }
  const auto whole_minutes = [](double time_h) { return std::floor(time_h * 60.0) / 60.0; };
  const auto within_another = [this](const Daylight& own, double time_h) {
    for (const Daylight& other : DaylightNear()) {
      if (&other != &own && other.Holds(time_h)) return true;
    }
    return false;
  };
  for (const Daylight& day : DaylightNear()) {
    if (day.set_h <= day.rise_h) continue;
    const bool rises_here = middle_h >= day.rise_h - 0.5 && middle_h < day.rise_h + 0.5;
    if (rises_here && !within_another(day, day.rise_h)) return whole_minutes((day.rise_h + middle_h + 0.5) / 2.0);
  }
  for (const Daylight& day : DaylightNear()) {
    if (day.set_h <= day.rise_h) continue;
    const bool sets_here = middle_h > day.set_h - 0.5 && middle_h <= day.set_h + 0.5;
    if (sets_here && !within_another(day, day.set_h)) return whole_minutes((middle_h - 0.5 + day.set_h) / 2.0);
  }
  return IsUp(middle_h) ? middle_h : kNight;
}

}  // namespace heliograd

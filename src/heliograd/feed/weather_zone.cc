#include "heliograd/feed/weather_zone.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <iterator>
#include <limits>
#include <numbers>

namespace heliograd {
namespace {

constexpr double kRadians = std::numbers::pi / 180;
constexpr double kGroundReflectance = 0.2;
constexpr double kEnoughBeam = 300;  // W/m2: below, clouds blur the plane's irradiance
constexpr size_t kEnoughHours = 100;
constexpr double kWidestFromSun_h = 4;  // no place keeps a clock further from the sun's (western China: 3 h)
constexpr double kStep_h = 0.5;
constexpr std::array kQuarterHourZones = {5.75, 8.75, 12.75};
constexpr double kWorstFit = 0.15;  // root mean square error over mean, 0.01 to 0.04 at the right clock of real files
constexpr double kClearlyDown_deg = -1.5;

/// The sun's declination and equation of time at a day of the year (J. W. Spencer, "Fourier series representation of
/// the position of the sun", Search 2 (5), 1971), to about 0.2 degrees and half a minute.
struct SunDay {
  double sin_declination;
  double cos_declination;
  double equation_of_time_h;
};

SunDay SunOn(int day_of_year) {
  const double a = 2 * std::numbers::pi * day_of_year / 365;
  const double declination = 0.006918 - 0.399912 * std::cos(a) + 0.070257 * std::sin(a) - 0.006758 * std::cos(2 * a) +
                             0.000907 * std::sin(2 * a) - 0.002697 * std::cos(3 * a) + 0.00148 * std::sin(3 * a);
  const double equation_min = 229.18 * (0.000075 + 0.001868 * std::cos(a) - 0.032077 * std::sin(a) -
                                        0.014615 * std::cos(2 * a) - 0.040849 * std::sin(2 * a));
  return {std::sin(declination), std::cos(declination), equation_min / 60};
}

/// Unit vector to the sun: east, north, up.
struct Direction {
  double east, north, up;
};

/// The plane's normal and the site, with sines and cosines taken once.
class Geometry {
 public:
  explicit Geometry(const Plane& plane)
      : longitude_h_(plane.longitude_deg / 15),
        sin_latitude_(std::sin(plane.latitude_deg * kRadians)),
        cos_latitude_(std::cos(plane.latitude_deg * kRadians)),
        cos_tilt_(std::cos(plane.tilt_deg * kRadians)),
        normal_{std::sin(plane.tilt_deg * kRadians) * std::sin(plane.azimuth_deg * kRadians),
                std::sin(plane.tilt_deg * kRadians) * std::cos(plane.azimuth_deg * kRadians), cos_tilt_} {
    for (int day = 0; day < 366; ++day) days_.push_back(SunOn(day));
  }

  Direction SunAt(int day_of_year, double clock_h, double utc_offset_h) const {
    const SunDay& sun = days_[static_cast<size_t>(std::clamp(day_of_year, 0, 365))];
    const double solar_h = clock_h - utc_offset_h + longitude_h_ + sun.equation_of_time_h;
    const double angle = (solar_h - 12) * 15 * kRadians;
    const double sin_angle = std::sin(angle), cos_angle = std::cos(angle);
    return {-sun.cos_declination * sin_angle,
            sun.sin_declination * cos_latitude_ - sun.cos_declination * cos_angle * sin_latitude_,
            sun.sin_declination * sin_latitude_ + sun.cos_declination * cos_angle * cos_latitude_};
  }

  /// Beam by the angle of incidence, diffuse light from a uniform sky, and the ground's reflection.
  double OnPlane(const PlaneHour& hour, const Direction& sun) const {
    const double incidence = sun.east * normal_.east + sun.north * normal_.north + sun.up * normal_.up;
    const double global = hour.beam * std::max(0.0, sun.up) + hour.diffuse;
    return (sun.up > 0 ? hour.beam * std::max(0.0, incidence) : 0) + hour.diffuse * (1 + cos_tilt_) / 2 +
           kGroundReflectance * global * (1 - cos_tilt_) / 2;
  }

 private:
  double longitude_h_, sin_latitude_, cos_latitude_, cos_tilt_;
  Direction normal_;
  std::vector<SunDay> days_;
};

/// Root mean square error of the plane's irradiance over its mean, at that clock.
double Misfit(const std::vector<PlaneHour>& bright, const Geometry& geometry, double utc_offset_h) {
  double squares = 0, sum = 0;
  for (const PlaneHour& hour : bright) {
    const Direction sun = geometry.SunAt(hour.day_of_year, hour.hour + 0.5, utc_offset_h);
    const double error = geometry.OnPlane(hour, sun) - hour.plane;
    squares += error * error;
    sum += hour.plane;
  }
  const auto count = static_cast<double>(bright.size());
  return std::sqrt(squares / count) / std::max(sum / count, 1.0);
}

std::vector<double> CandidateOffsets(double longitude_deg) {
  const double nearest_h = std::round(longitude_deg / 15 / kStep_h) * kStep_h;
  std::vector<double> offsets;
  for (double away_h = -kWidestFromSun_h; away_h <= kWidestFromSun_h; away_h += kStep_h) {
    offsets.push_back(nearest_h + away_h);
  }
  std::copy_if(kQuarterHourZones.begin(), kQuarterHourZones.end(), std::back_inserter(offsets),
               [nearest_h](double offset_h) { return std::abs(offset_h - nearest_h) <= kWidestFromSun_h; });
  return offsets;
}

}  // namespace

Result<double> FindUtcOffset(const std::vector<PlaneHour>& hours, const Plane& plane) {
  std::vector<PlaneHour> bright;
  std::copy_if(hours.begin(), hours.end(), std::back_inserter(bright),
               [](const PlaneHour& hour) { return hour.beam >= kEnoughBeam; });
  if (bright.size() < kEnoughHours) {
    return Fail(
        fmt::format("the time zone is not in the file and cannot be found from the sun: {} hours have {} W/m2 of "
                    "beam irradiance, expected {} or more; give the UTC offset.",
                    bright.size(), kEnoughBeam, kEnoughHours));
  }
  const Geometry geometry(plane);
  double best_h = 0, least = std::numeric_limits<double>::infinity();
  for (const double offset_h : CandidateOffsets(plane.longitude_deg)) {
    const double misfit = Misfit(bright, geometry, offset_h);
    if (misfit < least) least = misfit, best_h = offset_h;
  }
  if (least > kWorstFit) {
    return Fail(
        fmt::format("the time zone is not in the file and no clock makes the irradiance on the plane agree with "
                    "the sun (off by {:.0f} % at UTC{:+g}): check latitude, tilt and azimuth, or give "
                    "the UTC offset.",
                    100 * least, best_h));
  }
  return best_h;
}

bool HasLightAroundSunset(const std::vector<PlaneHour>& hours, const Plane& plane, double utc_offset_hours) {
  const Geometry geometry(plane);
  const double down = std::sin(kClearlyDown_deg * kRadians);
  return std::any_of(hours.begin(), hours.end(), [&](const PlaneHour& hour) {
    return hour.plane > 0 && geometry.SunAt(hour.day_of_year, hour.hour + 0.5, utc_offset_hours).up < down;
  });
}

}  // namespace heliograd

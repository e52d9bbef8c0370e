// The periodic terms of the Solar Position Algorithm: I. Reda, A. Andreas, "Solar Position Algorithm for Solar
// Radiation Applications", NREL/TP-560-34302, revised January 2008, tables A4.2 and A4.3. Data only; sun_position.h
// gives it meaning.
#pragma once

#include <span>

namespace heliograd {

/// amplitude x cos(phase + frequency x t), t in Julian ephemeris millennia since J2000.
struct PeriodicTerm {
  double amplitude;  // 1e-8 rad (longitude, latitude) or 1e-8 astronomical units (radius)
  double phase_rad;
  double frequency_rad;
};

/// One term of the nutation: its argument is the sum of the five fundamental arguments times their multipliers.
struct NutationTerm {
  double moon_elongation;
  double sun_anomaly;
  double moon_anomaly;
  double moon_latitude;
  double moon_node;
  double longitude;       // 1e-4 arc seconds, sine
  double longitude_rate;  // the same per Julian century
  double obliquity;       // 1e-4 arc seconds, cosine
  double obliquity_rate;  // the same per Julian century
};

/// Series of the Earth's heliocentric longitude, latitude and radius: element n is multiplied by t^n.
std::span<const std::span<const PeriodicTerm>> EarthLongitudeSeries();
std::span<const std::span<const PeriodicTerm>> EarthLatitudeSeries();
std::span<const std::span<const PeriodicTerm>> EarthRadiusSeries();
std::span<const NutationTerm> NutationSeries();

}  // namespace heliograd

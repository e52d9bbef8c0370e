// What the module's cover lets through: Fresnel's equations and absorption, without one angle computed.
//
// Sources: J. Duffie, W. Beckman, "Solar Engineering of Thermal Processes", sections 5.1 to 5.4; W. De Soto, S. Klein,
// W. Beckman, "Improvement and validation of a model for photovoltaic array performance", Solar Energy 80, 2006, as
// PVWatts 5 and 8 use them. Pure functions.
#pragma once

#include "heliograd/model/vector_math.h"

namespace heliograd {

/// Share of the beam that PVWatts 5 counts, relative to a beam 1 degree off the normal. `coated` adds the
/// anti-reflective coating of premium modules. The incidence is read within 0.5 and 89.5 degrees.
double IncidenceModifierV5(double cos_incidence, bool coated);

/// True where PVWatts 5 applies the modifier at all: strictly between 0.5 and 89.5 degrees.
bool HasIncidenceModifierV5(double cos_incidence);

/// Transmittances of PVWatts 8 relative to that at normal incidence; every module type has the coating.
class CoverV8 {
 public:
  explicit CoverV8(double tilt_deg);

  /// The incidence is read within 1 and 89 degrees.
  static double Beam(double cos_incidence);
  /// The same for the first `count` hours.
  static void Beams(const HourColumn& cos_incidence, size_t count, HourColumn& passed);
  double sky() const { return sky_; }
  double ground() const { return ground_; }

 private:
  double sky_;
  double ground_;
};

}  // namespace heliograd

// Rows of an open rack shade each other: PVWatts 8 counts that for every rack, even of one module.
//
// Sources: J. Appelbaum, J. Bany, "Shadow effect of adjacent solar collectors in large scale systems", Solar Energy 23,
// 1979, equations 11, 12 and appendix A (beam); P. Gilman et al., "SAM Photovoltaic Model Technical Reference Update",
// NREL/TP-6A20-67399, 2018, section 7 (diffuse light). Ground coverage 0.4 and the layout (modules of 300 W, 1.7 times
// as long as wide, two high, about as many rows as modules along a row) are the calculator's. Pure functions.
#pragma once

#include "heliograd/model/transposition.h"

namespace heliograd {

class RowShading {
 public:
  RowShading(double dc_capacity_w, double tilt_deg);

  /// The irradiance that is left on the plane. `dni` and `dhi` in W/m2 as given to OnPlane.
  PlaneIrradiance Apply(const PlaneIrradiance& open, const TiltedPlane& plane, const SunDirection& sun, double dni,
                        double dhi) const;

  /// Share of the sky's diffuse light that the row in front leaves.
  double sky() const { return sky_; }

 private:
  /// Share of a row's area that lies in the shadow of the row before it.
  double ShadedShare(const TiltedPlane& plane, const SunDirection& sun) const;
  double GroundShare(const TiltedPlane& plane, const SunDirection& sun, double dni, double dhi) const;

  double rows_ = 1;
  double row_length_ = 1;   // in widths of a module
  bool long_rows_ = false;  // so long that a shadow's missing end does not count
  double sky_ = 1;
};

}  // namespace heliograd

// The modules of PVWatts: their temperature coefficients (version 5) and their single-diode model (version 8).
//
// Source of the model: A. Dobos, "An improved coefficient calculator for the California Energy Commission 6 parameter
// photovoltaic module model", J. Solar Energy Engineering 134, 2012; the parameters are those that PVWatts 8 fixes per
// module type. Pure functions.
#pragma once

#include <span>

#include "heliograd/model/pvwatts.h"
#include "heliograd/model/sun_position.h"

namespace heliograd {

/// One module at 1000 W/m2 and 25 degrees.
struct CecModule {
  double area_m2;
  double voltage_v;           // at maximum power
  double current_a;           // at maximum power
  double current_per_kelvin;  // of the short-circuit current, A/K
  double ideality_v;          // modified ideality factor a
  double light_current_a;     // I_L
  double diode_current_a;     // I_o
  double series_ohm;          // R_s
  double shunt_ohm;           // R_sh
  double adjustment_percent;  // of the current's temperature coefficient

  double RatedW() const { return voltage_v * current_a; }
  double Efficiency() const { return RatedW() / (1000.0 * area_m2); }
};

const CecModule& CecModuleOf(PvModule module);

/// Relative change of power per kelvin in PVWatts 5.
double PowerPerKelvinV5(PvModule module);

/// Largest power of the module in watts for what reaches its cells, W/m2; zero below 1 W/m2.
double MaximumPowerW(const CecModule& module, double effective_w_m2, double cell_c);

/// The same for as many hours as `power_w` has entries, several at a time.
void MaximumPowersW(const CecModule& module, std::span<const double> effective_w_m2, std::span<const double> cell_c,
                    std::span<double> power_w);

/// Spectral factor of De Soto, Klein, Beckman 2006 from the sun's zenith, read as 86 degrees beyond that, and the
/// pressure at the site against that at sea level.
double AirMassModifier(double zenith_deg, double cos_zenith, double pressure_ratio);
/// The same for the first `count` hours.
void AirMassModifiers(const SunDirections& sun, double pressure_ratio, size_t count, HourColumn& modifiers);
double PressureRatio(double elevation_m);

}  // namespace heliograd

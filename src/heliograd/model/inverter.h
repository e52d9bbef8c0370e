// From DC to AC: the inverter curves of PVWatts 5 and 8. Pure functions.
#pragma once

namespace heliograd {

/// A. Dobos, "PVWatts Version 5 Manual", NREL/TP-6A20-62641, 2014, section 10: AC power in watts from DC power, within
/// [0, rated].
double InverterAcV5(double dc_w, double rated_ac_w, double efficiency);

/// The inverter of PVWatts 8: D. King et al., "Performance model for grid-connected photovoltaic inverters",
/// SAND2007-5036, without curvature, so a straight line from the power that the inverter itself needs up to its rating.
class InverterV8 {
 public:
  /// The power that it needs depends on the system's DC capacity: 0.2246 % of the rating below 10 W, 0.2478 % below
  /// 1000 W, else 0.4931 %. The classes are meant for kilowatts (homes, businesses, utilities), but the calculator
  /// compares watts; kept, to equal it.
  InverterV8(double dc_capacity_w, double rated_ac_w, double efficiency);

  /// AC power in watts, within [0, rated].
  double Ac(double dc_w) const;

 private:
  double rated_ac_w_;
  double threshold_w_;
  double slope_;
};

}  // namespace heliograd

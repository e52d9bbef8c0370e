// PV power of a typical year: the equations of PVWatts V8 and V5.
//
// Sources: A. Dobos, "PVWatts Version 5 Manual", NREL/TP-6A20-62641, 2014, and the open source code of NREL's System
// Advisor Model (modules pvwattsv5 and pvwattsv8), whose every rule is followed where it differs from the manual. Both
// versions take the sun from SPA (sun_position.h). Neither snow nor monthly irradiance losses are modelled: the
// calculator has the first not at all and the second at zero.
//
// Enters: a year of weather and a PV system. Leaves: plane-of-array irradiance, cell temperature, DC and AC power for
// each of its hours. Pure functions; they may not read files or know where the weather came from.
#pragma once

#include <string>
#include <vector>

#include "heliograd/base/quantity.h"
#include "heliograd/trace/typical_year.h"
#include "heliograd/trace/weather.h"

namespace heliograd {

enum class PvModel { kPvwattsV8, kPvwattsV5 };
enum class PvMounting { kRoof, kRack };
enum class PvModule { kStandard, kPremium, kThinFilm };

struct PvSystem {
  Power dc_capacity = Watts(1000);
  double tilt_deg = 20;      // 0 = flat
  double azimuth_deg = 180;  // north 0, east 90, south 180
  PvMounting mounting = PvMounting::kRoof;
  PvModule module = PvModule::kStandard;
  PvModel model = PvModel::kPvwattsV8;
  double losses_percent = 14.0757;
  double dc_ac_ratio = 1.2;
  double inverter_efficiency = 0.96;
};

/// Everything the model knows of the year, entry 0 = 1 January 00:00..01:00 local standard time.
struct PvYear {
  std::vector<Irradiance> poa;  // plane of array, before glass losses
  std::vector<double> cell_c;   // cell temperature, degrees Celsius
  std::vector<Power> dc;
  std::vector<Power> ac;

  Energy AnnualAc() const;
  Energy AnnualDc() const;
  Irradiation AnnualPoa() const;
  std::vector<Energy> MonthlyAc() const;  // 12
};

/// The year that sets the sun's position where a weather row does not say which year it was measured in, as the files
/// of the PVWatts calculator do not. Any choice moves the sun by at most half a day of its yearly course, which changes
/// the annual energy by a few hundredths of a percent.
inline constexpr int kDefaultSourceYear = 2005;

/// What is wrong with the system as data, one sentence each with the key as in scenario files; empty when sound.
std::vector<std::string> Defects(const PvSystem& system);

/// One entry per row of the weather. The weather is as trace/weather.h says, its numbers finite; the system has no
/// defects. Negative irradiance and wind read as zero, pressure of 800 hPa or less as 1013.25 hPa, albedo outside (0,
/// 1) as 0.2. Thread-safe and pure.
PvYear SimulatePvYear(const WeatherYear& weather, const PvSystem& system);

}  // namespace heliograd

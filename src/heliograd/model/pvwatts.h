// PV power of a typical year: the equations of PVWatts V8 and V5.
//
// Enters: a year of weather and a PV system. Leaves: plane-of-array irradiance, cell temperature, DC and AC power for
// each of its hours. Pure functions; they may not read files or know where the weather came from.
#pragma once

#include <string_view>
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
  std::vector<Irradiance> poa;   // plane of array, before glass losses
  std::vector<double> cell_c;    // cell temperature, degrees Celsius
  std::vector<Power> dc;
  std::vector<Power> ac;

  Energy AnnualAc() const;
  Energy AnnualDc() const;
  Irradiation AnnualPoa() const;
  std::vector<Energy> MonthlyAc() const;  // 12
};

/// Thread-safe and pure.
PvYear SimulatePvYear(const WeatherYear& weather, const PvSystem& system);

}  // namespace heliograd

#include "heliograd/model/pvwatts.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cassert>
#include <cmath>
#include <optional>

#include "heliograd/model/cell_temperature.h"
#include "heliograd/model/glass.h"
#include "heliograd/model/inverter.h"
#include "heliograd/model/pv_module.h"
#include "heliograd/model/row_shading.h"
#include "heliograd/model/row_sun.h"
#include "heliograd/model/transposition.h"

namespace heliograd {
namespace {

constexpr double kDefaultAlbedo = 0.2;
constexpr std::array<size_t, 12> kDaysPerMonth = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

double Albedo(const WeatherHour& hour) {
  const double albedo = hour.albedo.value_or(kDefaultAlbedo);
  return albedo > 0 && albedo < 1 ? albedo : kDefaultAlbedo;
}

double KeptShare(const PvSystem& system) { return 1.0 - system.losses_percent / 100.0; }

double RatedAcW(const PvSystem& system) { return InWatts(system.dc_capacity) / system.dc_ac_ratio; }

/// PVWatts 8: glass, spectrum, cell temperature and a single-diode module; rows of a rack shade each other.
class Version8 {
 public:
  Version8(const PvSystem& system, double elevation_m)
      : plane_(system.tilt_deg, system.azimuth_deg),
        cover_(system.tilt_deg),
        module_(CecModuleOf(system.module)),
        inverter_(InWatts(system.dc_capacity), RatedAcW(system), system.inverter_efficiency),
        nominal_cell_c_(NominalOperatingCellC(system.mounting)),
        modules_kept_(InWatts(system.dc_capacity) / module_.RatedW() * KeptShare(system)),
        pressure_ratio_(PressureRatio(elevation_m)) {
    if (system.mounting == PvMounting::kRack) rows_.emplace(InWatts(system.dc_capacity), system.tilt_deg);
  }

  // Each step goes over the hours at hand before the next begins, so that the processor works on several at a time.
  void Run(const WeatherYear& weather, const LitHours& lit, PvYear& year) {
    ReadWeather(weather, lit);
    CosIncidences(plane_, lit.sun, lit.count, cos_incidence_);
    OnPlane(plane_, lit.sun, cos_incidence_, open_, lit.count, on_plane_);
    if (rows_) ShadeRows(lit);
    CoverV8::Beams(cos_incidence_, lit.count, beam_passes_);
    AirMassModifiers(lit.sun, pressure_ratio_, lit.count, spectral_factor_);
    ReachCells(lit.count);
    MaximumPowersW(module_, {effective_.data(), lit.count}, {cell_c_.data(), lit.count}, {module_w_.data(), lit.count});
    for (size_t i = 0; i < lit.count; ++i) {
      const size_t row = lit.row[i];
      const double dc_w = modules_kept_ * module_w_[i];
      year.poa[row] = WattsPerSquareMetre(poa_[i]);
      year.cell_c[row] = cell_c_[i];
      year.dc[row] = Watts(dc_w);
      year.ac[row] = Watts(inverter_.Ac(dc_w));
    }
  }

 private:
  void ReadWeather(const WeatherYear& weather, const LitHours& lit) {
    for (size_t i = 0; i < lit.count; ++i) {
      const WeatherHour& hour = weather.hours[lit.row[i]];
      open_.dni[i] = hour.dni_w_m2;
      open_.dhi[i] = hour.dhi_w_m2;
      open_.albedo[i] = Albedo(hour);
      air_c_[i] = hour.ambient_c;
      wind_m_s_[i] = hour.wind_m_s;
    }
  }

  void ShadeRows(const LitHours& lit) {
    for (size_t i = 0; i < lit.count; ++i) {
      const PlaneIrradiance left = rows_->Apply(on_plane_[i], plane_, lit.sun[i], open_.dni[i], open_.dhi[i]);
      on_plane_.beam[i] = left.beam;
      on_plane_.sky[i] = left.sky;
      on_plane_.ground[i] = left.ground;
    }
  }

  /// The light before and behind the cover, and how warm it makes the cells.
  HELIOGRAD_VECTOR_LOOPS
  void ReachCells(size_t count) {
    const double sky_passes = cover_.sky();
    const double ground_passes = cover_.ground();
    const double nominal_cell_c = nominal_cell_c_;
    const double efficiency = module_.Efficiency();
    for (size_t i = 0; i < count; ++i) {
      const PlaneIrradiance on_plane = on_plane_[i];
      const double through_cover =
          beam_passes_[i] * on_plane.beam + sky_passes * on_plane.sky + ground_passes * on_plane.ground;
      poa_[i] = std::max(0.0, on_plane.Total());
      effective_[i] = std::max(0.0, through_cover) * spectral_factor_[i];
      cell_c_[i] =
          NominalCellTemperatureV8(poa_[i], effective_[i], air_c_[i], wind_m_s_[i], nominal_cell_c, efficiency);
    }
  }

  TiltedPlane plane_;
  CoverV8 cover_;
  const CecModule& module_;
  InverterV8 inverter_;
  double nominal_cell_c_;
  double modules_kept_;  // how many modules make the capacity, less the system's losses
  double pressure_ratio_;
  std::optional<RowShading> rows_;
  // For the hours at hand.
  OpenSky open_;
  HourColumn air_c_;
  HourColumn wind_m_s_;
  HourColumn cos_incidence_;
  PlaneIrradiances on_plane_;
  HourColumn beam_passes_;
  HourColumn spectral_factor_;
  HourColumn poa_;
  HourColumn effective_;  // W/m2 that the cells convert
  HourColumn cell_c_;
  HourColumn module_w_;
};

/// PVWatts 5: glass on the beam alone, Fuentes' cell temperature, a linear module.
class Version5 {
 public:
  explicit Version5(const PvSystem& system)
      : system_(system), plane_(system.tilt_deg, system.azimuth_deg), cell_(NominalOperatingCellC(system.mounting)) {}

  void Run(const WeatherYear& weather, const LitHours& lit, PvYear& year) {
    for (size_t i = 0; i < lit.count; ++i) {
      const size_t row = lit.row[i];
      const WeatherHour& hour = weather.hours[row];
      const SunDirection sun = lit.sun[i];
      const double cos_incidence = plane_.CosIncidence(sun);
      const double poa =
          std::max(0.0, OnPlane(plane_, sun, cos_incidence, hour.dni_w_m2, hour.dhi_w_m2, Albedo(hour)).Total());
      const double cell_c = cell_.Step(poa, hour.ambient_c, hour.wind_m_s);
      const double warmth = 1.0 + PowerPerKelvinV5(system_.module) * (cell_c - 25.0);
      const double dc_w = std::max(0.0, InWatts(system_.dc_capacity) * KeptShare(system_) * warmth *
                                            Transmitted(poa, hour, cos_incidence) / 1000.0);
      year.poa[row] = WattsPerSquareMetre(poa);
      year.cell_c[row] = cell_c;
      year.dc[row] = Watts(dc_w);
      year.ac[row] = Watts(InverterAcV5(dc_w, RatedAcW(system_), system_.inverter_efficiency));
    }
  }

 private:
  double Transmitted(double poa_w_m2, const WeatherHour& hour, double cos_incidence) const {
    if (!HasIncidenceModifierV5(cos_incidence)) return poa_w_m2;
    const bool coated = system_.module == PvModule::kPremium;
    const double reflected =
        (1.0 - IncidenceModifierV5(cos_incidence, coated)) * std::max(hour.dni_w_m2, 0.0) * cos_incidence;
    return std::clamp(poa_w_m2 - reflected, 0.0, poa_w_m2);
  }

  const PvSystem& system_;
  TiltedPlane plane_;
  FuentesModel cell_;
};

/// A year without light.
PvYear DarkYear(const WeatherYear& weather) {
  PvYear year;
  year.poa.resize(weather.hours.size());
  year.cell_c.resize(weather.hours.size());
  year.dc.resize(weather.hours.size());
  year.ac.resize(weather.hours.size());
  return year;
}

template <typename Version>
PvYear Simulate(const WeatherYear& weather, Version version) {
  PvYear year = DarkYear(weather);
  RowSun row_sun(weather);
  LitHours lit;
  for (size_t first = 0, next = 0; first < weather.hours.size(); first = next) {
    next = row_sun.FindLit(first, lit);
    // Cells have the air's temperature by night; hours with the sun up get their own.
    for (size_t row = first; row < next; ++row) year.cell_c[row] = weather.hours[row].ambient_c;
    version.Run(weather, lit, year);
  }
  return year;
}

template <typename Rate>
auto SumOfHours(const std::vector<Rate>& rates, size_t from, size_t to) {
  Rate sum;
  for (size_t hour = from; hour < to; ++hour) sum += rates[hour];
  return sum * Hours(1);
}

void CheckRange(std::vector<std::string>& defects, std::string_view key, double value, bool sound,
                std::string_view expected) {
  if (!sound) defects.push_back(fmt::format("pv.{} is {}: expected {}", key, value, expected));
}

}  // namespace

Energy PvYear::AnnualAc() const { return SumOfHours(ac, 0, ac.size()); }
Energy PvYear::AnnualDc() const { return SumOfHours(dc, 0, dc.size()); }
Irradiation PvYear::AnnualPoa() const { return SumOfHours(poa, 0, poa.size()); }

std::vector<Energy> PvYear::MonthlyAc() const {
  std::vector<Energy> months;
  size_t from = 0;
  for (const size_t days : kDaysPerMonth) {
    const size_t to = from + 24 * days;
    months.push_back(SumOfHours(ac, std::min(from, ac.size()), std::min(to, ac.size())));
    from = to;
  }
  return months;
}

std::vector<std::string> Defects(const PvSystem& system) {
  // Written so that a value that is not a number fails too.
  const double capacity_w = InWatts(system.dc_capacity);
  std::vector<std::string> defects;
  CheckRange(defects, "dc_capacity_w", capacity_w, std::isfinite(capacity_w) && capacity_w > 0, "a number above 0");
  CheckRange(defects, "tilt_deg", system.tilt_deg, system.tilt_deg >= 0 && system.tilt_deg <= 90,
             "0 (flat) to 90 (upright)");
  CheckRange(defects, "azimuth_deg", system.azimuth_deg, system.azimuth_deg >= 0 && system.azimuth_deg <= 360,
             "0 to 360 (north 0, east 90, south 180)");
  CheckRange(defects, "losses_percent", system.losses_percent,
             system.losses_percent >= 0 && system.losses_percent < 100, "0 or more and below 100");
  CheckRange(defects, "dc_ac_ratio", system.dc_ac_ratio, std::isfinite(system.dc_ac_ratio) && system.dc_ac_ratio > 0,
             "a number above 0, such as 1.2");
  CheckRange(defects, "inverter_efficiency", system.inverter_efficiency,
             system.inverter_efficiency > 0 && system.inverter_efficiency <= 1, "above 0 and up to 1, such as 0.96");
  return defects;
}

PvYear SimulatePvYear(const WeatherYear& weather, const PvSystem& system) {
  assert(Defects(system).empty());
  if (system.model == PvModel::kPvwattsV5) return Simulate(weather, Version5(system));
  return Simulate(weather, Version8(system, weather.elevation_m));
}

}  // namespace heliograd

#include "heliograd/model/cell_temperature.h"

#include <algorithm>
#include <cmath>

#include "heliograd/model/cubic_table.h"

namespace heliograd {
namespace {

constexpr double kFreezingK = 273.15;
constexpr double kStefanBoltzmann = 5.669e-8;  // W/(m2 K4)
constexpr double kAbsorptance = 0.83;
constexpr double kEmittance = 0.84;
constexpr double kLengthM = 0.5;
constexpr double kGravity = 9.8;
constexpr double kAirHeat = 1007.0;  // J/(kg K)
constexpr double kPrandtl = 0.71;
constexpr double kStepS = 3600.0;
// Conditions at which the nominal temperature is defined: 800 W/m2, air at 20 degrees, wind 1 m/s.
constexpr double kNominalAirK = 293.15;
constexpr double kNominalSkyK = 282.21;
constexpr double kNominalIrradiance = 800.0;

double Square(double x) { return x * x; }
double Fourth(double x) { return Square(Square(x)); }

double AirDensity(double film_k) { return 0.003484 * 101325.0 / film_k; }
/// Kinematic, m2/s.
double AirViscosity(double film_k) { return 0.24237e-6 * std::pow(film_k, 0.76) / AirDensity(film_k); }
double AirConductivity(double film_k) { return 2.1695e-4 * std::pow(film_k, 0.84); }

// Convection coefficients in W/(m2 K), each split into what the film's temperature and what wind or rise contribute.

/// Laminar forced flow for a wind of 1 m/s; grows with the root of the wind.
double LaminarAtOneMetre(double film_k) {
  const double reynolds = kLengthM / AirViscosity(film_k);
  return 0.86 / std::sqrt(reynolds) * AirDensity(film_k) * kAirHeat / std::pow(kPrandtl, 0.67);
}

/// Turbulent forced flow for a wind of 1 m/s; grows with wind^0.8.
double TurbulentAtOneMetre(double film_k) {
  const double reynolds = kLengthM / AirViscosity(film_k);
  return 0.0282 * std::pow(reynolds, -0.2) * AirDensity(film_k) * kAirHeat / std::pow(kPrandtl, 0.4);
}

/// Free flow for a rise of 1 K; grows with rise^0.32.
double FreeAtOneKelvin(double film_k) {
  constexpr double kLengthCubed = kLengthM * kLengthM * kLengthM;
  const double grashof = kGravity / film_k * kLengthCubed / Square(AirViscosity(film_k)) * 0.5;
  return 0.21 * std::pow(kPrandtl * grashof, 0.32) * AirConductivity(film_k) / kLengthM;
}

/// The same three and the viscosity from tables, for the model's inner loop; films are between 180 and 480 K.
struct AirTables {
  using Table = CubicTable<150>;
  Table viscosity{180, 480, AirViscosity};
  Table laminar{180, 480, LaminarAtOneMetre};
  Table turbulent{180, 480, TurbulentAtOneMetre};
  Table free{180, 480, FreeAtOneKelvin};
};

const AirTables& Air() {
  static const AirTables kTables;
  return kTables;
}

/// Wind as the convection needs it, once per hour.
struct Wind {
  explicit Wind(double m_s) : speed_m_s(m_s), root(std::sqrt(m_s)), turbulent(std::pow(m_s, 0.8)) {}
  double speed_m_s;
  double root;
  double turbulent;
};

/// Forced and free flow join by their cubes.
double Join(double forced, double free) { return std::cbrt(forced * forced * forced + free * free * free); }

/// Convection coefficient of one side in W/(m2 K).
double Convection(double film_k, const Wind& wind, double rise_k) {
  constexpr double kTurbulentReynolds = 1.2e5;
  const bool turbulent = wind.speed_m_s * kLengthM > kTurbulentReynolds * Air().viscosity(film_k);
  const double forced = turbulent ? wind.turbulent * Air().turbulent(film_k) : wind.root * Air().laminar(film_k);
  return Join(forced, std::pow(rise_k, 0.32) * Air().free(film_k));
}

}  // namespace

double NominalOperatingCellC(PvMounting mounting) { return mounting == PvMounting::kRack ? 45.0 : 49.0; }

FuentesModel::FuentesModel(double nominal_cell_c) {
  const double cell = nominal_cell_c + kFreezingK;
  const double rise = cell - kNominalAirK;
  const double absorbed = kNominalIrradiance * kAbsorptance;
  const double radiation = kEmittance * kStefanBoltzmann;
  const double film = 0.5 * (cell + kNominalAirK);
  // The nominal wind of 1 m/s is laminar by definition here.
  const double convection = Join(LaminarAtOneMetre(film), std::pow(rise, 0.32) * FreeAtOneKelvin(film));
  const double to_ground = radiation * (Square(cell) + Square(kNominalAirK)) * (cell + kNominalAirK);
  const double back_ratio = (absorbed - radiation * (Fourth(cell) - Fourth(kNominalSkyK)) - convection * rise) /
                            ((to_ground + convection) * rise);
  const double ground_fourth = Fourth(cell) - back_ratio * (Fourth(cell) - Fourth(kNominalAirK));
  const double ground = std::clamp(std::sqrt(std::sqrt(std::max(ground_fourth, 0.0))), kNominalAirK, cell);
  ground_ratio_ = (ground - kNominalAirK) / rise;
  convection_ratio_ =
      (absorbed - radiation * (2.0 * Fourth(cell) - Fourth(kNominalSkyK) - Fourth(ground))) / (convection * rise);
  constexpr double kHeatCapacity = 11000.0;
  heat_capacity_ = kHeatCapacity * (cell > 321.15 ? 1.0 + (cell - 321.15) / 12.0 : 1.0);
}

double FuentesModel::Step(double poa_w_m2, double air_c, double wind_m_s) {
  const double air = air_c + kFreezingK;
  if (poa_w_m2 <= 0) {
    last_k_ = air;
    last_absorbed_ = 0;
    return air_c;
  }
  // Wind is measured at 9.144 m and falls off towards the module's 5 m.
  static const double kWindAtModule = std::pow(5.0 / 9.144, 0.2);
  constexpr double kRadiation = kEmittance * kStefanBoltzmann;
  const double absorbed = kAbsorptance * poa_w_m2;
  const double sky = 0.68 * 0.0552 * air * std::sqrt(air) + 0.32 * air;
  const Wind wind(std::max(wind_m_s, 0.0) * kWindAtModule + 1e-4);

  // PVWatts iterates ten times; where an iteration changes nothing, neither would the rest.
  constexpr int kIterations = 10;
  constexpr double kSettledK = 1e-7;
  double module = last_k_;
  for (int iteration = 0; iteration < kIterations; ++iteration) {
    const double before = module;
    const double convection = convection_ratio_ * Convection(0.5 * (module + air), wind, std::abs(module - air));
    const double to_sky = kRadiation * (Square(module) + Square(sky)) * (module + sky);
    const double ground = air + ground_ratio_ * (module - air);
    const double to_ground = kRadiation * (Square(module) + Square(ground)) * (module + ground);
    const double total = convection + to_sky + to_ground;
    const double exponent = -total * kStepS / heat_capacity_;
    const double left = exponent > -10.0 ? std::exp(exponent) : 0.0;
    const double gain =
        convection * air + to_sky * sky + to_ground * ground + last_absorbed_ + (absorbed - last_absorbed_) / exponent;
    module = last_k_ * left + ((1.0 - left) * gain + absorbed - last_absorbed_) / total;
    if (std::abs(module - before) < kSettledK) break;
  }
  last_k_ = module;
  last_absorbed_ = absorbed;
  return module - kFreezingK;
}

}  // namespace heliograd

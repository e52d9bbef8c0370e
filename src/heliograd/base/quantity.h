// Quantities with physical dimensions: power, energy, time, money, carbon, area.
//
// Enters: plain numbers, each through a constructor that names its unit. Leaves: plain numbers, each through a reader
// that names its unit. Power x time gives energy, energy x price gives money; watts and joules do not add (a test
// proves that such code does not compile). There is no conversion from or to double without a unit in its name.
//
// Values are held in SI units (J, s, EUR, kg CO2, m2). All functions are constexpr, pure and safe from any thread.
#pragma once

#include <cmath>
#include <compare>

namespace heliograd {

/// A number with the dimension energy^E * time^T * money^M * carbon^C * area^A.
template <int E, int T, int M = 0, int C = 0, int A = 0>
class Quantity {
 public:
  constexpr Quantity() = default;

  /// Wraps a value that is already in SI units. Prefer the constructors that name a unit.
  static constexpr Quantity FromSi(double value) { return Quantity(value); }
  /// The value in SI units. Prefer the readers that name a unit.
  constexpr double in_si() const { return value_; }

  constexpr Quantity operator-() const { return Quantity(-value_); }
  constexpr Quantity& operator+=(Quantity other) { return value_ += other.value_, *this; }
  constexpr Quantity& operator-=(Quantity other) { return value_ -= other.value_, *this; }
  constexpr Quantity& operator*=(double factor) { return value_ *= factor, *this; }

  friend constexpr Quantity operator+(Quantity a, Quantity b) { return Quantity(a.value_ + b.value_); }
  friend constexpr Quantity operator-(Quantity a, Quantity b) { return Quantity(a.value_ - b.value_); }
  friend constexpr Quantity operator*(Quantity a, double factor) { return Quantity(a.value_ * factor); }
  friend constexpr Quantity operator*(double factor, Quantity a) { return Quantity(a.value_ * factor); }
  friend constexpr Quantity operator/(Quantity a, double divisor) { return Quantity(a.value_ / divisor); }
  friend constexpr auto operator<=>(Quantity, Quantity) = default;

 private:
  explicit constexpr Quantity(double value) : value_(value) {}
  double value_ = 0.0;
};

namespace internal {
/// A quantity whose dimensions have all cancelled is a plain number.
template <int E, int T, int M, int C, int A>
constexpr auto MakeQuantity(double si) {
  if constexpr (E == 0 && T == 0 && M == 0 && C == 0 && A == 0) {
    return si;
  } else {
    return Quantity<E, T, M, C, A>::FromSi(si);
  }
}
}  // namespace internal

template <int E1, int T1, int M1, int C1, int A1, int E2, int T2, int M2, int C2, int A2>
constexpr auto operator*(Quantity<E1, T1, M1, C1, A1> a, Quantity<E2, T2, M2, C2, A2> b) {
  return internal::MakeQuantity<E1 + E2, T1 + T2, M1 + M2, C1 + C2, A1 + A2>(a.in_si() * b.in_si());
}

template <int E1, int T1, int M1, int C1, int A1, int E2, int T2, int M2, int C2, int A2>
constexpr auto operator/(Quantity<E1, T1, M1, C1, A1> a, Quantity<E2, T2, M2, C2, A2> b) {
  return internal::MakeQuantity<E1 - E2, T1 - T2, M1 - M2, C1 - C2, A1 - A2>(a.in_si() / b.in_si());
}

template <int E, int T, int M, int C, int A>
constexpr Quantity<E, T, M, C, A> Abs(Quantity<E, T, M, C, A> q) {
  return q < Quantity<E, T, M, C, A>() ? -q : q;
}

template <int E, int T, int M, int C, int A>
bool IsFinite(Quantity<E, T, M, C, A> q) {
  return std::isfinite(q.in_si());
}

using Energy = Quantity<1, 0>;
using Duration = Quantity<0, 1>;
using Power = Quantity<1, -1>;
using Money = Quantity<0, 0, 1>;
using EnergyPrice = Quantity<-1, 0, 1>;
using CarbonMass = Quantity<0, 0, 0, 1>;
using CarbonIntensity = Quantity<-1, 0, 0, 1>;
using CarbonPrice = Quantity<0, 0, 1, -1>;
using Area = Quantity<0, 0, 0, 0, 1>;
using Irradiance = Quantity<1, -1, 0, 0, -1>;
using Irradiation = Quantity<1, 0, 0, 0, -1>;

// Constructors: one per unit that appears at a text edge.
constexpr Energy Joules(double v) { return Energy::FromSi(v); }
constexpr Energy WattHours(double v) { return Energy::FromSi(v * 3600.0); }
constexpr Energy KilowattHours(double v) { return Energy::FromSi(v * 3.6e6); }
constexpr Duration Seconds(double v) { return Duration::FromSi(v); }
constexpr Duration Minutes(double v) { return Duration::FromSi(v * 60.0); }
constexpr Duration Hours(double v) { return Duration::FromSi(v * 3600.0); }
constexpr Power Watts(double v) { return Power::FromSi(v); }
constexpr Money Euros(double v) { return Money::FromSi(v); }
constexpr EnergyPrice EurosPerKilowattHour(double v) { return EnergyPrice::FromSi(v / 3.6e6); }
constexpr EnergyPrice EurosPerMegawattHour(double v) { return EnergyPrice::FromSi(v / 3.6e9); }
constexpr CarbonMass Kilograms(double v) { return CarbonMass::FromSi(v); }
constexpr CarbonIntensity GramsPerKilowattHour(double v) { return CarbonIntensity::FromSi(v / 3.6e9); }
constexpr CarbonPrice EurosPerKilogram(double v) { return CarbonPrice::FromSi(v); }
constexpr Area SquareMetres(double v) { return Area::FromSi(v); }
constexpr Irradiance WattsPerSquareMetre(double v) { return Irradiance::FromSi(v); }

// Readers.
constexpr double InJoules(Energy q) { return q.in_si(); }
constexpr double InWattHours(Energy q) { return q.in_si() / 3600.0; }
constexpr double InKilowattHours(Energy q) { return q.in_si() / 3.6e6; }
constexpr double InSeconds(Duration q) { return q.in_si(); }
constexpr double InHours(Duration q) { return q.in_si() / 3600.0; }
constexpr double InWatts(Power q) { return q.in_si(); }
constexpr double InEuros(Money q) { return q.in_si(); }
constexpr double InEurosPerKilowattHour(EnergyPrice q) { return q.in_si() * 3.6e6; }
constexpr double InKilograms(CarbonMass q) { return q.in_si(); }
constexpr double InGramsPerKilowattHour(CarbonIntensity q) { return q.in_si() * 3.6e9; }
constexpr double InEurosPerKilogram(CarbonPrice q) { return q.in_si(); }
constexpr double InWattsPerSquareMetre(Irradiance q) { return q.in_si(); }
constexpr double InKilowattHoursPerSquareMetre(Irradiation q) { return q.in_si() / 3.6e6; }

}  // namespace heliograd

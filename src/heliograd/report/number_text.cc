#include "heliograd/report/number_text.h"

#include <fmt/format.h>

#include <array>
#include <cmath>

namespace heliograd {
namespace {

/// Fixed digits, without a minus sign before zeros.
std::string Fixed(double value, int digits) {
  const double unit = std::pow(10.0, -digits);
  return fmt::format("{:.{}f}", std::abs(value) < unit / 2 ? 0.0 : value, digits);
}

}  // namespace

std::string MoneyText(Money money) {
  const double eur = InEuros(money);
  return Fixed(eur, std::abs(eur) < 10 ? 3 : 2) + " EUR";
}

std::string EnergyText(Energy energy) {
  const double wh = InWattHours(energy);
  if (std::abs(wh) < 10) return Fixed(wh, 1) + " Wh";
  if (std::abs(wh) < 1e4) return Fixed(wh, 0) + " Wh";
  if (std::abs(wh) < 1e7) return Fixed(wh / 1e3, 1) + " kWh";
  return Fixed(wh / 1e6, 1) + " MWh";
}

std::string PowerText(Power power) {
  const double w = InWatts(power);
  return std::abs(w) < 1e4 ? Fixed(w, 0) + " W" : Fixed(w / 1e3, 1) + " kW";
}

std::string PriceText(EnergyPrice price) { return Fixed(InEurosPerKilowattHour(price), 3) + " EUR/kWh"; }

std::string CarbonText(CarbonMass carbon) {
  const double kg = InKilograms(carbon);
  return std::abs(kg) < 1 ? Fixed(kg * 1e3, 0) + " g CO2" : Fixed(kg, 2) + " kg CO2";
}

std::string DurationText(Duration duration) {
  const double seconds = InSeconds(duration);
  if (seconds > 0 && seconds < 1e-3) return fmt::format("{:.0f} us", seconds * 1e6);
  if (seconds < 1) return fmt::format("{:.0f} ms", seconds * 1e3);
  if (seconds < 100) return fmt::format("{:.1f} s", seconds);
  const long minutes = std::lround(seconds / 60);
  if (minutes < 60) return fmt::format("{} min", minutes);
  const long hours = minutes / 60;
  if (minutes % 60 != 0) return fmt::format("{} h {} min", hours, minutes % 60);
  if (hours < 72) return fmt::format("{} h", hours);
  return hours % 24 == 0 ? fmt::format("{} d", hours / 24) : fmt::format("{} d {} h", hours / 24, hours % 24);
}

std::string PercentText(double fraction) { return Fixed(fraction * 100, 1) + " %"; }

std::string DayText(const CivilTime& civil) {
  static constexpr std::array<const char*, 7> kDays{"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"};
  return fmt::format("{} {} {}", kDays.at(static_cast<size_t>(Weekday(civil))), civil.day, MonthText(civil.month));
}

std::string ClockText(const CivilTime& civil) { return fmt::format("{:02}:{:02}", civil.hour, civil.minute); }

std::string MonthText(int month) {
  static constexpr std::array<const char*, 12> kMonths{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                       "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  return kMonths.at(static_cast<size_t>(month - 1));
}

}  // namespace heliograd

// Quantities as people read them: with unit, with as many digits as matter. Pure functions.
#pragma once

#include <string>

#include "heliograd/base/quantity.h"
#include "heliograd/base/time.h"

namespace heliograd {

/// "0.741 EUR", "12.30 EUR". Never "-0.000".
std::string MoneyText(Money money);
/// "2304 Wh", "31.2 kWh", "4.1 MWh".
std::string EnergyText(Energy energy);
/// "150 W", "12.5 kW".
std::string PowerText(Power power);
/// "0.450 EUR/kWh".
std::string PriceText(EnergyPrice price);
/// "0.412 kg CO2", "812 g CO2".
std::string CarbonText(CarbonMass carbon);
/// "19 h", "45 min", "3 d 4 h", "12 ms".
std::string DurationText(Duration duration);
/// "56.9 %"; the fraction 1 is 100 %.
std::string PercentText(double fraction);
/// "Wed 1 Jan".
std::string DayText(const CivilTime& civil);
/// "20:00".
std::string ClockText(const CivilTime& civil);
/// "Jan" for month 1.
std::string MonthText(int month);

}  // namespace heliograd

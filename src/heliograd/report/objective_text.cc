#include "heliograd/report/objective_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "heliograd/report/number_text.h"

namespace heliograd {

std::string ObjectiveText(Objective objective, Money value) {
  return objective == Objective::kCarbon ? CarbonText(CarbonOfObjective(value)) : MoneyText(value);
}

std::string ObjectivePriceText(Objective objective, EnergyPrice price) {
  if (objective == Objective::kCost) return PriceText(price);
  const double g = InGramsPerKilowattHour(CarbonOfObjective(price));
  return fmt::format("{:.0f} g CO2/kWh", std::abs(g) < 0.5 ? 0.0 : g);
}

Money NegligibleObjective(Objective objective) {
  return objective == Objective::kCarbon ? Kilograms(0.0005) * kCarbonWeight : Euros(0.0005);
}

bool KnowsCarbon(const DispatchProblem& problem) {
  return std::any_of(problem.carbon.begin(), problem.carbon.end(),
                     [](CarbonIntensity intensity) { return intensity > CarbonIntensity(); });
}

}  // namespace heliograd

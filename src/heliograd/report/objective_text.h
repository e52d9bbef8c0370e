// Values of the objective as people read them: euros, or with Objective::kCarbon the carbon that they stand for. Pure
// functions.
#pragma once

#include <string>

#include "heliograd/plan/objective.h"

namespace heliograd {

/// "0.741 EUR"; of carbon "412 g CO2".
std::string ObjectiveText(Objective objective, Money value);
/// "0.450 EUR/kWh"; of carbon "317 g CO2/kWh".
std::string ObjectivePriceText(Objective objective, EnergyPrice price);
/// What prints as nothing: half of the last digit of ObjectiveText.
Money NegligibleObjective(Objective objective);
/// True where some slot has a carbon intensity: else carbon is not known, and counted as none.
bool KnowsCarbon(const DispatchProblem& problem);

}  // namespace heliograd

// Which of a campaign's energies are told, and why the others are not.
//
// Enters: a training's profile. Leaves: a sentence or nothing, and texts. Knows neither file nor page.
#pragma once

#include <string>

#include "heliograd/app/campaign_store.h"
#include "heliograd/report/training_profile.h"

namespace heliograd {

/// Why an iteration's energy is not told; empty where it is. It is not where the profile refuses it, where it is not
/// above 0, and where its 95 % interval (half of it, with the sensor's gain) is wider than its value.
std::string WhyNoEnergy(const TrainingProfile& profile);

/// The same of a cell that did not fail.
std::string WhyNoEnergy(const FinishedCell& cell);

/// Half of the 95 % interval. Precondition: the profile has an energy.
Energy HalfWidthOf(const ProfiledEnergy& energy);

/// "+-5.1 %" of the energy. Precondition: above 0.
std::string IntervalText(const ProfiledEnergy& energy);

}  // namespace heliograd

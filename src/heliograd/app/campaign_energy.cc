#include "heliograd/app/campaign_energy.h"

#include <fmt/format.h>

#include "heliograd/app/profile_json.h"

namespace heliograd {
namespace {

/// Of the first step that has no energy.
std::string WhyOfSteps(const TrainingProfile& profile) {
  for (const ProfiledStep& step : profile.steps) {
    if (!step.energy && !step.why.empty()) return step.name + ": " + step.why;
  }
  return "its energy could not be resolved";
}

}  // namespace

std::string WhyNoEnergy(const TrainingProfile& profile) {
  if (!profile.refusal.empty()) return profile.refusal;
  if (!profile.iteration_energy) return WhyOfSteps(profile);
  const double joules = InJoules(profile.iteration_energy->energy);
  const double half = InJoules(HalfWidthOf(*profile.iteration_energy));
  if (joules > 0 && half <= joules) return "";
  return fmt::format(
      "{:.4g} J an iteration with an interval of {:.4g} to {:.4g} J tell nothing: measure for longer "
      "(more iterations)",
      joules, InJoules(profile.iteration_energy->low), InJoules(profile.iteration_energy->high));
}

std::string WhyNoEnergy(const FinishedCell& cell) {
  const auto profile = ProfileFromJson(cell.json, cell.cell.Name());
  return profile ? WhyNoEnergy(*profile) : profile.error().Message();
}

Energy HalfWidthOf(const ProfiledEnergy& energy) { return (energy.high - energy.low) / 2; }

std::string IntervalText(const ProfiledEnergy& energy) {
  return fmt::format("+-{:.1f} %", 100 * InJoules(HalfWidthOf(energy)) / InJoules(energy.energy));
}

}  // namespace heliograd

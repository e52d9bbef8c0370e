// Problems for the tests of solvers, and the rules that every plan must keep, written out once more for the tests.
#pragma once

#include <gtest/gtest.h>

#include <array>
#include <vector>

#include "heliograd/optimize/solver.h"

namespace heliograd {

/// The study's power levels: Yin, Chen, Vallero, Meo, MSWiM 2025, Table IV (260 W printed as 23.75 h, read 13.75 h).
inline std::vector<Level> StudyLevels() {
  constexpr std::array kHours = {27.52, 23.62, 20.85, 18.54, 16.86, 15.65, 14.77, 14.39, 14.21, 14.08, 13.99, 13.91,
                                 13.90, 13.81, 13.77, 13.76, 13.75, 13.75, 13.66, 13.69, 13.69, 13.69, 13.69};
  std::vector<Level> levels;
  for (size_t k = 0; k < kHours.size(); ++k) {
    const Power power = Watts(100.0 + 10.0 * static_cast<double>(k));
    levels.push_back({power, power, Hours(kHours[k])});
  }
  return DropDominated(std::move(levels)).kept;
}

/// The study's price of bought energy at an hour of its clock (+01:00, every day alike): F1 08-20, F2 20-23, F3 23-08.
inline EnergyPrice StudyPrice(int hour) {
  return EurosPerKilowattHour(hour >= 8 && hour < 20 ? 0.45 : hour >= 20 && hour < 23 ? 0.35 : 0.25);
}

/// The study's scenario, section VI: battery 250 Wh, efficiencies 0.9, self-discharge 0.005 per hour, sale 0.30;
/// without PV.
inline DispatchProblem StudyProblem(const CivilTime& start, int hours) {
  DispatchProblem problem;
  problem.horizon = {StampFromUtc(start) - std::chrono::hours(1), std::chrono::hours(1), hours};
  const auto slots = static_cast<size_t>(hours);
  problem.pv.resize(slots);
  problem.carbon.resize(slots);
  problem.export_price.assign(slots, EurosPerKilowattHour(0.30));
  for (int t = 0; t < hours; ++t) problem.import_price.push_back(StudyPrice((start.hour + t) % 24));
  problem.battery.capacity = WattHours(250);
  problem.battery.charge_efficiency = problem.battery.discharge_efficiency = 0.9;
  problem.battery.self_discharge_per_hour = 0.005;
  problem.gpu.levels = StudyLevels();
  return problem;
}

/// Hourly slots at these import prices (EUR/kWh), nothing sold for a gain, no PV, no battery; one level: 100 W,
/// `job_hours`.
inline DispatchProblem PlainProblem(const std::vector<double>& import_eur_per_kwh, double job_hours) {
  DispatchProblem problem;
  const size_t slots = import_eur_per_kwh.size();
  problem.horizon = {StampFromUtc({2025, 1, 1}), std::chrono::hours(1), static_cast<int>(slots)};
  problem.pv.resize(slots);
  problem.carbon.resize(slots);
  problem.export_price.resize(slots);
  for (const double price : import_eur_per_kwh) problem.import_price.push_back(EurosPerKilowattHour(price));
  problem.gpu.levels = {{Watts(100), Watts(100), Hours(job_hours)}};
  return problem;
}

/// A battery without self-discharge.
inline Battery PlainBattery(double capacity_wh, double efficiency = 1.0) {
  Battery battery;
  battery.capacity = WattHours(capacity_wh);
  battery.charge_efficiency = battery.discharge_efficiency = efficiency;
  return battery;
}

/// Re-simulates the solution slot by slot and expects every rule of the problem to hold.
void ExpectValidPlan(const DispatchProblem& problem, Formulation formulation, const Solution& solution);

}  // namespace heliograd

// Random dispatch problems for tests: slot lengths, tiers and hourly prices, negative prices, limits, losses, empty,
// full and missing batteries, no sun, and what is possible or impossible by a hair.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <random>
#include <vector>

#include "heliograd/optimize/test_problems.h"

namespace heliograd {

class RandomProblems {
 public:
  explicit RandomProblems(unsigned seed) : random_(seed) {}

  DispatchProblem Next(bool negative_prices, int most_slots) {
    const int slots = 1 + static_cast<int>(Uniform(0, most_slots));
    DispatchProblem problem = PlainProblem(std::vector<double>(static_cast<size_t>(slots)), 12);
    constexpr std::array kMinutes = {15, 30, 60, 60, 120};
    problem.horizon.step = std::chrono::minutes(kMinutes[static_cast<size_t>(Uniform(0, 5))]);
    SetPrices(problem, negative_prices);
    SetGpu(problem);
    if (!Chance(0.15)) SetBattery(problem);
    if (Chance(0.3)) problem.grid.import_limit = Watts(Uniform(50, 600));
    if (Chance(0.3)) problem.grid.export_limit = Watts(Chance(0.3) ? 0 : Uniform(0, 400));
    if (Chance(0.1)) SetByAHair(problem);
    return problem;
  }

 private:
  double Uniform(double low, double high) { return std::uniform_real_distribution<double>(low, high)(random_); }
  bool Chance(double share) { return Uniform(0, 1) < share; }

  void SetPrices(DispatchProblem& problem, bool negative_prices) {
    const std::array tiers = {Uniform(0.05, 0.5), Uniform(0.05, 0.5), Uniform(0.05, 0.5)};
    const bool tiered = Chance(0.5), one_sale_price = Chance(0.4), dark = Chance(0.2);
    const double sale_price = Chance(0.3) ? 0 : Uniform(0, 0.45), shift = negative_prices ? Uniform(0, 0.3) : 0;
    const double hours = InHours(problem.horizon.SlotDuration());
    for (size_t t = 0; t < problem.pv.size(); ++t) {
      const double import_price = tiered ? tiers[static_cast<size_t>(Uniform(0, 3))] : Uniform(0.05, 0.5);
      problem.import_price[t] = EurosPerKilowattHour(import_price - shift);
      const double sale = one_sale_price ? sale_price : Uniform(0, 0.45);
      problem.export_price[t] = EurosPerKilowattHour(sale - (Chance(0.7) ? 1.2 * shift : 0));
      problem.pv[t] = WattHours(dark ? 0 : std::max(Uniform(-150, 400), 0.0) * hours);
      problem.carbon[t] = GramsPerKilowattHour(Uniform(50, 500));
    }
    if (Chance(0.2)) problem.carbon_price = EurosPerKilogram(Uniform(0, 0.2));
  }

  void SetGpu(DispatchProblem& problem) {
    if (Chance(0.5)) {
      problem.gpu.levels = StudyLevels();
    } else {
      problem.gpu.levels = {{Watts(100), Watts(95), Hours(13)},
                            {Watts(150), Watts(150), Hours(9)},
                            {Watts(200), Watts(190), Hours(7.5)},
                            {Watts(250), Watts(245), Hours(7)}};
    }
    const double horizon_h = InHours(problem.horizon.SlotDuration()) * problem.horizon.slots;
    const double longer = horizon_h / Uniform(10, 30);  // so that the work is near what the horizon can hold
    for (Level& level : problem.gpu.levels) level.job_time *= longer;
    if (Chance(0.4)) problem.gpu.host = Watts(Uniform(0, 80));
    if (Chance(0.4)) problem.gpu.idle = Watts(Uniform(0, 90));
    problem.work = Chance(0.1) ? 1 : Uniform(0.05, 1);
  }

  void SetBattery(DispatchProblem& problem) {
    Battery& battery = problem.battery;
    battery = PlainBattery(Chance(0.2) ? Uniform(1000, 5000) : Uniform(20, 500), Chance(0.2) ? 1 : Uniform(0.8, 1));
    if (Chance(0.3)) battery.discharge_efficiency = Uniform(0.8, 1);
    if (Chance(0.7)) battery.self_discharge_per_hour = Uniform(0, 0.02);
    battery.initial = battery.capacity * (Chance(0.2) ? 1 : Chance(0.3) ? 0 : Uniform(0, 1));
    if (Chance(0.3)) battery.final_min = battery.capacity * (Chance(0.1) ? 1 : Uniform(0, 1));
    if (Chance(0.4)) battery.max_charge = Watts(Chance(0.1) ? 0 : Uniform(20, 300));
    if (Chance(0.4)) battery.max_discharge = Watts(Chance(0.1) ? 0 : Uniform(20, 300));
    if (Chance(0.4)) battery.wear_cost = EurosPerKilowattHour(Uniform(0, 0.06));
    if (Chance(0.5)) battery.terminal_value = EurosPerKilowattHour(Uniform(0, 0.4));
  }

  /// Work, or what must be stored at the end, just within reach or just out of it: by more than the 1e-7 (of the job,
  /// or kWh) that HiGHS lets pass.
  void SetByAHair(DispatchProblem& problem) {
    const double side = Chance(0.5) ? 1 : -1;
    Battery& battery = problem.battery;
    if (Chance(0.5)) {
      const double most =
          problem.horizon.slots * InHours(problem.horizon.SlotDuration()) / InHours(problem.gpu.levels.back().job_time);
      problem.work = std::min(most * (1 + side * 1e-5), 1.0);
    } else if (battery.capacity > Energy()) {
      battery.max_charge = Watts(0);
      const Energy most = battery.initial * std::pow(RetentionPerSlot(problem), problem.horizon.slots);
      battery.final_min = std::clamp(most + side * WattHours(0.01), Energy(), battery.capacity);
    }
  }

  std::mt19937 random_;
};

}  // namespace heliograd

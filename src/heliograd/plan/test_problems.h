// Problems that several tests share. Tests only.
#pragma once

#include <string>
#include <vector>

#include "heliograd/plan/plan.h"
#include "heliograd/plan/problem.h"

namespace heliograd {

/// The 23 levels of the study's Table IV (RTX 4070, ResNet18, 1000 epochs), 260 W read as 13.75 h, draw = limit.
inline std::vector<Level> StudyTable() {
  constexpr double kHours[] = {27.52, 23.62, 20.85, 18.54, 16.86, 15.65, 14.77, 14.39, 14.21, 14.08, 13.99, 13.91,
                               13.90, 13.81, 13.77, 13.76, 13.75, 13.75, 13.66, 13.69, 13.69, 13.69, 13.69};
  std::vector<Level> levels;
  double limit_w = 100;
  for (const double hours : kHours) {
    levels.push_back({Watts(limit_w), Watts(limit_w), Hours(hours)});
    limit_w += 10;
  }
  return levels;
}

/// Import price of the study's tariff in the hour `hour` of the day: F1 08-20, F2 20-23, F3 23-08.
inline EnergyPrice StudyImportPrice(int hour) {
  const bool f1 = hour >= 8 && hour < 20;
  const bool f2 = hour >= 20 && hour < 23;
  return EurosPerKilowattHour(f1 ? 0.45 : f2 ? 0.35 : 0.25);
}

/// The study's node, battery and tariff from 1 January 2025 on, clock +01:00, with PV of 200 W from 9 to 16 local time.
inline DispatchProblem StudyProblem(int start_hour, int hours, double daylight_pv_w = 200) {
  DispatchProblem p;
  p.horizon.start = StampFromUtc({2025, 1, 1, start_hour, 0, 0}) - std::chrono::hours(1);
  p.horizon.slots = hours;
  for (int t = 0; t < hours; ++t) {
    const int hour = (start_hour + t) % 24;
    p.pv.push_back(WattHours(hour >= 9 && hour < 16 ? daylight_pv_w : 0));
    p.import_price.push_back(StudyImportPrice(hour));
    p.export_price.push_back(EurosPerKilowattHour(0.30));
    p.carbon.push_back(GramsPerKilowattHour(0));
  }
  p.battery.capacity = WattHours(250);
  p.battery.charge_efficiency = 0.9;
  p.battery.discharge_efficiency = 0.9;
  p.battery.self_discharge_per_hour = 0.005;
  p.gpu.levels = DropDominated(StudyTable()).kept;
  return p;
}

}  // namespace heliograd

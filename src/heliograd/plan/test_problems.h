// Problems that several tests share. Tests only.
#pragma once

#include <algorithm>
#include <cmath>
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

/// A problem in which every quantity matters: carbon, wear, terminal value, limits, idle and host power.
inline DispatchProblem RichProblem() {
  DispatchProblem p = StudyProblem(6, 24, 500);
  for (size_t t = 0; t < p.carbon.size(); ++t) p.carbon[t] = GramsPerKilowattHour(200 + 10.0 * static_cast<double>(t));
  p.carbon_price = EurosPerKilogram(0.1);
  p.battery.initial = WattHours(50);
  p.battery.final_min = WattHours(20);
  p.battery.max_charge = Watts(200);
  p.battery.max_discharge = Watts(150);
  p.battery.wear_cost = EurosPerKilowattHour(0.03);
  p.battery.terminal_value = EurosPerKilowattHour(0.1);
  p.grid.import_limit = Watts(600);
  p.grid.export_limit = Watts(400);
  p.gpu.idle = Watts(15);
  p.gpu.host = Watts(60);
  return p;
}

/// A sound blend plan of RichProblem: runs in every slot; charges from the grid at 6:00, from PV at 10:00, discharges
/// at 7:00 to the GPU and at 20:00 to the grid as far as the GPU leaves it.
inline Plan RichPlan(const DispatchProblem& p) {
  std::vector<SlotDecision> decisions(p.pv.size());
  for (size_t t = 0; t < decisions.size(); ++t) {
    SlotDecision& d = decisions[t];
    d.levels = t == 14 ? std::vector<LevelShare>{{0, 0.1}} : std::vector<LevelShare>{{1, 0.6}, {5, 0.3}};
    double load_wh = 0, off = 1;
    for (const auto& [level, share] : d.levels) load_wh += share * InWatts(p.gpu.DrawAt(level)), off -= share;
    load_wh += off * 15;
    double need_wh = load_wh;
    if (t == 0) d.battery_charge = WattHours(100), need_wh += 100;
    if (t == 4) d.battery_charge = WattHours(120), need_wh += 120;
    if (t == 1 || t == 14) d.battery_discharge = WattHours(80), need_wh -= 72;
    const double pv_wh = InWattHours(p.pv[t]);
    d.pv_used = WattHours(std::max(0.0, std::min(pv_wh, need_wh + 300)));
    need_wh -= InWattHours(d.pv_used);
    (need_wh > 0 ? d.grid_import : d.grid_export) = WattHours(std::abs(need_wh));
  }
  Plan plan = MakePlan(p, Formulation::kBlend, decisions);
  plan.status = PlanStatus::kOptimal;
  plan.bound = plan.objective - Euros(0.0005);
  return plan;
}

}  // namespace heliograd

#include "heliograd/optimize/test_problems.h"

#include <algorithm>
#include <cmath>

namespace heliograd {
namespace {

/// What may be missing or too much: the solver's 1e-9 kWh in each of the few rows of a slot, and rounding.
constexpr double kSlackWh = 1e-5;

class PlanRules {
 public:
  PlanRules(const DispatchProblem& problem, Formulation formulation)
      : problem_(problem),
        paper_(formulation == Formulation::kPaper),
        whole_(formulation != Formulation::kBlend),
        hours_(InHours(problem.horizon.SlotDuration())),
        stored_wh_(InWattHours(problem.battery.initial)) {}

  void Expect(const Solution& solution) {
    ASSERT_EQ(solution.decisions.size(), static_cast<size_t>(problem_.horizon.slots));
    for (size_t t = 0; t < solution.decisions.size(); ++t) {
      SCOPED_TRACE(testing::Message() << "slot " << t);
      ExpectSlot(t, solution.decisions[t]);
    }
    EXPECT_GE(work_, problem_.work - 1e-8);
    EXPECT_GE(stored_wh_, InWattHours(problem_.battery.final_min) - kSlackWh);
    objective_ -= stored_wh_ / 1000 * InEurosPerKilowattHour(problem_.battery.terminal_value);
    EXPECT_NEAR(objective_, InEuros(solution.objective), 1e-9 * std::max(1.0, std::abs(objective_)));
    EXPECT_LE(solution.bound, solution.objective);
  }

 private:
  void ExpectSlot(size_t t, const SlotDecision& slot) {
    const Battery& battery = problem_.battery;
    const double pv = InWattHours(problem_.pv[t]), used = InWattHours(slot.pv_used);
    const double bought = InWattHours(slot.grid_import), sold = InWattHours(slot.grid_export);
    const double r = InWattHours(slot.battery_charge), d = InWattHours(slot.battery_discharge);
    for (const double flow : {used, bought, sold, r, d}) EXPECT_GE(flow, 0);
    EXPECT_LE(used, pv + kSlackWh);
    const double beta_d = battery.discharge_efficiency * d;
    EXPECT_NEAR(used + bought + beta_d, LoadWh(slot) + r + sold, kSlackWh);
    EXPECT_LE(d, stored_wh_ + kSlackWh);
    ExpectWithin(r, battery.max_charge);
    ExpectWithin(d, battery.max_discharge);
    ExpectWithin(bought, problem_.grid.import_limit);
    ExpectWithin(sold, problem_.grid.export_limit);
    if (paper_) {
      EXPECT_NEAR(used, pv, kSlackWh);
      EXPECT_LE(r, InWattHours(battery.capacity) - stored_wh_ + kSlackWh);
      EXPECT_LE(sold, pv + beta_d + kSlackWh);
    } else {
      EXPECT_EQ(bought * sold, 0);
      EXPECT_EQ(r * d, 0);
    }
    const double retention = std::pow(1 - battery.self_discharge_per_hour, hours_);
    stored_wh_ = retention * (stored_wh_ - d + battery.charge_efficiency * r);
    EXPECT_GE(stored_wh_, -kSlackWh);
    EXPECT_LE(stored_wh_, InWattHours(battery.capacity) + kSlackWh);
    objective_ += bought / 1000 * InEurosPerKilowattHour(ObjectiveImportPrice(problem_, static_cast<int>(t))) -
                  sold / 1000 * InEurosPerKilowattHour(problem_.export_price[t]) +
                  d / 1000 * InEurosPerKilowattHour(battery.wear_cost);
  }

  /// Counts the slot's work on the way.
  double LoadWh(const SlotDecision& slot) {
    double on = 0, load = 0;
    for (const LevelShare& part : slot.levels) {
      EXPECT_GT(part.share, 0);
      if (whole_) {
        EXPECT_EQ(part.share, 1);
      }
      on += part.share;
      load += part.share * hours_ * InWatts(problem_.gpu.DrawAt(part.level));
      work_ += part.share * hours_ / InHours(problem_.gpu.levels[part.level].job_time);
    }
    EXPECT_LE(on, 1 + 1e-12);
    if (whole_) {
      EXPECT_LE(slot.levels.size(), 1u);
    }
    if (paper_) {
      EXPECT_EQ(slot.levels.size(), 1u);
    }
    return load + std::max(1 - on, 0.0) * hours_ * InWatts(problem_.gpu.idle);
  }

  void ExpectWithin(double energy_wh, const std::optional<Power>& limit) const {
    if (limit) {
      EXPECT_LE(energy_wh, InWatts(*limit) * hours_ + kSlackWh);
    }
  }

  const DispatchProblem& problem_;
  const bool paper_, whole_;
  const double hours_;
  double stored_wh_, work_ = 0, objective_ = 0;
};

}  // namespace

void ExpectValidPlan(const DispatchProblem& problem, Formulation formulation, const Solution& solution) {
  PlanRules(problem, formulation).Expect(solution);
}

}  // namespace heliograd

#include "heliograd/plan/checker.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <limits>

#include "heliograd/plan/test_problems.h"

namespace heliograd {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

TEST(Checker, ASoundPlanPasses) {
  const DispatchProblem problem = RichProblem();
  EXPECT_THAT(CheckPlan(problem, RichPlan(problem)), IsEmpty());
}

TEST(Checker, CarbonAsTheObjectiveIsRecomputed) {
  DispatchProblem problem = RichProblem();
  problem.objective = Objective::kCarbon;
  EXPECT_THAT(CheckPlan(problem, RichPlan(problem)), IsEmpty());
}

struct Corruption {
  std::string name;
  std::function<void(Plan&)> apply;
};

/// Every number of a plan moved by an amount that matters: 1 Wh, 1 ct, 1 % of a slot.
std::vector<Corruption> Corruptions() {
  std::vector<Corruption> all;
  const auto energy_of_decision = [&](const std::string& name, Energy SlotDecision::*field, size_t slot) {
    for (const double by_wh : {1.0, -1.0}) {
      all.push_back({name, [=](Plan& plan) { plan.slots[slot].decision.*field += WattHours(by_wh); }});
    }
  };
  energy_of_decision("pv_used", &SlotDecision::pv_used, 4);
  energy_of_decision("grid_import", &SlotDecision::grid_import, 0);
  energy_of_decision("grid_export", &SlotDecision::grid_export, 5);
  energy_of_decision("battery_charge", &SlotDecision::battery_charge, 4);
  energy_of_decision("battery_discharge", &SlotDecision::battery_discharge, 14);
  const std::vector<std::pair<std::string, Energy Flows::*>> flows = {{"pv_to_gpu", &Flows::pv_to_gpu},
                                                                      {"pv_to_battery", &Flows::pv_to_battery},
                                                                      {"pv_to_grid", &Flows::pv_to_grid},
                                                                      {"grid_to_gpu", &Flows::grid_to_gpu},
                                                                      {"grid_to_battery", &Flows::grid_to_battery},
                                                                      {"battery_to_gpu", &Flows::battery_to_gpu},
                                                                      {"battery_to_grid", &Flows::battery_to_grid}};
  for (const auto& [name, field] : flows) {
    for (const double by_wh : {1.0, -1.0}) {
      all.push_back({name, [=, f = field](Plan& plan) { plan.slots[3].flows.*f += WattHours(by_wh); }});
    }
  }
  const std::vector<std::pair<std::string, Energy PlanSlot::*>> slot_energies = {
      {"load", &PlanSlot::load}, {"battery_start", &PlanSlot::battery_start}, {"battery_end", &PlanSlot::battery_end}};
  for (const auto& [name, field] : slot_energies) {
    all.push_back({name, [f = field](Plan& plan) { plan.slots[7].*f += WattHours(1); }});
  }
  all.push_back({"slot progress", [](Plan& plan) { plan.slots[7].progress += 0.01; }});
  const std::vector<std::pair<std::string, Money Totals::*>> moneys = {{"cost", &Totals::cost},
                                                                       {"import_cost", &Totals::import_cost},
                                                                       {"export_revenue", &Totals::export_revenue},
                                                                       {"wear_cost", &Totals::wear_cost},
                                                                       {"carbon_cost", &Totals::carbon_cost},
                                                                       {"terminal_value", &Totals::terminal_value}};
  for (const auto& [name, field] : moneys) {
    all.push_back({"total " + name, [f = field](Plan& plan) { plan.totals.*f += Euros(0.01); }});
  }
  const std::vector<std::pair<std::string, Energy Totals::*>> energies = {{"grid_import", &Totals::grid_import},
                                                                          {"grid_export", &Totals::grid_export},
                                                                          {"pv_available", &Totals::pv_available},
                                                                          {"pv_used", &Totals::pv_used},
                                                                          {"load", &Totals::load}};
  for (const auto& [name, field] : energies) {
    all.push_back({"total " + name, [f = field](Plan& plan) { plan.totals.*f += WattHours(1); }});
  }
  all.push_back({"total carbon", [](Plan& plan) { plan.totals.carbon += Kilograms(0.001); }});
  all.push_back({"total progress", [](Plan& plan) { plan.totals.progress += 0.01; }});
  all.push_back({"objective", [](Plan& plan) { plan.objective -= Euros(0.01); }});
  all.push_back({"bound", [](Plan& plan) { plan.bound = plan.objective + Euros(0.001); }});
  all.push_back({"share", [](Plan& plan) { plan.slots[2].decision.levels[0].share += 0.01; }});
  all.push_back({"level", [](Plan& plan) { plan.slots[2].decision.levels[0].level = 2; }});
  all.push_back({"level that does not exist", [](Plan& plan) { plan.slots[2].decision.levels[1].level = 99; }});
  all.push_back({"order of levels",
                 [](Plan& plan) { std::swap(plan.slots[2].decision.levels[0], plan.slots[2].decision.levels[1]); }});
  all.push_back({"level dropped", [](Plan& plan) { plan.slots[2].decision.levels.pop_back(); }});
  all.push_back({"slot dropped", [](Plan& plan) { plan.slots.pop_back(); }});
  all.push_back({"slot repeated", [](Plan& plan) { plan.slots.push_back(plan.slots.back()); }});
  all.push_back({"slots swapped", [](Plan& plan) { std::swap(plan.slots[0], plan.slots[1]); }});
  all.push_back({"called infeasible", [](Plan& plan) { plan.status = PlanStatus::kInfeasible; }});
  return all;
}

TEST(Checker, EverySingleCorruptionIsFound) {
  const DispatchProblem problem = RichProblem();
  const Plan sound = RichPlan(problem);
  for (const Corruption& corruption : Corruptions()) {
    Plan plan = sound;
    corruption.apply(plan);
    EXPECT_THAT(CheckPlan(problem, plan), Not(IsEmpty())) << corruption.name;
  }
}

TEST(Checker, ValuesThatAreNoNumbersAreFound) {
  const DispatchProblem problem = RichProblem();
  for (const double bad : {std::nan(""), std::numeric_limits<double>::infinity()}) {
    for (const auto field : {&SlotDecision::pv_used, &SlotDecision::grid_import, &SlotDecision::grid_export,
                             &SlotDecision::battery_charge, &SlotDecision::battery_discharge}) {
      Plan plan = RichPlan(problem);
      plan.slots[3].decision.*field = WattHours(bad);
      EXPECT_THAT(CheckPlan(problem, plan), Not(IsEmpty()));
    }
    Plan plan = RichPlan(problem);
    plan.slots[3].decision.levels[0].share = bad;
    EXPECT_THAT(CheckPlan(problem, plan), Not(IsEmpty()));
  }
}

// Rules that a consistent plan may break: decisions changed first, then everything recomputed from them.
class BrokenRule : public ::testing::Test {
 protected:
  std::vector<std::string> Check(Formulation formulation = Formulation::kBlend) const {
    std::vector<SlotDecision> decisions;
    for (const PlanSlot& slot : sound_.slots) decisions.push_back(slot.decision);
    if (change_) change_(decisions);
    Plan plan = MakePlan(problem_, formulation, decisions);
    plan.status = PlanStatus::kFeasible;
    plan.bound = plan.objective;
    return CheckPlan(problem_, plan);
  }

  DispatchProblem problem_ = RichProblem();
  Plan sound_ = RichPlan(problem_);
  std::function<void(std::vector<SlotDecision>&)> change_;
};

TEST_F(BrokenRule, ImportLimit) {
  problem_.grid.import_limit = Watts(150);
  EXPECT_THAT(Check(), Contains(HasSubstr("slot 2025-01-01T05:00:00Z: the import is")));
}

TEST_F(BrokenRule, ExportLimit) {
  problem_.grid.export_limit = Watts(100);
  EXPECT_THAT(Check(), Contains(HasSubstr("the export is 300 Wh, more than 100.")));
}

TEST_F(BrokenRule, ChargeAndDischargeLimits) {
  problem_.battery.max_charge = Watts(110);
  problem_.battery.max_discharge = Watts(79);
  const auto sentences = Check();
  EXPECT_THAT(sentences, Contains(HasSubstr("the charge is 120 Wh, more than 110.")));
  EXPECT_THAT(sentences, Contains(HasSubstr("the discharge is 80 Wh, more than 79.")));
}

TEST_F(BrokenRule, Capacity) {
  problem_.battery.capacity = WattHours(139);  // 50 + 0.9 x 100, less self-discharge, is 139.3 after the first slot
  EXPECT_THAT(Check(), Contains(HasSubstr("the energy stored at the end is 139.3 Wh, more than 139.")));
}

TEST_F(BrokenRule, DischargeBeyondWhatIsStored) {
  problem_.battery.initial = WattHours(0);
  change_ = [](auto& decisions) { std::swap(decisions[0].battery_charge, decisions[3].battery_charge); };
  EXPECT_THAT(Check(), Contains(HasSubstr("the discharge from the stored energy is 80 Wh, more than 0.")));
}

TEST_F(BrokenRule, FinalEnergy) {
  problem_.battery.final_min = WattHours(150);
  EXPECT_THAT(Check(), Contains(HasSubstr("150 Wh is asked for.")));
}

TEST_F(BrokenRule, WorkNotDone) {
  for (Level& level : problem_.gpu.levels) level.job_time *= 3;
  EXPECT_THAT(Check(), ElementsAre(HasSubstr("of the job, 1 is asked for.")));
}

TEST_F(BrokenRule, ImportAndExportInOneSlot) {
  change_ = [](auto& decisions) {
    decisions[0].grid_import += WattHours(10);
    decisions[0].grid_export += WattHours(10);
  };
  EXPECT_THAT(Check(), Contains(HasSubstr("the smaller of import and export is 10 Wh")));
}

TEST_F(BrokenRule, ChargeAndDischargeInOneSlot) {
  change_ = [](auto& decisions) {
    decisions[4].battery_discharge += WattHours(10);
    decisions[4].battery_charge += WattHours(9);
  };
  EXPECT_THAT(Check(), Contains(HasSubstr("the smaller of charge and discharge is 10 Wh")));
}

TEST_F(BrokenRule, TwoLevelsOrPartOfASlotWhereLevelsAreWhole) {
  const auto sentences = Check(Formulation::kLevels);
  EXPECT_THAT(sentences, Contains(HasSubstr("2 levels share the slot, expected at most one.")));
  EXPECT_THAT(sentences, Contains(HasSubstr("the share of the level is 0.1 of the slot, expected 1.")));
}

TEST_F(BrokenRule, StudyRules) {
  problem_.battery.capacity = WattHours(145);  // the first slot ends with 139.3 Wh but 50 + 100 is more than 145
  change_ = [](auto& decisions) { decisions[9].levels.clear(); };
  const auto sentences = Check(Formulation::kPaper);
  EXPECT_THAT(sentences, Contains(HasSubstr("slot 2025-01-01T14:00:00Z: 0 levels run, rule (3)")));
  EXPECT_THAT(sentences, Contains(HasSubstr("the charge (rule 13 of the study) is 100 Wh, more than 95.")));
  EXPECT_THAT(sentences, Contains(HasSubstr("the PV energy used (rule 5 of the study: nothing is curtailed) is")));
}

TEST(Checker, AnInfeasiblePlanNeedsAReason) {
  Plan plan;
  plan.status = PlanStatus::kInfeasible;
  EXPECT_THAT(CheckPlan(RichProblem(), plan), Contains(HasSubstr("gives no reason")));
  plan.infeasible_reason = "4.2 h of GPU time short.";
  EXPECT_THAT(CheckPlan(RichProblem(), plan), IsEmpty());
}

TEST(Checker, AnUnsoundProblemIsToldFirst) {
  DispatchProblem problem = RichProblem();
  const Plan plan = RichPlan(problem);
  problem.import_price.pop_back();
  EXPECT_THAT(CheckPlan(problem, plan), Contains(HasSubstr("import price has 23 values for 24 slots")));
}

TEST(Checker, WhatASolverMayMissPasses) {
  const DispatchProblem problem = RichProblem();
  std::vector<SlotDecision> decisions;
  for (const PlanSlot& slot : RichPlan(problem).slots) decisions.push_back(slot.decision);
  decisions[3].grid_export += WattHours(0.9e-4);  // just below 1e-7 kWh
  Plan plan = MakePlan(problem, Formulation::kBlend, decisions);
  plan.status = PlanStatus::kOptimal;
  plan.bound = plan.objective + Euros(1e-9);
  EXPECT_THAT(CheckPlan(problem, plan), IsEmpty());
}

}  // namespace
}  // namespace heliograd

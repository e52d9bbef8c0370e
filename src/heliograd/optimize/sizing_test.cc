#include "heliograd/optimize/sizing.h"

#include <gtest/gtest.h>

namespace heliograd {
namespace {

/// A year of `days` days of 24 h: sun from 10 to 14 o'clock, one level of 100 W that needs 10 h.
DispatchProblem Year(int days, int spare_slots) {
  DispatchProblem year;
  const int slots = 24 * days + spare_slots;
  year.horizon = {Stamp{}, std::chrono::seconds(3600), slots};
  for (int t = 0; t < slots; ++t) {
    const int hour = t % 24;
    year.pv.push_back(WattHours(hour >= 10 && hour < 14 ? 200 : 0));
    year.import_price.push_back(EurosPerKilowattHour(0.3));
    year.export_price.push_back(EurosPerKilowattHour(0.1));
    year.carbon.push_back(GramsPerKilowattHour(400));
  }
  year.gpu.levels = {{Watts(100), Watts(100), Hours(10)}};
  return year;
}

TEST(Sizing, AYearIsItsRunsLessWhatPvSellsBetweenThem) {
  const DispatchProblem year = Year(10, 24);
  const Result<RunCalendar> calendar = SpreadRuns(2, 24, 24, 240);
  ASSERT_TRUE(calendar);
  EXPECT_EQ(calendar->runs, (std::vector<ScheduledRun>{{0, 24}, {120, 24}}));
  const auto cost = CostOfYear(year, *calendar, Formulation::kBlend, {}, *MakeAutoSolver());
  ASSERT_TRUE(cost);
  // A run takes 1000 Wh: 400 Wh from PV, 600 Wh bought at 0.3; the other 400 Wh of PV are sold at 0.1.
  const double run_eur = 0.6 * 0.3 - 0.4 * 0.1;
  const double between_eur = 8 * 0.8 * 0.1;
  EXPECT_NEAR(InEuros(cost->cost), 2 * run_eur - between_eur, 1e-9);
  EXPECT_NEAR(InEuros(cost->between), between_eur, 1e-9);
  EXPECT_NEAR(InWattHours(cost->grid_import), 1200, 1e-6);
  EXPECT_NEAR(InWattHours(cost->grid_export), 2 * 400 + 8 * 800, 1e-6);
  EXPECT_NEAR(InKilograms(cost->carbon), 1.2 * 0.4, 1e-9);
}

TEST(Sizing, NothingIsSoldBelowZeroOrAboveTheLimit) {
  DispatchProblem year = Year(2, 24);
  year.grid.export_limit = Watts(50);
  for (int t = 24; t < 36; ++t) year.export_price[static_cast<size_t>(t)] = EurosPerKilowattHour(-0.1);
  const auto cost = CostOfYear(year, *SpreadRuns(1, 24, 24, 48), Formulation::kBlend, {}, *MakeAutoSolver());
  ASSERT_TRUE(cost);
  // Of the second day, 10 and 11 o'clock are below zero; 12 and 13 o'clock sell 50 Wh each.
  EXPECT_NEAR(InEuros(cost->between), 0.1 * 0.1, 1e-12);
}

TEST(Sizing, ARunThatCannotBeDoneIsNamed) {
  const auto cost = CostOfYear(Year(10, 24), *SpreadRuns(2, 8, 24, 240), Formulation::kBlend, {}, *MakeAutoSolver());
  ASSERT_TRUE(cost);
  EXPECT_EQ(cost->impossible_run, (ScheduledRun{0, 8}));
}

TEST(Sizing, ARunPastTheYearsEndGoesOnAtItsBegin) {
  DispatchProblem year = Year(2, 12);
  for (size_t t = 0; t < year.pv.size(); ++t) year.pv[t] = WattHours(static_cast<double>(t % 48));
  const DispatchProblem run = RunOf(year, 40, 30, 48);
  for (size_t t = 0; t < run.pv.size(); ++t) {
    EXPECT_EQ(InWattHours(run.pv[t]), static_cast<double>((40 + t) % 48)) << t;
  }
}

TEST(Sizing, RunsThatOverlapAreRefused) {
  EXPECT_FALSE(SpreadRuns(20, 24, 24, 240));
  const Result<RunCalendar> back_to_back = SpreadRuns(20, 12, 24, 240);
  ASSERT_TRUE(back_to_back);
  EXPECT_EQ(back_to_back->runs[1].first_slot, 12);
}

TEST(Sizing, TheMostRunsFitAndOneMoreDoesNot) {
  for (const int slots : {5, 12, 19, 24, 25, 60, 240}) {
    const int most = MostSpreadRuns(slots, 24, 240);
    EXPECT_TRUE(SpreadRuns(most, slots, 24, 240)) << slots;
    EXPECT_FALSE(SpreadRuns(most + 1, slots, 24, 240)) << slots;
  }
  EXPECT_EQ(MostSpreadRuns(19, 24, 8760), 461);
  EXPECT_EQ(MostSpreadRuns(25, 24, 8760), 182);
}

TEST(Sizing, RunsOfACalendarMayDifferInLength) {
  const DispatchProblem year = Year(10, 24);
  const RunCalendar calendar{{{0, 24}, {130, 14}}, 240};
  EXPECT_EQ(calendar.LongestRun(), 24);
  const auto cost = CostOfYear(year, calendar, Formulation::kBlend, {}, *MakeAutoSolver());
  ASSERT_TRUE(cost);
  // 130 is 10 o'clock: 4 h of 200 Wh for the second run too; both need 1000 Wh.
  EXPECT_NEAR(InWattHours(cost->grid_import), 1200, 1e-6);
  EXPECT_NEAR(InEuros(cost->between), 8 * 0.8 * 0.1, 1e-9);
}

TEST(Sizing, NoRunIsGivenEnergyOrPaidForWhatItLeaves) {
  DispatchProblem year = Year(10, 24);
  year.battery.capacity = WattHours(500);
  const auto cost_with = [&](Energy initial, Energy final_min, EnergyPrice terminal) {
    year.battery.initial = initial;
    year.battery.final_min = final_min;
    year.battery.terminal_value = terminal;
    const auto cost = CostOfYear(year, *SpreadRuns(5, 24, 24, 240), Formulation::kBlend, {}, *MakeAutoSolver());
    return std::pair(InEuros(cost->cost), InWattHours(cost->grid_import));
  };
  const auto empty = cost_with(Energy(), Energy(), EnergyPrice());
  // The battery takes 400 Wh of the sun that the job leaves: 1000 Wh less 800 Wh of sun are bought.
  EXPECT_NEAR(empty.second, 5 * 200, 1e-3);
  for (const auto& other :
       {cost_with(WattHours(500), Energy(), EnergyPrice()), cost_with(WattHours(300), WattHours(300), EnergyPrice()),
        cost_with(Energy(), Energy(), EurosPerKilowattHour(0.5))}) {
    EXPECT_NEAR(other.first, empty.first, 1e-9);
    EXPECT_NEAR(other.second, empty.second, 1e-6);
  }
}

TEST(Sizing, TheYearlyPaymentPaysThePriceBack) {
  const double rate = 0.04;
  const Money payment = YearlyPayment(Euros(1000), 20, rate);
  double present_eur = 0;
  for (int year = 1; year <= 20; ++year) present_eur += InEuros(payment) / std::pow(1 + rate, year);
  EXPECT_NEAR(present_eur, 1000, 1e-9);
  EXPECT_NEAR(InEuros(YearlyPayment(Euros(1000), 20, 0)), 50, 1e-12);
}

}  // namespace
}  // namespace heliograd

#include "heliograd/report/slot_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "heliograd/report/svg_check.h"
#include "heliograd/report/test_plans.h"

namespace heliograd {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr EnergyPrice Price(double eur_per_kwh) { return EurosPerKilowattHour(eur_per_kwh); }

/// Slot 1 of SmallPlan: 150 Wh to the GPU and 100 Wh to the battery, bought at 0.25.
SlotExplanation Buying() {
  SlotExplanation why;
  why.slot = 1;
  why.work_price = Euros(0.2);
  why.import_price = Price(0.25), why.export_price = Price(0.30);
  why.bus_curve = {{WattHours(-200), Euros(-0.06)}, {WattHours(0), Euros(0)}, {WattHours(400), Euros(0.1)}};
  why.bus = {WattHours(250), Euros(0.0625)};
  why.bus_price = {Price(0.25), Price(0.25)};
  why.value_before = {{WattHours(0), Euros(0.1)}, {WattHours(250), Euros(0.03)}};
  why.value_after = {{WattHours(0), Euros(0.09)}, {WattHours(250), Euros(0.01)}};
  why.before = {WattHours(0), Euros(0.1)};
  why.after = {WattHours(100), Euros(0.058)};
  why.worth_before = {std::nullopt, Price(0.28)};
  why.worth_after = {Price(0.32), Price(0.24)};
  why.hull = {{WattHours(0), 0}, {WattHours(100), 0.2}, {WattHours(150), 1.0 / 3}};
  why.gpu = {WattHours(150), 1.0 / 3};
  why.gpu_worth = {Price(0.53), std::nullopt};
  return why;
}

TEST(SlotText, ComparesThePricesThatDecide) {
  const TestPlan test = SmallPlan();
  const std::string text = SlotExplanationText(test.problem, test.plan, Buying(), TimeZone(), {.width = 2000});
  EXPECT_THAT(text, HasSubstr("Slot 1: Wed 1 Jan 23:00 to 00:00\n"));
  EXPECT_THAT(text,
              HasSubstr("A kWh costs 0.250 EUR bought and earns 0.300 EUR sold. The plan's reason: cheap enough."));
  EXPECT_THAT(text,
              HasSubstr("The GPU node uses 150 Wh, the charger 100 Wh: the bus draws 250 Wh and 250 Wh is bought"));
  EXPECT_THAT(text, HasSubstr("One Wh more would cost 0.00025 EUR (0.250 EUR/kWh).\n"));
  EXPECT_THAT(text, HasSubstr("worth 0.320 EUR/kWh, more than the 0.250 EUR/kWh that it costs here"));
  EXPECT_THAT(text, HasSubstr("It runs at 150 W: 33.3 % of the job, worth 0.067 EUR."));
  EXPECT_THAT(text, HasSubstr("It is at its highest level."));
  EXPECT_THAT(text, HasSubstr("nothing that this slot could do costs less"));
}

TEST(SlotText, SaysWhatIsWastedAndWhereACurveEnds) {
  const TestPlan test = SmallPlan();
  SlotExplanation why = Buying();
  why.excess = Euros(0.02), why.plan_excess = Euros(0.03);
  why.bus_price.more.reset();
  const std::string text = SlotExplanationText(test.problem, test.plan, why, TimeZone(), {.width = 2000});
  EXPECT_THAT(text,
              HasSubstr("this slot costs 0.020 EUR more than the best that it could do; the whole plan costs 0.030"));
  EXPECT_THAT(text, HasSubstr("the limit of import is reached"));
}

TEST(SlotText, IsToldInCarbonWhereThatIsMinimised) {
  TestPlan test = SmallPlan();  // 250 g CO2/kWh in every slot
  test.problem.objective = Objective::kCarbon;
  SlotExplanation why = Buying();
  why.import_price = Price(250.25), why.bus_price = {why.import_price, why.import_price};
  why.bus.cost = Euros(62.5);
  why.work_price = Euros(1200);
  why.excess = Euros(2), why.plan_excess = Euros(3);
  const std::string text = SlotExplanationText(test.problem, test.plan, why, TimeZone(), {.width = 2000});
  EXPECT_THAT(text, HasSubstr("A kWh bought emits 250 g CO2 and costs 0.250 EUR; sold it earns 0.300 EUR"));
  EXPECT_THAT(text, HasSubstr("One Wh more would cost 0.250 g CO2 (250 g CO2/kWh)."));
  EXPECT_THAT(text, HasSubstr("One whole job more would cost 1.20 kg CO2"));
  EXPECT_THAT(text, HasSubstr("costs 2 g CO2 more than the best that it could do"));
  EXPECT_THAT(text.substr(text.find("The connection point")), Not(HasSubstr("EUR")));
  const Figure figure = SlotExplanationFigure(test.problem, test.plan, why, TimeZone());
  EXPECT_THAT(figure.script, HasSubstr("'one more: 250 g CO2/kWh'"));
  EXPECT_THAT(figure.script, HasSubstr("set ylabel 'g CO2'"));
  EXPECT_THAT(figure.script, Not(HasSubstr("EUR")));
}

TEST(SlotText, ABatteryThatFeedsWorkWhichWouldNotBuySparesTheWork) {
  TestPlan test = SmallPlan();
  SlotExplanation why = Buying();
  why.slot = 2;  // 100 Wh from the battery
  why.bus_price = {Price(0.25), Price(0.45)};
  why.gpu_worth = {Price(0.31), Price(0.2)};
  why.worth_after = {Price(0.3), Price(0.25)};
  const auto text = [&] { return SlotExplanationText(test.problem, test.plan, why, TimeZone(), {.width = 2000}); };
  EXPECT_THAT(text(), HasSubstr("a kWh at the bus does work worth 0.310 EUR/kWh"));
  EXPECT_THAT(text(), HasSubstr("Bought it would cost 0.450 EUR/kWh, at which the GPU would not run."));
  why.gpu_worth.less = Price(0.5);  // it would buy
  EXPECT_THAT(text(), HasSubstr("a kWh at the bus spares 0.450 EUR/kWh"));
}

TEST(SlotText, FitsTheTerminal) {
  const TestPlan test = SmallPlan();
  const std::string text = SlotExplanationText(test.problem, test.plan, Buying(), TimeZone(), {.width = 40});
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = text.find('\n', begin);
    EXPECT_LE(end - begin, 40u) << text.substr(begin, end - begin);
    begin = end + 1;
  }
}

TEST(SlotFigure, DrawsCurvesTangentsAndPoints) {
  TestPlan test = SmallPlan();
  test.plan.slots[1].stored_value = Price(0.29);
  const Figure figure = SlotExplanationFigure(test.problem, test.plan, Buying(), TimeZone());
  EXPECT_THAT(figure.script, HasSubstr("$bus << EOD\n-200.000000 -0.060000000\n"));
  EXPECT_THAT(figure.script, HasSubstr("'one more: 0.250 EUR/kWh'"));
  // The tangent through (0 Wh, 0.1 EUR) falls by the plan's worth of stored energy, in EUR per Wh.
  EXPECT_THAT(figure.script, HasSubstr("0.100000000 + -0.000290000000 * (x - 0.000000)"));
  EXPECT_THAT(figure.script, HasSubstr("'the plan: 150 Wh, 33.3 %'"));
  if (!GnuplotIsInstalled()) GTEST_SKIP() << "gnuplot is not installed (Debian package gnuplot-nox)";
  const auto svg = RenderFigure(figure, FigureFormat::kSvg);
  ASSERT_TRUE(svg) << svg.error().Message();
  EXPECT_EQ(SvgDefect(*svg), "");
}

TEST(SlotFigure, LeavesTheBatteryOutWhereThereIsNone) {
  TestPlan test = SmallPlan();
  test.problem.battery = {};
  const Figure figure = SlotExplanationFigure(test.problem, test.plan, Buying(), TimeZone());
  EXPECT_THAT(figure.script, Not(HasSubstr("V(E)")));
}

}  // namespace
}  // namespace heliograd

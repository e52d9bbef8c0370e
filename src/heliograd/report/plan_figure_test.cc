#include "heliograd/report/plan_figure.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "heliograd/report/svg_check.h"
#include "heliograd/report/test_plans.h"

namespace heliograd {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(PlanFigure, StacksWhatFeedsTheGpu) {
  const TestPlan test = SmallPlan();
  const Figure figure = PlanFigure(test.problem, test.plan, TimeZone(), "small");
  // Slot 2: 100 W from the battery, on top of no PV, and 50 W from the grid.
  EXPECT_THAT(figure.script, HasSubstr("\n2.50000 0.000 100.000 150.000 50.000 -0.000 0.000\n"));
  // Slot 4: 50 W of 200 W PV to the GPU, 150 W sold.
  EXPECT_THAT(figure.script, HasSubstr("\n4.50000 50.000 50.000 50.000 0.000 -150.000 200.000\n"));
  EXPECT_THAT(figure.script, HasSubstr("'small: what feeds the GPU, at a modelled cost of 0.020 EUR'"));
  EXPECT_THAT(figure.script, HasSubstr("\"22\\nWed 1 Jan\" 0.00000"));
  EXPECT_THAT(figure.script, HasSubstr("\"00\\nThu 2 Jan\" 2.00000"));
}

TEST(PlanFigure, HasNoBatteryPanelWithoutABattery) {
  TestPlan test = SmallPlan();
  test.problem.battery.capacity = Energy();
  EXPECT_THAT(PlanFigure(test.problem, test.plan, TimeZone(), "small").script, Not(HasSubstr("battery, Wh")));
}

TEST(PlanFigure, IsDrawnForPlansOfAnySize) {
  if (!GnuplotIsInstalled()) GTEST_SKIP() << "gnuplot is not installed (Debian package gnuplot-nox)";
  std::mt19937 random(7);
  for (const int slots : {1, 2, 28, 192, 8760}) {
    const TestPlan test = RandomPlan(random, slots, slots == 192 ? 15 : 60);
    const auto svg =
        RenderFigure(PlanFigure(test.problem, test.plan, TimeZone(), "it's `a` \"title\""), FigureFormat::kSvg);
    ASSERT_TRUE(svg) << slots << ": " << svg.error().Message();
    EXPECT_EQ(SvgDefect(*svg), "") << slots;
    EXPECT_LT(svg->size(), size_t{1} << 20) << slots;
  }
}

}  // namespace
}  // namespace heliograd

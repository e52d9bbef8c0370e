#include "heliograd/report/curve_figure.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "heliograd/report/svg_check.h"

namespace heliograd {
namespace {

using testing::HasSubstr;
using testing::Not;

CurveChart SmallChart() {
  CurveChart chart;
  chart.title = "train's job on a GPU";
  chart.unit = "unit";
  chart.found.levels = {{Watts(100), Joules(20), Seconds(0.2), 0.01, 0.02, true},
                        {Watts(150), Joules(15), Seconds(0.12), 0.01, 0.02, false},
                        {Watts(200), Joules(18), Seconds(0.1), 0.01, 0.02, false}};
  chart.found.least_energy = {Watts(150), Watts(125), Watts(175)};
  chart.sm_clock_mhz = {1300, std::nullopt, 2700};
  return chart;
}

TEST(CurveFigure, HasBarsIntervalsClockAndKnee) {
  const Figure figure = CurveFigure(SmallChart());
  // A dominated level stands in a column of its own; intervals are 20 J +- 1 % and 0.2 s +- 2 %.
  EXPECT_THAT(figure.script, HasSubstr("\n100 NaN 20 19.8 20.2 0.2 0.196 0.204 1300\n"));
  EXPECT_THAT(figure.script, HasSubstr("\n150 15 NaN "));
  EXPECT_THAT(figure.script, HasSubstr(" NaN\n200 "));
  EXPECT_THAT(figure.script, HasSubstr("from 125,graph 0 to 175,graph 1"));
  EXPECT_THAT(figure.script, HasSubstr("'least energy: 150 W (125 to 175 W)'"));
  EXPECT_THAT(figure.script, HasSubstr("'train’s job on a GPU'"));
  if (!GnuplotIsInstalled()) GTEST_SKIP() << "gnuplot is not installed (Debian package gnuplot-nox)";
  const auto svg = RenderFigure(figure, FigureFormat::kSvg);
  ASSERT_TRUE(svg) << svg.error().Message();
  EXPECT_EQ(SvgDefect(*svg), "");
  EXPECT_THAT(*svg, HasSubstr("SM clock"));
}

TEST(CurveFigure, WithoutClocksThereIsNoSecondAxis) {
  CurveChart chart = SmallChart();
  chart.sm_clock_mhz = {std::nullopt, std::nullopt, std::nullopt};
  chart.title = std::string(88, 'x') + "ü" + std::string(50, 'x');
  EXPECT_THAT(CurveFigure(chart).script, Not(HasSubstr("SM clock")));
  EXPECT_THAT(CurveFigure(chart).script, HasSubstr("xü ..."));
  if (!GnuplotIsInstalled()) GTEST_SKIP() << "gnuplot is not installed (Debian package gnuplot-nox)";
  const auto svg = RenderFigure(CurveFigure(chart), FigureFormat::kSvg);
  ASSERT_TRUE(svg) << svg.error().Message();
  EXPECT_EQ(SvgDefect(*svg), "");
}

}  // namespace
}  // namespace heliograd

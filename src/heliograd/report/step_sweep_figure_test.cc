#include "heliograd/report/step_sweep_figure.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "heliograd/report/svg_check.h"

namespace heliograd {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr double kNone = std::numeric_limits<double>::quiet_NaN();

StepSweepChart SmallChart() {
  StepSweepChart chart;
  chart.title = "Figs 7, 8: resnet18 on a card's data";
  chart.limits_w = {100, 170, 320};
  chart.steps = {{"Forward", {8, 6, 7}}, {"Loss", {-0.1, 0.2, 0.1}}, {"Backward", {12, 9, kNone}}};
  chart.energy_low_j = {19, 14, kNone};
  chart.energy_high_j = {21, 16, kNone};
  chart.sm_clock_mhz = {1300, 2200, 2800};
  chart.time = {2, 1.05, 1};
  chart.study_time = {2.01, 1.051, kNone};
  return chart;
}

TEST(StepSweepFigure, BarsStandOnOneAnotherWithIntervalsAndClock) {
  const Figure figure = StepSweepFigure(SmallChart());
  // limit, interval, clock, time, the study's, then tops: nothing is drawn for the loss below zero.
  EXPECT_THAT(figure.script, HasSubstr("\n100 19 21 1300 2 2.01 8 8 20\n"));
  EXPECT_THAT(figure.script, HasSubstr("\n170 14 16 2200 1.05 1.051 6 6.2 15.2\n"));
  // A bar whose step is not known ends below it.
  EXPECT_THAT(figure.script, HasSubstr("\n320 NaN NaN 2800 1 NaN 7 7.1 NaN\n"));
  // The highest bar first: the lower ones stand in front of it.
  EXPECT_LT(figure.script.find("'Backward'"), figure.script.find("'Forward'"));
  EXPECT_THAT(figure.script, HasSubstr("SM clock"));
  if (!GnuplotIsInstalled()) GTEST_SKIP() << "gnuplot is not installed (Debian package gnuplot-nox)";
  const auto svg = RenderFigure(figure, FigureFormat::kSvg);
  ASSERT_TRUE(svg) << svg.error().Message();
  EXPECT_EQ(SvgDefect(*svg), "");
  EXPECT_THAT(*svg, HasSubstr("Table IV"));
}

TEST(StepSweepFigure, WithoutClocksEnergiesAndTheStudyItIsStillDrawn) {
  StepSweepChart chart = SmallChart();
  for (auto* values : {&chart.energy_low_j, &chart.energy_high_j, &chart.sm_clock_mhz, &chart.study_time}) {
    *values = {kNone, kNone, kNone};
  }
  for (StepSweepChart::Step& step : chart.steps) step.energy_j = {kNone, kNone, kNone};
  const Figure figure = StepSweepFigure(chart);
  EXPECT_THAT(figure.script, Not(HasSubstr("SM clock")));
  EXPECT_THAT(figure.script, Not(HasSubstr("Table IV")));
  if (!GnuplotIsInstalled()) GTEST_SKIP() << "gnuplot is not installed (Debian package gnuplot-nox)";
  const auto svg = RenderFigure(figure, FigureFormat::kSvg);
  ASSERT_TRUE(svg) << svg.error().Message();
  EXPECT_EQ(SvgDefect(*svg), "");
}

}  // namespace
}  // namespace heliograd

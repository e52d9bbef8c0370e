#include "heliograd/report/law_figure.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "heliograd/report/svg_check.h"

namespace heliograd {
namespace {

using testing::HasSubstr;
using testing::Not;

LawChart SmallChart(bool with_vgg) {
  std::vector<LawPoint> points;
  for (const auto& [name, macs, joules] : {std::tuple("alexnet's", 0.7e9, 0.1), std::tuple("resnet18", 1.8e9, 0.2),
                                           std::tuple("resnet50", 4.1e9, 0.5), std::tuple("vgg19", 19.6e9, 1.8)}) {
    LawPoint point;
    point.name = name;
    point.macs = macs;
    point.energy = Joules(joules);
    points.push_back(point);
  }
  LawChart chart;
  chart.title = "law";
  chart.law = FitEnergyLaw(points, LawTerms::kMacs, Scatter::kConstant).value();
  if (with_vgg) {
    chart.without = FitEnergyLaw(PointsWithout(points, "vgg"), LawTerms::kMacs, Scatter::kConstant).value();
    chart.without_name = "without VGG";
  }
  return chart;
}

TEST(LawFigure, HasNetworksBothLawsAndResidualsByName) {
  const Figure figure = LawFigure(SmallChart(true));
  EXPECT_THAT(figure.script, HasSubstr("\n19.6 1.8 1.8 1.8\n"));
  EXPECT_THAT(figure.script, HasSubstr("'alexnet’s' 0, 'resnet18' 1"));
  EXPECT_THAT(figure.script, HasSubstr("without VGG: "));
  if (!GnuplotIsInstalled()) GTEST_SKIP() << "gnuplot is not installed (Debian package gnuplot-nox)";
  const auto svg = RenderFigure(figure, FigureFormat::kSvg);
  ASSERT_TRUE(svg) << svg.error().Message();
  EXPECT_EQ(SvgDefect(*svg), "");
  EXPECT_THAT(*svg, HasSubstr("resnet50"));
}

TEST(LawFigure, WithoutASecondLawThereIsOneLine) {
  EXPECT_THAT(LawFigure(SmallChart(false)).script, Not(HasSubstr("$without")));
}

}  // namespace
}  // namespace heliograd

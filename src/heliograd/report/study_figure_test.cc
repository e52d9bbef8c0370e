#include "heliograd/report/study_figure.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "heliograd/report/svg_check.h"

namespace heliograd {
namespace {

using testing::HasSubstr;

constexpr double kGap = std::numeric_limits<double>::quiet_NaN();

LineChart SmallChart() {
  LineChart chart;
  chart.title = "cost, it's";
  chart.x_label = "duration limit, h";
  chart.y_label = "cost, EUR";
  chart.x = {14, 15.5, 16};
  chart.series = {{"ours", {0.9, 0.7, 0.1}, false, std::nullopt}, {"study", {1.0, kGap, 0.8}, true, 0}};
  chart.bands = {{"10-90 %", {0.8, 0.6, 0.0}, {1.0, 0.8, 0.2}, 0}};
  return chart;
}

TEST(LineCsv, HasOneColumnPerCurveAndEmptyGaps) {
  EXPECT_EQ(LineCsv(SmallChart()),
            "\"duration limit, h\",ours,study,10-90 % low,10-90 % high\n"
            "14,0.9,1,0.8,1\n"
            "15.5,0.7,,0.6,0.8\n"
            "16,0.1,0.8,0,0.2\n");
}

TEST(LineFigure, DrawsSeriesBandsAndGaps) {
  const Figure figure = LineFigure(SmallChart());
  EXPECT_THAT(figure.script, HasSubstr("\n15.5 0.7 NaN 0.6 0.8\n"));
  EXPECT_THAT(figure.script, HasSubstr("set title 'cost, it’s'"));
  EXPECT_THAT(figure.script, HasSubstr("dt 2 title 'study'"));
  if (!GnuplotIsInstalled()) GTEST_SKIP() << "gnuplot is not installed (Debian package gnuplot-nox)";
  const auto svg = RenderFigure(figure, FigureFormat::kSvg);
  ASSERT_TRUE(svg) << svg.error().Message();
  EXPECT_EQ(SvgDefect(*svg), "");
}

TEST(LineFigure, CategoriesStandBelowTheAxis) {
  LineChart chart = SmallChart();
  chart.x.clear();
  chart.categories = {"Jan", "Feb's", "Mar"};
  EXPECT_THAT(LineFigure(chart).script, HasSubstr("set xtics ('Jan' 0, 'Feb’s' 1, 'Mar' 2)"));
  EXPECT_THAT(LineCsv(chart), HasSubstr("\nFeb's,0.7,"));
}

TEST(LineFigure, OrderedSeriesRunFromDarkToLightAndReferencesFollow) {
  LineChart chart = SmallChart();
  chart.ordered = true;
  chart.series.insert(chart.series.begin() + 1, {"more", {1, 2, 3}, false, std::nullopt});
  const std::string script = LineFigure(chart).script;
  EXPECT_THAT(script, HasSubstr("'#440154' lw 2 pt 7 ps 0.9 title 'ours'"));
  EXPECT_THAT(script, HasSubstr("'#D0C11A' lw 2 pt 5 ps 0.9 title 'more'"));
  EXPECT_THAT(script, HasSubstr("'#440154' lw 2 dt 2 title 'study'"));
}

TEST(BarFigure, PutsGroupsSideBySide) {
  const BarChart chart{"costs", "EUR", {"a,b", "c"}, {{"paper", {1, kGap}}, {"blend", {0.5, -0.25}}}};
  EXPECT_EQ(BarCsv(chart), "category,paper,blend\n\"a,b\",1,0.5\nc,,-0.25\n");
  if (!GnuplotIsInstalled()) GTEST_SKIP() << "gnuplot is not installed (Debian package gnuplot-nox)";
  const auto svg = RenderFigure(BarFigure(chart), FigureFormat::kSvg);
  ASSERT_TRUE(svg) << svg.error().Message();
  EXPECT_EQ(SvgDefect(*svg), "");
}

TEST(CsvCell, QuotesOnlyWhatNeedsIt) {
  EXPECT_EQ(CsvCell("plain 1.5"), "plain 1.5");
  EXPECT_EQ(CsvCell("a \"b\", c"), "\"a \"\"b\"\", c\"");
  EXPECT_EQ(CsvCell("two\nlines"), "\"two\nlines\"");
}

}  // namespace
}  // namespace heliograd

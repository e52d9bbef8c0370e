#include "heliograd/report/backtest_figure.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "heliograd/report/palette.h"

namespace heliograd {
namespace {

constexpr int kMostSteps = 400;  // of a distribution's curve: more cannot be seen

const char* ColourOf(size_t series) { return kSeriesColours[series % kSeriesColours.size()]; }

/// "share of starts, cost above perfect" of one series, ascending.
std::string Distribution(std::vector<double> above) {
  constexpr double kRoundingEur = 1e-6;
  for (double& value : above) value = std::abs(value) < kRoundingEur ? 0 : value;
  std::sort(above.begin(), above.end());
  const size_t count = above.size(), steps = std::min<size_t>(count, kMostSteps);
  std::string rows;
  for (size_t i = 0; i < steps; ++i) {
    const size_t at = steps > 1 ? i * (count - 1) / (steps - 1) : 0;
    rows += fmt::format("{:.4g} {:.6g}\n", 100.0 * static_cast<double>(at + 1) / static_cast<double>(count), above[at]);
  }
  return rows;
}

std::string Joined(const std::vector<std::string>& parts) { return fmt::format("plot {}\n", fmt::join(parts, ", ")); }

}  // namespace

Figure BacktestFigure(const BacktestChart& chart) {
  std::string data;
  std::vector<std::string> curves, bars;
  const double width = 0.8 / static_cast<double>(chart.series.size());
  for (size_t s = 0; s < chart.series.size(); ++s) {
    const BacktestChart::Series& series = chart.series[s];
    data += fmt::format("$above{} << EOD\n{}EOD\n$months{} << EOD\n", s, Distribution(series.above_eur), s);
    for (size_t month = 0; month < series.captured_percent.size(); ++month) {
      const double value = series.captured_percent[month];
      data += fmt::format("{:.5g} {}\n", static_cast<double>(month) - 0.4 + (static_cast<double>(s) + 0.5) * width,
                          std::isfinite(value) ? fmt::format("{:.5g}", value) : "NaN");
    }
    data += "EOD\n";
    curves.push_back(fmt::format("$above{} using 1:2 with lines lc rgb '{}' lw 2 dt {} title {}", s, ColourOf(s), s + 1,
                                 GnuplotQuoted(series.name)));
    bars.push_back(fmt::format("$months{} using 1:2:({:.4f}) with boxes lc rgb '{}' title {}", s, width * 0.94,
                               ColourOf(s), GnuplotQuoted(series.name)));
  }
  std::string ticks;
  for (size_t i = 0; i < chart.categories.size(); ++i) {
    ticks += fmt::format("{}{} {}", i > 0 ? ", " : "", GnuplotQuoted(chart.categories[i]), i);
  }
  return {fmt::format("{0}set border 3 lc rgb '{1}'\nset tics nomirror out scale 0.5 textcolor rgb '{1}'\n"
                      "set grid ytics lc rgb '{2}' lw 0.5\nset lmargin 9\nset rmargin 22\nset multiplot layout 2,1 "
                      "title {3} font ',16' textcolor rgb "
                      "'{1}'\nset key outside right top vertical Left reverse samplen 2 textcolor rgb '{1}'\n"
                      "set xlabel 'share of starts, percent'\nset ylabel 'above perfect foresight, EUR'\n"
                      "set xrange [0:100]\n{4}"
                      "set xlabel ''\nset xtics ({5})\nset xrange [-0.6:{6}]\n"
                      "set yrange [*<0:100<*]\nset ylabel {7}\nset style fill solid 1.0 noborder\n{8}unset multiplot\n",
                      data, kTextColour, kGuideColour, GnuplotQuoted(chart.title), Joined(curves), ticks,
                      static_cast<double>(chart.categories.size()) - 0.4,
                      GnuplotQuoted("percent of the saving against " + chart.reference), Joined(bars)),
          1000, 820};
}

}  // namespace heliograd

#include "heliograd/report/study_figure.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "heliograd/report/palette.h"

namespace heliograd {
namespace {

constexpr int kHeight = 560;
constexpr int kWidth = 1000;

std::string Number(double value) { return std::isfinite(value) ? fmt::format("{}", value) : "NaN"; }
std::string CsvNumber(double value) { return std::isfinite(value) ? fmt::format("{}", value) : ""; }

size_t PointsOf(const LineChart& chart) { return chart.categories.empty() ? chart.x.size() : chart.categories.size(); }
double XOf(const LineChart& chart, size_t i) { return chart.categories.empty() ? chart.x[i] : static_cast<double>(i); }

const char* ColourOf(const LineChart& chart, size_t series) {
  const size_t index = chart.series[series].like_series.value_or(series);
  return kSeriesColours[index % kSeriesColours.size()];
}

/// Names below the axis, upright while they are few.
std::string CategoryTicks(const std::vector<std::string>& categories) {
  std::string ticks = categories.size() > 14 ? "set xtics rotate by -40 (" : "set xtics (";
  for (size_t i = 0; i < categories.size(); ++i) {
    ticks += fmt::format("{}{} {}", i > 0 ? ", " : "", GnuplotQuoted(categories[i]), i);
  }
  return ticks + ")\n";
}

std::string Settings(const std::string& title, const std::string& x_label, const std::string& y_label) {
  return fmt::format(
      "set title {} font ',16' textcolor rgb '{}' offset 0,0.5\nset xlabel {}\nset ylabel {}\n"
      "set border 3 lc rgb '{}'\nset tics nomirror out scale 0.5 textcolor rgb '{}'\nset grid lc rgb '{}' lw 0.5\n"
      "set key outside right top vertical Left reverse samplen 2 spacing 1.2 textcolor rgb '{}'\n",
      GnuplotQuoted(title), kTextColour, GnuplotQuoted(x_label), GnuplotQuoted(y_label), kTextColour, kTextColour,
      kGuideColour, kTextColour);
}

/// Columns: 1 x, then the series, then low and high of each band.
std::string DataBlock(const LineChart& chart) {
  std::string block = "$data << EOD\n";
  for (size_t i = 0; i < PointsOf(chart); ++i) {
    block += Number(XOf(chart, i));
    for (const LineSeries& series : chart.series) block += ' ' + Number(series.y[i]);
    for (const LineBand& band : chart.bands) block += ' ' + Number(band.low[i]) + ' ' + Number(band.high[i]);
    block += '\n';
  }
  return block + "EOD\n";
}

std::string PlotBand(const LineChart& chart, size_t index) {
  const size_t low = 2 + chart.series.size() + 2 * index;
  const LineBand& band = chart.bands[index];
  return fmt::format("$data using 1:{}:{} with filledcurves fs transparent solid 0.18 noborder lc rgb '{}' title {}",
                     low, low + 1, kSeriesColours[band.like_series % kSeriesColours.size()], GnuplotQuoted(band.name));
}

std::string PlotSeries(const LineChart& chart, size_t index) {
  const LineSeries& series = chart.series[index];
  const bool few = PointsOf(chart) <= 40;
  const char* with = chart.steps ? "steps" : few && !series.dashed ? "linespoints" : "lines";
  // Shapes differ too: colour is not the only sign.
  const std::string points = few && !series.dashed && !chart.steps ? fmt::format(" pt {} ps 0.8", 4 + index % 10) : "";
  return fmt::format("$data using 1:{} with {} lc rgb '{}' lw 2{}{} title {}", 2 + index, with, ColourOf(chart, index),
                     points, series.dashed ? " dt 2" : "", GnuplotQuoted(series.name));
}

std::string Joined(const std::vector<std::string>& parts) {
  std::string joined;
  for (const std::string& part : parts) joined += (joined.empty() ? "plot " : ", \\\n  ") + part;
  return joined + '\n';
}

/// A little room on both sides, so that no point lies on the frame.
std::string XRange(const LineChart& chart) {
  if (PointsOf(chart) == 0) return "";
  double low = XOf(chart, 0);
  double high = low;
  for (size_t i = 0; i < PointsOf(chart); ++i) {
    low = std::min(low, XOf(chart, i));
    high = std::max(high, XOf(chart, i));
  }
  const double room = chart.categories.empty() ? std::max((high - low) * 0.02, 1e-9) : 0.3;
  return fmt::format("set xrange [{}:{}]\n", low - room, high + room);
}

}  // namespace

Figure LineFigure(const LineChart& chart) {
  std::string script = DataBlock(chart) + Settings(chart.title, chart.x_label, chart.y_label) + XRange(chart);
  if (!chart.categories.empty()) script += CategoryTicks(chart.categories);
  if (chart.log_y) script += "set logscale y\n";
  if (chart.y_from_zero) script += "set yrange [0:*]\n";
  std::vector<std::string> parts;
  for (size_t i = 0; i < chart.bands.size(); ++i) parts.push_back(PlotBand(chart, i));
  for (size_t i = 0; i < chart.series.size(); ++i) parts.push_back(PlotSeries(chart, i));
  return {script + Joined(parts), kWidth, kHeight};
}

std::string LineCsv(const LineChart& chart) {
  std::string csv = CsvCell(chart.x_label);
  for (const LineSeries& series : chart.series) csv += ',' + CsvCell(series.name);
  for (const LineBand& band : chart.bands)
    csv += ',' + CsvCell(band.name + " low") + ',' + CsvCell(band.name + " high");
  csv += '\n';
  for (size_t i = 0; i < PointsOf(chart); ++i) {
    csv += chart.categories.empty() ? CsvNumber(chart.x[i]) : CsvCell(chart.categories[i]);
    for (const LineSeries& series : chart.series) csv += ',' + CsvNumber(series.y[i]);
    for (const LineBand& band : chart.bands) csv += ',' + CsvNumber(band.low[i]) + ',' + CsvNumber(band.high[i]);
    csv += '\n';
  }
  return csv;
}

Figure BarFigure(const BarChart& chart) {
  std::string script = "$data << EOD\n";
  for (size_t i = 0; i < chart.categories.size(); ++i) {
    script += fmt::format("{}", i);
    for (const BarChart::Group& group : chart.groups) script += ' ' + Number(group.y[i]);
    script += '\n';
  }
  script += "EOD\n" + Settings(chart.title, "", chart.y_label) + CategoryTicks(chart.categories);
  script +=
      fmt::format("set style fill solid 1.0 noborder\nset grid noxtics\nset yrange [*<0:0<*]\nset xrange [-0.6:{}]\n",
                  static_cast<double>(chart.categories.size()) - 0.4);
  const double width = 0.8 / static_cast<double>(std::max<size_t>(1, chart.groups.size()));
  std::vector<std::string> parts;
  for (size_t g = 0; g < chart.groups.size(); ++g) {
    const double offset = (static_cast<double>(g) + 0.5) * width - 0.4;
    parts.push_back(fmt::format("$data using ($1+{:.5f}):{}:({:.5f}) with boxes lc rgb '{}' title {}", offset, g + 2,
                                width * 0.94, kSeriesColours[g % kSeriesColours.size()],
                                GnuplotQuoted(chart.groups[g].name)));
  }
  return {script + Joined(parts), kWidth, kHeight};
}

std::string BarCsv(const BarChart& chart) {
  std::string csv = "category";
  for (const BarChart::Group& group : chart.groups) csv += ',' + CsvCell(group.name);
  csv += '\n';
  for (size_t i = 0; i < chart.categories.size(); ++i) {
    csv += CsvCell(chart.categories[i]);
    for (const BarChart::Group& group : chart.groups) csv += ',' + CsvNumber(group.y[i]);
    csv += '\n';
  }
  return csv;
}

std::string CsvCell(const std::string& text) {
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  std::string cell = "\"";
  for (const char c : text) {
    cell += c;
    if (c == '"') cell += c;
  }
  return cell + '"';
}

}  // namespace heliograd

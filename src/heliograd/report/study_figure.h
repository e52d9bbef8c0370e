// Charts of studies: lines over a quantity or over categories, and grouped bars; each with its data as CSV.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "heliograd/report/gnuplot.h"

namespace heliograd {

/// One curve. A value that is not finite is a gap ("does not finish").
struct LineSeries {
  std::string name;
  std::vector<double> y{};              // one per x
  bool dashed = false;                  // a reference, for example the study's own curve
  std::optional<size_t> like_series{};  // takes the colour of that series, so that a reference is seen to belong to it
};

/// The space between two curves, for example from the 10th to the 90th percentile.
struct LineBand {
  std::string name;
  std::vector<double> low, high;  // one per x
  size_t like_series = 0;         // takes the colour of that series, lighter
};

/// A chart of curves. x are numbers, or positions 0, 1, .. of `categories` when there are any.
struct LineChart {
  std::string title;
  std::string x_label, y_label;  // with units
  std::vector<double> x;
  std::vector<std::string> categories;  // replaces x
  std::vector<LineSeries> series;
  std::vector<LineBand> bands;
  bool y_from_zero = false;
  bool log_y = false;
  bool steps = false;    // values hold from their x to the next
  bool ordered = false;  // the series are steps of one quantity (panel sizes, months): colours run from dark to light
};

/// A figure of the chart, legend beside the data. Precondition: series and bands are as long as x (or the categories).
Figure LineFigure(const LineChart& chart);

/// Header "x label,series,...,band low,band high", then one row per x; gaps are empty cells. Shortest digits that read
/// back the same.
std::string LineCsv(const LineChart& chart);

/// Bars side by side for each category.
struct BarChart {
  std::string title;
  std::string y_label;  // with unit
  std::vector<std::string> categories;
  struct Group {
    std::string name;
    std::vector<double> y;  // one per category; not finite = no bar
  };
  std::vector<Group> groups;
};

Figure BarFigure(const BarChart& chart);
std::string BarCsv(const BarChart& chart);

/// A cell of a CSV file: in double quotes when it holds a comma, a quote or a line end.
std::string CsvCell(const std::string& text);

}  // namespace heliograd

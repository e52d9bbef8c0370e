// The figure of a backtest: how far above perfect foresight each forecast ends, and what it captures month by month.
#pragma once

#include <string>
#include <vector>

#include "heliograd/report/gnuplot.h"

namespace heliograd {

struct BacktestChart {
  struct Series {
    std::string name;
    std::vector<double> above_eur;         // cost above perfect foresight, one per start, any order
    std::vector<double> captured_percent;  // one per month; not finite = no start in it
  };
  std::string title;
  std::string reference;                // against which the saving is counted
  std::vector<std::string> categories;  // months
  std::vector<Series> series;
};

/// Precondition: at least one series.
Figure BacktestFigure(const BacktestChart& chart);

}  // namespace heliograd

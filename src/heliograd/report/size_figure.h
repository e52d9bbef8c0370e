// A map of cost over panel and battery sizes, with contours.
#pragma once

#include <string>
#include <vector>

#include "heliograd/report/gnuplot.h"

namespace heliograd {

struct SizeMap {
  std::string title;
  std::vector<double> pv_w, battery_wh;  // ascending
  std::vector<double> cost_eur;          // per year; battery fastest
  double best_pv_w = 0, best_battery_wh = 0;
};

/// Precondition: two sizes of each at least, one cost for each pair.
Figure SizeFigure(const SizeMap& map);

}  // namespace heliograd

#include "heliograd/report/size_figure.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "heliograd/report/palette.h"

namespace heliograd {
namespace {

/// 1, 2 or 5 times a power of ten: about eight contours over the range.
double ContourStep(double range) {
  if (!(range > 0)) return 1;
  const double rough = range / 8, power = std::pow(10, std::floor(std::log10(rough)));
  for (const double factor : {1.0, 2.0, 5.0}) {
    if (factor * power >= rough) return factor * power;
  }
  return 10 * power;
}

}  // namespace

Figure SizeFigure(const SizeMap& map) {
  std::string grid = "$grid << EOD\n";
  for (size_t i = 0; i < map.pv_w.size(); ++i) {
    for (size_t k = 0; k < map.battery_wh.size(); ++k) {
      grid += fmt::format("{:g} {:g} {:.6g}\n", map.pv_w[i], map.battery_wh[k],
                          map.cost_eur[i * map.battery_wh.size() + k]);
    }
    grid += "\n";
  }
  const auto [least, most] = std::minmax_element(map.cost_eur.begin(), map.cost_eur.end());
  const double step = ContourStep(*most - *least);
  return {fmt::format("{}EOD\n"
                      "set title {} font ',16' textcolor rgb '{}' offset 0,0.5\n"
                      "set xlabel 'PV, W   (dot: least cost; lines every {:g} EUR)'\nset ylabel 'battery, Wh'\nset "
                      "cblabel 'EUR per year'\n"
                      "set contour base\nunset surface\nset cntrparam levels incremental {:g},{:g},{:g}\n"
                      "set table $contours\nsplot $grid using 1:2:3\nunset table\n"
                      "set palette defined (0 '#440154', 1 '#3b528b', 2 '#21918c', 3 '#5ec962', 4 '#d0c11a')\n"
                      "set view map\nset surface\nunset contour\nset pm3d interpolate 8,8\nset border 3 lc rgb '{}'\n"
                      "set tics nomirror out scale 0.5 textcolor rgb '{}'\nunset key\n"
                      "set xrange [{:g}:{:g}]\nset yrange [{:g}:{:g}]\n"
                      "splot $grid using 1:2:3 with pm3d notitle, "
                      "$contours using 1:2:(0) with lines lc rgb '#ffffff' lw 1 notitle, "
                      "$contours using 1:2:(0):(sprintf('%g', $3)) every 100000::3 with labels font ',10' "
                      "textcolor rgb '#ffffff' offset 0,0.6 notitle, "
                      "'+' using ({:g}):({:g}):(0) every ::0::0 with points pt 7 ps 1.6 lc rgb '#ffffff' notitle, "
                      "'+' using ({:g}):({:g}):(0) every ::0::0 with points pt 7 ps 1.1 lc rgb '{}' notitle\n",
                      grid, GnuplotQuoted(map.title), kTextColour, step, std::ceil(*least / step) * step, step, *most,
                      kTextColour, kTextColour, map.pv_w.front(), map.pv_w.back(), map.battery_wh.front(),
                      map.battery_wh.back(), map.best_pv_w, map.best_battery_wh, map.best_pv_w, map.best_battery_wh,
                      kPriceColour),
          900, 620};
}

}  // namespace heliograd

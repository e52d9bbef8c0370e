#include "heliograd/report/law_figure.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "heliograd/report/palette.h"

namespace heliograd {
namespace {

constexpr int kWidth = 1000, kHeight = 860;
constexpr int kSteps = 200;                   // of a line
constexpr double kMargin = 1.06;              // of the axes beyond the points
constexpr double kNameRoom[] = {0.09, 0.04};  // of the axes: no two names nearer than this
constexpr size_t kMostNames = 60;             // below the bars

const char* kLawColour = kGridColour;
const char* kWithoutColour = kPriceColour;

double MostEnergy(const std::vector<LawPoint>& points) {
  double most = 0;
  for (const LawPoint& point : points) most = std::max(most, InJoules(point.high.value_or(point.energy)));
  return most;
}

std::string PointsBlock(const EnergyLaw& law) {
  std::string block = "$points << EOD\n";
  for (const LawPoint& point : law.points) {
    const double joules = InJoules(point.energy);
    block += fmt::format("{:.9g} {:.9g} {:.9g} {:.9g}\n", point.macs / 1e9, joules,
                         InJoules(point.low.value_or(point.energy)), InJoules(point.high.value_or(point.energy)));
  }
  return block + "EOD\n";
}

/// Columns: G MACs, the law, the ends of the interval.
std::string LineBlock(const char* name, const EnergyLaw& law, double to_macs) {
  std::string block = fmt::format("${} << EOD\n", name);
  for (int i = 0; i <= kSteps; ++i) {
    const double macs = to_macs * i / kSteps;
    const RegressionPrediction found = PredictAt(law.regression, Eigen::VectorXd::Constant(1, macs));
    block +=
        fmt::format("{:.9g} {:.9g} {:.9g} {:.9g}\n", macs / 1e9, found.value, std::max(0.0, found.low), found.high);
  }
  return block + "EOD\n";
}

/// Residuals in percent of what was measured, in order of MACs.
std::string ResidualBlock(const EnergyLaw& law, const std::vector<size_t>& order) {
  std::string block = "$residuals << EOD\n";
  for (size_t place = 0; place < order.size(); ++place) {
    const RegressionPoint& point = law.regression.points[order[place]];
    block += fmt::format("{} {:.6g}\n", place, 100 * point.residual / (point.fitted + point.residual));
  }
  return block + "EOD\n";
}

std::vector<size_t> OrderOfMacs(const EnergyLaw& law) {
  std::vector<size_t> order(law.points.size());
  for (size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return law.points[a].macs < law.points[b].macs; });
  return order;
}

/// Names beside the points, those of most MACs first; one that would lie on another is left to the bars below.
std::string Names(const EnergyLaw& law, const std::vector<size_t>& order, double to_macs, double to_joules) {
  std::string script;
  std::vector<std::pair<double, double>> taken;
  for (auto it = order.rbegin(); it != order.rend(); ++it) {
    const LawPoint& point = law.points[*it];
    const double x = point.macs / to_macs, y = InJoules(point.energy) / to_joules;
    const bool free = std::none_of(taken.begin(), taken.end(), [&](const auto& other) {
      return std::abs(other.first - x) < kNameRoom[0] && std::abs(other.second - y) < kNameRoom[1];
    });
    if (!free) continue;
    taken.emplace_back(x, y);
    script +=
        fmt::format("set label {} {} at {:.9g},{:.9g} {} offset char {},-0.7 textcolor rgb '{}' font ',10' front\n",
                    taken.size() + 1, GnuplotQuoted(point.name), point.macs / 1e9, InJoules(point.energy),
                    x > 0.85 ? "right" : "left", x > 0.85 ? -0.8 : 0.8, kTextColour);
  }
  return script;
}

std::string LawText(const char* name, const EnergyLaw& law) {
  return fmt::format(
      "{}: {:.3g} ({:.3g} to {:.3g}) pJ/MAC, R2 {:.3f}{}", name, law.per_mac.value * 1e12, law.per_mac.low * 1e12,
      law.per_mac.high * 1e12, law.regression.r_squared,
      law.regression.predicted_r_squared ? fmt::format(", {:.3f} left out", *law.regression.predicted_r_squared) : "");
}

std::string EnergyPanel(const LawChart& chart) {
  std::string script = fmt::format(
      "set tmargin at screen 0.88\nset bmargin at screen 0.42\nset xlabel 'MACs of a forward pass, G per image'\n"
      "set ylabel 'energy of training, J per image'\n"
      "plot $law using 1:3:4 with filledcurves lc rgb '{0}' fs transparent solid 0.12 noborder title "
      "'95 % of networks not measured', \\\n  $law using 1:2 with lines lw 2 lc rgb '{0}' title {1}, \\\n",
      kLawColour, GnuplotQuoted(LawText("all", chart.law)));
  if (chart.without) {
    script += fmt::format("  $without using 1:2 with lines lw 2 dt 2 lc rgb '{}' title {}, \\\n", kWithoutColour,
                          GnuplotQuoted(LawText(chart.without_name.c_str(), *chart.without)));
  }
  return script + fmt::format(
                      "  $points using 1:3:(0):($4-$3) with vectors nohead lw 1.5 lc rgb '{0}' notitle, \\\n"
                      "  $points using 1:2 with points pt 7 ps 0.8 lc rgb '{0}' title 'networks'\n",
                      kTextColour);
}

std::string ResidualPanel(const EnergyLaw& law, const std::vector<size_t>& order) {
  std::string names;
  for (size_t place = 0; place < order.size() && order.size() <= kMostNames; ++place) {
    names += fmt::format("{}{} {}", names.empty() ? "" : ", ", GnuplotQuoted(law.points[order[place]].name), place);
  }
  return fmt::format(
      "unset label\nunset key\nset tmargin at screen 0.33\nset bmargin at screen 0.14\nset xlabel ''\n"
      "set xrange [-0.7:{}]\nset yrange [*:*]\nset xtics rotate by -40 ({}) font ',10'\n"
      "set ylabel 'measured less law, %'\nset xzeroaxis lt 1 lc rgb '{}'\nset boxwidth 0.7\n"
      "plot $residuals using 1:2 with boxes lc rgb '{}' notitle\n",
      static_cast<double>(order.size()) - 0.3, names, kTextColour, kLawColour);
}

}  // namespace

Figure LawFigure(const LawChart& chart) {
  const double to_macs = kMargin * chart.law.most_macs, to_joules = kMargin * MostEnergy(chart.law.points);
  const std::vector<size_t> order = OrderOfMacs(chart.law);
  std::string script = PointsBlock(chart.law) + LineBlock("law", chart.law, to_macs) + ResidualBlock(chart.law, order);
  if (chart.without) script += LineBlock("without", *chart.without, to_macs);
  script += fmt::format(
      "set multiplot\nset label 1 {} at screen 0.5,0.97 center font ',15' textcolor rgb '{}'\nset lmargin at screen "
      "0.09\nset rmargin at screen 0.97\nset border 3 lc rgb '{}'\nset tics nomirror out scale 0.5 textcolor rgb '{}'\n"
      "set grid ytics lc rgb '{}' lw 0.5\nset style fill solid 1.0 noborder\n"
      "set key at screen 0.5,0.945 center top maxrows 2 Left reverse samplen 2 spacing 1.15 textcolor rgb '{}' font "
      "',10'\n"
      "set xrange [0:{:.9g}]\nset yrange [0:{:.9g}]\n",
      GnuplotQuoted(chart.title), kTextColour, kTextColour, kTextColour, kGuideColour, kTextColour, to_macs / 1e9,
      to_joules);
  script += Names(chart.law, order, to_macs, to_joules) + EnergyPanel(chart) + ResidualPanel(chart.law, order) +
            "unset multiplot\n";
  return {script, kWidth, kHeight};
}

}  // namespace heliograd

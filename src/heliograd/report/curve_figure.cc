#include "heliograd/report/curve_figure.h"

#include <fmt/format.h>

#include <algorithm>

#include "heliograd/report/palette.h"

namespace heliograd {
namespace {

constexpr int kWidth = 1000, kHeight = 760;
constexpr size_t kLongestTitle = 90;
constexpr double kBarShare = 0.72;  // of the smallest step between limits
constexpr const char* kBarColour = kGridColour;
constexpr const char* kPaleBarColour = "#B9D3E6";
constexpr const char* kClockColour = kPriceColour;
constexpr const char* kKneeColour = kBatteryColour;

std::string Shortened(const std::string& text) {
  if (text.size() <= kLongestTitle) return text;
  size_t end = kLongestTitle;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;  // never within a character
  return text.substr(0, end) + " ...";
}

double SmallestStep(const std::vector<SweepLevel>& levels) {
  double step = InWatts(levels.back().limit - levels.front().limit);
  for (size_t i = 1; i < levels.size(); ++i) {
    step = std::min(step, InWatts(levels[i].limit - levels[i - 1].limit));
  }
  return step > 0 ? step : 1;
}

/// Columns: limit, energy where not dominated, energy where it is, low, high, time, low, high, clock.
std::string DataBlock(const CurveChart& chart) {
  std::string block = "$curve << EOD\n";
  for (size_t i = 0; i < chart.found.levels.size(); ++i) {
    const SweepLevel& level = chart.found.levels[i];
    const double joules = InJoules(level.energy), seconds = InSeconds(level.time);
    const std::string energy = fmt::format("{:.9g}", joules);
    block += fmt::format("{:g} {} {} {:.9g} {:.9g} {:.9g} {:.9g} {:.9g} {}\n", InWatts(level.limit),
                         level.dominated ? "NaN" : energy, level.dominated ? energy : "NaN",
                         joules * (1 - level.energy_half_width), joules * (1 + level.energy_half_width), seconds,
                         seconds * (1 - level.time_half_width), seconds * (1 + level.time_half_width),
                         chart.sm_clock_mhz[i] ? fmt::format("{:.6g}", *chart.sm_clock_mhz[i]) : std::string("NaN"));
  }
  return block + "EOD\n";
}

/// The knee in the panel that is drawn next: its interval as a band, itself as a line.
std::string KneeMarks(const SweepLimit& knee) {
  return fmt::format(
      "unset object\nunset arrow\n"
      "set object 1 rectangle from {},graph 0 to {},graph 1 behind fc rgb '{}' fs transparent solid 0.18 noborder\n"
      "set arrow 1 from {},graph 0 to {},graph 1 nohead lc rgb '{}' lw 2 dt 3 back\n",
      InWatts(knee.low), InWatts(knee.high), kKneeColour, InWatts(knee.limit), InWatts(knee.limit), kKneeColour);
}

std::string KneeTitle(const SweepLimit& knee) {
  return GnuplotQuoted(fmt::format("least energy: {:.0f} W ({:.0f} to {:.0f} W)", InWatts(knee.limit),
                                   InWatts(knee.low), InWatts(knee.high)));
}

std::string EnergyPanel(const CurveChart& chart, double bar_width, bool has_clock) {
  const auto& levels = chart.found.levels;
  const bool has_dominated = std::any_of(levels.begin(), levels.end(), [](const auto& l) { return l.dominated; });
  std::string script = KneeMarks(chart.found.least_energy) +
                       fmt::format(
                           "set tmargin at screen 0.86\nset bmargin at screen 0.40\nset yrange [0:*]\n"
                           "set ylabel {}\nset format x ''\nset xlabel ''\n",
                           GnuplotQuoted("energy, J per " + chart.unit));
  if (has_clock) {
    script += fmt::format(
        "set y2tics nomirror out scale 0.5 textcolor rgb '{0}'\nset y2range [0:*]\nset y2label 'SM clock, MHz' "
        "textcolor "
        "rgb '{0}'\nset border 11\n",
        kClockColour);
  }
  script += fmt::format(
      "plot $curve using 1:2:({0}) with boxes lc rgb '{1}' title 'energy'{2}, \\\n"
      "  $curve using 1:4:(0):($5-$4) with vectors nohead lw 2 lc rgb '{3}' title '95 % interval', \\\n"
      "  {4}1/0 with lines lw 6 lc rgb '{5}' title {6}\n",
      bar_width, kBarColour,
      has_dominated ? fmt::format(", \\\n  $curve using 1:3:({}) with boxes lc rgb '{}' title 'energy, dominated'",
                                  bar_width, kPaleBarColour)
                    : "",
      kTextColour,
      has_clock
          ? fmt::format("$curve using 1:9 axes x1y2 with linespoints lc rgb '{}' lw 2 pt 7 ps 0.8 title 'SM clock "
                        "(right)', \\\n  ",
                        kClockColour)
          : "",
      kKneeColour, KneeTitle(chart.found.least_energy));
  return script;
}

std::string TimePanel(const CurveChart& chart) {
  return KneeMarks(chart.found.least_energy) +
         fmt::format(
             "unset title\nunset key\nunset y2tics\nunset y2label\nset border 3\nset tmargin at screen 0.36\n"
             "set bmargin at screen 0.10\nset format x '%g'\nset xlabel 'power limit, W'\nset ylabel {}\n"
             "plot $curve using 1:6 with linespoints lc rgb '{}' lw 2 pt 7 ps 0.8, \\\n"
             "  $curve using 1:7:(0):($8-$7) with vectors nohead lw 2 lc rgb '{}'\n",
             GnuplotQuoted("time, s per " + chart.unit), kBarColour, kBarColour);
}

}  // namespace

Figure CurveFigure(const CurveChart& chart) {
  const auto& levels = chart.found.levels;
  const double step = SmallestStep(levels);
  const bool has_clock = std::any_of(chart.sm_clock_mhz.begin(), chart.sm_clock_mhz.end(),
                                     [](const std::optional<double>& clock) { return clock.has_value(); });
  std::string script = DataBlock(chart);
  script += fmt::format(
      "set multiplot\nset label 1 {} at screen 0.5,0.965 center font ',16' textcolor rgb '{}'\nset lmargin at screen "
      "0.09\nset rmargin at screen 0.91\nset xrange [{}:{}]\nset border 3 lc rgb '{}'\n"
      "set tics nomirror out scale 0.5 textcolor rgb '{}'\nset grid ytics lc rgb '{}' lw 0.5\n"
      "set style fill solid 1.0 noborder\n"
      "set key at screen 0.5,0.935 center top horizontal Left reverse maxrows 2 samplen 2 spacing 1.15 textcolor rgb "
      "'{}'\n",
      GnuplotQuoted(Shortened(chart.title)), kTextColour, InWatts(levels.front().limit) - step,
      InWatts(levels.back().limit) + step, kTextColour, kTextColour, kGuideColour, kTextColour);
  script +=
      EnergyPanel(chart, kBarShare * step, has_clock) + "unset label 1\n" + TimePanel(chart) + "unset multiplot\n";
  return {script, kWidth, kHeight};
}

}  // namespace heliograd

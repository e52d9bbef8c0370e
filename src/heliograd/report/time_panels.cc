#include "heliograd/report/time_panels.h"

#include <fmt/format.h>

#include "heliograd/report/palette.h"
#include "heliograd/report/time_axis.h"

namespace heliograd {
namespace {

constexpr int kMostSeparateBars = 60;
constexpr int kLabelCells = 110;  // so many characters of labels fit below the figure
constexpr int kWidth = 1000;
constexpr int kTitleHeight = 64;
constexpr int kAxisHeight = 62;
constexpr int kPanelGap = 24;

std::string TickList(const Horizon& horizon, const TimeZone& zone, bool labelled) {
  const TimeColumns fit = FitColumns(horizon, kLabelCells);
  const double slot_h = InHours(horizon.SlotDuration());
  std::string list;
  bool first = true;
  for (const TimeMark& mark : MarkTime(horizon, fit, zone)) {
    const double hour = fit.FirstSlot(mark.column) * slot_h;
    const bool dated = first || mark.date_begins;
    // Labels are made of digits and names of days and months only, so the double quotes that "\n" needs are safe.
    const std::string label = !labelled ? "" : dated ? fmt::format("{}\\n{}", mark.label, mark.date) : mark.label;
    list += fmt::format("{}\"{}\" {:.5f}", first ? "" : ", ", label, hour);
    first = false;
  }
  return list;
}

/// Thin lines through all panels where a new day (month, year) begins.
std::string DayLines(const Horizon& horizon, const TimeZone& zone) {
  const TimeColumns fit = FitColumns(horizon, kLabelCells);
  std::string lines;
  for (const TimeMark& mark : MarkTime(horizon, fit, zone)) {
    if (!mark.date_begins || mark.column == 0) continue;
    const double hour = fit.FirstSlot(mark.column) * InHours(horizon.SlotDuration());
    lines += fmt::format(
        "set arrow from first {0:.5f}, graph 0 to first {0:.5f}, graph 1 nohead lc rgb '#888888' dt 3 lw 1\n", hour);
  }
  return lines;
}

std::string CommonSettings(const Horizon& horizon, int columns, const TimeZone& zone) {
  const double hours = InHours(horizon.SlotDuration()) * horizon.slots;
  return fmt::format(
             "set xrange [0:{:.5f}]\nset style fill solid 1.0 noborder\nset boxwidth {} relative\n"
             "set border 3 lc rgb '{}'\nset tics nomirror out scale 0.5 textcolor rgb '{}'\nset grid ytics lc rgb '{}' "
             "lw 0.5\n"
             "set key left top vertical Left reverse samplen 1.5 spacing 1.15 textcolor rgb '{}'\n"
             "set ytics autofreq\n",
             hours, columns <= kMostSeparateBars ? 0.94 : 1.0, kTextColour, kTextColour, kGuideColour, kTextColour) +
         DayLines(horizon, zone);
}

/// Puts the next plot and its legend, to the right of the data, on the page.
std::string Place(int top_px, int height_px, int total_px) {
  const double top = 1.0 - static_cast<double>(top_px) / total_px;
  const double bottom = 1.0 - static_cast<double>(top_px + height_px) / total_px;
  return fmt::format(
      "set tmargin at screen {:.4f}\nset bmargin at screen {:.4f}\nset lmargin at screen 0.085\n"
      "set rmargin at screen 0.83\nset key at screen 0.845, screen {:.4f}\n",
      top, bottom, top);
}

}  // namespace

std::string Bars(const char* colour, int columns) {
  return columns <= kMostSeparateBars
             ? fmt::format("with boxes lc rgb '{}'", colour)
             : fmt::format("with boxes lc rgb '{0}' lw 0.5 fs solid 1.0 border rgb '{0}'", colour);
}

std::string StepBlock(const std::string& name, const std::vector<double>& values, const TimeColumns& fit,
                      const Horizon& horizon) {
  const double slot_h = InHours(horizon.SlotDuration());
  std::string block = fmt::format("${} << EOD\n", name);
  for (size_t c = 0; c < values.size(); ++c) {
    if (c > 0 && values[c] == values[c - 1]) continue;
    block += fmt::format("{:.5f} {:.5f}\n", fit.FirstSlot(static_cast<int>(c)) * slot_h, values[c]);
  }
  return block + fmt::format("{:.5f} {:.5f}\nEOD\n", horizon.slots * slot_h, values.back());
}

Figure StackPanels(const Horizon& horizon, const TimeZone& zone, const std::string& heading, const std::string& data,
                   const std::vector<Panel>& panels, int columns) {
  int total_px = kTitleHeight + kAxisHeight;
  for (const Panel& panel : panels) total_px += panel.height_px + kPanelGap;
  std::string script = data;
  script += fmt::format("set multiplot\nset label 1 {} at screen 0.085, screen {:.4f} font ',16' textcolor rgb '{}'\n",
                        GnuplotQuoted(heading), 1.0 - 26.0 / total_px, kTextColour);
  script += CommonSettings(horizon, columns, zone);
  int top_px = kTitleHeight;
  for (size_t i = 0; i < panels.size(); ++i) {
    const bool last = i + 1 == panels.size();
    script += Place(top_px, panels[i].height_px, total_px);
    script += fmt::format("set xtics ({})\n", TickList(horizon, zone, last));
    if (last) script += fmt::format("set xlabel {}\n", GnuplotQuoted("local time, " + zone.name()));
    script += panels[i].commands + "unset label 1\nset yrange [*:*]\n";
    top_px += panels[i].height_px + kPanelGap;
  }
  return {script + "unset multiplot\n", kWidth, total_px};
}

}  // namespace heliograd

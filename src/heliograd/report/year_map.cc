#include "heliograd/report/year_map.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "heliograd/base/time.h"
#include "heliograd/report/number_text.h"
#include "heliograd/report/text_table.h"

namespace heliograd {
namespace {

constexpr int kMonths = 12;
constexpr int kHoursPerDay = 24;
constexpr std::array<int, kMonths> kDaysPerMonth{31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
constexpr int kLabel = 5;  // "Jan  "

using MonthHourPower = std::array<std::array<Power, kHoursPerDay>, kMonths>;

MonthHourPower MeanByMonthAndHour(const PvYearSeries& year) {
  MonthHourPower mean{};
  size_t hour = 0;
  for (size_t month = 0; month < kMonths; ++month) {
    for (int day = 0; day < kDaysPerMonth[month]; ++day) {
      for (size_t h = 0; h < kHoursPerDay; ++h) mean[month][h] += year.hourly[hour++] / kDaysPerMonth[month];
    }
  }
  return mean;
}

std::array<Energy, kMonths> EnergyByMonth(const PvYearSeries& year) {
  std::array<Energy, kMonths> sums{};
  size_t hour = 0;
  for (size_t month = 0; month < kMonths; ++month) {
    for (int h = 0; h < kDaysPerMonth[month] * kHoursPerDay; ++h) sums[month] += year.hourly[hour++] * Hours(1);
  }
  return sums;
}

constexpr int kShades = 5;

std::string Shade(int shade, bool utf8) {
  static constexpr std::array<const char*, kShades> kBlocks{" ", "░", "▒", "▓", "█"};
  static constexpr std::array<const char*, kShades> kAscii{" ", ".", ":", "*", "#"};
  return utf8 ? kBlocks.at(static_cast<size_t>(shade)) : kAscii.at(static_cast<size_t>(shade));
}

/// Empty only for no power at all.
int ShadeOf(Power power, Power full) {
  if (!(power > Power()) || !(full > Power())) return 0;
  return std::clamp(static_cast<int>(std::ceil(power / full * (kShades - 1))), 1, kShades - 1);
}

std::string HourLine(int cells_per_hour) {
  std::string line(kLabel, ' ');
  for (int hour = 0; hour < kHoursPerDay; hour += 3) line += PadRight(fmt::format("{:02}", hour), 3 * cells_per_hour);
  line.erase(line.find_last_not_of(' ') + 1);
  return line + '\n';
}

std::string Legend(Power full, const TerminalStyle& style) {
  std::string legend;
  for (int shade = 1; shade < kShades; ++shade) {
    legend += fmt::format("{}{} to {}", legend.empty() ? "" : ", ", Shade(shade, style.utf8),
                          PowerText(full * (static_cast<double>(shade) / (kShades - 1))));
  }
  return Paragraph("Mean PV power by month and hour of local standard time, modelled: " + legend + ".", style);
}

}  // namespace

std::string DrawYear(const PvYearSeries& year, const TerminalStyle& style) {
  const MonthHourPower mean = MeanByMonthAndHour(year);
  Power full;
  for (const auto& month : mean) full = std::max(full, *std::max_element(month.begin(), month.end()));
  const int cells = std::clamp((style.width - kLabel) / kHoursPerDay, 1, 3);
  std::string drawn = HourLine(cells);
  for (size_t month = 0; month < kMonths; ++month) {
    std::string line;
    for (const Power power : mean[month]) {
      for (int i = 0; i < cells; ++i) line += Shade(ShadeOf(power, full), style.utf8);
    }
    line.erase(line.find_last_not_of(' ') + 1);
    drawn += PadRight(MonthText(static_cast<int>(month) + 1), kLabel) + Paint(style, Ink::kPv, line) + '\n';
  }
  return drawn + Legend(full, style);
}

std::string DrawMonths(const PvYearSeries& year, const TerminalStyle& style) {
  const std::array<Energy, kMonths> sums = EnergyByMonth(year);
  const Energy largest = *std::max_element(sums.begin(), sums.end());
  Energy total;
  const int room = std::clamp(style.width - 20, 10, 50);
  TextTable table({{"", Align::kLeft}, {""}, {"", Align::kLeft}});
  for (size_t month = 0; month < kMonths; ++month) {
    std::string bar;
    const double part = largest > Energy() ? sums[month] / largest : 0.0;
    for (int i = 0; i < std::lround(part * room); ++i) bar += style.utf8 ? "■" : "#";
    table.AddRow(
        {MonthText(static_cast<int>(month) + 1), fmt::format("{:.1f} kWh", InKilowattHours(sums[month])), bar});
    total += sums[month];
  }
  table.AddRow({"year", fmt::format("{:.1f} kWh", InKilowattHours(total)), ""}, Ink::kBold);
  return table.Draw(style);
}

}  // namespace heliograd

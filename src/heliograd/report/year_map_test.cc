#include "heliograd/report/year_map.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

#include "heliograd/report/text_table.h"

namespace heliograd {
namespace {

using testing::HasSubstr;

/// 400 W from 10:00 to 14:00 in June, 100 W in all other months.
PvYearSeries NoonYear() {
  PvYearSeries year;
  for (int hour = 0; hour < 8760; ++hour) {
    const int day = hour / 24;
    const bool june = day >= 151 && day < 181;
    const bool noon = hour % 24 >= 10 && hour % 24 < 14;
    year.hourly.push_back(Watts(!noon ? 0 : june ? 400 : 100));
  }
  return year;
}

TEST(DrawYear, ShadesMonthsByHour) {
  const std::string drawn = DrawYear(NoonYear(), {.width = 40});
  EXPECT_THAT(drawn, HasSubstr("     00 03 06 09 12 15 18 21\n"));
  EXPECT_THAT(drawn, HasSubstr("May            ░░░░\nJun            ████\nJul            ░░░░\n"));
  EXPECT_THAT(drawn, HasSubstr("█ to 400 W"));
  EXPECT_THAT(DrawYear(NoonYear(), {.width = 40, .utf8 = false}), HasSubstr("Jun            ####\n"));
}

TEST(DrawMonths, SumsEnergy) {
  const std::string drawn = DrawMonths(NoonYear(), {.width = 40});
  // June: 30 days x 4 h x 400 W; the other 335 days x 4 h x 100 W.
  EXPECT_THAT(drawn, HasSubstr("Jun    48.0 kWh  ■■■■■■■■■■■■■■■■■■■■\n"));
  EXPECT_THAT(drawn, HasSubstr("year  182.0 kWh\n"));
}

TEST(DrawYear, StaysWithinTheWidthAndCopesWithDarkness) {
  PvYearSeries dark;
  dark.hourly.assign(8760, Power());
  for (const PvYearSeries& year : {NoonYear(), dark}) {
    for (int width = 40; width <= 200; width += 20) {
      const TerminalStyle style{.width = width};
      std::istringstream drawn(DrawYear(year, style) + DrawMonths(year, style));
      for (std::string line; std::getline(drawn, line);) EXPECT_LE(DisplayWidth(line), width) << line;
    }
  }
}

}  // namespace
}  // namespace heliograd

#include "heliograd/report/time_axis.h"

#include <gtest/gtest.h>

namespace heliograd {
namespace {

Horizon HoursFrom(const CivilTime& start, int slots, int minutes = 60) {
  return {StampFromUtc(start), std::chrono::seconds(60 * minutes), slots};
}

TEST(FitColumns, GivesShortPlansWideColumns) {
  const TimeColumns fit = FitColumns(HoursFrom({2025, 1, 1, 20, 0, 0}, 19), 80);
  EXPECT_EQ(fit.columns, 19);
  EXPECT_EQ(fit.cells_per_column, 4);
}

TEST(FitColumns, GathersLongPlansIntoRoundTimes) {
  // 192 quarter hours in 80 characters need 3 in one; an hour (4) is the next round time.
  EXPECT_EQ(FitColumns(HoursFrom({2025, 1, 1}, 192, 15), 80).slots_per_column, 4);
  // A year in 80 characters needs 110 h in one; five days (120 h) is the next round time.
  const TimeColumns year = FitColumns(HoursFrom({2025, 1, 1}, 8760), 80);
  EXPECT_EQ(year.slots_per_column, 120);
  EXPECT_EQ(year.columns, 73);
}

TEST(FitColumns, CoversEverySlotAndNeverMoreThanTheCells) {
  for (int minutes : {1, 5, 15, 60}) {
    for (int slots : {1, 2, 39, 40, 41, 97, 1000, 8760, 100000}) {
      for (int cells : {1, 29, 80, 189}) {
        const TimeColumns fit = FitColumns(HoursFrom({2025, 1, 1}, slots, minutes), cells);
        EXPECT_LE(fit.cells(), cells);
        EXPECT_LT(fit.FirstSlot(fit.columns - 1), slots);
        EXPECT_EQ(fit.EndSlot(fit.columns - 1, slots), slots);
      }
    }
  }
}

TEST(MakeTimeAxis, MarksHoursAndMidnight) {
  const Horizon horizon = HoursFrom({2025, 1, 1, 22, 0, 0}, 6);
  const TimeAxis axis = MakeTimeAxis(horizon, {1, 4, 6}, TimeZone(), true);
  EXPECT_EQ(axis.ticks, "┴───┴───┼───┴───┴───┴───");
  EXPECT_EQ(axis.labels, "22  23  00  01  02  03");
  EXPECT_EQ(axis.dates, "1 Jan   Thu 2 Jan");
}

TEST(MakeTimeAxis, FollowsTheLocalClockThroughDaylightSaving) {
  const auto rome = TimeZone::Find("Europe/Rome");
  ASSERT_TRUE(rome);
  // 26 October 2025: 02:00 to 03:00 occurs twice. 23:00 UTC is 01:00 local.
  const TimeAxis autumn = MakeTimeAxis(HoursFrom({2025, 10, 25, 23, 0, 0}, 4), {1, 4, 4}, *rome, false);
  EXPECT_EQ(autumn.labels, "01  02      03");
  // 30 March 2025: 02:00 to 03:00 does not occur.
  const TimeAxis spring = MakeTimeAxis(HoursFrom({2025, 3, 30, 0, 0, 0}, 3), {1, 4, 3}, *rome, false);
  EXPECT_EQ(spring.labels, "01  03  04");
}

TEST(MakeTimeAxis, MarksMonthsOfAYear) {
  const Horizon year = HoursFrom({2025, 1, 1}, 8760);
  const TimeAxis axis = MakeTimeAxis(year, FitColumns(year, 80), TimeZone(), false);
  // Columns of 120 h: the months begin at hours 0, 744, 1416, 2160, so in columns 0, 6, 11, 18.
  EXPECT_EQ(axis.labels.substr(0, 21), "Jan   Feb  Mar    Apr");
  EXPECT_EQ(axis.dates, "2025");
}

}  // namespace
}  // namespace heliograd

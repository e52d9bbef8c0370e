#include "heliograd/feed/tariff.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace heliograd {
namespace {

using ::testing::HasSubstr;

const EnergyPrice kF1 = EurosPerKilowattHour(0.45);
const EnergyPrice kF2 = EurosPerKilowattHour(0.35);
const EnergyPrice kF3 = EurosPerKilowattHour(0.25);

TimeZone Zone(const std::string& name) { return TimeZone::Find(name).value(); }

Stamp Local(const std::string& civil, const TimeZone& zone) { return ParseStamp(civil, zone).value(); }

/// Price in EUR/kWh of one slot that begins at `civil` on the tariff's own clock.
double PriceAt(const BandTariff& tariff, const std::string& civil, std::chrono::seconds step = std::chrono::hours(1)) {
  return InEurosPerKilowattHour(PricesPerSlot(tariff, {Local(civil, tariff.zone), step, 1}).value().front());
}

TEST(PaperBands, FollowTheStudyEveryDay) {
  const BandTariff tariff = PaperBands(kF1, kF2, kF3, Zone("+01:00"));
  for (const std::string day : {"2025-01-01", "2025-01-04", "2025-01-05"}) {
    EXPECT_DOUBLE_EQ(PriceAt(tariff, day + " 07:00"), 0.25);
    EXPECT_DOUBLE_EQ(PriceAt(tariff, day + " 08:00"), 0.45);
    EXPECT_DOUBLE_EQ(PriceAt(tariff, day + " 19:00"), 0.45);
    EXPECT_DOUBLE_EQ(PriceAt(tariff, day + " 20:00"), 0.35);
    EXPECT_DOUBLE_EQ(PriceAt(tariff, day + " 22:00"), 0.35);
    EXPECT_DOUBLE_EQ(PriceAt(tariff, day + " 23:00"), 0.25);
  }
}

TEST(AreraBands, WeekdaySaturdaySundayAndHoliday) {
  const BandTariff tariff = AreraBands(kF1, kF2, kF3).value();
  const auto bands_of = [&tariff](const std::string& day) {
    const auto prices = PricesPerSlot(tariff, {Local(day + " 00:00", tariff.zone), std::chrono::hours(1), 24}).value();
    std::string bands;
    for (const EnergyPrice price : prices) bands += price == kF1 ? '1' : price == kF2 ? '2' : '3';
    return bands;
  };
  const std::string workday = "333333321111111111122223";
  const std::string saturday = "333333322222222222222223";
  const std::string holiday(24, '3');
  EXPECT_EQ(bands_of("2025-06-03"), workday);  // Tuesday, summer time
  EXPECT_EQ(bands_of("2025-01-07"), workday);  // Tuesday, winter time
  EXPECT_EQ(bands_of("2025-06-07"), saturday);
  EXPECT_EQ(bands_of("2025-06-08"), holiday);  // Sunday
  EXPECT_EQ(bands_of("2025-06-02"), holiday);  // Republic day, a Monday
  EXPECT_EQ(bands_of("2025-04-21"), holiday);  // Easter Monday
  EXPECT_EQ(bands_of("2025-11-01"), holiday);  // All Saints, a Saturday
  EXPECT_EQ(bands_of("2025-06-24"), workday);  // Turin's patron saint is no national holiday
}

TEST(AreraBands, DaysOf23And25HoursKeepTheLocalClock) {
  const BandTariff tariff = AreraBands(kF1, kF2, kF3).value();
  // Both change-over days are Sundays; the Mondays after them begin F1 at 08:00 local, 06:00Z in summer, 07:00Z in
  // winter.
  const Stamp summer = StampFromUtc({.year = 2025, .month = 3, .day = 31, .hour = 6});
  const Stamp winter = StampFromUtc({.year = 2025, .month = 10, .day = 27, .hour = 7});
  for (const Stamp start : {summer, winter}) {
    const auto prices = PricesPerSlot(tariff, {start - std::chrono::hours(1), std::chrono::hours(1), 2}).value();
    EXPECT_EQ(prices[0], kF2);
    EXPECT_EQ(prices[1], kF1);
  }
}

TEST(PricesPerSlot, FixedPriceIsTheSameInEverySlot) {
  const auto prices = PricesPerSlot(kF1, {StampFromUtc({}), std::chrono::minutes(15), 5}).value();
  EXPECT_EQ(prices, std::vector<EnergyPrice>(5, kF1));
}

TEST(PricesPerSlot, SlotAcrossABandEdgeIsWeightedByTime) {
  const BandTariff tariff = PaperBands(kF1, kF2, kF3, Zone("+01:00"));
  // 07:45-08:45: a quarter at F3, three quarters at F1; equal up to the rounding of a sum of two products.
  EXPECT_NEAR(PriceAt(tariff, "2025-01-01 07:45"), 0.25 * 0.25 + 0.75 * 0.45, 1e-15);
  EXPECT_DOUBLE_EQ(PriceAt(tariff, "2025-01-01 07:45", std::chrono::minutes(15)), 0.25);
  EXPECT_DOUBLE_EQ(PriceAt(tariff, "2025-01-01 08:00", std::chrono::minutes(15)), 0.45);
  EXPECT_NEAR(PriceAt(tariff, "2025-01-01 07:59:59"), (1 * 0.25 + 3599 * 0.45) / 3600, 1e-15);
}

TEST(PricesPerSlot, ZoneOfHalfHoursSplitsUtcHours) {
  const BandTariff tariff = PaperBands(kF1, kF2, kF3, Zone("Asia/Kolkata"));          // +05:30
  const Stamp start = StampFromUtc({.year = 2025, .month = 1, .day = 1, .hour = 2});  // 07:30 local
  const auto prices = PricesPerSlot(tariff, {start, std::chrono::hours(1), 2}).value();
  EXPECT_NEAR(InEurosPerKilowattHour(prices[0]), 0.35, 1e-15);  // half F3 0.25, half F1 0.45
  EXPECT_DOUBLE_EQ(InEurosPerKilowattHour(prices[1]), 0.45);
}

TEST(PricesPerSlot, HalfHourOfDaylightSavingMovesTheEdges) {
  // Lord Howe Island moves its clock by half an hour: +10:30 to +11:00 on 5 October 2025 at 02:00 local.
  BandTariff tariff{.zone = Zone("Australia/Lord_Howe")};
  for (auto& day : tariff.price) day[2] = kF1;
  const Stamp start =
      StampFromUtc({.year = 2025, .month = 10, .day = 4, .hour = 15});  // 01:30 local, changes at 15:30Z
  const auto prices = PricesPerSlot(tariff, {start, std::chrono::minutes(30), 3}).value();
  EXPECT_EQ(prices[0], EnergyPrice());  // 01:30-02:00
  EXPECT_EQ(prices[1], kF1);            // 02:30-03:00
  EXPECT_EQ(prices[2], EnergyPrice());  // 03:00-03:30
}

TEST(PricesPerSlot, SeriesWithAGapIsAnError) {
  StepSeries<EnergyPrice> series{"prices.csv", {{StampFromUtc({}), StampFromUtc({}) + std::chrono::hours(1), kF1}}};
  EXPECT_EQ(PricesPerSlot(series, {StampFromUtc({}), std::chrono::hours(1), 1}).value().front(), kF1);
  const auto short_of = PricesPerSlot(series, {StampFromUtc({}), std::chrono::hours(1), 2});
  ASSERT_FALSE(short_of);
  EXPECT_THAT(short_of.error().Message(), HasSubstr("prices.csv: no value from 1970-01-01T01:00:00Z"));
}

TEST(MakeBandTariff, BuildsAreraFromItsWords) {
  const BandTariff arera = AreraBands(kF1, kF2, kF3).value();
  const auto made = MakeBandTariff({{"mon-fri", 8, 19, kF1},
                                    {"Mon-Fri", 7, 8, kF2},
                                    {"mon-fri", 19, 23, kF2},
                                    {"sat", 7, 23, kF2},
                                    {"mon-sat", 23, 7, kF3},
                                    {"sun, holiday", 0, 24, kF3}},
                                   arera.zone, HolidayCalendar::kItaly);
  ASSERT_TRUE(made) << made.error().Message();
  EXPECT_EQ(made->price, arera.price);
  EXPECT_EQ(made->holidays, HolidayCalendar::kItaly);
}

TEST(MakeBandTariff, RangesWrapRoundTheWeekAndMidnight) {
  const auto made = MakeBandTariff({{"sat-mon", 0, 24, kF1}, {"tue-fri", 20, 8, kF2}, {"tue-fri", 8, 20, kF3}},
                                   TimeZone(), HolidayCalendar::kNone);
  ASSERT_TRUE(made) << made.error().Message();
  EXPECT_EQ(made->price[0][12], kF1);
  EXPECT_EQ(made->price[1][7], kF2);
  EXPECT_EQ(made->price[1][8], kF3);
  EXPECT_EQ(made->price[5][0], kF1);
}

TEST(MakeBandTariff, NamesEveryGapAndOverlap) {
  const auto made = MakeBandTariff({{"mon-sun", 0, 24, kF1}, {"tue", 8, 10, kF2}}, TimeZone(), HolidayCalendar::kItaly);
  ASSERT_FALSE(made);
  EXPECT_THAT(
      made.error().problems,
      ::testing::ElementsAre("bands: no price for holiday 00-24: add bands that cover it.",
                             "bands: more than one price (bands 1, 2) for tue 08-10: leave it to one of them."));
  const auto short_day =
      MakeBandTariff({{"all", 0, 12, kF1}, {"mon-sat", 12, 24, kF1}}, TimeZone(), HolidayCalendar::kNone);
  ASSERT_FALSE(short_day);
  EXPECT_THAT(short_day.error().problems,
              ::testing::ElementsAre("bands: no price for sun 12-24: add bands that cover it."));
}

TEST(MakeBandTariff, NamesAllGapsOfAWeekInOneLine) {
  const auto made = MakeBandTariff({{"mon-fri", 7, 22, kF1}, {"sat", 0, 24, kF1}}, TimeZone(), HolidayCalendar::kItaly);
  ASSERT_FALSE(made);
  EXPECT_THAT(made.error().problems,
              ::testing::ElementsAre("bands: no price for mon-fri 00-07; mon-fri 22-24; sun,holiday 00-24: add bands "
                                     "that cover it."));
}

TEST(MakeBandTariff, NamesBadDaysHoursAndPrices) {
  const auto made = MakeBandTariff({{"mon-fry", 0, 24, kF1},
                                    {"all", 8, 25, kF1},
                                    {"all", 7, 7, kF1},
                                    {"mon-holiday", 0, 24, kF1},
                                    {"", 0, 24, kF1},
                                    {"all", 0, 24, kF1 * (1.0 / 0.0)}},
                                   TimeZone(), HolidayCalendar::kNone);
  ASSERT_FALSE(made);
  ASSERT_EQ(made.error().problems.size(), 6u);
  EXPECT_THAT(made.error().problems[0], HasSubstr("bands: band 1: days 'mon-fry': 'mon-fry' is not a day"));
  EXPECT_THAT(made.error().problems[1], HasSubstr("band 2: from 8 to 25"));
  EXPECT_THAT(made.error().problems[2], HasSubstr("band 3: from 7 to 7"));
  EXPECT_THAT(made.error().problems[5], HasSubstr("band 6: the price is not a finite number"));
}

TEST(MakeBandTariff, NoBandsLeavesEveryDayWithoutPrice) {
  const auto made = MakeBandTariff({}, TimeZone(), HolidayCalendar::kItaly);
  ASSERT_FALSE(made);
  EXPECT_THAT(made.error().problems,
              ::testing::ElementsAre("bands: no price for mon-sun,holiday 00-24: add bands that cover it."));
}

}  // namespace
}  // namespace heliograd

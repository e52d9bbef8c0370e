#include "heliograd/optimize/offgrid.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <fstream>
#include <random>
#include <string>

#include "heliograd/base/text.h"
#include "heliograd/base/time.h"
#include "heliograd/plan/test_problems.h"

namespace heliograd {
namespace {

constexpr std::array kModes = {OffgridMode::kMinimum, OffgridMode::kDynamic};

std::vector<std::vector<std::string>> ReadCsv(const std::string& file) {
  std::ifstream stream(std::string(HELIOGRAD_SOURCE_DIR) + "/data/" + file);
  std::vector<std::vector<std::string>> rows;
  for (std::string line; std::getline(stream, line);) rows.push_back(SplitCsvLine(line));
  return rows;
}

/// The reference year of a 1000 W panel, scaled.
std::vector<Power> ReferenceYear(double dc_capacity_w) {
  static const auto rows = ReadCsv("pv/turin_pvgis_tilt20_roof_v8.csv");
  std::vector<Power> year;
  for (size_t i = 1; i < rows.size(); ++i) year.push_back(Watts(*ParseNumber(rows[i].back()) * dc_capacity_w / 1000));
  return year;
}

size_t FirstHourOfMonth(int month) { return static_cast<size_t>(DayOfTypicalYear(month, 1)) * 24; }

std::string Printed(double value) { return fmt::format("{:.6f}", value); }

TEST(Offgrid, EqualsTheReferenceToThePrintedDigits) {
  const auto rows = ReadCsv("plans/offgrid_pvgis_v8.csv");
  ASSERT_EQ(rows.size(), 241u);
  for (size_t i = 1; i < rows.size(); ++i) {
    const auto& row = rows[i];
    const auto mode = row[2] == "minimum" ? OffgridMode::kMinimum : OffgridMode::kDynamic;
    const auto year = ReferenceYear(*ParseNumber(row[1]));
    ASSERT_EQ(year.size(), 8760u);
    const size_t start = FirstHourOfMonth(static_cast<int>(*ParseInteger(row[0])));
    for (const OffgridResult& result : {SimulateOffgrid(year, Hours(1), start, StudyTable(), mode),
                                        OffgridYear(year, Hours(1), StudyTable(), mode).From(start)}) {
      SCOPED_TRACE(fmt::format("month {}, {} W, {}", row[0], row[1], row[2]));
      EXPECT_EQ(result.finished ? Printed(InHours(result.time_to_finish)) : "", row[3]);
      EXPECT_EQ(Printed(InHours(result.running_time)), row[4]);
      EXPECT_EQ(Printed(InWatts(result.mean_gpu_power)), row[5]);
      EXPECT_EQ(Printed(InWattHours(result.pv_used)), row[6]);
    }
  }
}

void ExpectSame(const OffgridResult& a, const OffgridResult& b) {
  const auto near = [](double x, double y) { EXPECT_NEAR(x, y, 1e-9 * std::max(1.0, std::abs(x))); };
  EXPECT_EQ(a.finished, b.finished);
  near(InHours(a.time_to_finish), InHours(b.time_to_finish));
  near(InHours(a.running_time), InHours(b.running_time));
  near(InWatts(a.mean_gpu_power), InWatts(b.mean_gpu_power));
  near(InWattHours(a.pv_used), InWattHours(b.pv_used));
  near(InWattHours(a.pv_lost), InWattHours(b.pv_lost));
}

TEST(OffgridYear, EqualsTheSimulationOnTheReferenceYear) {
  for (const double dc_capacity_w : {150.0, 300.0, 1000.0}) {
    const auto year = ReferenceYear(dc_capacity_w);
    for (const OffgridMode mode : kModes) {
      const OffgridYear prepared(year, Hours(1), StudyTable(), mode);
      for (size_t start = 0; start < year.size(); start += 97) {
        SCOPED_TRACE(start);
        ExpectSame(SimulateOffgrid(year, Hours(1), start, StudyTable(), mode), prepared.From(start));
      }
    }
  }
}

TEST(OffgridYear, EqualsTheSimulationOnRandomShortYears) {
  std::mt19937 generator(7);
  const auto random = [&](unsigned below) { return static_cast<int>(generator() % below); };
  for (int round = 0; round < 3000; ++round) {
    std::vector<Power> year(static_cast<size_t>(1 + random(12)));
    for (Power& power : year) power = Watts(random(3) == 0 ? 0 : 10.0 * random(40));
    // Times that are whole multiples of the slot make jobs end exactly at the end of slots and of years.
    const std::vector<Level> levels = {{Watts(100), Watts(100), Hours(1 + random(40))},
                                       {Watts(200), Watts(200), Hours(1 + random(20))}};
    const double work = random(2) == 0 ? 1.0 : 0.25 * (1 + random(4));
    const size_t start = generator() % year.size();
    for (const OffgridMode mode : kModes) {
      SCOPED_TRACE(round);
      ExpectSame(SimulateOffgrid(year, Hours(1), start, levels, mode, work),
                 OffgridYear(year, Hours(1), levels, mode).From(start, work));
    }
  }
}

TEST(OffgridYear, TenSizesFromEveryHourInBothModesTakeLessThanASecond) {
  const auto began = std::chrono::steady_clock::now();
  double hours = 0;
  for (double dc_capacity_w = 100; dc_capacity_w <= 1000; dc_capacity_w += 100) {
    const auto year = ReferenceYear(dc_capacity_w);
    for (const OffgridMode mode : kModes) {
      const OffgridYear prepared(year, Hours(1), StudyTable(), mode);
      for (size_t start = 0; start < year.size(); ++start) hours += InHours(prepared.From(start).time_to_finish);
    }
  }
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
  EXPECT_GT(hours, 0);
  EXPECT_LT(took.count(), 1.0);
  RecordProperty("seconds", fmt::format("{:.4f}", took.count()));
}

const std::vector<Level> kTwoLevels = {{Watts(100), Watts(100), Hours(4)}, {Watts(200), Watts(200), Hours(2)}};

/// Both implementations, which must agree.
OffgridResult Simulate(const std::vector<Power>& year, size_t start, OffgridMode mode, double work = 1.0) {
  const OffgridResult result = SimulateOffgrid(year, Hours(1), start, kTwoLevels, mode, work);
  ExpectSame(result, OffgridYear(year, Hours(1), kTwoLevels, mode).From(start, work));
  return result;
}

TEST(Offgrid, PvExactlyAtALevelFeedsIt) {
  const auto result = Simulate({Watts(200)}, 0, OffgridMode::kDynamic);
  EXPECT_EQ(result.time_to_finish, Hours(2));
  EXPECT_EQ(result.pv_lost, Energy());
  EXPECT_FALSE(Simulate({Watts(99.999)}, 0, OffgridMode::kDynamic).finished);
}

TEST(Offgrid, ModesDifferInTheLevelOnly) {
  const std::vector<Power> year(4, Watts(250));
  const auto minimum = Simulate(year, 0, OffgridMode::kMinimum);
  EXPECT_EQ(minimum.time_to_finish, Hours(4));
  EXPECT_NEAR(InWattHours(minimum.pv_used), 400, 1e-9);
  EXPECT_NEAR(InWattHours(minimum.pv_lost), 600, 1e-9);
  const auto dynamic = Simulate(year, 0, OffgridMode::kDynamic);
  EXPECT_EQ(dynamic.time_to_finish, Hours(2));
  EXPECT_NEAR(InWattHours(dynamic.pv_used), 400, 1e-9);
  EXPECT_NEAR(InWattHours(dynamic.pv_lost), 100, 1e-9);
}

TEST(Offgrid, NoSunEver) {
  const auto result = Simulate(std::vector<Power>(24), 5, OffgridMode::kDynamic);
  EXPECT_FALSE(result.finished);
  EXPECT_EQ(result.time_to_finish, Hours(3 * 24));
  EXPECT_EQ(result.running_time, Duration());
  EXPECT_EQ(result.mean_gpu_power, Power());
}

TEST(Offgrid, SunTooWeakIsLostOverThreeYears) {
  const auto result = Simulate({Watts(90), Watts(0)}, 0, OffgridMode::kMinimum);
  EXPECT_FALSE(result.finished);
  EXPECT_NEAR(InWattHours(result.pv_lost), 3 * 90, 1e-9);
}

TEST(Offgrid, AJobThatEndsWithASlotDoesNotWaitForTheNextDay) {
  // A tenth of the job in each of ten bright slots, which ten additions of 0.1 miss by a rounding; then a long night.
  std::vector<Power> year(100);
  std::fill_n(year.begin(), 10, Watts(100));
  const std::vector<Level> levels = {{Watts(100), Watts(100), Hours(10)}};
  for (const auto& result : {SimulateOffgrid(year, Hours(1), 0, levels, OffgridMode::kDynamic),
                             OffgridYear(year, Hours(1), levels, OffgridMode::kDynamic).From(0)}) {
    EXPECT_TRUE(result.finished);
    EXPECT_NEAR(InHours(result.time_to_finish), 10, 1e-9);
  }
}

TEST(Offgrid, TheSeriesRepeatsAndTheLastSlotCountsByTheFractionUsed) {
  // One bright hour in five; 3.5 hours of work at 100 W: three whole ones and half of the fourth, in the fourth year.
  const std::vector<Power> year = {Watts(0), Watts(0), Watts(100), Watts(0), Watts(0)};
  EXPECT_FALSE(Simulate(year, 0, OffgridMode::kMinimum, 3.5 / 4).finished);
  const auto result = Simulate(year, 3, OffgridMode::kMinimum, 2.5 / 4);
  EXPECT_TRUE(result.finished);
  EXPECT_NEAR(InHours(result.time_to_finish), 4 + 1 + 4 + 1 + 4 + 0.5, 1e-9);
  EXPECT_NEAR(InHours(result.running_time), 2.5, 1e-9);
}

TEST(Offgrid, PartOfTheWorkTakesLess) {
  EXPECT_NEAR(InHours(Simulate({Watts(100)}, 0, OffgridMode::kMinimum, 0.3).time_to_finish), 1.2, 1e-9);
}

}  // namespace
}  // namespace heliograd

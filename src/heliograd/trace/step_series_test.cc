#include "heliograd/trace/step_series.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace heliograd {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using ::testing::HasSubstr;

const Stamp kStart = StampFromUtc({.year = 2025, .month = 1, .day = 1});

/// Steps of these lengths end to end from kStart; the n-th is worth n + 1 EUR/kWh. A length below zero is a gap.
StepSeries<EnergyPrice> Series(const std::vector<minutes>& lengths) {
  StepSeries<EnergyPrice> series{"prices.csv", {}};
  Stamp start = kStart;
  double value = 0;
  for (const minutes length : lengths) {
    value += 1;
    if (length > minutes(0)) series.steps.push_back({start, start + length, EurosPerKilowattHour(value)});
    start += abs(length);
  }
  return series;
}

std::vector<double> Means(const StepSeries<EnergyPrice>& series, const Horizon& horizon) {
  const auto prices = MeanPerSlot(series, horizon).value();
  std::vector<double> means;
  for (const EnergyPrice price : prices) means.push_back(InEurosPerKilowattHour(price));
  return means;
}

TEST(MeanPerSlot, EqualStepsComeThroughExactly) {
  const auto series = Series({minutes(60), minutes(60), minutes(60)});
  EXPECT_EQ(MeanPerSlot(series, {kStart, hours(1), 3}).value(),
            (std::vector<EnergyPrice>{series.steps[0].value, series.steps[1].value, series.steps[2].value}));
}

TEST(MeanPerSlot, MixedLengthsAreWeightedByTime) {
  const auto series = Series({minutes(15), minutes(15), minutes(30), minutes(60)});
  // The sums have at most four terms near 1: equal to a few units in the last place.
  EXPECT_NEAR(Means(series, {kStart, hours(1), 2})[0], 0.25 * 1 + 0.25 * 2 + 0.5 * 3, 4e-16 * 4);
  EXPECT_DOUBLE_EQ(Means(series, {kStart, hours(1), 2})[1], 4);
  EXPECT_NEAR(Means(series, {kStart, hours(2), 1})[0], (15 * 1 + 15 * 2 + 30 * 3 + 60 * 4) / 120.0, 4e-16 * 4);
}

TEST(MeanPerSlot, SlotsOfAnyLengthKeepTheIntegral) {
  const auto series = Series({minutes(60), minutes(15), minutes(45), minutes(60)});
  const double integral = 60 * 1 + 15 * 2 + 45 * 3 + 60 * 4;
  for (const int step : {5, 6, 10, 12, 15, 20, 30, 60}) {
    double sum = 0;
    for (const double mean : Means(series, {kStart, minutes(step), 180 / step})) sum += mean * step;
    EXPECT_NEAR(sum, integral, 1e-12 * integral) << step;  // up to 36 roundings of 1.1e-16
  }
}

TEST(MeanPerSlot, SlotsNeedNotStartWithAStep) {
  const auto series = Series({minutes(60), minutes(60)});
  EXPECT_NEAR(Means(series, {kStart + minutes(20), hours(1), 1})[0], (40 * 1 + 20 * 2) / 60.0, 1e-15);
}

TEST(MeanPerSlot, MissingStretchIsNamedFromItsBeginningToItsEnd) {
  const auto series = Series({minutes(60), minutes(-60), minutes(60)});
  EXPECT_EQ(
      MeanPerSlot(series, {kStart, minutes(15), 12}).error().Message(),
      "prices.csv: no value from 2025-01-01T01:00:00Z to 2025-01-01T02:00:00Z, which the plan needs: give a file that "
      "covers 2025-01-01T00:00:00Z to 2025-01-01T03:00:00Z.");
  EXPECT_TRUE(MeanPerSlot(series, {kStart, minutes(15), 4}));
  EXPECT_TRUE(MeanPerSlot(series, {kStart + hours(2), minutes(15), 4}));
}

TEST(MeanPerSlot, HorizonBeforeAfterOrWithoutASeries) {
  const auto series = Series({minutes(60)});
  EXPECT_THAT(MeanPerSlot(series, {kStart - hours(1), hours(1), 2}).error().Message(),
              HasSubstr("no value from 2024-12-31T23:00:00Z to 2025-01-01T00:00:00Z"));
  EXPECT_THAT(MeanPerSlot(series, {kStart, hours(1), 2}).error().Message(),
              HasSubstr("no value from 2025-01-01T01:00:00Z to 2025-01-01T02:00:00Z"));
  EXPECT_FALSE(MeanPerSlot(Series({}), {kStart, hours(1), 1}));
  EXPECT_TRUE(MeanPerSlot(Series({}), {kStart, hours(1), 0}).value().empty());
}

TEST(MeanPerSlot, CarbonIntensityToo) {
  const StepSeries<CarbonIntensity> series{"carbon.csv", {{kStart, kStart + hours(1), GramsPerKilowattHour(250)}}};
  EXPECT_DOUBLE_EQ(InGramsPerKilowattHour(MeanPerSlot(series, {kStart, minutes(30), 2}).value()[1]), 250);
}

}  // namespace
}  // namespace heliograd

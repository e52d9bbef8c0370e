#include "heliograd/model/phase_bins.h"

#include <gtest/gtest.h>

#include <cmath>
#include <map>

namespace heliograd {
namespace {

/// Two iterations of a 20 ms and a 0.2 ms phase, then 10 ms of nothing.
const std::vector<PhaseMark> kMarks = {{0, 0.0, 0.020},     {1, 0.020, 0.0202},  {0, 0.0302, 0.0502},
                                       {1, 0.0502, 0.0504}, {0, 0.0604, 0.0804}, {1, 0.0804, 0.0806}};

TEST(PhaseBins, CutsByTheWindow) {
  // 10 x 20 ms / 10 ms = 20 parts, one for the short phase; a part of its own for stalls in each.
  const PhaseBins bins(kMarks, 2, 0.01);
  EXPECT_EQ(bins.BinCount(0), 21);
  EXPECT_EQ(bins.BinCount(1), 2);
  EXPECT_EQ(bins.BinCount(2), 3);
  EXPECT_NEAR(bins.bins()[0].run_s, 0.003, 1e-12);
  // Never fewer than 20 nor more than 60.
  EXPECT_EQ(PhaseBins(kMarks, 2, 1.0).BinCount(0), 21);
  EXPECT_EQ(PhaseBins(kMarks, 2, 0.001).BinCount(0), 61);
}

TEST(PhaseBins, TimesAddUpToTheRun) {
  const PhaseBins bins(kMarks, 2, 0.1);
  double sum = 0;
  for (const PhaseBin& bin : bins.bins()) sum += bin.run_s;
  EXPECT_NEAR(sum, 0.0806, 1e-12);
  // The gaps of 10 ms are other: 5 ms each in its first part.
  EXPECT_NEAR(bins.bins()[static_cast<size_t>(bins.FirstBin(2))].run_s, 0.010, 1e-12);
  EXPECT_NEAR(bins.bins()[static_cast<size_t>(bins.FirstBin(2) + 1)].run_s, 0.010, 1e-12);
}

TEST(PhaseBins, AStallHasAPartOfItsOwn) {
  std::vector<PhaseMark> marks = kMarks;
  marks.push_back({0, 0.3806, 0.4606});  // 300 ms of waiting, then a phase of 80 ms
  marks.push_back({1, 0.4606, 0.4608});
  const PhaseBins bins(marks, 2, 0.1);
  EXPECT_NEAR(bins.bins()[20].run_s, 0.080, 1e-12);
  EXPECT_NEAR(bins.bins()[static_cast<size_t>(bins.FirstBin(2) + 2)].run_s, 0.290, 1e-12);
}

TEST(PhaseBins, LowPassIsExact) {
  // The time that a bin holds behind a low pass is that of the indicator integrated in small steps.
  const PhaseBins bins(kMarks, 2, 0.1);
  const double tau_s = 0.003, at_s = 0.0555, step_s = 1e-6;
  std::map<int, double> filtered, expected;
  bins.VisitFiltered(at_s, tau_s, [&](int bin, double y, double) { filtered[bin] += y; });
  for (double time_s = step_s / 2; time_s < at_s; time_s += step_s) {
    bins.VisitTime(time_s - step_s / 2, time_s + step_s / 2, [&](int bin, double seconds) {
      expected[bin] += seconds / tau_s * std::exp(-(at_s - time_s) / tau_s);
    });
  }
  // The midpoint rule errs by (step / tau)^2 / 24; what is older than the run is missing in both.
  for (const auto& [bin, value] : expected) EXPECT_NEAR(filtered[bin], value, 1e-7) << bin;
}

TEST(PhaseBins, DerivativeByTheLowPassIsThatOfADifference) {
  const PhaseBins bins(kMarks, 2, 0.1);
  const double tau_s = 0.002, step_s = 1e-6, at_s = 0.0456;
  std::map<int, double> slope, difference;
  bins.VisitFiltered(at_s, tau_s, [&](int bin, double, double dy) { slope[bin] += dy; });
  for (const double sign : {-1.0, 1.0}) {
    const double tau = tau_s + sign * step_s;
    bins.VisitFiltered(at_s, tau, [&](int bin, double y, double) { difference[bin] += sign * tau * y / (2 * step_s); });
  }
  // Central differences of 1 us against 2 ms err by (1 us / 2 ms)^2.
  for (const auto& [bin, value] : difference) EXPECT_NEAR(slope[bin], value, 1e-6) << bin;
}

TEST(PhaseBins, StepsAreCountedBetweenPhasesOnly) {
  const PhaseBins bins(kMarks, 2, 0.1);
  double count = 0;
  for (const BinStep& step : bins.StepsBetweenPhases()) {
    EXPECT_NE(bins.Group(step.from), bins.Group(step.to));
    count += step.count;
  }
  // Three times 0 to 1, twice 1 to other, twice other to 0.
  EXPECT_EQ(count, 7);
}

}  // namespace
}  // namespace heliograd

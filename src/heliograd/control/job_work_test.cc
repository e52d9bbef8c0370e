#include "heliograd/control/job_work.h"

#include <gtest/gtest.h>

namespace heliograd {
namespace {

/// A whole job of 1000 steps at 1 % an hour (level 0) or 2 % an hour (level 1), of which a tenth is to be done.
class JobWorkTest : public testing::Test {
 protected:
  JobWorkOptions Options(double units) {
    return {.work = 0.1, .units = units, .units_before = 0, .told_how = "", .paces = {0.01 / 3600, 0.02 / 3600}};
  }
  JobWork Make(double units) {
    return JobWork(Options(units),
                   [this](const std::string& kind, const std::string& text) { told.emplace_back(kind, text); });
  }
  static std::optional<JobProgress> Word(double units) { return JobProgress{.units = units}; }

  std::vector<std::pair<std::string, std::string>> told;
};

TEST_F(JobWorkTest, WithoutWordsItIsThePaceOfTheLevelAndNeverMoreThanTheJob) {
  JobWork work = Make(0);
  EXPECT_NEAR(work.Take(1800, 1, 0, true, std::nullopt), 0.005, 1e-12);
  EXPECT_NEAR(work.Take(1800, 1, 1, true, std::nullopt), 0.015, 1e-12) << "all of the time since the last word";
  work.Take(36'000, 1, 1, true, std::nullopt);
  EXPECT_NEAR(work.done(), 0.1, 1e-12);
  EXPECT_EQ(work.left(), 0);
  EXPECT_FALSE(work.is_told());
  EXPECT_TRUE(told.empty());
}

TEST_F(JobWorkTest, WordCountsAndTeachesThePace) {
  JobWork work = Make(100);
  // Half as fast as promised: a step of a thousandth in 720 s.
  for (int step = 1; step <= 50; ++step) work.Take(720, 1, 0, true, Word(step));
  EXPECT_NEAR(work.done(), 0.05, 1e-12);
  EXPECT_EQ(work.units_done(), 50);
  EXPECT_TRUE(work.estimate().has_measured());
  // Within its own interval, which 50 words, each to one step, make half of what a promise alone has (30 %).
  const RateEstimate slow = work.estimate().RateOf(0), other = work.estimate().RateOf(1);
  EXPECT_LT(slow.half_width, 0.15);
  EXPECT_NEAR(slow.rate, 0.005 / 3600, slow.half_width * slow.rate);
  EXPECT_NEAR(other.rate, 0.01 / 3600, other.half_width * other.rate) << "through the common factor";
}

TEST_F(JobWorkTest, TimeThatIsOfNoLevelTeachesNone) {
  JobWork work = Make(100);
  for (int step = 1; step <= 50; ++step) work.Take(720, 1, 0, false, Word(step));
  EXPECT_NEAR(work.done(), 0.05, 1e-12);
  EXPECT_FALSE(work.estimate().has_measured());
}

TEST_F(JobWorkTest, JobThatFallsSilentIsSaidOnceAndGoesNoFurtherThanAFewSteps) {
  JobWork work = Make(100);
  work.Take(10, 1, 1, true, Word(1));
  work.Take(10, 1, 1, true, Word(2));
  for (int i = 0; i < 100; ++i) work.Take(60, 1, 1, true, Word(2));
  EXPECT_NEAR(work.done(), 0.002 + 3 * 0.001, 1e-12);
  ASSERT_EQ(told.size(), 1u);
  EXPECT_EQ(told[0].first, "silence");
}

TEST_F(JobWorkTest, JobThatBeginsAnewIsSaidAndItsWordHolds) {
  JobWork work = Make(100);
  work.GoOn(0.05, 50);
  EXPECT_TRUE(work.is_told());
  EXPECT_NEAR(work.Take(10, 1, 1, true, Word(3)), 0.003 - 0.05, 1e-12);
  ASSERT_EQ(told.size(), 1u);
  EXPECT_EQ(told[0].first, "began_anew");
  EXPECT_NE(told[0].second.find("began anew at 3 of 100 (50 before)"), std::string::npos) << told[0].second;
}

TEST_F(JobWorkTest, WordsOfBeforeThePlanAreNoneOfItsWork) {
  JobWorkOptions options = Options(100);
  options.units_before = 900;
  JobWork work(options, [](const std::string&, const std::string&) {});
  work.Take(10, 1, 1, true, Word(925));
  EXPECT_NEAR(work.done(), 0.025, 1e-12);
}

}  // namespace
}  // namespace heliograd

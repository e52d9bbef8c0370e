#include "heliograd/app/reproduce.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace heliograd {
namespace {

/// Every size finishes in `hours` whatever the month, but in July in `july`.
OffgridStudy StudyWith(double hours, double july) {
  OffgridStudy study;
  for (OffgridMonths* months : {&study.minimum, &study.dynamic}) {
    for (size_t s = 0; s < kPanelSizes.size(); ++s) {
      for (size_t m = 0; m < kMonths; ++m) {
        OffgridResult& run = months->first_start[s][m];
        run.finished = true;
        run.time_to_finish = Hours(m == 6 ? july : hours);
        run.mean_gpu_power = Watts(200);
        months->every_start[s][m] = {hours, m == 6 ? july : hours, hours};
      }
    }
  }
  return study;
}

Verdict VerdictOf(const OffgridStudy& study, const std::string& start) {
  for (const Claim& claim : OffgridClaims(study)) {
    if (claim.claim.rfind(start, 0) == 0) return claim.verdict;
  }
  ADD_FAILURE() << "no claim begins with " << start;
  return Verdict::kNo;
}

TEST(Claims, JulyHoldsOnlyWhereJulyIsFastest) {
  EXPECT_EQ(VerdictOf(StudyWith(100, 50), "Fig 10: July"), Verdict::kYes);
  EXPECT_EQ(VerdictOf(StudyWith(100, 150), "Fig 10: July"), Verdict::kNo);
  OffgridStudy mixed = StudyWith(100, 50);
  mixed.minimum.first_start[3][6].time_to_finish = Hours(101);
  EXPECT_EQ(VerdictOf(mixed, "Fig 10: July"), Verdict::kInPart);
}

TEST(Claims, APanelThatNeverRunsIsNoCurve) {
  OffgridStudy study = StudyWith(100, 50);
  EXPECT_EQ(VerdictOf(study, "Figs 10, 11 show a curve for 100 W"), Verdict::kYes);
  for (OffgridResult& run : study.dynamic.first_start.front()) run.finished = false;
  EXPECT_EQ(VerdictOf(study, "Figs 10, 11 show a curve for 100 W"), Verdict::kNo);
}

TEST(Claims, MeanPowerIsJudgedByDistanceFromTheStudy) {
  OffgridStudy study = StudyWith(100, 50);
  EXPECT_EQ(VerdictOf(study, "Fig 12: mean GPU power"), Verdict::kInPart);  // 200 W is 13 % below 230 W
  for (OffgridResult& run : study.dynamic.first_start[6]) run.mean_gpu_power = Watts(228);
  EXPECT_EQ(VerdictOf(study, "Fig 12: mean GPU power"), Verdict::kInPart);  // the height fits, the line is bent
  for (OffgridResult& run : study.dynamic.first_start[6]) run.mean_gpu_power = Watts(100);
  EXPECT_EQ(VerdictOf(study, "Fig 12: mean GPU power"), Verdict::kNo);
}

TEST(Claims, TableFourPutsTheFastestUsefulLimitAThirdAboveTheBest) {
  // 230 W x 13.81 h over 150 W x 15.65 h.
  EXPECT_THAT(TableFourClaim().ours, testing::HasSubstr("+35.3 %"));
}

TEST(Tables, TableFourMarksMisprintAndDominatedLevels) {
  const StudyTable levels = DataTables()[1];
  ASSERT_EQ(levels.rows.size(), 23u);
  EXPECT_THAT(levels.rows[16].back(), testing::HasSubstr("misprint"));   // 260 W
  EXPECT_THAT(levels.rows[22].back(), testing::HasSubstr("dominated"));  // 320 W
}

}  // namespace
}  // namespace heliograd

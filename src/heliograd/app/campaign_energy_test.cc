#include "heliograd/app/campaign_energy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "heliograd/app/profile_json.h"

namespace heliograd {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

TrainingProfile ProfileOf(double joules, double low, double high) {
  TrainingProfile profile;
  profile.iteration_energy = ProfiledEnergy{Joules(joules), Joules(low), Joules(high)};
  return profile;
}

TEST(CampaignEnergy, IsToldWithItsInterval) {
  const TrainingProfile profile = ProfileOf(200, 190, 210);
  EXPECT_THAT(WhyNoEnergy(profile), IsEmpty());
  EXPECT_EQ(IntervalText(*profile.iteration_energy), "+-5.0 %");
  EXPECT_THAT(WhyNoEnergy(ProfileOf(200, 0, 400)), IsEmpty());
}

TEST(CampaignEnergy, IsNotToldWhereItsIntervalIsWiderOrItIsBelowZero) {
  EXPECT_THAT(WhyNoEnergy(ProfileOf(45.8, -4882, 5066)), HasSubstr("-4882 to 5066 J"));
  EXPECT_THAT(WhyNoEnergy(ProfileOf(200, -1, 401)), HasSubstr("measure for longer"));
  EXPECT_THAT(WhyNoEnergy(ProfileOf(-29734, -38207, -21261)), HasSubstr("-2.973e+04 J"));
}

TEST(CampaignEnergy, IsNotToldWhereTheProfileRefusesIt) {
  TrainingProfile profile = ProfileOf(200, 190, 210);
  profile.refusal = "aliased, add sleep";
  EXPECT_EQ(WhyNoEnergy(profile), "aliased, add sleep");
  EXPECT_THAT(WhyNoEnergy(TrainingProfile()), HasSubstr("could not be resolved"));
  profile = {};
  profile.steps.resize(1);
  profile.steps[0].name = "Forward";
  profile.steps[0].why = "its windows are too short";
  EXPECT_EQ(WhyNoEnergy(profile), "Forward: its windows are too short");
}

TEST(CampaignEnergy, OfACellIsThatOfItsProfile) {
  FinishedCell cell;
  cell.json = ProfileToJson(ProfileOf(200, 190, 210));
  EXPECT_THAT(WhyNoEnergy(cell), IsEmpty());
  cell.json = ProfileToJson(ProfileOf(200, -190, 590));
  EXPECT_THAT(WhyNoEnergy(cell), HasSubstr("-190 to 590 J"));
}

}  // namespace
}  // namespace heliograd

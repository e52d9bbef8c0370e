#include "heliograd/model/energy_law.h"

#include <gmock/gmock.h>

#include <cmath>
#include <limits>

namespace heliograd {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

LawPoint Point(const std::string& name, double macs, double joules) {
  LawPoint point;
  point.name = name;
  point.macs = macs;
  point.energy = Joules(joules);
  return point;
}

/// Networks on a line but for VGG19, which is far away and far off.
std::vector<LawPoint> Networks() {
  return {Point("alexnet", 0.7e9, 0.12),  Point("googlenet", 1.5e9, 0.21), Point("resnet18", 1.8e9, 0.22),
          Point("resnet34", 3.7e9, 0.43), Point("resnet50", 4.1e9, 0.46),  Point("VGG19", 19.6e9, 5.0)};
}

TEST(EnergyLawTest, FitsJoulesPerMac) {
  std::vector<LawPoint> points;
  for (const double macs : {1e9, 2e9, 5e9, 9e9}) points.push_back(Point("n", macs, 0.05 + 1e-10 * macs));
  const EnergyLaw law = FitEnergyLaw(points, LawTerms::kMacs, Scatter::kConstant).value();
  EXPECT_NEAR(law.per_image.value, 0.05, 1e-12);
  EXPECT_NEAR(law.per_mac.value, 1e-10, 1e-20);
  EXPECT_FALSE(law.per_byte.has_value());
  EXPECT_NEAR(PredictLaw(law, 4e9, {})->value, 0.45, 1e-12);
}

TEST(EnergyLawTest, WithoutTheVggsTheSlopeIsAnother) {
  const auto points = Networks();
  const auto without = PointsWithout(points, "vgg");
  ASSERT_EQ(without.size(), 5u);
  const EnergyLaw all = FitEnergyLaw(points, LawTerms::kMacs, Scatter::kConstant).value();
  const EnergyLaw rest = FitEnergyLaw(without, LawTerms::kMacs, Scatter::kConstant).value();
  EXPECT_GT(all.per_mac.value, 2 * rest.per_mac.value);
  EXPECT_GT(all.regression.points.back().leverage, 0.9);
  EXPECT_GT(all.regression.r_squared, 0.97);            // looks good
  EXPECT_LT(*all.regression.predicted_r_squared, 0.8);  // and is not: VGG19 is not told by the others
}

TEST(EnergyLawTest, FamiliesAreKnownByTheirNames) {
  EXPECT_EQ(FamilyOf("VGG19"), "vgg");
  EXPECT_EQ(FamilyOf("googlenet_mod3"), "googlenet");
  EXPECT_EQ(FamilyOf("alexnet"), "alexnet");
  EXPECT_EQ(FamilyOf("50net"), "5");
}

// A family of like networks hides from errors of single ones left out that nothing else tells them.
TEST(EnergyLawTest, AFamilyLeftOutIsToldByTheOthersAlone) {
  auto points = Networks();
  for (int i = 0; i < 3; ++i) points.push_back(Point("VGG19", (19.5 + 0.1 * i) * 1e9, 5.0));
  const EnergyLaw law = FitEnergyLaw(points, LawTerms::kMacs, Scatter::kConstant).value();
  const auto families = LeaveFamiliesOut(law);
  ASSERT_EQ(families.size(), 4u);  // alexnet, googlenet, resnet, vgg
  EXPECT_EQ(families[2].points, (std::vector<size_t>{2, 3, 4}));
  EXPECT_EQ(families[3].family, "vgg");
  EXPECT_LT(std::abs(*law.regression.points.back().left_out_error) / 5, 0.05);
  EXPECT_GT(families[3].relative_rms, 0.5);
  const auto rest = PointsWithout(points, "vgg");
  const EnergyLaw others = FitEnergyLaw(rest, LawTerms::kMacs, Scatter::kConstant).value();
  double squares = 0;
  for (const size_t i : families[3].points) {
    squares += std::pow(1 - PredictLaw(others, points[i].macs, {})->value / InJoules(points[i].energy), 2);
  }
  EXPECT_NEAR(families[3].relative_rms, std::sqrt(squares / 4), 1e-12);
}

// Energy of memory traffic on top of MACs: the law that holds both tells it, the other does not.
TEST(EnergyLawTest, TrafficExplainsWhatMacsDoNot) {
  std::vector<LawPoint> points;
  const double bytes[] = {30e6, 150e6, 90e6, 300e6, 100e6, 250e6};
  for (int i = 0; i < 6; ++i) {
    const double macs = (i + 1) * 1e9;
    points.push_back(Point("network", macs, 0.01 + 2e-10 * macs + 3e-9 * bytes[i]));
    points.back().traffic_bytes = bytes[i];
  }
  const EnergyLaw both = FitEnergyLaw(points, LawTerms::kMacsAndTraffic, Scatter::kConstant).value();
  EXPECT_NEAR(both.per_byte->value, 3e-9, 1e-17);
  EXPECT_NEAR(both.per_mac.value, 2e-10, 1e-18);
  const EnergyLaw macs_only = FitEnergyLaw(points, LawTerms::kMacs, Scatter::kConstant).value();
  EXPECT_LT(*both.regression.left_out_rms, 1e-3 * *macs_only.regression.left_out_rms);
}

TEST(EnergyLawTest, IntervalsWeighOnlyWhereEveryPointHasOne) {
  auto points = Networks();
  for (size_t i = 0; i + 1 < points.size(); ++i) {
    points[i].low = points[i].energy * 0.99;
    points[i].high = points[i].energy * 1.01;
  }
  EXPECT_FALSE(FitEnergyLaw(points, LawTerms::kMacs, Scatter::kConstant)->weighted);
  points.back().low = points.back().energy * 0.99;
  points.back().high = points.back().energy * 1.01;
  EXPECT_TRUE(FitEnergyLaw(points, LawTerms::kMacs, Scatter::kConstant)->weighted);
}

TEST(EnergyLawTest, PredictionsBeyondThePointsSaySo) {
  const EnergyLaw law = FitEnergyLaw(Networks(), LawTerms::kMacs, Scatter::kProportional).value();
  EXPECT_EQ(PredictLaw(law, 4e9, {})->extrapolates, "");
  EXPECT_THAT(PredictLaw(law, 30e9, {})->extrapolates, StartsWith("30 G MACs are above the 19.6 G MACs"));
  EXPECT_THAT(PredictLaw(law, 0.1e9, {})->extrapolates, StartsWith("0.1 G MACs are below the 0.7 G MACs"));
  const LawPrediction prediction = PredictLaw(law, 4e9, {}).value();
  EXPECT_LE(0, prediction.low);
  EXPECT_LT(prediction.low, prediction.value);
  EXPECT_LT(prediction.value, prediction.high);
}

TEST(EnergyLawTest, ALawOfTimeNeedsTimes) {
  auto points = Networks();
  EXPECT_THAT(FitEnergyLaw(points, LawTerms::kMacs, Scatter::kConstant, LawQuantity::kTime).error().Message(),
              StartsWith("alexnet: no time per image"));
  for (LawPoint& point : points) point.time = Seconds(InJoules(point.energy) / 200);
  const EnergyLaw time = FitEnergyLaw(points, LawTerms::kMacs, Scatter::kConstant, LawQuantity::kTime).value();
  const EnergyLaw energy = FitEnergyLaw(points, LawTerms::kMacs, Scatter::kConstant).value();
  EXPECT_NEAR(time.per_mac.value * 200, energy.per_mac.value, 1e-18);
}

TEST(EnergyLawTest, WrongPointsAreNamed) {
  const auto problem = [](const LawPoint& point, LawTerms terms = LawTerms::kMacs) {
    auto points = Networks();
    points.push_back(point);
    const auto law = FitEnergyLaw(points, terms, Scatter::kConstant);
    return law ? "none" : law.error().Message();
  };
  EXPECT_THAT(problem(Point("bad", 0, 1)), StartsWith("bad: the number of MACs is 0"));
  EXPECT_THAT(problem(Point("bad", 1e9, std::numeric_limits<double>::quiet_NaN())), StartsWith("bad: the energy"));
  EXPECT_THAT(problem(Point("bad", 1e9, 1), LawTerms::kMacsAndTraffic), HasSubstr("no memory traffic is given"));
  LawPoint point = Point("bad", 1e9, 1);
  point.low = Joules(1.1);
  point.high = Joules(1.2);
  EXPECT_THAT(problem(point), HasSubstr("the interval from 1.1 to 1.2 J does not hold the energy, 1 J"));
  EXPECT_THAT(FitEnergyLaw({}, LawTerms::kMacs, Scatter::kConstant).error().Message(), HasSubstr("0 points"));
}

TEST(EnergyLawTest, WhatTheLawCannotTellIsRefused) {
  const std::vector<LawPoint> steep = {Point("a", 2e9, 0.1), Point("b", 3e9, 0.6), Point("c", 4e9, 1.1),
                                       Point("d", 5e9, 1.7)};
  const EnergyLaw law = FitEnergyLaw(steep, LawTerms::kMacs, Scatter::kConstant).value();
  EXPECT_THAT(PredictLaw(law, 1e9, {}).error().Message(), HasSubstr("measure the network itself"));
  EXPECT_THAT(PredictLaw(law, -1, {}).error().Message(), HasSubstr("expected a number above 0"));
}

}  // namespace
}  // namespace heliograd

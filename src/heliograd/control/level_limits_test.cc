#include "heliograd/control/level_limits.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace heliograd {
namespace {

using testing::HasSubstr;

/// Limits whose lease others hold, and may lose.
class LentLimits : public PowerLimits {
 public:
  Result<PowerLimitRange> Range() override { return PowerLimitRange{Watts(100), Watts(320), Watts(320)}; }
  Result<void> Set(Power limit) override {
    in_force = limit;
    return {};
  }
  Result<Power> Asked() override { return in_force; }
  Result<Restored> Release() override { return Restored::kPutBack; }
  Result<void> Renew() override { return {}; }
  bool IsAway() const override { return away; }

  Power in_force = Watts(320);
  bool away = false;
};

class LevelLimitsTest : public testing::Test {
 protected:
  LevelLimitsTest() {
    for (const double watts : {140.0, 200.0, 320.0}) {
      Level level;
      level.limit = Watts(watts);
      levels_.push_back(level);
    }
  }
  /// Enough looks that show this limit for one that is not ours to be noticed.
  void LookAt(double watts) {
    for (int i = 0; i < 4; ++i) {
      level_limits_.Look({.is_lost = false, .energy_uj = {}, .power = {}, .limit = Watts(watts)});
      level_limits_.Watch();
    }
  }
  std::vector<std::string> Texts(const std::string& kind) const {
    std::vector<std::string> texts;
    for (const RunEvent& event : events_) {
      if (event.kind == kind) texts.push_back(event.text);
    }
    return texts;
  }

  std::vector<Level> levels_;
  LentLimits limits_;
  SystemRunClock clock_;
  std::vector<RunEvent> events_;
  LevelLimits level_limits_{levels_, limits_, clock_, [this](RunEvent event) { events_.push_back(std::move(event)); }};
};

TEST_F(LevelLimitsTest, LostLeaseNamesTheLimitThatIsInForceWhenItIsTold) {
  level_limits_.Set(1, std::nullopt);
  limits_.away = true;
  limits_.in_force = Watts(320);  // put back; the looks before saw another one on its way
  LookAt(140);
  ASSERT_EQ(Texts("limits_away").size(), 1u);
  EXPECT_THAT(Texts("limits_away")[0], HasSubstr("320 W is in force now"));
  EXPECT_EQ(events_.back().found, Watts(320));
  LookAt(320);
  EXPECT_EQ(Texts("limits_away").size(), 1u);
  limits_.away = false;
  limits_.in_force = Watts(200);
  LookAt(200);
  EXPECT_THAT(Texts("limits_back"), testing::ElementsAre("200 W is in force again"));
}

TEST_F(LevelLimitsTest, LooksThatAreOlderThanTheLimitLoseNoLease) {
  level_limits_.Set(2, std::nullopt);
  limits_.away = true;  // and the limit that was put back is the one that was set
  LookAt(140);
  EXPECT_TRUE(Texts("limits_away").empty());
  EXPECT_TRUE(Texts("limits_back").empty());
}

}  // namespace
}  // namespace heliograd

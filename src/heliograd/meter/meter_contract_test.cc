#include "heliograd/meter/meter_contract_test.h"

#include <set>

namespace heliograd {

GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(MeterContract);

namespace {

using State = Moment::State;

const std::vector<Moment> kRising = {
    {State::kShows, 100'000, 1'000'000}, {State::kShows, 250'000, 1'500'000}, {State::kShows, 80'000, 1'501'000}};

bool IsPower(ChannelKind kind) { return kind == ChannelKind::kPowerInstant || kind == ChannelKind::kPowerAverage; }

}  // namespace

void MeterContract::Open(std::vector<Moment> moments) {
  moments_ = std::move(moments);
  world_ = GetParam().make(moments_);
  world_->GoTo(0);
  Result<std::unique_ptr<PowerMeter>> meter = world_->Open();
  ASSERT_TRUE(meter) << meter.error().Message();
  meter_ = std::move(*meter);
}

std::vector<ChannelReading> MeterContract::Read() {
  const ChannelReading stale = {ReadingState::kValue, -77, -77, -77};
  std::vector<ChannelReading> readings(meter_->Channels().size(), stale);
  meter_->Read(readings);
  return readings;
}

void MeterContract::ExpectMoment(const std::vector<ChannelReading>& readings, size_t moment) const {
  for (size_t i = 0; i < readings.size(); ++i) {
    const ChannelKind kind = meter_->Channels()[i];
    SCOPED_TRACE(ChannelName(kind));
    EXPECT_EQ(readings[i].state, ReadingState::kValue);
    EXPECT_EQ(readings[i].code, 0);
    EXPECT_EQ(readings[i].driver_us > 0, GetParam().has_stamps);
    if (IsPower(kind)) {
      EXPECT_EQ(readings[i].value, moments_[moment].power_mw);
    }
    if (kind == ChannelKind::kEnergy) {
      EXPECT_EQ(readings[i].value, moments_[moment].energy_uj);
    }
  }
}

TEST_P(MeterContract, FindsTheChannelsThatAnswerAndNoOther) {
  Open(kRising);
  EXPECT_EQ(meter_->Channels(), GetParam().channels);
}

TEST_P(MeterContract, AChannelThatIsNotThereIsNotInvented) {
  for (const ChannelKind absent : GetParam().channels) {
    SCOPED_TRACE(ChannelName(absent));
    moments_ = kRising;
    world_ = GetParam().make(moments_);
    world_->Withhold(absent);
    world_->GoTo(0);
    const Result<std::unique_ptr<PowerMeter>> meter = world_->Open();
    if (GetParam().channels.size() == 1) {
      ASSERT_FALSE(meter);
      EXPECT_FALSE(meter.error().Message().empty());
      continue;
    }
    ASSERT_TRUE(meter) << meter.error().Message();
    std::vector<ChannelKind> rest = GetParam().channels;
    std::erase(rest, absent);
    EXPECT_EQ((*meter)->Channels(), rest);
  }
}

TEST_P(MeterContract, SaysWhichDeviceItReads) {
  Open(kRising);
  const DeviceRecord& device = meter_->Device();
  EXPECT_FALSE(device.uuid.empty());
  EXPECT_FALSE(device.name.empty());
  EXPECT_FALSE(device.driver.empty());
  EXPECT_EQ(device.source, GetParam().source);
}

TEST_P(MeterContract, ValuesComeInTheChannelsUnits) {
  Open(kRising);
  for (size_t moment = 0; moment < kRising.size(); ++moment) {
    world_->GoTo(moment);
    ExpectMoment(Read(), moment);
  }
}

TEST_P(MeterContract, ReadingTwiceChangesNothing) {
  Open(kRising);
  world_->GoTo(1);
  const std::vector<ChannelReading> first = Read(), second = Read();
  for (size_t i = 0; i < first.size(); ++i) EXPECT_EQ(first[i].value, second[i].value);
}

TEST_P(MeterContract, ASilentSourceGivesNoValueAndTheNextOneIsReadAgain) {
  Open({kRising[0], {State::kSilent, 0, 0}, kRising[1]});
  ExpectMoment(Read(), 0);
  world_->GoTo(1);
  for (const ChannelReading& reading : Read()) {
    EXPECT_EQ(reading.state, ReadingState::kNothingYet);
    EXPECT_NE(reading.code, -77) << "left as it was found";
    EXPECT_FALSE(meter_->CodeName(reading.code).empty());
  }
  world_->GoTo(2);
  ExpectMoment(Read(), 2);
}

TEST_P(MeterContract, ADeviceThatWentAwayIsToldAndComesBackWhenReopened) {
  if (!GetParam().can_be_lost) GTEST_SKIP() << "this source has no device that could go away";
  Open({kRising[0], {State::kGone, 0, 0}, kRising[1]});
  const DeviceRecord before = meter_->Device();
  world_->GoTo(1);
  if (GetParam().tells_loss) {
    for (const ChannelReading& reading : Read()) EXPECT_EQ(reading.state, ReadingState::kLost);
  }
  EXPECT_FALSE(meter_->Reopen());
  EXPECT_FALSE(meter_->Reopen()) << "asking again does not bring it back";
  world_->GoTo(2);
  ASSERT_TRUE(meter_->Reopen());
  ExpectMoment(Read(), 2);
  EXPECT_EQ(meter_->Device(), before);
}

TEST_P(MeterContract, ReopeningADeviceThatIsThereDoesNoHarm) {
  Open(kRising);
  ASSERT_TRUE(meter_->Reopen());
  world_->GoTo(1);
  ExpectMoment(Read(), 1);
}

TEST_P(MeterContract, EveryCodeHasANameOfItsOwn) {
  Open(kRising);
  std::set<std::string> names;
  for (const int code : GetParam().codes) {
    const std::string name = meter_->CodeName(code);
    EXPECT_FALSE(name.empty()) << code;
    EXPECT_TRUE(names.insert(name).second) << name << " names two codes";
  }
}

}  // namespace heliograd

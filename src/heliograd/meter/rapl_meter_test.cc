#include "heliograd/meter/rapl_meter.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <fstream>

#include "heliograd/meter/meter_contract_test.h"

namespace heliograd {
namespace {

/// A folder laid out as /sys/class/powercap.
class RaplTest : public testing::Test {
 protected:
  void SetUp() override {
    root_ = std::filesystem::temp_directory_path() / ("rapl_" + std::to_string(getpid()));
    AddZone("intel-rapl:0", "package-0", 1000);
    AddZone("intel-rapl:0:0", "core", 10);
    AddZone("intel-rapl:1", "psys", 70);
    std::filesystem::create_directories(root_ / "intel-rapl");
  }
  void TearDown() override { std::filesystem::remove_all(root_); }

  void AddZone(const std::string& folder, const std::string& name, long energy_uj) {
    std::filesystem::create_directories(root_ / folder);
    std::ofstream(root_ / folder / "name") << name << "\n";
    std::ofstream(root_ / folder / "max_energy_range_uj") << "262143328850\n";
    SetEnergy(folder, std::to_string(energy_uj));
  }
  void SetEnergy(const std::string& folder, const std::string& text) {
    std::ofstream(root_ / folder / "energy_uj") << text << "\n";
  }

  std::filesystem::path root_;
};

TEST_F(RaplTest, FindsTheOutermostZones) {
  const std::vector<RaplZone> zones = FindRaplZones(root_);
  ASSERT_EQ(zones.size(), 2u);
  EXPECT_EQ(zones[0].name, "package-0");
  EXPECT_EQ(zones[1].name, "psys");
  EXPECT_TRUE(FindRaplZones(root_ / "absent").empty());
}

TEST_F(RaplTest, GoesOnRisingWhenTheCounterWraps) {
  const auto meter = OpenRaplMeter(FindRaplZones(root_)[0]);
  ASSERT_TRUE(meter) << meter.error().Message();
  ChannelReading reading;
  (*meter)->Read({&reading, 1});
  EXPECT_EQ(reading.value, 1000);
  SetEnergy("intel-rapl:0", "262143328000");
  (*meter)->Read({&reading, 1});
  EXPECT_EQ(reading.value, 262143328000);
  SetEnergy("intel-rapl:0", "150");  // past the end of the range
  (*meter)->Read({&reading, 1});
  EXPECT_EQ(reading.value, 262143328850 + 150);
}

TEST_F(RaplTest, DamagedContentIsNoReading) {
  const auto meter = OpenRaplMeter(FindRaplZones(root_)[0]);
  ChannelReading reading;
  for (const char* text : {"", "many", "12 uJ", "99999999999999999999999"}) {
    SetEnergy("intel-rapl:0", text);
    (*meter)->Read({&reading, 1});
    EXPECT_EQ(reading.state, ReadingState::kNothingYet) << text;
    EXPECT_NE(reading.code, 0);
  }
}

TEST_F(RaplTest, WithoutTheRightToReadTheMendIsNamed) {
  if (geteuid() == 0) GTEST_SKIP() << "root may read every file";
  std::filesystem::permissions(root_ / "intel-rapl:0" / "energy_uj", std::filesystem::perms::none);
  const auto meter = OpenRaplMeter(FindRaplZones(root_)[0]);
  ASSERT_FALSE(meter);
  EXPECT_EQ(meter.error().kind, ErrorKind::kPermission);
  EXPECT_NE(meter.error().Message().find("sudo chmod a+r"), std::string::npos);
}

/// A counter's files as a source of moments.
class RaplFiles : public MeterWorld {
 public:
  explicit RaplFiles(std::vector<Moment> moments) : moments_(std::move(moments)) {
    root_ = std::filesystem::temp_directory_path() / ("rapl_contract_" + std::to_string(getpid()));
    std::filesystem::remove_all(root_);
  }
  ~RaplFiles() override { std::filesystem::remove_all(root_); }
  RaplFiles(const RaplFiles&) = delete;
  RaplFiles& operator=(const RaplFiles&) = delete;

  void GoTo(size_t moment) override {
    const std::filesystem::path zone = root_ / "intel-rapl:0";
    if (moments_[moment].state == Moment::State::kGone) {
      std::filesystem::remove_all(zone);
      return;
    }
    std::filesystem::create_directories(zone);
    std::ofstream(zone / "name") << "package-0\n";
    std::ofstream(zone / "max_energy_range_uj") << "262143328850\n";
    if (withheld_) return;
    std::ofstream energy(zone / "energy_uj");
    if (moments_[moment].state == Moment::State::kShows) energy << moments_[moment].energy_uj << "\n";
  }
  void Withhold(ChannelKind) override { withheld_ = true; }
  Result<std::unique_ptr<PowerMeter>> Open() override { return OpenRaplMeter(FindRaplZones(root_).front()); }

 private:
  std::vector<Moment> moments_;
  std::filesystem::path root_;
  bool withheld_ = false;
};

INSTANTIATE_TEST_SUITE_P(
    Rapl, MeterContract,
    testing::Values(MeterUnderTest{
        .name = "rapl",
        .make = [](const std::vector<Moment>& moments) { return std::make_unique<RaplFiles>(moments); },
        .channels = {ChannelKind::kEnergy},
        .source = "rapl",
        .tells_loss = false,  // a file that was removed stays readable for who holds it; the kernel's says ENODEV
        .codes = {ENODATA, EILSEQ, EIO, ENODEV, EACCES}}),
    MeterName);

}  // namespace
}  // namespace heliograd

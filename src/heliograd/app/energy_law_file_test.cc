#include "heliograd/app/energy_law_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace heliograd {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

constexpr const char* kHead =
    "[law]\nhardware = \"RTX 4070\"\ndriver = \"580.00\"\ndataset = \"cifar100\"\nbatch = 128\n"
    "power_source = \"measured\"\npower_limit_w = 200\ngain_half_width_percent = 5\n";
constexpr const char* kPoint =
    "[[points]]\nname = \"resnet18\"\nmacs = 1813613568\ntraffic_bytes = 1.5e8\nenergy_j_per_image = 0.05\n"
    "energy_j_per_image_low = 0.049\nenergy_j_per_image_high = 0.051\nseconds_per_image = 0.0003\n";

std::vector<std::string> Problems(const std::string& content) {
  const auto file = ParseEnergyLaw(content, "law.toml");
  return file ? std::vector<std::string>() : file.error().problems;
}

TEST(EnergyLawFileTest, ReadsEveryKeyAndWritesItAgain) {
  const EnergyLawFile file = ParseEnergyLaw(std::string(kHead) + kPoint, "law.toml").value();
  for (const EnergyLawFile& read : {file, ParseEnergyLaw(EnergyLawToml(file), "again.toml").value()}) {
    EXPECT_EQ(read.hardware, "RTX 4070");
    EXPECT_EQ(read.driver, "580.00");
    EXPECT_EQ(read.dataset, "cifar100");
    EXPECT_EQ(read.batch, 128);
    EXPECT_FALSE(read.simulated);
    EXPECT_EQ(InWatts(*read.power_limit), 200);
    EXPECT_DOUBLE_EQ(read.gain_half_width, 0.05);
    ASSERT_EQ(read.points.size(), 1u);
    const LawPoint& point = read.points[0];
    EXPECT_EQ(point.name, "resnet18");
    EXPECT_EQ(point.macs, 1813613568);
    EXPECT_EQ(*point.traffic_bytes, 1.5e8);
    EXPECT_EQ(InJoules(point.energy), 0.05);
    EXPECT_EQ(InJoules(*point.low), 0.049);
    EXPECT_EQ(InJoules(*point.high), 0.051);
    EXPECT_EQ(InSeconds(*point.time), 0.0003);
  }
}

TEST(EnergyLawFileTest, TellsAllMistakesAtOnceWithTheirLines) {
  const auto problems = Problems(
      "[law]\nhardwear = \"x\"\ndataset = 3\nbatch = 1.5\npower_source = \"guessed\"\n"
      "[[points]]\nname = \"a\"\nmacs = -1\nenergy_j_per_image = 0.1\nenergy_j_per_image_low = 0.2\n"
      "energy_j_per_image_high = 0.3\n[[points]]\nname = \"a\"\nmacs = 1\nenergy_j_per_image = nan\n"
      "energy_j_per_image_low = 1\nmaks = 2\n");
  EXPECT_THAT(
      problems,
      ElementsAre(StartsWith("law.toml:2: there is no key 'hardwear' in [law]. Did you mean 'hardware'?"),
                  StartsWith("law.toml:1: law.hardware is missing"), StartsWith("law.toml:3: law.dataset is no text"),
                  StartsWith("law.toml:4: law.batch is no whole number"),
                  StartsWith("law.toml:5: law.power_source is 'guessed': expected \"measured\" or \"simulated\""),
                  StartsWith("law.toml:8: points.macs is -1: expected a number above 0"),
                  StartsWith("law.toml:10: points.energy_j_per_image_low to _high, 0.2 to 0.3, does not hold"),
                  StartsWith("law.toml:17: there is no key 'maks' in [points]. Did you mean 'macs'?"),
                  StartsWith("law.toml:15: points.energy_j_per_image is nan"),
                  StartsWith("law.toml:16: points.energy_j_per_image_low stands alone"),
                  StartsWith("law.toml:12: 'a' stands twice, first in line 6")));
}

TEST(EnergyLawFileTest, AFileOfAnotherKindIsRefused) {
  EXPECT_THAT(Problems("[curve]\nname = \"x\"\n[[points]]\nlimit_w = 100\n"),
              testing::ElementsAre(HasSubstr("law.toml: this is a power curve, not an energy law: leave --law out")));
  EXPECT_THAT(Problems(kHead), ElementsAre(HasSubstr("no usable [[points]]")));
  EXPECT_THAT(Problems("points = [1]\n" + std::string(kHead)), ElementsAre(HasSubstr("no table")));
}

}  // namespace
}  // namespace heliograd

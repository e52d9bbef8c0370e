#include "heliograd/app/scenario.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

namespace heliograd {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::vector<std::string> ProblemsOf(const std::string& content) {
  const auto scenario = Scenario::Parse(content, "my.toml");
  return scenario ? std::vector<std::string>() : scenario.error().problems;
}

TEST(ScenarioKeys, HaveAMeaningAndASoundDefault) {
  std::set<std::string> names;
  for (const KeySpec& key : ScenarioKeys()) {
    EXPECT_TRUE(names.insert(key.name()).second) << key.name();
    EXPECT_FALSE(key.meaning.empty()) << key.name();
    if (!key.default_text.empty()) {
      EXPECT_TRUE(ParseValue(key, key.default_text)) << key.name();
    }
  }
}

TEST(Scenario, ValuesCarryTheirOrigin) {
  const auto scenario = Scenario::Parse("[pv]\ndc_capacity_w = 600\n", "my.toml");
  ASSERT_TRUE(scenario);
  EXPECT_EQ(scenario->NumberOf("pv.dc_capacity_w"), 600);
  EXPECT_EQ(scenario->Find("pv.dc_capacity_w")->origin, "my.toml:2");
  EXPECT_EQ(scenario->Find("pv.tilt_deg")->origin, "default");
  EXPECT_TRUE(scenario->IsGiven("pv.dc_capacity_w"));
  EXPECT_FALSE(scenario->IsGiven("pv.tilt_deg"));
}

TEST(Scenario, AllMistakesAreListedInOnePass) {
  EXPECT_THAT(
      ProblemsOf("[pv]\ndc_capacity_w = \"big\"\ntilt = 5\n[battery]\ncharge_efficiency = 1.5\n[jobs]\nx = 1\n"),
      ElementsAre(HasSubstr("my.toml:2: pv.dc_capacity_w is 'big': expected a number from 0 to 1e+09"),
                  HasSubstr("my.toml:3: there is no key 'pv.tilt'. Did you mean 'pv.tilt_deg'?"),
                  HasSubstr("my.toml:5: battery.charge_efficiency is 1.5: expected a number more than 0 and at most 1"),
                  HasSubstr("my.toml:6: there is no section [jobs]. Did you mean 'job'?")));
}

TEST(Scenario, NumbersThatAreNoneAreRefused) {
  for (const char* value : {"nan", "inf", "-inf", "true", "[1]", "{}", "\"5\"", "2025-01-01"}) {
    EXPECT_THAT(ProblemsOf(std::string("[battery]\ncapacity_wh = ") + value + "\n"),
                ElementsAre(HasSubstr("my.toml:2: battery.capacity_wh")))
        << value;
  }
}

TEST(Scenario, TimesAreTextsOrTomlTimes) {
  const auto scenario =
      Scenario::Parse("[job]\nstart = 2025-01-01T20:00:00\ndeadline = \"2025-01-02 15:00\"\n", "my.toml");
  ASSERT_TRUE(scenario);
  EXPECT_EQ(scenario->TextOf("job.start"), "2025-01-01 20:00:00");
  EXPECT_THAT(ProblemsOf("[job]\nstart = \"tomorrow\"\n"), ElementsAre(HasSubstr("expected a date and time")));
}

TEST(Scenario, HoursAndDeadlineInOneFileContradict) {
  EXPECT_THAT(ProblemsOf("[job]\nhours = 3\ndeadline = \"2025-01-02 15:00\"\n"),
              ElementsAre(HasSubstr("both hours and deadline")));
}

TEST(Scenario, TheLaterWordOnTheEndCounts) {
  auto scenario = Scenario::Parse("[job]\nhours = 3\n", "my.toml");
  ASSERT_TRUE(scenario->Set("job.deadline=2025-01-02 15:00"));
  EXPECT_FALSE(scenario->Has("job.hours"));
  ASSERT_TRUE(scenario->Set("job.hours=5"));
  EXPECT_FALSE(scenario->Has("job.deadline"));
}

TEST(Scenario, RelativePathsStartAtTheFileThatNamesThem) {
  auto scenario = Scenario::Parse("[gpu]\ncurve = \"curve.toml\"\n[tariff]\nimport = \"fixed\"\n", "nodes/my.toml");
  ASSERT_TRUE(scenario);
  EXPECT_EQ(scenario->PathOf("gpu.curve"), "nodes/curve.toml");
  EXPECT_EQ(scenario->PathOf("tariff.import"), "fixed");
  EXPECT_EQ(scenario->PathOf("weather.file"), "builtin:turin");
  ASSERT_TRUE(scenario->Set("gpu.curve=here.toml"));
  EXPECT_EQ(scenario->PathOf("gpu.curve"), "here.toml");
}

TEST(Scenario, AssignmentsThatAreNoneAreUsageErrors) {
  auto scenario = Scenario::Parse("", "my.toml");
  for (const char* text : {"pv.tilt_deg", "=", "pv.tilt_deg=", "pv.tilt_deg=steep", "pv=3", "nothing.x=1"}) {
    const auto done = scenario->Set(text);
    ASSERT_FALSE(done) << text;
    EXPECT_EQ(done.error().kind, ErrorKind::kUsage) << text;
  }
}

TEST(Scenario, BandsAreReadAndCheckedForType) {
  const auto scenario = Scenario::Parse(
      "[[tariff.bands]]\ndays = \"all\"\nfrom_hour = 0\nto_hour = 24\nprice_eur_per_kwh = 0.3\n", "my.toml");
  ASSERT_TRUE(scenario);
  ASSERT_EQ(scenario->bands().size(), 1u);
  EXPECT_EQ(scenario->bands()[0].price_eur_per_kwh, 0.3);
  EXPECT_THAT(ProblemsOf("[[tariff.bands]]\ndays = 5\nfrom_hour = 24\nto_hour = 24\nprice = 1\n"),
              testing::UnorderedElementsAre(HasSubstr("'price'"), HasSubstr("tariff.bands.days"),
                                            HasSubstr("from_hour is 24"), HasSubstr("price_eur_per_kwh is missing")));
}

TEST(Scenario, PaperAndTemplateAreSound) {
  EXPECT_TRUE(Scenario::Parse(PaperScenarioToml(), "builtin:paper"));
  EXPECT_TRUE(Scenario::Parse(ScenarioTemplate(), "new.toml"));
}

TEST(Scenario, LinesThatAreNoTomlDoNotHideOtherMistakes) {
  EXPECT_THAT(
      ProblemsOf("[pv]\ndc_capacity_w = 1000 W\ntilt = 5\n[[tariff.bands]]\ndays = \"all\"\nfrom_hour = 0\n"
                 "to_hour = 24\nprice_eur_per_kwh = 0,3\n[job]\nstart = 2025-02-30 20:00\n"),
      ElementsAre(HasSubstr("my.toml:2: pv.dc_capacity_w"), HasSubstr("my.toml:3: there is no key 'pv.tilt'"),
                  HasSubstr("my.toml:8: tariff.bands.price_eur_per_kwh is '0,3'"), HasSubstr("my.toml:10: job.start")));
}

TEST(Scenario, ADateThatDoesNotExistIsNoWrongFormat) {
  EXPECT_THAT(ProblemsOf("[job]\nstart = \"2025-02-30 20:00\"\n"),
              ElementsAre("my.toml:2: job.start is '2025-02-30 20:00': expected a date and time that exists (February "
                          "2025 has 28 days)."));
}

TEST(UnknownVariable, RefusesSlipsOfKeysOnly) {
  EXPECT_THAT(UnknownVariable("HELIOGRAD_PV_TILT").value_or(""), HasSubstr("Did you mean HELIOGRAD_PV_TILT_DEG?"));
  EXPECT_TRUE(UnknownVariable("HELIOGRAD_BATERY_CAPACITY_WH"));
  EXPECT_TRUE(UnknownVariable("HELIOGRAD_JOB_ZZZZZZZZ"));
  for (const char* name :
       {"HELIOGRAD_PV_TILT_DEG", "HELIOGRAD_REFERENCE_DATA", "HELIOGRAD_SIM_GPU", "HELIOGRAD_PROGRAM",
        "HELIOGRAD_SOURCE_DIR", "HELIOGRAD_TORCH_BACKEND", "PATH", "HELIOGRAD"}) {
    EXPECT_FALSE(UnknownVariable(name)) << name;
  }
}

TEST(Scenario, TextsThatAreNoTomlGiveOneSentence) {
  for (const std::string& content :
       std::vector<std::string>{"[pv", "= 3", "a", "[pv]\nx = \"", std::string("\0\1", 2), std::string("\xFF\xFE")}) {
    EXPECT_EQ(ProblemsOf(content).size(), 1u) << content;
  }
}

}  // namespace
}  // namespace heliograd

#include "heliograd/app/toml_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace heliograd {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

/// The problem of one line in the section [job], which is line 2.
std::string ProblemOf(const std::string& line) {
  const TomlText text = ReadTomlText("[job]\n" + line + "\nlast = 1\n", "my.toml");
  EXPECT_EQ(text.problems.size(), 1u) << line;
  EXPECT_TRUE(text.whole) << line;
  EXPECT_TRUE(text.root["job"]["last"]) << line;
  return text.problems.empty() ? "" : text.problems.front();
}

TEST(TomlText, SaysWhatToWriteInstead) {
  EXPECT_EQ(ProblemOf("start = 2025-01-01 20:00 # evening"),
            "my.toml:2: job.start is '2025-01-01 20:00' without quotes: write start = \"2025-01-01 20:00\".");
  EXPECT_EQ(ProblemOf("start = 2025-02-30 20:00:00"),
            "my.toml:2: job.start is '2025-02-30 20:00:00', which does not exist: February 2025 has 28 days.");
  EXPECT_EQ(ProblemOf("dc_capacity_w = 1000 W"),
            "my.toml:2: job.dc_capacity_w is '1000 W': the key's name says the unit; write the number alone: "
            "dc_capacity_w = 1000.");
  EXPECT_THAT(ProblemOf("f1_eur_per_kwh = 0.45 EUR/kWh"), HasSubstr("write the number alone: f1_eur_per_kwh = 0.45."));
  EXPECT_THAT(ProblemOf("losses_percent = 14%"), HasSubstr("losses_percent = 14."));
  EXPECT_THAT(ProblemOf("dc_capacity_w = 1 kW"),
              HasSubstr("is '1 kW': write the number alone, without a unit, in the unit that the key's name says."));
  EXPECT_THAT(ProblemOf("price = 0,45"), HasSubstr("price = 0.45."));
  EXPECT_THAT(ProblemOf("price = .5"), HasSubstr("write the number as price = 0.5."));
  EXPECT_THAT(ProblemOf("name = Turin"), HasSubstr("a text stands in quotes: write name = \"Turin\"."));
  EXPECT_THAT(ProblemOf("name ="), HasSubstr("job.name has no value"));
  EXPECT_THAT(ProblemOf("name = \"Turin"), HasSubstr("the quote is not closed"));
  EXPECT_THAT(ProblemOf("file = \"C:\\data\\tmy.csv\""), HasSubstr("a backslash means something else"));
  EXPECT_THAT(ProblemOf("name = \u201CTurin\u201D"), HasSubstr("these quotes are typographic"));
  EXPECT_THAT(ProblemOf("hours: 3"), HasSubstr("job.hours is given with a colon: write hours = 3."));
  EXPECT_THAT(ProblemOf("hours = 3\nhours = 4"), HasSubstr("my.toml:3: job.hours stands here for the second time"));
}

TEST(TomlText, TellsOfAnotherEncodingOnce) {
  const TomlText text = ReadTomlText("[site]\nname = \"caf\xE9\"\n# gr\xFC\xDF\nlatitude = 45\n", "my.toml");
  EXPECT_THAT(text.problems,
              ElementsAre("my.toml:2: site.name = 'caf\\xE9' is not UTF-8 (in Latin-1 it reads 'caf\u00E9'): save the "
                          "file in the encoding UTF-8."));
  EXPECT_TRUE(text.root["site"]["latitude"]);
  EXPECT_THAT(ReadTomlText(std::string("\xFF\xFE[\0", 4), "my.toml").problems, ElementsAre(HasSubstr("UTF-16")));
}

TEST(TomlText, EveryLineIsTold) {
  const TomlText text = ReadTomlText("[a]\nx = 1 W\ny = b\n[c]\nz = 2\n", "my.toml");
  EXPECT_THAT(text.problems, ElementsAre(HasSubstr("my.toml:2: a.x"), HasSubstr("my.toml:3: a.y")));
  EXPECT_EQ(text.root["c"]["z"].value<int>(), 2);
}

TEST(TomlText, AHeadingThatCannotBeReadEndsTheReading) {
  const TomlText text = ReadTomlText("[a\nx = 1\n", "my.toml");
  EXPECT_THAT(text.problems, ElementsAre(HasSubstr("my.toml:1: '[a' is no TOML (expected ']'")));
  EXPECT_FALSE(text.whole);
}

TEST(TomlText, AnotherKindOfFileIsOneSentence) {
  const std::string line = "daemon:x:1:1:daemon:/usr/sbin:/usr/sbin/nologin\n";
  const TomlText text = ReadTomlText("# users\n" + line + line + line + line, "/etc/passwd");
  EXPECT_THAT(text.problems,
              ElementsAre("/etc/passwd: is no TOML: none of its 4 lines is a [section] or key = value: is "
                          "this the right file?"));
  EXPECT_FALSE(text.whole);
  // A few lines, or some that are TOML, are mistakes of a TOML file.
  EXPECT_THAT(ReadTomlText(line, "my.toml").problems, ElementsAre(HasSubstr("with a colon")));
  EXPECT_THAT(ReadTomlText("[a]\n" + line + line + line + line, "my.toml").problems.front(), HasSubstr("colon"));
}

TEST(TomlText, SoundTextsHaveNoProblems) {
  const TomlText text = ReadTomlText("\xEF\xBB\xBF[a]\r\nx = 1\r\n", "my.toml");
  EXPECT_THAT(text.problems, IsEmpty());
  EXPECT_TRUE(text.whole);
}

}  // namespace
}  // namespace heliograd

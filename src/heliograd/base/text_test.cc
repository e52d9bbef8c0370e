#include "heliograd/base/text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace heliograd {
namespace {

using ::testing::ElementsAre;

TEST(Text, TrimAndCase) {
  EXPECT_EQ(Trim(" \t a b \r\n"), "a b");
  EXPECT_EQ(Trim(" \n"), "");
  EXPECT_EQ(ToLower("AC_kW"), "ac_kw");
  EXPECT_TRUE(StartsWithIgnoringCase("Builtin:turin", "builtin:"));
  EXPECT_FALSE(StartsWithIgnoringCase("built", "builtin:"));
}

TEST(ParseNumber, TakesPlainDecimals) {
  EXPECT_EQ(ParseNumber("1.5"), 1.5);
  EXPECT_EQ(ParseNumber(" -3e2 "), -300);
  EXPECT_EQ(ParseNumber("+4"), 4);
  EXPECT_EQ(ParseNumber(".5"), 0.5);
  EXPECT_EQ(ParseNumber("-0"), 0);
}

TEST(ParseNumber, RefusesAllElse) {
  for (const char* text : {"",      " ",   "+",    "-",   "nan", "NaN", "inf", "-inf", "Infinity",     "0x10",
                           "1e999", "1,5", "1.5W", "1 5", "+-4", "++4", "--4", "1e",   "\xEF\xBC\x91", "1\xC2\xA0"}) {
    EXPECT_EQ(ParseNumber(text), std::nullopt) << text;
  }
  EXPECT_EQ(ParseNumber(std::string_view("1\0", 2)), std::nullopt);
}

TEST(ParseInteger, WholeNumbersOnly) {
  EXPECT_EQ(ParseInteger(" 42 "), 42);
  EXPECT_EQ(ParseInteger("+7"), 7);
  EXPECT_EQ(ParseInteger("-7"), -7);
  for (const char* text : {"", "1.0", "1e3", "99999999999999999999", "7a", "+-7"})
    EXPECT_EQ(ParseInteger(text), std::nullopt) << text;
}

TEST(NearestName, FindsSlipsOnly) {
  const std::vector<std::string> keys = {"host_w", "idle_w", "curve", "pv"};
  EXPECT_EQ(NearestName("hots_w", keys), "host_w");
  EXPECT_EQ(NearestName("Idle_W", keys), "idle_w");
  EXPECT_EQ(NearestName("curv", keys), "curve");
  EXPECT_EQ(NearestName("xy", keys), std::nullopt);
  EXPECT_EQ(NearestName("a", keys), std::nullopt);
  EXPECT_EQ(NearestName("", keys), std::nullopt);
  EXPECT_EQ(NearestName("temperature", keys), std::nullopt);
  EXPECT_EQ(NearestName(std::string(100000, 'h'), keys), std::nullopt);
  EXPECT_EQ(DidYouMean("curv", keys), " Did you mean 'curve'?");
  EXPECT_EQ(DidYouMean("xy", keys), "");
}

TEST(Quoted, ShowsValidTextAndEscapesTheRest) {
  EXPECT_EQ(Quoted("12 €"), "'12 €'");
  EXPECT_EQ(Quoted("a\x1B[2J\n"), "'a\\x1B[2J\\x0A'");
  EXPECT_EQ(Quoted("caf\xE9"), "'caf\\xE9'");                       // Latin-1
  EXPECT_EQ(Quoted("\xE0\x80\x80"), "'\\xE0\\x80\\x80'");           // overlong form
  EXPECT_EQ(Quoted("\xED\xA0\x80"), "'\\xED\\xA0\\x80'");           // surrogate
  EXPECT_EQ(Quoted("\xF4\x90\x80\x80"), "'\\xF4\\x90\\x80\\x80'");  // above U+10FFFF
  EXPECT_EQ(Quoted("\xC2\x9B"), "'\\xC2\\x9B'");                    // a control character that terminals obey
  EXPECT_EQ(Quoted("\xE2\x82"), "'\\xE2\\x82'");                    // cut short
  EXPECT_EQ(Quoted(std::string(50, 'x')), "'" + std::string(40, 'x') + "...'");
}

TEST(NormalizeLines, RemovesByteOrderMarkAndCarriageReturns) {
  EXPECT_EQ(NormalizeLines("\xEF\xBB\xBF"
                           "a\r\nb\rc\n\r"),
            "a\nb\nc\n\n");
  EXPECT_EQ(NormalizeLines(""), "");
}

TEST(SplitCsvLine, QuotesGroupAndFieldsAreTrimmed) {
  EXPECT_THAT(SplitCsvLine("a, b ,\"c, \"\"d\"\"\",,"), ElementsAre("a", "b", "c, \"d\"", "", ""));
  EXPECT_THAT(SplitCsvLine("a;b", ';'), ElementsAre("a", "b"));
  EXPECT_THAT(SplitCsvLine("\"open, quote"), ElementsAre("open, quote"));
  EXPECT_THAT(SplitCsvLine(""), ElementsAre(""));
}

TEST(FirstInvalidUtf8, NamesTheFirstByteOutsideASequence) {
  EXPECT_FALSE(FirstInvalidUtf8("plain"));
  EXPECT_FALSE(FirstInvalidUtf8("caf\xC3\xA9"));
  EXPECT_EQ(FirstInvalidUtf8("caf\xE9"), 3u);
  EXPECT_EQ(FirstInvalidUtf8("caf\xE9 bar"), 3u);
}

}  // namespace
}  // namespace heliograd

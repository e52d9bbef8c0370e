#include "heliograd/feed/csv_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace heliograd {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;

TEST(CsvReaderTest, TakesEveryLineEndAndCountsLines) {
  CsvReader reader(
      "\xEF\xBB\xBF"
      "a,b\r\nc\rd\n\ne");
  std::vector<std::string> lines;
  while (reader.Next()) lines.emplace_back(reader.line());
  EXPECT_THAT(lines, ElementsAre("a,b", "c", "d", "", "e"));
  EXPECT_EQ(reader.line_number(), 5u);
}

TEST(CsvReaderTest, SkipsBlankLinesButCountsThem) {
  CsvReader reader("\n  \nx");
  ASSERT_TRUE(reader.NextFilled());
  EXPECT_EQ(reader.line_number(), 3u);
  EXPECT_FALSE(reader.NextFilled());
}

TEST(CsvReaderTest, SplitsPlainAndQuotedFields) {
  CsvReader reader(" a , b,\n\"x, y\",\"say \"\"hi\"\"\",z");
  ASSERT_TRUE(reader.Next());
  EXPECT_THAT(reader.fields(), ElementsAre("a", "b", ""));
  EXPECT_EQ(reader.Field(7), "");
  ASSERT_TRUE(reader.Next());
  EXPECT_THAT(reader.fields(), ElementsAre("x, y", "say \"hi\"", "z"));
}

TEST(CsvReaderTest, RefusesALineWithoutEnd) {
  const std::string text = "ok\n" + std::string(kLongestLine + 1, 'x');
  CsvReader reader(text);
  EXPECT_TRUE(reader.Next());
  EXPECT_FALSE(reader.Next());
  EXPECT_TRUE(reader.too_long());
  EXPECT_EQ(reader.line_number(), 2u);
  EXPECT_FALSE(reader.Next());
}

TEST(CsvReaderTest, TakesTheLongestLineThatIsAllowed) {
  const std::string text(kLongestLine, 'x');
  CsvReader reader(text);
  EXPECT_TRUE(reader.Next());
  EXPECT_EQ(reader.line().size(), kLongestLine);
}

TEST(ReadNumberTest, NamesFileLineColumnValueAndRange) {
  CsvReader reader("1,nan,5000,,1e999");
  ASSERT_TRUE(reader.Next());
  ProblemList problems("w.csv");
  NumberColumn column{.name = "GHI", .low = 0, .high = 1500, .unit = "W/m2", .index = 0};
  EXPECT_EQ(ReadNumber(reader, column, problems), 1.0);
  for (column.index = 1; column.index < 6; ++column.index) {
    column.name = column.index < 3 ? "GHI" : "DNI";
    EXPECT_FALSE(ReadNumber(reader, column, problems).has_value()) << column.index;
  }
  const Error error = problems.Failure().value();
  ASSERT_THAT(error.problems, SizeIs(5));  // two of each column and a count
  EXPECT_EQ(error.problems[0], "w.csv:1: GHI is 'nan': expected a number from 0 to 1500 W/m2.");
  EXPECT_THAT(error.problems[1], HasSubstr("'5000'"));
  EXPECT_THAT(error.problems[2], HasSubstr("DNI is empty"));
}

TEST(ReadNumberTest, WholeNumbersTakeNoFraction) {
  CsvReader reader("7,7.5,99999999999999999999");
  ASSERT_TRUE(reader.Next());
  ProblemList problems("w.csv");
  EXPECT_EQ(ReadWholeNumber(reader, {.name = "Hour", .low = 0, .high = 23, .unit = "", .index = 0}, problems), 7);
  EXPECT_FALSE(ReadWholeNumber(reader, {.name = "Hour", .low = 0, .high = 23, .unit = "", .index = 1}, problems));
  EXPECT_FALSE(ReadWholeNumber(reader, {.name = "Hour", .low = 0, .high = 23, .unit = "", .index = 2}, problems));
  EXPECT_EQ(problems.count(), 2u);
}

TEST(ProblemListTest, TellsOneWrongColumnTwiceAndCountsItsOtherLines) {
  ProblemList problems("p.csv");
  for (size_t line = 2; line <= 31; ++line) problems.AddForValue(line, "price", "x", "a number");
  problems.AddForValue(40, "start", "y", "a time");
  problems.AddForValue(41, "price", "z", "another number");
  EXPECT_EQ(problems.count(), 32u);
  EXPECT_THAT(
      problems.Failure().value().problems,
      ElementsAre("p.csv:2: price is 'x': expected a number.", "p.csv:3: price is 'x': expected a number.",
                  "p.csv:40: start is 'y': expected a time.", "p.csv:41: price is 'z': expected another number.",
                  "p.csv: price: 28 more lines with the same mistake."));
}

TEST(ProblemListTest, CountsEveryProblemOnceWhereBothListsAreCut) {
  ProblemList problems("p.csv");
  for (size_t line = 1; line <= 19; ++line) problems.AddForLine(line, "wrong.");
  for (size_t line = 20; line <= 30; ++line) problems.AddForValue(line, "price", "x", "a number");
  const Error error = problems.Failure().value();
  // 19 + 1 listed; of the other ten, nine are alike to two told or counted before them.
  EXPECT_THAT(std::vector<std::string>(error.problems.begin() + 20, error.problems.end()),
              ElementsAre("p.csv: price: 9 more lines with the same mistake.", "p.csv: and 1 more problems."));
}

TEST(ReadNumberTest, NamesADecimalComma) {
  CsvReader reader("0,25;1,2,3", ';');
  ASSERT_TRUE(reader.Next());
  ProblemList problems("p.csv");
  for (const size_t index : {size_t{0}, size_t{1}}) {
    EXPECT_FALSE(ReadNumber(reader, {.name = "price", .low = 0, .high = 5, .unit = "", .index = index}, problems));
  }
  EXPECT_THAT(problems.Failure().value().problems,
              ElementsAre(HasSubstr("with a decimal point, not a comma"), ::testing::Not(HasSubstr("comma."))));
}

TEST(ProblemListTest, ListsTheFirstTwentyAndCountsTheOthers) {
  ProblemList problems("w.csv");
  EXPECT_TRUE(problems.empty());
  for (size_t line = 1; line <= 23; ++line) problems.AddForLine(line, "wrong.");
  const Error error = problems.Failure().value();
  ASSERT_THAT(error.problems, SizeIs(21));
  EXPECT_EQ(error.problems.front(), "w.csv:1: wrong.");
  EXPECT_EQ(error.problems.back(), "w.csv: and 3 more problems.");
}

TEST(FindColumnTest, IgnoresCaseAndUnits) {
  EXPECT_EQ(FindColumn({"G(h)", "Beam Irradiance (W/m^2)"}, {"beam irradiance"}), 1u);
  EXPECT_EQ(FindColumn({"Gb(n)", "G(h)"}, {"g(h)"}), 1u);
  EXPECT_EQ(FindColumn({"Year", "Wind Speed"}, {"wspd", "wind speed"}), 1u);
  EXPECT_FALSE(FindColumn({"Year"}, {"month"}).has_value());
}

}  // namespace
}  // namespace heliograd

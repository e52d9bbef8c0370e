#include "heliograd/report/text_table.h"

#include <gtest/gtest.h>

namespace heliograd {
namespace {

TEST(WrapText, CutsALongWordAfterAHyphen) {
  EXPECT_EQ(WrapText("typical-year", 10), (std::vector<std::string>{"typical-", "year"}));
  EXPECT_EQ(WrapText("typical-year", 12), (std::vector<std::string>{"typical-year"}));
  EXPECT_EQ(WrapText("-abcdefghij", 5), (std::vector<std::string>{"-abcd", "efghi", "j"}));
}

TEST(DisplayWidth, CountsColumnsNotBytes) {
  EXPECT_EQ(DisplayWidth(""), 0);
  EXPECT_EQ(DisplayWidth("battery"), 7);
  EXPECT_EQ(DisplayWidth("▁▂█"), 3);
  EXPECT_EQ(DisplayWidth("漢字"), 4);
  EXPECT_EQ(DisplayWidth("e\u0301"), 1);
}

TEST(Printable, TakesThePowerFromEscapeSequences) {
  EXPECT_EQ(Printable("a\x1b[31mred\x07", true), "a [31mred ");
  EXPECT_EQ(Printable("two\nlines\ttab\x7f", true), "two lines tab ");
  EXPECT_EQ(Printable(std::string("nul\0!", 5), true), "nul !");
  EXPECT_EQ(Printable("c1 \u009b31m", true), "c1  31m");
}

TEST(Printable, ReplacesWhatIsNotUtf8AndWhatTurnsTheWritingDirection) {
  EXPECT_EQ(Printable("\xff\xc3", true), "??");
  EXPECT_EQ(Printable("a\u202Eb", true), "a?b");
}

TEST(Printable, SpellsCommonSignsInAscii) {
  EXPECT_EQ(Printable("0 → 5 €, CO₂, 20–22, é", false), "0 -> 5 EUR, CO2, 20-22, ?");
}

TEST(WrapText, BreaksAtSpacesAndInLongWordsOnly) {
  EXPECT_EQ(WrapText("one two three", 7), (std::vector<std::string>{"one two", "three"}));
  EXPECT_EQ(WrapText("abcdefghij k", 4), (std::vector<std::string>{"abcd", "efgh", "ij k"}));
  EXPECT_EQ(WrapText("costs 12 EUR", 9), (std::vector<std::string>{"costs", "12 EUR"}));
  EXPECT_EQ(WrapText("  ", 4), std::vector<std::string>{""});
  EXPECT_EQ(WrapText("漢字漢字", 5), (std::vector<std::string>{"漢字", "漢字"}));
}

TextTable Rungs() {
  TextTable table({{"rule", Align::kLeft, true}, {"cost"}, {"from the grid"}});
  table.AddRow({"best fixed limit from the grid", "0.741 EUR", "2350 Wh"});
  table.AddRow({"plan", "0.471 EUR", "900 Wh"});
  return table;
}

TEST(TextTable, AlignsColumns) {
  EXPECT_EQ(Rungs().Draw({.width = 80}),
            "rule                                 cost  from the grid\n"
            "best fixed limit from the grid  0.741 EUR        2350 Wh\n"
            "plan                            0.471 EUR         900 Wh\n");
}

TEST(TextTable, WrapsTheColumnThatMayGiveWay) {
  EXPECT_EQ(Rungs().Draw({.width = 42}),
            "rule                   cost  from the grid\n"
            "best fixed limit  0.741 EUR        2350 Wh\n"
            "from the grid\n"
            "plan              0.471 EUR         900 Wh\n");
}

TEST(TextTable, BecomesRecordsWhenEvenThatIsTooWide) {
  EXPECT_EQ(Rungs().Draw({.width = 30}),
            "best fixed limit from the grid\n"
            "  cost 0.741 EUR, from the\n"
            "  grid 2350 Wh\n"
            "plan\n"
            "  cost 0.471 EUR, from the\n"
            "  grid 900 Wh\n");
}

TEST(TextTable, FillsMissingCells) {
  TextTable table({{"a", Align::kLeft}, {"b", Align::kLeft}});
  table.AddRow({"x"});
  EXPECT_EQ(table.Draw({}), "a  b\nx\n");
}

}  // namespace
}  // namespace heliograd

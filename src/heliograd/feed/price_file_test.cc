#include "heliograd/feed/price_file.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <numeric>

#include "heliograd/base/file.h"

namespace heliograd {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

TimeZone Rome() { return TimeZone::Find("Europe/Rome").value(); }
Stamp Utc(const std::string& civil) { return StampFromUtc(ParseCivil(civil).value()); }

/// The steps in words, "2024-01-01T00:00:00Z 60 50.5": start, minutes, EUR/MWh.
std::vector<std::string> StepsIn(const std::string& content) {
  const auto series = ParsePriceSeries(content, "p.csv", Rome());
  if (!series) return {"FAILED: " + series.error().Message()};
  std::vector<std::string> steps;
  for (const auto& step : series->steps) {
    steps.push_back(fmt::format("{} {} {:.6g}", FormatStamp(step.start), (step.end - step.start) / minutes(1),
                                InEurosPerKilowattHour(step.value) * 1000));
  }
  return steps;
}

std::vector<std::string> ProblemsIn(const std::string& content) {
  const auto series = ParsePriceSeries(content, "p.csv", Rome());
  return series ? std::vector<std::string>() : series.error().problems;
}

const std::string kEntsoe = "\"MTU (CET/CEST)\",\"Day-ahead Price [EUR/MWh]\",\"Currency\",\"BZN|IT-North\"\n";
std::string EntsoeRow(const std::string& interval, const std::string& price) {
  return fmt::format("\"{}\",\"{}\",\"EUR\",\"\"\n", interval, price);
}

TEST(EntsoePrices, ReadsLocalIntervals) {
  EXPECT_THAT(StepsIn(kEntsoe + EntsoeRow("01.01.2024 00:00 - 01.01.2024 01:00", "50.5") +
                      EntsoeRow("01.07.2024 00:00 - 01.07.2024 01:00", "-12")),
              ElementsAre("2023-12-31T23:00:00Z 60 50.5", "2024-06-30T22:00:00Z 60 -12"));
}

TEST(EntsoePrices, UtcColumnSecondsSlashesAndLabels) {
  EXPECT_THAT(StepsIn("MTU (UTC),Day-ahead Price (EUR/MWh)\n01/01/2025 00:00:00 - 01/01/2025 00:15:00,50\n"),
              ElementsAre("2025-01-01T00:00:00Z 15 50"));
  EXPECT_THAT(StepsIn("MTU,Day-ahead Price (EUR/MWh)\n01.01.2025 00:00 - 01.01.2025 00:30 (CET/CEST),50\n"),
              ElementsAre("2024-12-31T23:00:00Z 30 50"));
  EXPECT_THAT(StepsIn("Time (EET/EEST),Day-ahead Price (EUR/MWh)\n01.07.2025 03:00 - 01.07.2025 04:00,50\n"),
              ElementsAre("2025-07-01T00:00:00Z 60 50"));
  EXPECT_THAT(StepsIn("MTU;Day-ahead Price (EUR/MWh)\n01.07.2025 02:00 - 01.07.2025 03:00;50\n"),
              ElementsAre("2025-07-01T00:00:00Z 60 50"));  // the zone handed in
}

TEST(EntsoePrices, GapsStayGaps) {
  for (const std::string gap : {"n/e", "N/A", "-", ""}) {
    EXPECT_THAT(StepsIn(kEntsoe + EntsoeRow("01.01.2024 00:00 - 01.01.2024 01:00", "1") +
                        EntsoeRow("01.01.2024 01:00 - 01.01.2024 02:00", gap) +
                        EntsoeRow("01.01.2024 02:00 - 01.01.2024 03:00", "3")),
                ElementsAre("2023-12-31T23:00:00Z 60 1", "2024-01-01T01:00:00Z 60 3"))
        << gap;
  }
}

TEST(EntsoePrices, DayOf25HoursRepeatsAnHour) {
  EXPECT_THAT(StepsIn(kEntsoe + EntsoeRow("27.10.2024 01:00 - 27.10.2024 02:00", "1") +
                      EntsoeRow("27.10.2024 02:00 - 27.10.2024 03:00", "2") +
                      EntsoeRow("27.10.2024 02:00 - 27.10.2024 03:00", "3") +
                      EntsoeRow("27.10.2024 03:00 - 27.10.2024 04:00", "4")),
              ElementsAre("2024-10-26T23:00:00Z 60 1", "2024-10-27T00:00:00Z 60 2", "2024-10-27T01:00:00Z 60 3",
                          "2024-10-27T02:00:00Z 60 4"));
}

TEST(EntsoePrices, DayOf25HoursInQuarters) {
  std::string content = kEntsoe;
  for (int pass = 0; pass < 2; ++pass) {
    for (int quarter = 0; quarter < 4; ++quarter) {
      const int end = quarter * 15 + 15;
      content +=
          EntsoeRow(fmt::format("26.10.2025 02:{:02} - 26.10.2025 {:02}:{:02}", quarter * 15, 2 + end / 60, end % 60),
                    std::to_string(pass * 4 + quarter));
    }
  }
  const auto series = ParsePriceSeries(content, "p.csv", Rome());
  ASSERT_TRUE(series) << series.error().Message();
  const auto quarters = MeanPerSlot(*series, {Utc("2025-10-26 00:00"), minutes(15), 8}).value();
  for (size_t i = 0; i < quarters.size(); ++i) EXPECT_EQ(quarters[i], EurosPerMegawattHour(static_cast<double>(i)));
}

TEST(EntsoePrices, LabelledRepeatedHour) {
  EXPECT_THAT(StepsIn(kEntsoe + EntsoeRow("27/10/2024 02:00:00 (CEST) - 27/10/2024 02:00:00 (CET)", "2") +
                      EntsoeRow("27/10/2024 02:00:00 (CET) - 27/10/2024 03:00:00 (CET)", "3")),
              ElementsAre("2024-10-27T00:00:00Z 60 2", "2024-10-27T01:00:00Z 60 3"));
}

TEST(EntsoePrices, DayOf23HoursInEachSpellingOfItsEdge) {
  for (const std::string end : {"02:00", "03:00"}) {
    EXPECT_THAT(StepsIn(kEntsoe + EntsoeRow("31.03.2024 01:00 - 31.03.2024 " + end, "1") +
                        EntsoeRow("31.03.2024 02:00 - 31.03.2024 03:00", "") +
                        EntsoeRow("31.03.2024 03:00 - 31.03.2024 04:00", "3")),
                ElementsAre("2024-03-31T00:00:00Z 60 1", "2024-03-31T01:00:00Z 60 3"));
  }
  EXPECT_THAT(
      ProblemsIn(kEntsoe + EntsoeRow("31.03.2024 02:00 - 31.03.2024 03:00", "5")),
      ElementsAre(HasSubstr("p.csv:2: MTU (CET/CEST) is '31.03.2024 02:00 - 31.03.2024 03:00': expected a time that "
                            "occurs in Europe/Brussels.")));
}

TEST(EntsoePrices, ShorterStepsHideLongerOnes) {
  EXPECT_THAT(StepsIn(kEntsoe + EntsoeRow("01.01.2024 00:00 - 01.01.2024 01:00", "60") +
                      EntsoeRow("01.01.2024 00:15 - 01.01.2024 00:30", "15") +
                      EntsoeRow("01.01.2024 01:00 - 01.01.2024 02:00", "61")),
              ElementsAre("2023-12-31T23:00:00Z 15 60", "2023-12-31T23:15:00Z 15 15", "2023-12-31T23:30:00Z 30 60",
                          "2024-01-01T00:00:00Z 60 61"));
}

TEST(EntsoePrices, OnlyTheFirstAuctionIsRead) {
  const std::string header = "MTU (UTC),Area,Sequence,Day-ahead Price (EUR/MWh)\n";
  const std::string second = "01/01/2025 00:00:00 - 01/01/2025 00:15:00,BZN|DE-LU,Sequence Sequence 2,2\n";
  const std::string first = "01/01/2025 00:00:00 - 01/01/2025 01:00:00,BZN|DE-LU,Sequence Sequence 1,1\n";
  const std::string first_without_price = "01/01/2025 00:00:00 - 01/01/2025 01:00:00,BZN|DE-LU,Sequence Sequence 1,\n";
  const std::string without = "01/01/2025 01:00:00 - 01/01/2025 02:00:00,BZN|DE-LU,Without Sequence,3\n";
  EXPECT_THAT(StepsIn(header + second + first + without),
              ElementsAre("2025-01-01T00:00:00Z 60 1", "2025-01-01T01:00:00Z 60 3"));
  EXPECT_THAT(StepsIn(header + second + first_without_price), ElementsAre("2025-01-01T00:00:00Z 15 2"));
}

TEST(EntsoePrices, SeveralAreasOtherCurrenciesAndUnitsAreRefused) {
  EXPECT_THAT(ProblemsIn("MTU (UTC),Area,Day-ahead Price (EUR/MWh)\n01.01.2025 00:00 - 01.01.2025 01:00,BZN|FR,1\n"
                         "01.01.2025 01:00 - 01.01.2025 02:00,BZN|BE,1\n"),
              ElementsAre("p.csv:3: Area is 'BZN|BE': expected BZN|FR, as before: keep the rows of one area."));
  EXPECT_THAT(ProblemsIn("MTU (UTC),Day-ahead Price [EUR/MWh],Currency\n01.01.2025 00:00 - 01.01.2025 01:00,1,BGN\n"),
              ElementsAre("p.csv:2: Currency is 'BGN': expected EUR."));
  EXPECT_THAT(ProblemsIn("MTU (UTC),Day-ahead Price [GBP/MWh]\n"),
              ElementsAre("p.csv:1: column 'Day-ahead Price [GBP/MWh]': expected prices in EUR/MWh."));
  EXPECT_THAT(ProblemsIn("MTU (UTC),Actual Total Load [MW]\n"),
              ElementsAre(HasSubstr("expected a column Day-ahead Price")));
}

TEST(EntsoePrices, BadIntervalsClocksAndOrder) {
  for (const std::string interval :
       {"01.01.2024 00:00", "01.01.2024 00:00 - 01.01.2024 02:00", "01.01.2024 01:00 - 01.01.2024 00:00",
        "2024-01-01 00:00 - 2024-01-01 01:00", "31.02.2024 00:00 - 31.02.2024 01:00",
        "01.01.2024 24:00 - 02.01.2024 01:00", "", " - ", "01/13/2024 00:00 - 01/13/2024 01:00"}) {
    EXPECT_THAT(ProblemsIn(kEntsoe + EntsoeRow(interval, "1")),
                ElementsAre(HasSubstr("expected 15, 30 or 60 minutes such as")))
        << interval;
  }
  EXPECT_THAT(ProblemsIn("MTU (XYZ),Day-ahead Price (EUR/MWh)\n01.01.2024 00:00 - 01.01.2024 01:00,1\n"),
              ElementsAre(HasSubstr("p.csv:1: clock 'XYZ' is not known: expected UTC")));
  EXPECT_THAT(ProblemsIn("MTU,Day-ahead Price (EUR/MWh)\n01.01.2024 00:00 - 01.01.2024 01:00 (XYZ),1\n"),
              ElementsAre(HasSubstr("p.csv:2: clock 'XYZ' is not known: expected UTC")));
  EXPECT_THAT(
      ProblemsIn(kEntsoe + EntsoeRow("01.01.2024 00:00 - 01.01.2024 01:00", "1") +
                 EntsoeRow("01.01.2024 00:00 - 01.01.2024 01:00", "1")),
      ElementsAre(HasSubstr("p.csv:3: MTU (CET/CEST) is '01.01.2024 00:00 - 01.01.2024 01:00': expected a time after "
                            "2023-12-31T23:00:00Z")));
}

TEST(DateHourPrices, LocalHoursWithBothChangesOfTheClock) {
  std::string spring = "date,hour_local,price_eur_mwh\n";
  for (int hour = 0; hour < 5; ++hour)
    spring += fmt::format("2023-03-26,{},{}\n", hour, hour == 2 ? "" : std::to_string(hour));
  EXPECT_THAT(StepsIn(spring), ElementsAre("2023-03-25T23:00:00Z 60 0", "2023-03-26T00:00:00Z 60 1",
                                           "2023-03-26T01:00:00Z 60 3", "2023-03-26T02:00:00Z 60 4"));
  EXPECT_THAT(StepsIn("date,hour_local,price_eur_mwh\n2023-10-29,2,1\n2023-10-29,2,2\n2023-10-29,3,3\n"),
              ElementsAre("2023-10-29T00:00:00Z 60 1", "2023-10-29T01:00:00Z 60 2", "2023-10-29T02:00:00Z 60 3"));
  EXPECT_THAT(
      StepsIn("date,hour_local,price_eur_mwh\n2023-10-29,2,1\n2023-10-29,3,3\n"),
      ElementsAre("2023-10-29T00:00:00Z 60 1", "2023-10-29T02:00:00Z 60 3"));  // the second hour is not in the file
}

TEST(DateHourPrices, EveryMistakeIsNamed) {
  EXPECT_THAT(
      ProblemsIn("date,hour_local,price_eur_mwh\n2023-13-01,0,1\n2023-01-01,24,1\n2023-01-01,x,1\n2023-01-01,1,abc\n"
                 "2023-01-01,0,1\n2023-03-26,2,9\n2023-03-26,3\n2023-01-01 10:00,4,1\n"),
      ElementsAre("p.csv:2: date is '2023-13-01': expected a date such as 2025-01-31.",
                  "p.csv:3: hour_local is '24': expected a whole number from 0 to 23.",
                  "p.csv:4: hour_local is 'x': expected a whole number from 0 to 23.",
                  "p.csv:5: price_eur_mwh is 'abc': expected a number from -20000 to 20000 EUR/MWh.",
                  HasSubstr("p.csv:6: date and hour is '2023-01-01 00:00': expected a time after 2023-01-01T00:00:00Z"),
                  "p.csv:7: date and hour is '2023-03-26 02:00': expected a time that occurs in Europe/Rome.",
                  "p.csv:8: row is '2023-03-26,3': expected 3 fields, as in the header.",
                  "p.csv:9: date is '2023-01-01 10:00': expected a date such as 2025-01-31."));
}

TEST(StartPrices, UnitsStandInTheColumnName) {
  EXPECT_THAT(StepsIn("start,price_eur_per_kwh\n2025-01-01T00:00Z,0.1\n2025-01-01T01:00Z,0.2\n"),
              ElementsAre("2025-01-01T00:00:00Z 60 100", "2025-01-01T01:00:00Z 60 200"));
  EXPECT_THAT(StepsIn("price_eur_per_mwh,start\n100,2025-01-01T01:00+01:00\n-200,2025-01-01T02:00+01:00\n"),
              ElementsAre("2025-01-01T00:00:00Z 60 100", "2025-01-01T01:00:00Z 60 -200"));
}

TEST(StartPrices, RowsLastUntilTheNextUnlessAGapFollows) {
  EXPECT_THAT(StepsIn("start,price_eur_per_mwh\n2025-01-01T00:00Z,1\n2025-01-01T00:15Z,2\n2025-01-01T00:30Z,n/e\n"
                      "2025-01-01T01:00Z,4\n2025-01-01T02:00Z,5\n2025-01-02T00:00Z,6\n"),
              ElementsAre("2025-01-01T00:00:00Z 15 1", "2025-01-01T00:15:00Z 15 2", "2025-01-01T01:00:00Z 60 4",
                          "2025-01-01T02:00:00Z 60 5", "2025-01-02T00:00:00Z 60 6"));
}

TEST(StartPrices, LocalStampsAcrossBothChangesOfTheClock) {
  EXPECT_THAT(StepsIn("start,price_eur_per_mwh\n2025-03-30 01:00,1\n2025-03-30 02:00,\n2025-03-30 03:00,3\n"),
              ElementsAre("2025-03-30T00:00:00Z 60 1", "2025-03-30T01:00:00Z 60 3"));
  EXPECT_THAT(
      StepsIn(
          "start,price_eur_per_mwh\n2025-10-26 02:00,1\n2025-10-26 02:30,2\n2025-10-26 02:00,3\n2025-10-26 02:30,4\n"),
      ElementsAre("2025-10-26T00:00:00Z 30 1", "2025-10-26T00:30:00Z 30 2", "2025-10-26T01:00:00Z 30 3",
                  "2025-10-26T01:30:00Z 30 4"));
}

TEST(StartPrices, BadStampsStepsAndSingleRows) {
  EXPECT_THAT(
      ProblemsIn("start,price_eur_per_mwh\ntomorrow,1\n2025-01-01T00:00Z,1\n2025-01-01T00:00Z,1\n2025-03-30 02:00,1\n"),
      ElementsAre(HasSubstr("p.csv:2: start is 'tomorrow': expected a time such as 2025-01-01T20:00Z"),
                  HasSubstr("p.csv:4: start is '2025-01-01T00:00Z': expected a time after 2025-01-01T00:00:00Z"),
                  HasSubstr("p.csv:5: start is '2025-03-30 02:00': expected a time that occurs in Europe/Rome.")));
  EXPECT_THAT(
      ProblemsIn("start,price_eur_per_mwh\n2025-01-01T00:00Z,1\n2025-01-01T00:07Z,1\n"),
      ElementsAre(HasSubstr("p.csv:3: begins 420 s after the row before: expected a step that divides the hour")));
  EXPECT_THAT(ProblemsIn("start,price_eur_per_mwh\n2025-01-01T00:00Z,1\n"),
              ElementsAre(HasSubstr("no two rows are within an hour")));
}

TEST(PriceFile, UnknownHeaderNamesTheKnownOnes) {
  EXPECT_THAT(ProblemsIn("strat,price_eur_per_kwh\n2025-01-01T00:00Z,1\n"),
              ElementsAre("p.csv:1: header is 'strat,price_eur_per_kwh': expected start with price_eur_per_kwh or "
                          "price_eur_per_mwh; or date,hour_local,price_eur_mwh; or MTU (CET/CEST) with Day-ahead Price "
                          "(EUR/MWh). 'strat' may be meant as 'start'."));
  EXPECT_THAT(ProblemsIn("start,price_eur_per_kw\n"),
              ElementsAre(HasSubstr("'price_eur_per_kw' may be meant as 'price_eur_per_kwh'")));
  EXPECT_THAT(ProblemsIn("a,b\n"), ElementsAre(HasSubstr("(EUR/MWh).")));
}

TEST(PriceFile, NumbersThatAreNoPrices) {
  for (const std::string price : {"nan", "inf", "-inf", "1e999", "0x10", "20001", "-20001", "1\xE9", "12 EUR"}) {
    EXPECT_THAT(ProblemsIn(kEntsoe + EntsoeRow("01.01.2024 00:00 - 01.01.2024 01:00", price)),
                ElementsAre(HasSubstr("p.csv:2: Day-ahead Price [EUR/MWh] is '")))
        << price;
  }
  EXPECT_THAT(ProblemsIn("start,price_eur_per_kwh\n2025-01-01T00:00Z,50\n2025-01-01T01:00Z,0.2\n"),
              ElementsAre(HasSubstr("p.csv:2: price_eur_per_kwh is '50': expected a number from -20 to 20 EUR/kWh;")));
}

TEST(PriceFile, ByteOrderMarkCrlfLatin1InOtherColumnsAndCutRows) {
  EXPECT_THAT(StepsIn("\xEF\xBB\xBFMTU (UTC),Day-ahead Price (EUR/MWh),Stra\xDF"
                      "e\r\n01.01.2025 00:00 - 01.01.2025 01:00,5,\xFC\r\n"),
              ElementsAre("2025-01-01T00:00:00Z 60 5"));
  EXPECT_THAT(ProblemsIn(kEntsoe + "\"01.01.2024 00:00 - 01.0"),
              ElementsAre(HasSubstr("p.csv:2: row is '\"01.01.2024 00:00 - 01.0'")));
}

TEST(PriceFile, DecimalCommasBetweenCommasAreRefusedAndEmptyFieldsAtTheEndAreNot) {
  EXPECT_THAT(ProblemsIn("start,price_eur_per_kwh\n2026-06-01 20:00,0,100\n2026-06-01 21:00,0,120\n"),
              ElementsAre(::testing::AllOf(HasSubstr("p.csv:2: row is"), HasSubstr("expected 2 fields"),
                                           HasSubstr("decimal comma")),
                          HasSubstr("p.csv:3: row is")));
  EXPECT_THAT(ProblemsIn("start,price_eur_per_kwh\n2026-06-01T20:00Z,0.100,\n2026-06-01T21:00Z,0.120,,\n"),
              ElementsAre());
  EXPECT_THAT(ProblemsIn("start;price_eur_per_kwh\n2026-06-01 20:00;0,100\n2026-06-01 21:00;0,120\n"),
              ElementsAre(HasSubstr("decimal point"), HasSubstr("decimal point")));
}

TEST(PriceFile, PricesPerMegawattHourInAColumnPerKilowattHourAreNamed) {
  EXPECT_THAT(ProblemsIn("start,price_eur_per_kwh\n2026-06-01T20:00Z,101.5\n2026-06-01T21:00Z,99\n"),
              ElementsAre(HasSubstr("price_eur_per_mwh"), HasSubstr("price_eur_per_mwh")));
}

TEST(PriceFile, EmptyFilesAndEndlessLines) {
  EXPECT_THAT(ProblemsIn(""), ElementsAre(HasSubstr("p.csv: empty")));
  EXPECT_THAT(ProblemsIn(kEntsoe), ElementsAre("p.csv: no price in it: expected at least one row with a price."));
  EXPECT_THAT(ProblemsIn(kEntsoe + EntsoeRow("01.01.2024 00:00 - 01.01.2024 01:00", "n/e")),
              ElementsAre(HasSubstr("no price in it")));
  EXPECT_THAT(ProblemsIn(std::string(70000, 'x')), ElementsAre(HasSubstr("p.csv: a first line longer than 64 KiB")));
  EXPECT_THAT(ProblemsIn(kEntsoe + std::string(70000, 'x')), ElementsAre(HasSubstr("p.csv:2: longer than 64 KiB")));
}

TEST(PriceFile, OneWrongColumnIsNotToldLineByLine) {
  std::string content = "start,price_eur_per_mwh\n";
  for (int i = 0; i < 30; ++i) content += fmt::format("2025-01-01T00:{:02}Z,x\n", i);
  const auto problems = ProblemsIn(content);
  ASSERT_EQ(problems.size(), 3u);
  EXPECT_EQ(problems.back(), "p.csv: price_eur_per_mwh: 28 more lines with the same mistake.");
}

TEST(PriceFile, YearAndAHalfOfNorthernItaly) {
  const char* folder = std::getenv("HELIOGRAD_REFERENCE_DATA");
  if (folder == nullptr) GTEST_SKIP() << "HELIOGRAD_REFERENCE_DATA is not set";
  const std::string path = std::string(folder) + "/price/it_north_dayahead_2023-01-30_2024-08-20.csv";
  const auto content = ReadFile(path);
  if (!content) GTEST_SKIP() << content.error().Message();
  const auto series = ParsePriceSeries(*content, path, Rome());
  ASSERT_TRUE(series) << series.error().Message();
  // 538 days of 24 rows; 25 have no price: the skipped hour of spring 2023 and 24 more.
  ASSERT_EQ(series->steps.size(), 538u * 24 - 25);
  EXPECT_EQ(series->steps.front().start, Utc("2023-01-29 23:00"));
  EXPECT_EQ(series->steps.back().end, Utc("2024-08-20 22:00"));
  for (size_t i = 1; i < series->steps.size(); ++i) ASSERT_GE(series->steps[i].start, series->steps[i - 1].end);
  // Row 2023-03-26,3,125.86 is the hour after the change of the clock.
  EXPECT_EQ(MeanPerSlot(*series, {Utc("2023-03-26 01:00"), hours(1), 1}).value().front(), EurosPerMegawattHour(125.86));
  const double sum =
      std::accumulate(series->steps.begin(), series->steps.end(), 0.0,
                      [](double total, const auto& step) { return total + InEurosPerKilowattHour(step.value) * 1000; });
  EXPECT_NEAR(sum / static_cast<double>(series->steps.size()), 113, 0.5);  // published as 113 EUR/MWh, rounded
}

}  // namespace
}  // namespace heliograd

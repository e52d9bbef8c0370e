#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "heliograd/feed/weather_file.h"
#include "heliograd/feed/weather_formats.h"
#include "heliograd/feed/weather_testing.h"

namespace heliograd {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(CompactTest, RowsAreInstantsInLocalStandardTime) {
  const std::string text(BuiltinTurinWeather());
  const WeatherYear year = ParseWeather(text, "w.csv", {}).value().weather;
  ExpectSameHours(year, Turin());
  EXPECT_EQ(year.source, "w.csv (compact typical year)");
  EXPECT_EQ(year.hours[9].hour, 9);
  EXPECT_EQ(year.hours[9].ghi_w_m2, 32);  // the row 1,1,9
}

TEST(CompactTest, NamesWhatTheLinesAboveTheTableLack) {
  const std::string text(BuiltinTurinWeather());
  EXPECT_THAT(Problems(Replaced(text, " lat 45.000", "")),
              ElementsAre(HasSubstr("w.csv:2: the lines above the table do not say ' lat ' (latitude)")));
  EXPECT_THAT(Problems(Replaced(text, "UTC+1", "UTC+99")), ElementsAre(HasSubstr("UTC offset is '+99'")));
  EXPECT_THAT(Problems(Replaced(text, "month,day", "day,month")), ElementsAre(HasSubstr("the row of column names")));
}

TEST(CompactTest, ListsBadValues) {
  EXPECT_THAT(
      Problems(Replaced(std::string(BuiltinTurinWeather()), "1,1,1,2018,0.0,0.0,0.0,2.04", "1,1,1,2018,inf,,1;0,99")),
      ElementsAre("w.csv:5: ghi is 'inf': expected a number from -1 to 2000 W/m2.",
                  "w.csv:5: dni is empty: expected a number from -1 to 2000 W/m2.",
                  "w.csv:5: dhi is '1;0': expected a number from -1 to 2000 W/m2.",
                  "w.csv:5: tamb is '99': expected a number from -90 to 60 C."));
}

}  // namespace
}  // namespace heliograd

#include "heliograd/model/pvwatts.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <limits>
#include <numeric>
#include <string>
#include <vector>

#include "heliograd/base/file.h"
#include "heliograd/base/text.h"

namespace heliograd {
namespace {

constexpr double kPeakTolerance = 1e-4;  // share of the peak that a single hour may differ: what the project promises

/// The records of a CSV file from the one after `header_start`, as numbers by column.
std::vector<std::vector<double>> ReadRows(const std::string& path, std::string_view header_start) {
  const Result<std::string> text = ReadFile(path);
  if (!text) throw std::runtime_error(text.error().Message());
  std::vector<std::vector<double>> rows;
  bool past_header = false;
  const std::string lines = NormalizeLines(*text);
  for (size_t from = 0; from < lines.size();) {
    const size_t end = std::min(lines.find('\n', from), lines.size());
    const std::string_view line = std::string_view(lines).substr(from, end - from);
    from = end + 1;
    const std::vector<std::string> fields = SplitCsvLine(line);
    if (past_header) {
      std::vector<double> row;
      for (const std::string& field : fields) row.push_back(ParseNumber(field).value_or(0));
      rows.push_back(std::move(row));
    } else if (!fields.empty() && fields.front() == header_start) {
      past_header = true;
    }
  }
  return rows;
}

WeatherYear Turin() {
  WeatherYear weather;
  weather.latitude_deg = 45;
  weather.longitude_deg = 8;
  weather.elevation_m = 250;
  weather.utc_offset = std::chrono::hours(1);
  weather.stamp = IrradianceStamp::kInstant;
  weather.instant_offset_h = 0.1761;
  for (const std::vector<double>& row : ReadRows(HELIOGRAD_SOURCE_DIR "/data/weather/turin_compact_lst.csv", "month")) {
    WeatherHour hour;
    hour.month = static_cast<int>(row[0]);
    hour.day = static_cast<int>(row[1]);
    hour.hour = static_cast<int>(row[2]);
    hour.source_year = static_cast<int>(row[3]);
    hour.ghi_w_m2 = row[4];
    hour.dni_w_m2 = row[5];
    hour.dhi_w_m2 = row[6];
    hour.ambient_c = row[7];
    hour.wind_m_s = row[8];
    hour.pressure_hpa = row[9];
    weather.hours.push_back(hour);
  }
  return weather;
}

PvSystem SystemOf(PvModel model) {
  PvSystem system;
  system.model = model;
  return system;
}

double AnnualAcKwh(const WeatherYear& weather, const PvSystem& system) {
  return InKilowattHours(SimulatePvYear(weather, system).AnnualAc());
}

void ExpectEqualsReferenceHourByHour(PvModel model, const std::string& file) {
  const std::vector<std::vector<double>> reference = ReadRows(HELIOGRAD_SOURCE_DIR "/data/pv/" + file, "month");
  WeatherYear weather = Turin();
  ASSERT_EQ(reference.size(), weather.hours.size());
  // The reference was computed from the beam as published, with two decimals; it carries that column itself.
  for (size_t hour = 0; hour < reference.size(); ++hour) weather.hours[hour].dni_w_m2 = reference[hour][4];
  const PvYear year = SimulatePvYear(weather, SystemOf(model));
  double worst_poa = 0;
  double worst_dc = 0;
  double worst_ac = 0;
  double worst_cell = 0;
  for (size_t hour = 0; hour < reference.size(); ++hour) {
    worst_poa = std::max(worst_poa, std::abs(InWattsPerSquareMetre(year.poa[hour]) - reference[hour][13]));
    worst_cell = std::max(worst_cell, std::abs(year.cell_c[hour] - reference[hour][14]));
    worst_dc = std::max(worst_dc, std::abs(InWatts(year.dc[hour]) - reference[hour][15]));
    worst_ac = std::max(worst_ac, std::abs(InWatts(year.ac[hour]) - reference[hour][16]));
  }
  EXPECT_LT(worst_poa, kPeakTolerance * 1000);
  EXPECT_LT(worst_dc, kPeakTolerance * 1000);
  EXPECT_LT(worst_ac, kPeakTolerance * 1000);
  // 0.01 K moves the power by less than 0.005 %.
  EXPECT_LT(worst_cell, 0.01);
}

TEST(PvwattsTurin, Version8EqualsTheReferenceHourByHour) {
  ExpectEqualsReferenceHourByHour(PvModel::kPvwattsV8, "turin_pvgis_tilt20_roof_v8.csv");
}

TEST(PvwattsTurin, Version5EqualsTheReferenceHourByHour) {
  ExpectEqualsReferenceHourByHour(PvModel::kPvwattsV5, "turin_pvgis_tilt20_roof_v5.csv");
}

/// Annual AC in kWh for 1 kW, printed to one decimal.
struct Case {
  double tilt_deg;
  PvMounting mounting;
  double version8;
  double version5;
};

TEST(PvwattsTurin, AnnualEnergyEqualsTheReferenceForEachTiltAndMounting) {
  const WeatherYear turin = Turin();
  for (const Case& expected : {Case{20, PvMounting::kRoof, 1264.3, 1248.2}, Case{35, PvMounting::kRoof, 1320.1, 1302.6},
                               Case{20, PvMounting::kRack, 1270.8, 1268.2}}) {
    PvSystem system;
    system.tilt_deg = expected.tilt_deg;
    system.mounting = expected.mounting;
    EXPECT_NEAR(AnnualAcKwh(turin, system), expected.version8, 0.051) << expected.tilt_deg;
    system.model = PvModel::kPvwattsV5;
    EXPECT_NEAR(AnnualAcKwh(turin, system), expected.version5, 0.051) << expected.tilt_deg;
  }
}

TEST(PvwattsTurin, MonthsEqualTheReferenceAndAddUpToTheYear) {
  const PvYear year = SimulatePvYear(Turin(), PvSystem());
  constexpr double kMonthlyKwh[] = {60.6, 73.0, 113.7, 100.4, 116.5, 158.9, 153.0, 141.8, 120.0, 89.5, 74.1, 62.8};
  const std::vector<Energy> months = year.MonthlyAc();
  ASSERT_EQ(months.size(), 12u);
  Energy sum;
  for (size_t month = 0; month < 12; ++month) {
    EXPECT_NEAR(InKilowattHours(months[month]), kMonthlyKwh[month], 0.051) << month + 1;
    sum += months[month];
  }
  EXPECT_NEAR(InKilowattHours(sum), InKilowattHours(year.AnnualAc()), 1e-9);
  EXPECT_NEAR(InKilowattHoursPerSquareMetre(year.AnnualPoa()), 1676, 0.51);
}

TEST(PvwattsTurin, SystemsBelowAThousandWattsHaveTheSmallerInverter) {
  PvSystem system;
  system.dc_capacity = Watts(999);
  EXPECT_NEAR(AnnualAcKwh(Turin(), system) / 0.999, 1269.5, 0.051);
  system.dc_capacity = Watts(1000);
  EXPECT_NEAR(AnnualAcKwh(Turin(), system), 1264.3, 0.051);
}

TEST(PvwattsProperties, ScalesWithinAnInverterClass) {
  PvSystem small;
  small.dc_capacity = Watts(100);
  PvSystem large;
  large.dc_capacity = Watts(900);
  const PvYear one = SimulatePvYear(Turin(), small);
  const PvYear nine = SimulatePvYear(Turin(), large);
  for (size_t hour = 0; hour < one.ac.size(); ++hour) {
    EXPECT_NEAR(InWatts(nine.ac[hour]), 9 * InWatts(one.ac[hour]), 1e-9 * (1 + InWatts(nine.ac[hour])));
  }
}

struct Site {
  double latitude_deg, longitude_deg, elevation_m;
  int utc_offset_h;
};

void ExpectSound(const PvYear& year, const WeatherYear& weather, const PvSystem& system) {
  const double rated_ac_w = InWatts(system.dc_capacity) / system.dc_ac_ratio;
  for (size_t hour = 0; hour < year.ac.size(); ++hour) {
    const double ac_w = InWatts(year.ac[hour]);
    const double dc_w = InWatts(year.dc[hour]);
    const double poa = InWattsPerSquareMetre(year.poa[hour]);
    ASSERT_TRUE(ac_w >= 0 && ac_w <= rated_ac_w * (1 + 1e-12)) << hour << " " << ac_w;
    ASSERT_TRUE(dc_w >= 0 && std::isfinite(dc_w)) << hour << " " << dc_w;
    ASSERT_TRUE(ac_w <= dc_w * (1 + 1e-12)) << hour;
    ASSERT_TRUE(poa >= 0 && std::isfinite(poa)) << hour << " " << poa;
    ASSERT_TRUE(std::isfinite(year.cell_c[hour])) << hour << " " << year.cell_c[hour];
    if (weather.hours[hour].dni_w_m2 <= 0 && weather.hours[hour].dhi_w_m2 <= 0) {
      ASSERT_EQ(poa, 0) << hour;
      ASSERT_EQ(ac_w, 0) << hour;
    }
  }
}

/// Turin's weather carried to another place: the light no longer fits the sun, which is the point.
TEST(PvwattsProperties, HoldsItsBoundsAtEverySiteForEverySystem) {
  for (const Site& site :
       {Site{-34, 151, 20, 10}, Site{69.6, 18.9, 100, 1}, Site{-89.9, 0, 2800, 12}, Site{90, 0, 0, 0},
        Site{0, -78, 4800, -5}, Site{31.5, 35.5, -430, 2}, Site{51, -179, 0, 13}}) {
    for (const IrradianceStamp stamp : {IrradianceStamp::kHourMean, IrradianceStamp::kInstant}) {
      WeatherYear weather = Turin();
      weather.latitude_deg = site.latitude_deg;
      weather.longitude_deg = site.longitude_deg;
      weather.elevation_m = site.elevation_m;
      weather.utc_offset = std::chrono::hours(site.utc_offset_h);
      weather.stamp = stamp;
      PvSystem system;
      for (const double tilt : {0.0, 45.0, 90.0}) {
        for (const double azimuth : {0.0, 200.0, 360.0}) {
          system.tilt_deg = tilt;
          system.azimuth_deg = azimuth;
          for (const PvModel model : {PvModel::kPvwattsV8, PvModel::kPvwattsV5}) {
            system.model = model;
            system.mounting = azimuth == 200 ? PvMounting::kRack : PvMounting::kRoof;
            system.module = tilt == 0 ? PvModule::kPremium : tilt == 90 ? PvModule::kThinFilm : PvModule::kStandard;
            ExpectSound(SimulatePvYear(weather, system), weather, system);
          }
        }
      }
    }
  }
}

TEST(PvwattsProperties, SurvivesWeatherAtTheEdgeOfSense) {
  WeatherYear weather = Turin();
  for (size_t row = 0; row < weather.hours.size(); ++row) {
    WeatherHour& hour = weather.hours[row];
    hour.source_year = row % 3 == 0 ? 0 : static_cast<int>(1900 + row % 200);
    hour.dni_w_m2 = row % 5 == 0 ? -10 : 1500;
    hour.dhi_w_m2 = row % 7 == 0 ? 0 : row % 11 == 0 ? -5 : 1000;
    hour.ambient_c = row % 2 == 0 ? -70 : 60;
    hour.wind_m_s = row % 13 == 0 ? -1 : row % 17 == 0 ? 80 : 0;
    hour.pressure_hpa = row % 19 == 0 ? 1e-3 : 1100;
    hour.albedo = row % 23 == 0 ? 5.0 : 0.99;
  }
  for (const PvModel model : {PvModel::kPvwattsV8, PvModel::kPvwattsV5}) {
    for (const PvMounting mounting : {PvMounting::kRoof, PvMounting::kRack}) {
      PvSystem system = SystemOf(model);
      system.mounting = mounting;
      ExpectSound(SimulatePvYear(weather, system), weather, system);
    }
  }
}

TEST(PvwattsProperties, NightIsDarkAndAsWarmAsTheAir) {
  const WeatherYear weather = Turin();
  const PvYear year = SimulatePvYear(weather, PvSystem());
  for (size_t midnight = 0; midnight < year.ac.size(); midnight += 24) {
    EXPECT_EQ(InWatts(year.ac[midnight]), 0);
    EXPECT_EQ(year.cell_c[midnight], weather.hours[midnight].ambient_c);
  }
}

TEST(PvwattsProperties, SouthernArraysMakeMostWhenTheyFaceNorth) {
  WeatherYear weather = Turin();
  weather.latitude_deg = -45;
  weather.stamp = IrradianceStamp::kHourMean;
  PvSystem system;
  const double south = AnnualAcKwh(weather, system);
  system.azimuth_deg = 0;
  EXPECT_GT(AnnualAcKwh(weather, system), south);
}

TEST(PvSystemDefects, ASoundSystemHasNone) { EXPECT_TRUE(Defects(PvSystem()).empty()); }

TEST(PvSystemDefects, NamesEveryKeyValueAndRange) {
  PvSystem system;
  system.dc_capacity = Watts(0);
  system.tilt_deg = 90.5;
  system.azimuth_deg = -1;
  system.losses_percent = 100;
  system.dc_ac_ratio = 0;
  system.inverter_efficiency = 1.01;
  const std::vector<std::string> defects = Defects(system);
  ASSERT_EQ(defects.size(), 6u);
  EXPECT_EQ(defects[0], "pv.dc_capacity_w is 0: expected a number above 0");
  EXPECT_EQ(defects[1], "pv.tilt_deg is 90.5: expected 0 (flat) to 90 (upright)");
  EXPECT_EQ(defects[5], "pv.inverter_efficiency is 1.01: expected above 0 and up to 1, such as 0.96");
}

TEST(PvSystemDefects, RejectsWhatIsNotANumber) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const double infinity = std::numeric_limits<double>::infinity();
  PvSystem system;
  system.dc_capacity = Watts(infinity);
  system.tilt_deg = nan;
  system.azimuth_deg = nan;
  system.losses_percent = nan;
  system.dc_ac_ratio = infinity;
  system.inverter_efficiency = nan;
  EXPECT_EQ(Defects(system).size(), 6u);
}

/// A file that the PVWatts calculator wrote: the weather it used and the AC power it found. The files do not name their
/// time zone, and the first number of each row is its month.
struct CalculatorFile {
  WeatherYear weather;
  double ac_kwh = 0;
};

/// `columns` says where beam, diffuse, air temperature, wind, albedo (none: 0) and AC power stand.
struct Columns {
  size_t beam, diffuse, air, wind, albedo, ac;
};

CalculatorFile ReadCalculatorFile(const std::string& path, const Columns& columns) {
  CalculatorFile file;
  for (const std::vector<double>& row : ReadRows(path, "Month")) {
    if (file.weather.hours.size() == kHoursPerYear) break;  // a row of totals follows
    WeatherHour hour;
    hour.month = static_cast<int>(row[0]);
    hour.day = static_cast<int>(row[1]);
    hour.hour = static_cast<int>(row[2]);
    hour.dni_w_m2 = row[columns.beam];
    hour.dhi_w_m2 = row[columns.diffuse];
    hour.ambient_c = row[columns.air];
    hour.wind_m_s = row[columns.wind];
    if (columns.albedo != 0) hour.albedo = row[columns.albedo];
    file.weather.hours.push_back(hour);
    file.ac_kwh += row[columns.ac] / 1000;
  }
  return file;
}

class PvwattsCalculator : public testing::Test {
 protected:
  void SetUp() override {
    const char* data = std::getenv("HELIOGRAD_REFERENCE_DATA");
    if (data == nullptr) GTEST_SKIP() << "HELIOGRAD_REFERENCE_DATA does not name the reference data";
    folder_ = std::string(data) + "/pvwatts/";
    if (!std::filesystem::exists(folder_)) GTEST_SKIP() << folder_ << " is absent";
  }

  std::string folder_;
};

constexpr double kAnnualTolerance = 5e-4;  // what the project promises

TEST_F(PvwattsCalculator, Version5InGoldenAgreesInAnnualEnergy) {
  for (const PvMounting mounting : {PvMounting::kRack, PvMounting::kRoof}) {
    const std::string name = mounting == PvMounting::kRack ? "rack" : "roof";
    CalculatorFile file =
        ReadCalculatorFile(folder_ + "pvwatts_v5_golden_co_4kW_tilt20_" + name + ".csv", {3, 4, 5, 6, 0, 10});
    ASSERT_EQ(file.weather.hours.size(), size_t{kHoursPerYear});
    file.weather.latitude_deg = 39.73;
    file.weather.longitude_deg = -105.18;
    file.weather.elevation_m = 1819.6;
    file.weather.utc_offset = std::chrono::hours(-7);
    PvSystem system;
    system.model = PvModel::kPvwattsV5;
    system.dc_capacity = Watts(4000);
    system.mounting = mounting;
    system.losses_percent = 14.08;
    const double ac_kwh = AnnualAcKwh(file.weather, system);
    RecordProperty(name + "_error_ppm", static_cast<int>(std::lround((ac_kwh / file.ac_kwh - 1) * 1e6)));
    EXPECT_NEAR(ac_kwh, file.ac_kwh, kAnnualTolerance * file.ac_kwh) << name;
  }
}

TEST_F(PvwattsCalculator, Version8InLodwarAgreesInAnnualEnergy) {
  CalculatorFile file =
      ReadCalculatorFile(folder_ + "pvwatts_v8_lodwar_kenya_1kW_tilt10_rack.csv", {3, 4, 5, 6, 7, 11});
  ASSERT_EQ(file.weather.hours.size(), size_t{kHoursPerYear});
  file.weather.latitude_deg = 3.12;
  file.weather.longitude_deg = 35.62;
  file.weather.elevation_m = 515;
  file.weather.utc_offset = std::chrono::hours(3);
  PvSystem system;
  system.tilt_deg = 10;
  system.mounting = PvMounting::kRack;
  system.losses_percent = 14.08;
  const double ac_kwh = AnnualAcKwh(file.weather, system);
  RecordProperty("error_ppm", static_cast<int>(std::lround((ac_kwh / file.ac_kwh - 1) * 1e6)));
  EXPECT_NEAR(ac_kwh, file.ac_kwh, kAnnualTolerance * file.ac_kwh);
}

}  // namespace
}  // namespace heliograd

#include "heliograd/model/cell_temperature.h"

#include <gtest/gtest.h>

#include <iterator>

namespace heliograd {
namespace {

// Hours on a roof with a wind of 2 m/s; the cells by an independent transcription, rounded to five decimals.
TEST(FuentesModel, EqualsTheReferenceRun) {
  constexpr double kPoa[] = {0, 100, 400, 700, 900, 800, 300};
  constexpr double kAirC[] = {10, 12, 15, 18, 20, 21, 20};
  constexpr double kCellC[] = {10, 12.77836, 25.68254, 38.85239, 47.64668, 46.60033, 30.82146};
  FuentesModel model(NominalOperatingCellC(PvMounting::kRoof));
  for (size_t i = 0; i < std::size(kPoa); ++i) EXPECT_NEAR(model.Step(kPoa[i], kAirC[i], 2), kCellC[i], 5e-6) << i;
}

TEST(FuentesModel, CoolsBelowTheAirUnderAClearSkyWithoutLight) {
  FuentesModel model(45);
  const double cell_c = model.Step(1, 0, 0);
  EXPECT_LT(cell_c, 0);
  EXPECT_GT(cell_c, -10);
}

TEST(FuentesModel, AnHourWithoutLightSetsTheAirsTemperature) {
  FuentesModel warm(49);
  warm.Step(1000, 30, 1);
  EXPECT_EQ(warm.Step(0, -5, 1), -5);
  FuentesModel cold(49);
  cold.Step(0, -5, 1);
  EXPECT_DOUBLE_EQ(warm.Step(500, 2, 1), cold.Step(500, 2, 1));
}

TEST(FuentesModel, MoreWindCoolsMore) {
  FuentesModel calm(49);
  FuentesModel windy(49);
  FuentesModel gale(49);
  const double in_calm = calm.Step(800, 20, 0.5);
  const double in_wind = windy.Step(800, 20, 3);
  EXPECT_GT(in_calm, in_wind);
  EXPECT_GT(in_wind, gale.Step(800, 20, 20));
}

TEST(NominalCellTemperature, MeetsItsDefinitionAtNominalConditions) {
  // At 800 W/m2 and 1 m/s at the module (0.51 of the wind measured) the rise is (N - 20) (1 - e / 0.9) by definition.
  const double cell_c = NominalCellTemperatureV8(800, 800, 20, 1 / 0.51, 49, 0.19);
  EXPECT_NEAR(cell_c, 20 + 29 * (1 - 0.19 / 0.9), 1e-9);
}

TEST(NominalCellTemperature, DarkCellsTakeTheAirsTemperature) {
  EXPECT_EQ(NominalCellTemperatureV8(0, 0, -7, 3, 45, 0.19), -7);
}

}  // namespace
}  // namespace heliograd

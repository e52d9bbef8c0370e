#include "heliograd/model/row_shading.h"

#include <gtest/gtest.h>

#include <cmath>

namespace heliograd {
namespace {

SunDirection SunAt(double zenith_deg, double azimuth_deg) {
  SunDirection sun;
  sun.zenith_deg = zenith_deg;
  sun.cos_zenith = std::cos(kRadiansPerDegree * zenith_deg);
  sun.sin_zenith = std::sin(kRadiansPerDegree * zenith_deg);
  sun.north = std::cos(kRadiansPerDegree * azimuth_deg);
  sun.east = std::sin(kRadiansPerDegree * azimuth_deg);
  return sun;
}

constexpr PlaneIrradiance kOpen{400, 100, 5};

// Reference vectors rounded to five decimals.
TEST(RowShading, SkyShareEqualsTheReference) {
  EXPECT_NEAR(RowShading(1000, 20).sky(), 0.98080, 5e-6);
  EXPECT_NEAR(RowShading(1000, 35).sky(), 0.94743, 5e-6);
  EXPECT_EQ(RowShading(1000, 0).sky(), 1);
}

TEST(RowShading, AHighSunCastsNoShadowOnTheNextRow) {
  const TiltedPlane plane(20, 180);
  EXPECT_EQ(RowShading(1000, 20).Apply(kOpen, plane, SunAt(30, 180), 500, 100).beam, 400);
}

TEST(RowShading, ALowSunAheadShadesAsMuchAsGeometrySays) {
  // Rows of height B at a pitch of 2.5 B; a sun ahead at 5 degrees throws the shadow cos 20 + sin 20 / tan 5 = 4.849 B
  // back, so 1 - 2.5 / 4.849 of the next row is dark. The sun is not to the side, so the shadow has no free end.
  const TiltedPlane plane(20, 180);
  const double shadow =
      std::cos(kRadiansPerDegree * 20) + std::sin(kRadiansPerDegree * 20) / std::tan(kRadiansPerDegree * 5);
  const PlaneIrradiance left = RowShading(1000, 20).Apply(kOpen, plane, SunAt(85, 180), 500, 100);
  EXPECT_NEAR(left.beam, 400 * 2.5 / shadow, 1e-9);
}

TEST(RowShading, ASunToTheSideLeavesAFreeEndOnShortRowsOnly) {
  const TiltedPlane plane(20, 180);
  const double straight = RowShading(1000, 20).Apply(kOpen, plane, SunAt(85, 180), 500, 100).beam;
  EXPECT_GT(RowShading(1000, 20).Apply(kOpen, plane, SunAt(85, 240), 500, 100).beam, straight);
  // From the other side the shadow moves the other way along the row, where the model counts no free end.
  EXPECT_GE(RowShading(1000, 20).Apply(kOpen, plane, SunAt(85, 120), 500, 100).beam, straight);
}

TEST(RowShading, NeverAddsLight) {
  for (double tilt : {0.0, 10.0, 35.0, 60.0, 90.0}) {
    for (double capacity : {1.0, 999.0, 5e4, 1e8}) {
      const RowShading rows(capacity, tilt);
      for (double azimuth = 0; azimuth <= 360; azimuth += 90) {
        const TiltedPlane plane(tilt, azimuth);
        for (double zenith : {0.0, 30.0, 85.0, 89.99, 90.0, 91.0}) {
          for (double sun = 0; sun < 360; sun += 30) {
            const PlaneIrradiance left = rows.Apply(kOpen, plane, SunAt(zenith, sun), 500, 100);
            for (double share : {left.beam / kOpen.beam, left.sky / kOpen.sky, left.ground / kOpen.ground}) {
              EXPECT_GE(share, 0);
              EXPECT_LE(share, 1 + 1e-12);
            }
          }
        }
      }
    }
  }
}

}  // namespace
}  // namespace heliograd

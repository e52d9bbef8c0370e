#include "heliograd/model/transposition.h"

#include <gtest/gtest.h>

#include <cmath>

namespace heliograd {
namespace {

SunDirection SunAtZenith(double zenith_deg) {
  SunDirection sun;
  sun.zenith_deg = zenith_deg;
  sun.cos_zenith = std::cos(kRadiansPerDegree * zenith_deg);
  sun.sin_zenith = std::sin(kRadiansPerDegree * zenith_deg);
  return sun;
}

TEST(Transposition, EqualsTheReferenceVector) {
  const TiltedPlane plane(20, 180);
  const PlaneIrradiance poa = OnPlane(plane, SunAtZenith(40), std::cos(kRadiansPerDegree * 25), 800, 120, 0.2);
  EXPECT_NEAR(poa.beam, 725.046, 5e-4);  // the vectors are rounded to three decimals
  EXPECT_NEAR(poa.sky, 141.719, 5e-4);
  EXPECT_NEAR(poa.ground, 4.420, 5e-4);
}

TEST(Transposition, AFlatPlaneSeesTheWholeSkyAndNoGround) {
  const SunDirection sun = SunAtZenith(50);
  const PlaneIrradiance poa = OnPlane(TiltedPlane(0, 180), sun, sun.cos_zenith, 700, 100, 0.2);
  EXPECT_NEAR(poa.Total(), 700 * sun.cos_zenith + 100, 1e-9);
  EXPECT_EQ(poa.ground, 0);
}

TEST(Transposition, ALowSunLeavesAnIsotropicSky) {
  const PlaneIrradiance poa = OnPlane(TiltedPlane(90, 180), SunAtZenith(88), 0.5, 10, 8, 0.2);
  EXPECT_DOUBLE_EQ(poa.beam, 5);
  EXPECT_NEAR(poa.sky, 4, 1e-12);
  EXPECT_EQ(poa.ground, 0);
  EXPECT_EQ(OnPlane(TiltedPlane(90, 180), SunAtZenith(90.1), 0.5, 10, 8, 0.2).beam, 0);
}

TEST(Transposition, WithoutDiffuseLightOnlyTheBeamIsLeft) {
  const PlaneIrradiance poa = OnPlane(TiltedPlane(30, 180), SunAtZenith(40), 0.9, 500, -1, 0.2);
  EXPECT_DOUBLE_EQ(poa.Total(), 450);
}

TEST(Transposition, IncidenceIsTheAngleBetweenSunAndNormal) {
  SunDirection sun = SunAtZenith(60);
  sun.north = -1;  // in the south
  EXPECT_NEAR(TiltedPlane(60, 180).CosIncidence(sun), 1, 1e-12);
  EXPECT_NEAR(TiltedPlane(30, 0).CosIncidence(sun), 0, 1e-12);
}

TEST(Transposition, ColumnsEqualHourByHour) {
  const TiltedPlane plane(35, 160);
  SunDirections sun;
  OpenSky open;
  size_t count = 0;
  for (double zenith_deg : {1.0, 30.0, 60.0, 84.9, 87.4, 87.6, 89.9, 90.3}) {
    for (double dni : {-3.0, 0.0, 40.0, 900.0}) {
      for (double dhi : {-1.0, 0.0, 90.0}) {
        const double zenith = kRadiansPerDegree * zenith_deg;
        sun.zenith_deg[count] = zenith_deg;
        sun.cos_zenith[count] = std::cos(zenith);
        sun.sin_zenith[count] = std::sin(zenith);
        sun.north[count] = -0.8;
        sun.east[count] = 0.6;
        open.dni[count] = dni;
        open.dhi[count] = dhi;
        open.albedo[count] = 0.2;
        ++count;
      }
    }
  }
  HourColumn cos_incidence;
  PlaneIrradiances columns;
  CosIncidences(plane, sun, count, cos_incidence);
  OnPlane(plane, sun, cos_incidence, open, count, columns);
  for (size_t i = 0; i < count; ++i) {
    const PlaneIrradiance alone =
        OnPlane(plane, sun[i], plane.CosIncidence(sun[i]), open.dni[i], open.dhi[i], open.albedo[i]);
    // W/m2; the same arithmetic, rounded at most in another order.
    EXPECT_NEAR(columns[i].beam, alone.beam, 1e-9) << i;
    EXPECT_NEAR(columns[i].sky, alone.sky, 1e-9) << i;
    EXPECT_NEAR(columns[i].ground, alone.ground, 1e-9) << i;
  }
}

}  // namespace
}  // namespace heliograd

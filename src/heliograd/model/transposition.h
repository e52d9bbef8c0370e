// From the sun and the sky to a tilted plane: incidence and the sky model of Perez.
//
// Source: R. Perez et al., "Modeling daylight availability and irradiance components from direct and global
// irradiance", Solar Energy 44(5), 1990, in the form that PVWatts computes (A. Dobos, "PVWatts Version 5 Manual",
// NREL/TP-6A20-62641, 2014, section 6). Pure functions.
#pragma once

#include "heliograd/model/sun_position.h"

namespace heliograd {

/// A fixed plane: its tilt and the direction it faces, as sines and cosines.
struct TiltedPlane {
  TiltedPlane(double tilt_deg, double azimuth_deg);

  /// Cosine of the angle between the sun and the plane's normal.
  double CosIncidence(const SunDirection& sun) const {
    const double facing = sun.north * cos_azimuth + sun.east * sin_azimuth;
    return sun.sin_zenith * facing * sin_tilt + sun.cos_zenith * cos_tilt;
  }

  double tilt_deg;
  double azimuth_deg;
  double sin_tilt;
  double cos_tilt;
  double sin_azimuth;
  double cos_azimuth;
};

/// Irradiance on the plane in W/m2, by where it comes from.
struct PlaneIrradiance {
  double beam = 0;
  double sky = 0;
  double ground = 0;

  double Total() const { return beam + sky + ground; }
};

/// `dni` direct normal and `dhi` diffuse horizontal irradiance in W/m2 (negative values read as zero), `albedo` the
/// ground's reflectance. Beyond a zenith of 87.5 degrees the sky is taken as isotropic and the ground as dark; from 90
/// degrees on there is no beam.
PlaneIrradiance OnPlane(const TiltedPlane& plane, const SunDirection& sun, double cos_incidence, double dni, double dhi,
                        double albedo);

/// OnPlane and what it needs, one column per quantity. Irradiance and albedo as OnPlane takes them.
struct OpenSky {
  HourColumn dni;
  HourColumn dhi;
  HourColumn albedo;
};
struct PlaneIrradiances {
  HourColumn beam;
  HourColumn sky;
  HourColumn ground;

  PlaneIrradiance operator[](size_t i) const { return {beam[i], sky[i], ground[i]}; }
};

/// The first `count` hours, several at a time.
void CosIncidences(const TiltedPlane& plane, const SunDirections& sun, size_t count, HourColumn& cos_incidence);
void OnPlane(const TiltedPlane& plane, const SunDirections& sun, const HourColumn& cos_incidence, const OpenSky& open,
             size_t count, PlaneIrradiances& on_plane);

}  // namespace heliograd

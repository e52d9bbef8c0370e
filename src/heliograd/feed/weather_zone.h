// The time zone of weather whose file does not name it, found from where the sun must have stood. Private to the feed
// room.
#pragma once

#include <vector>

#include "heliograd/base/result.h"

namespace heliograd {

/// One hour of measured or computed irradiance, all in W/m2.
struct PlaneHour {
  int day_of_year = 0;  // from 0
  int hour = 0;         // 0..23 of local standard time
  double beam = 0;      // direct normal
  double diffuse = 0;   // on the horizontal
  double plane = 0;     // on the tilted plane
};

struct Plane {
  double latitude_deg = 0;
  double longitude_deg = 0;  // east positive
  double tilt_deg = 0;
  double azimuth_deg = 0;  // north 0, east 90
};

/// The UTC offset of the hours' clock. Tries the whole and half hours within four hours of longitude / 15, and the
/// three quarters of an hour in use (Nepal, Eucla, Chatham), and takes the one at which beam and diffuse irradiance on
/// the plane add up to the plane's irradiance. The sky's diffuse light is taken as uniform: good enough, because half
/// an hour turns the sun by 7.5 degrees. Fails where there is too little sun to tell, or where no clock fits (latitude,
/// tilt or azimuth must be wrong); the message has no file name.
Result<double> FindUtcOffset(const std::vector<PlaneHour>& hours, const Plane& plane);

/// True where the plane gets light in hours at whose middle the sun is down: the irradiance was taken as means over the
/// hour, not as instants at mid-hour.
bool HasLightAroundSunset(const std::vector<PlaneHour>& hours, const Plane& plane, double utc_offset_hours);

}  // namespace heliograd

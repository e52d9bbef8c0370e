#include "heliograd/model/power_curve.h"

namespace heliograd {

std::vector<PowerCurvePoint> StudyPowerCurve() {
  constexpr double kFirstLimitW = 100;
  constexpr double kStepW = 10;
  constexpr double kJobHours[] = {27.52, 23.62, 20.85, 18.54, 16.86, 15.65, 14.77, 14.39, 14.21, 14.08, 13.99, 13.91,
                                  13.90, 13.81, 13.77, 13.76, 13.75, 13.75, 13.66, 13.69, 13.69, 13.69, 13.69};
  std::vector<PowerCurvePoint> curve;
  double limit_w = kFirstLimitW;
  for (const double hours : kJobHours) {
    curve.push_back({Watts(limit_w), Watts(limit_w), Hours(hours)});
    limit_w += kStepW;
  }
  return curve;
}

}  // namespace heliograd

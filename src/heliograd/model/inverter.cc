#include "heliograd/model/inverter.h"

#include <algorithm>

namespace heliograd {
namespace {

double OwnNeedShare(double dc_capacity_w) {
  if (dc_capacity_w < 10) return 0.002246;
  if (dc_capacity_w < 1000) return 0.002478;
  return 0.004931;
}

}  // namespace

double InverterAcV5(double dc_w, double rated_ac_w, double efficiency) {
  constexpr double kReferenceEfficiency = 0.9637;
  if (dc_w <= 0) return 0;
  const double rated_dc_w = rated_ac_w / efficiency;
  const double load = dc_w / rated_dc_w;
  const double at_load = efficiency / kReferenceEfficiency * (-0.0162 * load - 0.0059 / load + 0.9858);
  return std::clamp(dc_w * at_load, 0.0, rated_ac_w);
}

InverterV8::InverterV8(double dc_capacity_w, double rated_ac_w, double efficiency)
    : rated_ac_w_(rated_ac_w), threshold_w_(OwnNeedShare(dc_capacity_w) * rated_ac_w) {
  slope_ = rated_ac_w / (rated_ac_w / efficiency - threshold_w_);
}

double InverterV8::Ac(double dc_w) const {
  if (dc_w <= threshold_w_) return 0;
  return std::min(slope_ * (dc_w - threshold_w_), rated_ac_w_);
}

}  // namespace heliograd

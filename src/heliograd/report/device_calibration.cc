#include "heliograd/report/device_calibration.h"

#include <fmt/format.h>

#include <utility>

namespace heliograd {
namespace {

bool MayBeBlind(const DeviceCalibration& calibration) {
  if (calibration.counter_sight == CounterSight::kBlind) return true;
  return calibration.counter_sight == CounterSight::kNoDifference && calibration.power.timing.Duty() < 1;
}

std::string Day(Stamp stamp) { return FormatStamp(stamp).substr(0, 10); }

}  // namespace

EnergySource DeviceCalibration::CounterSource() const {
  return MayBeBlind(*this) ? EnergySource::kBlindCounter : EnergySource::kTrueCounter;
}

std::optional<SensorTiming> DeviceCalibration::CounterTiming() const {
  const bool unsure = counter_sight == CounterSight::kNoDifference && MayBeBlind(*this);
  return unsure || (MayBeBlind(*this) && !counter) ? power.timing : counter;
}

const DeviceCalibration* FindCalibration(std::span<const DeviceCalibration> calibrations, const DeviceRecord& device) {
  const auto rank = [&](const DeviceCalibration& calibration) {
    return std::pair(calibration.device.driver == device.driver, calibration.made);
  };
  const DeviceCalibration* found = nullptr;
  for (const DeviceCalibration& calibration : calibrations) {
    if (calibration.device.uuid != device.uuid) continue;
    if (found == nullptr || rank(calibration) > rank(*found)) found = &calibration;
  }
  return found;
}

CalibrationUse JudgeCalibration(const DeviceCalibration& calibration, const DeviceRecord& device, Stamp now) {
  CalibrationUse use{calibration.made, true, ""};
  if (calibration.device.driver != device.driver) {
    use.used = false;
    use.stale = fmt::format(
        "the calibration of {} was made with driver {}, this is {}, and drivers change what a reading means: it is "
        "not used; run `heliograd calibrate`",
        Day(calibration.made), calibration.device.driver, device.driver);
    return use;
  }
  const double days = InSeconds(Between(calibration.made, now)) / 86400;
  if (days > kCalibrationDays) {
    use.stale = fmt::format("the calibration of {} is {:.0f} days old: it is used, but `heliograd calibrate` is due",
                            Day(calibration.made), days);
  }
  return use;
}

}  // namespace heliograd

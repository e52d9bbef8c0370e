#include "heliograd/report/device_calibration.h"

#include <gtest/gtest.h>

namespace heliograd {
namespace {

/// Of a sensor that looks 25 of 100 ms.
DeviceCalibration Example() {
  DeviceCalibration calibration;
  calibration.device = {"GPU-1", "Card", "NVIDIA 580.00", "nvml"};
  calibration.made = *ParseStamp("2026-11-24T19:00:00Z", TimeZone());
  calibration.power.timing.window_s = 0.025;
  calibration.power.timing.contiguous = false;
  calibration.counter = SensorTiming{};
  return calibration;
}

TEST(DeviceCalibration, AnUndecidedCounterCountsAsBlindOnlyWhereItsSensorMissesSomething) {
  DeviceCalibration calibration = Example();
  calibration.counter_sight = CounterSight::kNoDifference;
  EXPECT_EQ(calibration.CounterSource(), EnergySource::kBlindCounter);
  EXPECT_EQ(calibration.CounterTiming()->window_s, 0.025);
  calibration.power.timing.contiguous = true;
  EXPECT_EQ(calibration.CounterSource(), EnergySource::kTrueCounter);
  calibration.power.timing.contiguous = false;
  calibration.counter_sight = CounterSight::kSeesAll;
  EXPECT_EQ(calibration.CounterSource(), EnergySource::kTrueCounter);
}

TEST(DeviceCalibration, AgeAndDriverMakeItStale) {
  const DeviceCalibration calibration = Example();
  const auto after = [&](int days) { return calibration.made + std::chrono::hours(24 * days); };
  EXPECT_TRUE(JudgeCalibration(calibration, calibration.device, after(10)).stale.empty());
  EXPECT_FALSE(JudgeCalibration(calibration, calibration.device, after(181)).stale.empty());
  EXPECT_TRUE(JudgeCalibration(calibration, calibration.device, after(181)).used);
  DeviceRecord other = calibration.device;
  other.driver = "NVIDIA 590.00";
  EXPECT_FALSE(JudgeCalibration(calibration, other, after(1)).used);
}

TEST(DeviceCalibration, TheOneOfThisDriverComesBeforeANewerOne) {
  std::vector<DeviceCalibration> all(3, Example());
  all[1].made += std::chrono::hours(48);
  all[2].made += std::chrono::hours(72);
  all[2].device.driver = "NVIDIA 590.00";
  EXPECT_EQ(FindCalibration(all, Example().device), &all[1]);
  DeviceRecord other = Example().device;
  other.driver = "NVIDIA 600.00";
  EXPECT_EQ(FindCalibration(all, other), &all[2]);
  other.uuid = "GPU-2";
  EXPECT_EQ(FindCalibration(all, other), nullptr);
}

}  // namespace
}  // namespace heliograd

// What a calibration found of one GPU's sensor and energy counter, and how a later run may use it.
//
// Enters and leaves: plain values. Where they are kept is the business of `app`.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "heliograd/base/quantity.h"
#include "heliograd/base/time.h"
#include "heliograd/model/sensor_calibration.h"
#include "heliograd/model/window_energy.h"
#include "heliograd/trace/samples.h"

namespace heliograd {

/// Holds for one card (UUID) under one driver: drivers change what a reading means.
struct DeviceCalibration {
  DeviceRecord device;
  Stamp made;
  ChannelKind power_channel = ChannelKind::kPowerInstant;
  SensorCalibration power;
  CounterSight counter_sight = CounterSight::kNoDifference;
  std::optional<SensorTiming> counter;  // nothing where there is no counter, or its updates cannot be told apart
  /// Energy by the counter over that by the readings, during the bursts; nothing without a counter.
  std::optional<double> counter_over_readings;
  std::string counter_evidence;  // in words: by which test its sight was judged

  /// What the counter's ticks are worth. A counter of which it is not known what it sees counts as blind where its
  /// sensor does not look all the time: the wider interval is the honest one.
  EnergySource CounterSource() const;
  /// The counter's timing; that of the power sensor where the counter's own is not known to see all.
  std::optional<SensorTiming> CounterTiming() const;
};

/// What became of a calibration in a later run.
struct CalibrationUse {
  Stamp made;
  bool used = false;
  std::string stale;  // why it should be made again, one sentence; empty where it holds
};

/// A calibration older than this is worth repeating: sensors drift with age.
inline constexpr double kCalibrationDays = 180;

/// The newest of these calibrations that was made of this device under its driver, else the newest under another, or
/// nullptr.
const DeviceCalibration* FindCalibration(std::span<const DeviceCalibration> calibrations, const DeviceRecord& device);
/// Whether it may be used for the device as it is at `now`, and what is stale about it. Another driver: not used. Older
/// than kCalibrationDays: used.
CalibrationUse JudgeCalibration(const DeviceCalibration& calibration, const DeviceRecord& device, Stamp now);

}  // namespace heliograd

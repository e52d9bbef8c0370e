// A power sensor that exists on paper only: what it would show of a known power, for tests and for the truth benchmark.
//
// Enters: true power over time, piecewise constant. Leaves: the values that a program polling the sensor would see, and
// the true energy. The sensor is that of sensor_timing.h with gain, offset, noise and quantisation on top; everything
// is integrated exactly, so no error of the simulation hides one of the estimators. It knows no hardware and no clock.
#pragma once

#include <cstdint>
#include <random>
#include <span>
#include <vector>

#include "heliograd/model/sensor_timing.h"

namespace heliograd {

/// Constant power until `end_s`, from the end of the piece before (the first: from 0).
struct PowerPiece {
  double end_s = 0;
  double power_w = 0;
};

/// Energy of a power behind a first-order low pass. Immutable; safe from any thread. `pieces` are not empty, ascend,
/// and outlive the object. Before 0 the first piece's power holds, after the end the last one's.
class FilteredPower {
 public:
  FilteredPower(std::span<const PowerPiece> pieces, double low_pass_s);

  /// Joules in [0, time_s]; negative times give negative energy.
  double EnergyUntil(double time_s) const;

 private:
  std::span<const PowerPiece> pieces_;
  double low_pass_s_;
  std::vector<double> energy_;    // unfiltered, at the start of each piece
  std::vector<double> filtered_;  // filtered power at the start of each piece
};

enum class CounterKind {
  kTrue,   // adds up all energy
  kBlind,  // adds up the readings, so misses what their windows miss
  kAbsent
};

struct PowerSensor {
  double period_s = 0.1;
  double window_s = 0.1;  // 0 = from the last update on (contiguous)
  double low_pass_s = 0;
  double lag_s = 0;
  double first_tick_s = 0;  // phase of the updates
  double tick_jitter_s = 0;
  double gain = 1;
  double offset_w = 0;
  double noise_w = 0;
  double quantum_w = 0.001;
  CounterKind counter = CounterKind::kTrue;
  double counter_quantum_j = 0.001;
};

struct Polling {
  double period_s = 0.002;
  double jitter_s = 0.0002;  // each poll comes up to this much late
};

/// What polling sees: one entry per change, at the first poll that shows it.
struct PolledSensor {
  std::vector<PolledValue> power;    // W
  std::vector<PolledValue> counter;  // J; empty where there is none
};

/// Polls from 0 until the end of the power. Readings whose window begins before 0 are left out.
PolledSensor PollSensor(std::span<const PowerPiece> power, const PowerSensor& sensor, const Polling& polling,
                        std::mt19937_64& random);

}  // namespace heliograd

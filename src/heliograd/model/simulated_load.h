// Training loads that exist on paper only, for tests and for the truth benchmark: true power over time, and the marks
// that a program would set around its phases.
#pragma once

#include <random>
#include <vector>

#include "heliograd/model/phase_energy.h"
#include "heliograd/model/power_sensor.h"

namespace heliograd {

/// An iteration is five phases (copy to the device, forward, loss of 0.1 to 0.5 ms, backward, optimizer) and what lies
/// between two iterations. Lengths and powers are drawn once per load; inside each phase, power takes ten steps of
/// unequal width.
struct TrainingLoad {
  double iteration_s = 0.1;       // mean length without sleep and stalls
  double duration_jitter = 0.02;  // log-normal, of each phase each time
  double power_jitter = 0.01;     // of each phase each time
  double drift = 0.02;            // warm against cold, approached with a time constant of 60 s
  double step_spread = 0.3;       // of the power inside a phase, at most, either way
  double stall_probability = 0.002;
  double sleep_share = 0.05;  // mean random sleep after an iteration, relative to it; 0 = none
  int sleep_every = 1;        // in one iteration of this many, the mean stays
};

struct SimulatedTraining {
  std::vector<PowerPiece> power;
  std::vector<PhaseMark> marks;
  int phase_count = 5;
  double iterations = 0;
  /// True joules per iteration: the phases, "other", sleep.
  std::vector<double> energy_j;

  /// True share of a phase (or "other") in an iteration, without sleep.
  double Share(size_t phase) const;
};

SimulatedTraining SimulateTraining(const TrainingLoad& load, double length_s, std::mt19937_64& random);

/// Bursts of busy and idle power, both of 5 to 150 ms, and the marks of the busy ones: what calibration runs.
struct SimulatedBursts {
  std::vector<PowerPiece> power;
  std::vector<TimeSpan> busy;
};
struct BurstLoad {
  double busy_w = 250;
  double idle_w = 70;
  double ramp_s = 0;  // power rises linearly after a burst's start
};
SimulatedBursts SimulateBursts(const BurstLoad& load, double length_s, std::mt19937_64& random);

}  // namespace heliograd

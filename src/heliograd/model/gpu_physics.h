// How a GPU under a power limit computes: limit -> clock -> power -> time.
//
// Enters: a power limit and a phase of work. Leaves: clock, power drawn and how much longer the phase takes than at the
// highest clock. Knows no driver, sensor or process. Pure functions, safe from any thread.
//
// The equations are a description with nine parameters fitted to Table IV of Yin, Chen, Vallero, Meo, "Energy
// Sustainability Analysis of Deep Neural Network", MSWiM 2025, doi 10.1109/MSWiM67937.2025.11309062 (an RTX 4070, 260 W
// read as 13.75 h), and to its statements on where the energy has its minimum. They are no identified physics.
#pragma once

#include <vector>

#include "heliograd/base/quantity.h"

namespace heliograd {

inline constexpr double kGpuLowestClockMhz = 210;
inline constexpr double kGpuHighestClockMhz = 2800;
inline constexpr double kGpuClockStepMhz = 15;  // clocks are 210, 225, ... and the highest itself

/// A stretch of work on the GPU that draws one power.
struct GpuPhase {
  Duration full_clock_time;  // at the highest clock
  double utilisation = 0;    // of the arithmetic units, relative to the study's compute phase
  double memory_ratio = 0;   // time of its memory traffic / time of its arithmetic at the highest clock; 0 = no traffic
};

/// How a phase runs under a limit.
struct GpuOperatingPoint {
  double clock_mhz = 0;
  Power power;
  double slowdown = 1;       // time / time at the highest clock, >= 1
  double memory_share = 0;   // share of the time with memory traffic
  bool limit_binds = false;  // the limit, and nothing else, keeps the clock down
};

/// Volts: 0.903 up to 2580 MHz, then linear to 1.05 at 2800 MHz.
double GpuCoreVoltage(double clock_mhz);

/// idle + 46.7 V^2 + 170 u (f / 2800) (V / 1.05)^2 [W].
Power GpuPower(double clock_mhz, double utilisation, Power idle);

/// ((2800 / f)^p + b^p)^(1/p) / (1 + b^p)^(1/p) with p = 7, b the memory ratio.
double GpuSlowdown(double clock_mhz, double memory_ratio);

/// Memory ratio of a phase of which only the utilisation is known: 0.96 / u, on which both phases of the study's job
/// lie. Infinite for u = 0: such a phase waits for something else than the clock.
double MemoryRatioFor(double utilisation);

/// The utilisation at which the GPU draws `power` at the highest clock; negative if that is less than it draws when it
/// only keeps its clock up.
double UtilisationFor(Power power, Power idle);

/// The phase at the highest clock that draws no more than `limit` and is not above `most_clock_mhz`. If even the lowest
/// clock draws more, that one: the limit is then exceeded.
GpuOperatingPoint OperatingPoint(const GpuPhase& phase, Power limit, double most_clock_mhz, Power idle);

/// What the GPU draws when it computes nothing, in the study's description.
Power StudyGpuIdlePower();

/// One iteration of the study's job: ResNet18 on Fashion-MNIST, 469 iterations an epoch, 1000 epochs, 13.73 h at the
/// highest clock. A compute phase (68 % of the time, 236 W at most) and a memory phase (32 %, 117 W).
std::vector<GpuPhase> StudyIteration();

/// Iterations of the study's whole job.
inline constexpr long kStudyIterations = 469'000;

}  // namespace heliograd

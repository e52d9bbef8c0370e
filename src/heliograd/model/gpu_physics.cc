#include "heliograd/model/gpu_physics.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace heliograd {
namespace {

constexpr double kVoltageFloor = 0.903;
constexpr double kVoltageAtHighest = 1.05;
constexpr double kVoltageKneeMhz = 2580;
constexpr double kClockTreeWattsPerSquareVolt = 46.7;
constexpr double kArithmeticWatts = 170;
constexpr double kRooflineSharpness = 7;
constexpr double kStudyMemoryRatio = 0.96;

double Squared(double x) { return x * x; }

/// Time of arithmetic and memory traffic that overlap but for a rounded corner.
double RooflineTime(double arithmetic, double memory) {
  return std::pow(std::pow(arithmetic, kRooflineSharpness) + std::pow(memory, kRooflineSharpness),
                  1 / kRooflineSharpness);
}

double MemoryShare(double memory_ratio, double slowdown) {
  return std::isinf(memory_ratio) ? 0 : memory_ratio / (RooflineTime(1, memory_ratio) * slowdown);
}

/// The next lower clock.
double ClockBelow(double clock_mhz) {
  const double steps = std::ceil((clock_mhz - kGpuLowestClockMhz) / kGpuClockStepMhz - 1e-9) - 1;
  return kGpuLowestClockMhz + kGpuClockStepMhz * std::max(steps, 0.0);
}

}  // namespace

double GpuCoreVoltage(double clock_mhz) {
  const double above = std::max(clock_mhz - kVoltageKneeMhz, 0.0) / (kGpuHighestClockMhz - kVoltageKneeMhz);
  return kVoltageFloor + (kVoltageAtHighest - kVoltageFloor) * above;
}

Power GpuPower(double clock_mhz, double utilisation, Power idle) {
  const double volts = GpuCoreVoltage(clock_mhz);
  return idle +
         Watts(kClockTreeWattsPerSquareVolt * Squared(volts) +
               kArithmeticWatts * utilisation * (clock_mhz / kGpuHighestClockMhz) * Squared(volts / kVoltageAtHighest));
}

double GpuSlowdown(double clock_mhz, double memory_ratio) {
  if (std::isinf(memory_ratio)) return 1;
  return RooflineTime(kGpuHighestClockMhz / clock_mhz, memory_ratio) / RooflineTime(1, memory_ratio);
}

double MemoryRatioFor(double utilisation) {
  return utilisation > 0 ? kStudyMemoryRatio / utilisation : std::numeric_limits<double>::infinity();
}

double UtilisationFor(Power power, Power idle) {
  return (InWatts(power - idle) - kClockTreeWattsPerSquareVolt * Squared(kVoltageAtHighest)) / kArithmeticWatts;
}

GpuOperatingPoint OperatingPoint(const GpuPhase& phase, Power limit, double most_clock_mhz, Power idle) {
  double clock_mhz = std::clamp(most_clock_mhz, kGpuLowestClockMhz, kGpuHighestClockMhz);
  bool limit_binds = false;
  while (clock_mhz > kGpuLowestClockMhz && GpuPower(clock_mhz, phase.utilisation, idle) > limit) {
    clock_mhz = ClockBelow(clock_mhz);
    limit_binds = true;
  }
  const double slowdown = GpuSlowdown(clock_mhz, phase.memory_ratio);
  return {clock_mhz, GpuPower(clock_mhz, phase.utilisation, idle), slowdown, MemoryShare(phase.memory_ratio, slowdown),
          limit_binds};
}

Power StudyGpuIdlePower() { return Watts(15); }

std::vector<GpuPhase> StudyIteration() {
  constexpr double kJobSeconds = 13.73 * 3600;
  constexpr double kComputeShare = 0.68;
  constexpr double kMemoryPhaseUtilisation = 0.30;
  const Duration iteration = Seconds(kJobSeconds / kStudyIterations);
  return {{iteration * kComputeShare, 1, MemoryRatioFor(1)},
          {iteration * (1 - kComputeShare), kMemoryPhaseUtilisation, MemoryRatioFor(kMemoryPhaseUtilisation)}};
}

}  // namespace heliograd

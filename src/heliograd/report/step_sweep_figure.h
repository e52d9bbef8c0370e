// A training at several power limits, as the study's Figs 7 and 8: energy of the steps as stacked bars over the limits
// with the SM clock as a line, and the time of an iteration below, beside the study's.
//
// Enters: plain values. Leaves: a figure. Knows no device.
#pragma once

#include <string>
#include <vector>

#include "heliograd/report/gnuplot.h"

namespace heliograd {

/// All vectors are as long as `limits_w`; a value that is not finite is not known.
struct StepSweepChart {
  std::string title;
  std::vector<double> limits_w;  // ascending
  struct Step {
    std::string name;
    std::vector<double> energy_j;  // of an iteration
  };
  std::vector<Step> steps;                          // from the bottom of a bar up
  std::vector<double> energy_low_j, energy_high_j;  // of the whole iteration
  std::vector<double> sm_clock_mhz;
  std::vector<double> time, study_time;  // of an iteration, relative to the highest limit
};

/// A step's estimate below zero is drawn as nothing. Precondition: at least one limit and one step.
Figure StepSweepFigure(const StepSweepChart& chart);

}  // namespace heliograd

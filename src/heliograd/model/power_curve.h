// GPU power curves that come with the project: power limit against the time of a whole job.
//
// Leaves: the curve of the study. It knows nothing of plans; whoever plans turns points into levels. Pure.
#pragma once

#include <vector>

#include "heliograd/base/quantity.h"

namespace heliograd {

/// A job run at one power limit from start to end.
struct PowerCurvePoint {
  Power limit;        // what the driver is told
  Power draw;         // mean power drawn
  Duration job_time;  // time of the whole job
};

/// ResNet18 on Fashion-MNIST for 1000 epochs on an RTX 4070, 23 limits from 100 to 320 W, ascending: Yin, Chen,
/// Vallero, Meo, "Energy Sustainability Analysis of Deep Neural Network", MSWiM 2025,
/// doi 10.1109/MSWiM67937.2025.11309062, Table IV. The draw equals the limit, as the study's dispatch model takes it.
/// Its 23.75 h at 260 W, between 13.76 h at 250 W and 13.75 h at 270 W, is read as a misprint of 13.75 h. As measured,
/// 280 W is faster than 290 to 320 W.
std::vector<PowerCurvePoint> StudyPowerCurve();

}  // namespace heliograd

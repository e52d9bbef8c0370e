// The same problem over another horizon: how the diagnosis and the price of the deadline ask for it.
#pragma once

#include <functional>

#include "heliograd/base/result.h"
#include "heliograd/plan/problem.h"

namespace heliograd {

/// Makes the problem with the same start and that many slots. An error where the data does not reach so far.
using ProblemForSlots = std::function<Result<DispatchProblem>(int slots)>;

}  // namespace heliograd

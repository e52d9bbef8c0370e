// What `heliograd doctor` looks at, one finding for each thing.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "heliograd/app/surroundings.h"

namespace heliograd {

/// One thing that was looked at.
struct Finding {
  std::string what;
  bool usable = false;
  std::string detail;
  std::string mend;  // the commands that mend it; empty when nothing is to be done, or nothing can be
  nlohmann::ordered_json facts = nlohmann::ordered_json::object();
};

/// Every GPU that CUDA would show: what it gives and how often, its limits, its calibration, its modes. Without one,
/// why not. Changes nothing on any. Watches each for a second and a half.
void CheckGpus(const Surroundings& here, std::vector<Finding>& findings);
/// The processor's energy counters.
void CheckProcessor(const Surroundings& here, std::vector<Finding>& findings);
/// The service that sets limits for users without root: whether it is reachable.
void CheckLimitService(std::vector<Finding>& findings);
/// Limits that a killed program left behind, and calibration files that cannot be read.
void CheckRecords(std::vector<Finding>& findings);
/// The planner and the program that draws.
void CheckPrograms(std::vector<Finding>& findings);

}  // namespace heliograd

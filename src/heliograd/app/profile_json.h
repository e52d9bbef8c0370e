// A training profile as JSON, and back: what `profile --json` prints and a campaign keeps.
#pragma once

#include <string>
#include <string_view>

#include "heliograd/base/result.h"
#include "heliograd/report/training_profile.h"

namespace heliograd {

/// One object; a number that is not known is null.
std::string ProfileToJson(const TrainingProfile& profile);
/// Errors name `name` (a file, a cell) and the key that is missing or wrong.
Result<TrainingProfile> ProfileFromJson(std::string_view json, const std::string& name);

}  // namespace heliograd

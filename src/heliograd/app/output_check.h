// A file that a command will write, looked at before the work begins.
#pragma once

#include <string>
#include <string_view>

#include "heliograd/base/result.h"

namespace heliograd {

/// Whether `path` may be written: its folder can be, and where it exists already it is an earlier file of the same
/// kind, which begins with `begins_with` ("" = whatever is there may be replaced). An empty path is no file and sound.
/// `what` names the kind in the message: "curve". Errors: kUsage.
Result<void> CheckOutput(const std::string& path, std::string_view begins_with, std::string_view what);

}  // namespace heliograd

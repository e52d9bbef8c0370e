// A file that a command will write, looked at before the work begins.
//
// Enters: the name that was given, and how a file of its kind begins. Leaves: nothing, or why it may not be written.
// Writes nothing itself.
#pragma once

#include <string>
#include <string_view>

#include "heliograd/base/result.h"

namespace heliograd {

/// Whether `path` may be written: its folder can be, and where it exists already it is empty or an earlier file of the
/// same kind, which begins with `begins_with` ("" = whatever is there may be replaced). An empty path is no file and
/// sound; a device or a pipe has nothing to lose. `what` names the kind in the message, "curve", and `flag` how another
/// name is given. Errors: kUsage.
Result<void> CheckOutput(const std::string& path, std::string_view begins_with, std::string_view what,
                         std::string_view flag = "-o");

/// The same for a figure: its name ends in a known format's, and what is there already is a picture of that format.
Result<void> CheckFigureOutput(const std::string& path, std::string_view flag = "-o");

/// The same for an HTML page, known by its title.
Result<void> CheckPageOutput(const std::string& path, std::string_view title, std::string_view flag = "-o");

}  // namespace heliograd

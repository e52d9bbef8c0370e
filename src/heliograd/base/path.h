// What lies at a path: looked at without exceptions, so that a folder which may not be read is a sentence and no crash.
//
// Enters: paths. Leaves: what is there, or an error that names the path and the reason. Opens and writes nothing.
// `std::filesystem` functions that throw are used nowhere in heliograd (tools/check_filesystem.py looks).
#pragma once

#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include "heliograd/base/result.h"

namespace heliograd {

/// "PATH: CANNOT: reason", permission where the operating system refuses, else `otherwise`. `cannot` is
/// "cannot be looked at", for example.
tl::unexpected<Error> FailAt(const std::string& path, std::string_view cannot, const std::error_code& failed,
                             ErrorKind otherwise = ErrorKind::kFailure);

/// Whether a file or folder is there; false for a link that leads nowhere. Errors: a folder on the way may not be
/// searched.
Result<bool> IsThere(const std::string& path);

/// The paths of what a folder holds, sorted; none where there is no such folder. Errors: it may not be read.
Result<std::vector<std::string>> ListFolder(const std::string& folder);

/// Seen from the root. A relative path stays one where the folder that one is in was removed.
std::string AbsolutePath(const std::string& path);

}  // namespace heliograd

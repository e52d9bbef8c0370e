// Files: read whole with bounded memory, written whole or not at all.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "heliograd/base/result.h"

namespace heliograd {

/// No text file that heliograd reads is larger than this; a larger one is refused before it fills memory.
inline constexpr size_t kLargestTextFile = size_t{64} << 20;

/// The bytes of a file ("-" is standard input). Errors name the file and the reason: absent, a folder, not readable,
/// too large.
Result<std::string> ReadFile(const std::string& path, size_t largest = kLargestTextFile);

/// Writes to a temporary file beside `path`, syncs it, then renames it: readers see the old content or the new, never
/// half. A link is kept and its target replaced; an existing file keeps its permissions; a device or pipe is written
/// directly.
Result<void> WriteFile(const std::string& path, std::string_view content);

}  // namespace heliograd

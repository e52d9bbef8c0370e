#include "heliograd/app/output_check.h"

#include <fmt/format.h>
#include <unistd.h>

#include <filesystem>

#include "heliograd/base/file.h"

namespace heliograd {

Result<void> CheckOutput(const std::string& path, std::string_view begins_with, std::string_view what) {
  if (path.empty()) return {};
  const std::filesystem::path folder = std::filesystem::absolute(path).parent_path();
  if (access(folder.c_str(), W_OK | X_OK) != 0) {
    return Fail(fmt::format("{}: its folder does not exist or may not be written to: give another name", path),
                ErrorKind::kUsage);
  }
  if (begins_with.empty() || !std::filesystem::is_regular_file(path)) return {};
  const Result<std::string> content = ReadFile(path);
  if (content && content->starts_with(begins_with)) return {};
  return Fail(fmt::format("{}: exists already and is no {}: give another name (-o), or remove it first", path, what),
              ErrorKind::kUsage);
}

}  // namespace heliograd

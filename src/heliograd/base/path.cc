#include "heliograd/base/path.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

namespace heliograd {

tl::unexpected<Error> FailAt(const std::string& path, std::string_view cannot, const std::error_code& failed,
                             ErrorKind otherwise) {
  const bool is_refused = failed == std::errc::permission_denied || failed == std::errc::operation_not_permitted ||
                          failed == std::errc::read_only_file_system;
  return Fail(fmt::format("{}: {}: {}.", path, cannot, failed.message()),
              is_refused ? ErrorKind::kPermission : otherwise);
}

Result<bool> IsThere(const std::string& path) {
  std::error_code failed;
  const bool is_there = std::filesystem::exists(path, failed);
  if (failed) return FailAt(path, "cannot be looked at", failed);
  return is_there;
}

Result<std::vector<std::string>> ListFolder(const std::string& folder) {
  std::error_code failed;
  std::vector<std::string> paths;
  for (std::filesystem::directory_iterator entry(folder, failed), end; !failed && entry != end;
       entry.increment(failed)) {
    paths.push_back(entry->path().string());
  }
  if (failed == std::errc::no_such_file_or_directory || failed == std::errc::not_a_directory) {
    return std::vector<std::string>();
  }
  if (failed) return FailAt(folder, "the folder cannot be read", failed);
  std::sort(paths.begin(), paths.end());
  return paths;
}

std::string AbsolutePath(const std::string& path) {
  std::error_code failed;
  const std::filesystem::path absolute = std::filesystem::absolute(path, failed);
  return failed ? path : absolute.string();
}

}  // namespace heliograd

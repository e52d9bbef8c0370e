#include "heliograd/app/output_check.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <initializer_list>

#include "heliograd/base/file.h"
#include "heliograd/base/path.h"
#include "heliograd/report/gnuplot.h"

namespace heliograd {
namespace {

/// Whether a file could be made or replaced there, whatever is in it.
Result<void> CheckPlace(const std::string& path, std::string_view flag) {
  std::error_code ignored;
  if (std::filesystem::is_directory(path, ignored)) {
    return Fail(fmt::format("{}: is a folder: give the name of a file ({})", path, flag), ErrorKind::kUsage);
  }
  const bool is_device = std::filesystem::exists(path, ignored) && !std::filesystem::is_regular_file(path, ignored);
  if (is_device) return {};
  // A link is kept and its target replaced, so the target's folder counts.
  const std::filesystem::path real = std::filesystem::canonical(path, ignored);
  const std::filesystem::path folder = (ignored ? std::filesystem::path(AbsolutePath(path)) : real).parent_path();
  if (access(folder.c_str(), W_OK | X_OK) == 0) return {};
  const bool is_refused = errno == EACCES || errno == EROFS;
  return Fail(fmt::format("{}: its folder {}: give another name ({})", path,
                          is_refused ? "may not be written to" : "does not exist", flag),
              is_refused ? ErrorKind::kPermission : ErrorKind::kUsage);
}

/// True when there is something in the file at `path` that could be lost.
bool HasContent(const std::string& path) {
  std::error_code failed;
  return std::filesystem::is_regular_file(path, failed) && std::filesystem::file_size(path, failed) > 0;
}

bool BeginsWithOneOf(const std::string& path, std::initializer_list<std::string_view> beginnings) {
  size_t longest = 0;
  for (const std::string_view beginning : beginnings) longest = std::max(longest, beginning.size());
  std::string head(longest, '\0');
  std::ifstream file(path, std::ios::binary);
  file.read(head.data(), static_cast<std::streamsize>(longest));
  head.resize(static_cast<size_t>(std::max<std::streamsize>(file.gcount(), 0)));
  return std::ranges::any_of(beginnings, [&head](std::string_view beginning) { return head.starts_with(beginning); });
}

tl::unexpected<Error> Foreign(const std::string& path, std::string_view what, std::string_view flag) {
  return Fail(
      fmt::format("{}: exists already and is no {}: give another name ({}), or remove it first", path, what, flag),
      ErrorKind::kUsage);
}

Result<void> CheckKind(const std::string& path, std::initializer_list<std::string_view> beginnings,
                       std::string_view what, std::string_view flag) {
  if (path.empty()) return {};
  if (Result<void> place = CheckPlace(path, flag); !place) return place;
  if (!HasContent(path) || BeginsWithOneOf(path, beginnings)) return {};
  return Foreign(path, what, flag);
}

}  // namespace

Result<void> CheckOutput(const std::string& path, std::string_view begins_with, std::string_view what,
                         std::string_view flag) {
  return CheckKind(path, {begins_with}, what, flag);
}

Result<void> CheckFigureOutput(const std::string& path, std::string_view flag) {
  if (path.empty()) return {};
  const Result<FigureFormat> format = FigureFormatOf(path);
  if (!format) return Fail(format.error());
  switch (*format) {
    case FigureFormat::kPng:
      return CheckKind(path, {"\x89PNG\r\n\x1a\n"}, "PNG figure", flag);
    case FigureFormat::kPdf:
      return CheckKind(path, {"%PDF-"}, "PDF figure", flag);
    case FigureFormat::kSvg:
      break;
  }
  return CheckKind(path, {"<?xml", "<svg"}, "SVG figure", flag);
}

Result<void> CheckPageOutput(const std::string& path, std::string_view title, std::string_view flag) {
  if (path.empty()) return {};
  if (Result<void> place = CheckPlace(path, flag); !place) return place;
  if (!HasContent(path)) return {};
  const Result<std::string> content = ReadFile(path);
  if (content && content->find(fmt::format("<title>{}</title>", title)) != std::string::npos) return {};
  return Foreign(path, "earlier report of this kind", flag);
}

}  // namespace heliograd

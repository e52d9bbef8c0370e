#include "heliograd/app/file_lock.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <system_error>

#include "heliograd/app/command_line.h"
#include "heliograd/base/path.h"
#include "heliograd/base/text.h"

namespace heliograd {
namespace {

/// The process that a lock file names; nothing where it names none.
std::optional<int64_t> ProcessIn(const std::string& path) {
  char text[32] = {};
  const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) return std::nullopt;
  const ssize_t length = read(file, text, sizeof text);
  close(file);
  const auto number =
      length > 0 ? ParseInteger(Trim(std::string_view(text, static_cast<size_t>(length)))) : std::nullopt;
  return number && *number > 0 ? std::optional<int64_t>(*number) : std::nullopt;
}

}  // namespace

FileLock::~FileLock() {
  if (file_ >= 0) close(file_);
}

Result<std::optional<FileLock>> FileLock::Take(const std::string& path, bool make, std::string_view advice) {
  const int file = open(path.c_str(), O_RDWR | O_CLOEXEC | (make ? O_CREAT : 0), 0666);
  if (file < 0) return FailAt(path, "cannot be opened", std::error_code(errno, std::generic_category()));
  FileLock lock(file);
  if (flock(file, LOCK_EX | LOCK_NB) == 0) return std::optional<FileLock>(std::move(lock));
  if (errno == EWOULDBLOCK) return std::optional<FileLock>();
  PrintMessage(fmt::format("note: {}: cannot be locked ({}): {}", path, std::strerror(errno), advice));
  return std::optional<FileLock>(std::move(lock));
}

Result<FileLock> FileLock::TakeForProcess(const std::string& path, std::string_view what) {
  Result<std::optional<FileLock>> lock = Take(path, true, "start no second one beside this one");
  if (!lock) return Fail(lock.error());
  if (!*lock) {
    const auto process = ProcessIn(path);
    return Fail(fmt::format("{}, {}: wait for its end, or end it first (kill {})", what,
                            process ? fmt::format("process {}", *process) : "another process",
                            process ? fmt::format("{}", *process) : "PROCESS"),
                ErrorKind::kUsage);
  }
  const std::string text = fmt::format("{}\n", getpid());
  // Who has the lock is told to others alone: a full disk takes nothing but that from them.
  const bool is_told = ftruncate((*lock)->file_, 0) == 0 &&
                       pwrite((*lock)->file_, text.data(), text.size(), 0) == static_cast<ssize_t>(text.size());
  static_cast<void>(is_told);
  return std::move(**lock);
}

}  // namespace heliograd

#include "heliograd/base/file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>

namespace heliograd {
namespace {

ErrorKind KindOf(int code) { return code == EACCES || code == EPERM ? ErrorKind::kPermission : ErrorKind::kFailure; }

/// Closes a file descriptor at the end of a scope.
class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ > STDERR_FILENO) close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return fd_; }

 private:
  int fd_;
};

bool WriteAll(int fd, std::string_view content) {
  while (!content.empty()) {
    const ssize_t written = write(fd, content.data(), content.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return false;
    content.remove_prefix(static_cast<size_t>(written));
  }
  return true;
}

/// The file that a chain of symbolic links ends at, so that a link is kept and its target replaced.
std::string RealPath(const std::string& path) {
  const std::unique_ptr<char, decltype(&std::free)> real(realpath(path.c_str(), nullptr), &std::free);
  return real ? std::string(real.get()) : path;
}

mode_t DefaultMode() {
  const mode_t mask = umask(0);
  umask(mask);
  return 0666 & ~mask;
}

/// 0 or the error code.
int WriteInPlace(const std::string& path, std::string_view content) {
  const Descriptor file(open(path.c_str(), O_WRONLY | O_CLOEXEC));
  return file.get() >= 0 && WriteAll(file.get(), content) ? 0 : errno;
}

/// Writes beside `path` and renames. Keeps the permissions of the file that was there (`old_mode`, 0 = none was).
/// 0 or the error code.
int Replace(const std::string& path, std::string_view content, mode_t old_mode) {
  std::string temporary = path + ".XXXXXX";
  const Descriptor file(mkostemp(temporary.data(), O_CLOEXEC));
  if (file.get() < 0) return errno;
  const mode_t mode = old_mode == 0 ? DefaultMode() : old_mode & 0777;
  if (WriteAll(file.get(), content) && fchmod(file.get(), mode) == 0 && fsync(file.get()) == 0 &&
      std::rename(temporary.c_str(), path.c_str()) == 0) {
    return 0;
  }
  const int code = errno;
  unlink(temporary.c_str());
  return code;
}

}  // namespace

Result<std::string> ReadFile(const std::string& path, size_t largest) {
  const Descriptor file(path == "-" ? STDIN_FILENO : open(path.c_str(), O_RDONLY | O_CLOEXEC));
  const auto failure = [&path](int code) {
    return Fail(fmt::format("{}: cannot read: {}.", path, std::strerror(code)), KindOf(code));
  };
  if (file.get() < 0) return failure(errno);
  std::string content;
  std::array<char, 1 << 16> buffer;
  while (true) {
    const ssize_t got = read(file.get(), buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return failure(errno);
    if (got == 0) return content;
    content.append(buffer.data(), static_cast<size_t>(got));
    if (content.size() > largest) {
      return Fail(fmt::format("{}: larger than {} MiB, the most that is read of a text file: is this the right file?",
                              path, largest >> 20));
    }
  }
}

Result<void> WriteFile(const std::string& path, std::string_view content) {
  struct stat found {};
  const bool exists = stat(path.c_str(), &found) == 0;
  // A device or a pipe has no old content to keep, and renaming over /dev/null would replace it.
  const bool in_place = exists && !S_ISREG(found.st_mode);
  const int code =
      in_place ? WriteInPlace(path, content) : Replace(exists ? RealPath(path) : path, content, found.st_mode);
  if (code != 0) return Fail(fmt::format("{}: cannot write: {}.", path, std::strerror(code)), KindOf(code));
  return {};
}

}  // namespace heliograd

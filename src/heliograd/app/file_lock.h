// Keeps two processes from writing into one folder: a lock on a file of it.
//
// Enters: the file's path. Leaves: a lock, or who has it. Knows nothing of what the folder holds.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "heliograd/base/result.h"

namespace heliograd {

/// Held until it is destroyed or the process ends, by signal 9 too; programs that the process starts do not inherit it.
class FileLock {
 public:
  FileLock(FileLock&& other) noexcept : file_(std::exchange(other.file_, -1)) {}
  FileLock& operator=(FileLock&& other) noexcept {
    std::swap(file_, other.file_);
    return *this;
  }
  ~FileLock();

  /// Locks a file, which exists or, with `make`, is made; nothing where another process has it. On a file system
  /// without locks a note on standard error says so, with `advice`, and the lock is taken as had. Errors: the file
  /// cannot be opened.
  static Result<std::optional<FileLock>> Take(const std::string& path, bool make, std::string_view advice);

  /// Locks a file that is made where it is missing and then holds this process's ID. Errors: as above; kUsage where
  /// another process has it, which is named: `what` ("results: another campaign fills this folder") begins the
  /// sentence.
  static Result<FileLock> TakeForProcess(const std::string& path, std::string_view what);

 private:
  explicit FileLock(int file) : file_(file) {}
  int file_;
};

}  // namespace heliograd

// SQLite behind two small types: a database and a prepared statement. Errors name the file and SQLite's reason.
#pragma once

#include <sqlite3.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "heliograd/base/result.h"

namespace heliograd {

/// A row by row query. Bind first, then Step until it gives false.
class Statement {
 public:
  Statement(Statement&&) noexcept = default;
  Statement& operator=(Statement&&) noexcept = default;

  Statement& Bind(int64_t value);
  Statement& Bind(std::string_view text);
  Statement& BindBytes(std::string_view bytes);
  /// True while there is a row.
  Result<bool> Step();
  /// Runs a statement that gives no rows, and makes it ready to be bound again.
  Result<void> Run();

  int64_t Integer(int column) const { return sqlite3_column_int64(handle_.get(), column); }
  bool IsNull(int column) const { return sqlite3_column_type(handle_.get(), column) == SQLITE_NULL; }
  std::string Text(int column) const;
  /// Valid until the next Step.
  std::string_view Bytes(int column) const;

 private:
  friend class Database;
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
  };
  Statement(sqlite3_stmt* handle, std::string path) : handle_(handle), path_(std::move(path)) {}

  std::unique_ptr<sqlite3_stmt, Finalize> handle_;
  std::string path_;
  int next_ = 1;
};

class Database {
 public:
  /// Flags are SQLite's: SQLITE_OPEN_READWRITE and so on.
  static Result<Database> Open(const std::string& path, int flags);

  /// One or more statements without rows.
  Result<void> Execute(const std::string& sql);
  Result<Statement> Prepare(std::string_view sql) const;
  const std::string& path() const { return path_; }

 private:
  struct Close {
    void operator()(sqlite3* database) const { sqlite3_close_v2(database); }
  };
  Database(sqlite3* handle, std::string path) : handle_(handle), path_(std::move(path)) {}

  std::unique_ptr<sqlite3, Close> handle_;
  std::string path_;
};

}  // namespace heliograd

#include "heliograd/trace/sqlite.h"

#include "heliograd/base/text.h"

namespace heliograd {
namespace {

std::string Reason(sqlite3* database, int code) {
  if (code == SQLITE_FULL) return "the disk is full";
  if (code == SQLITE_NOTADB) return "it is no SQLite file";
  return sqlite3_errmsg(database);
}

tl::unexpected<Error> Failure(const std::string& path, sqlite3* database, int code) {
  const bool forbidden = code == SQLITE_PERM || code == SQLITE_AUTH;
  return Fail(path + ": " + Reason(database, code), forbidden ? ErrorKind::kPermission : ErrorKind::kFailure);
}

}  // namespace

Statement& Statement::Bind(int64_t value) {
  sqlite3_bind_int64(handle_.get(), next_++, value);
  return *this;
}

Statement& Statement::Bind(std::string_view text) {
  sqlite3_bind_text64(handle_.get(), next_++, text.data(), text.size(), SQLITE_TRANSIENT, SQLITE_UTF8);
  return *this;
}

Statement& Statement::BindBytes(std::string_view bytes) {
  sqlite3_bind_blob64(handle_.get(), next_++, bytes.data(), bytes.size(), SQLITE_TRANSIENT);
  return *this;
}

Result<bool> Statement::Step() {
  const int code = sqlite3_step(handle_.get());
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  return Failure(path_, sqlite3_db_handle(handle_.get()), code);
}

Result<void> Statement::Run() {
  const Result<bool> row = Step();
  sqlite3_reset(handle_.get());
  next_ = 1;
  if (!row) return Fail(row.error());
  return {};
}

std::string Statement::Text(int column) const { return std::string(Bytes(column)); }

std::string_view Statement::Bytes(int column) const {
  const void* data = sqlite3_column_blob(handle_.get(), column);
  const auto size = static_cast<size_t>(sqlite3_column_bytes(handle_.get(), column));
  return data == nullptr ? std::string_view() : std::string_view(static_cast<const char*>(data), size);
}

Result<Database> Database::Open(const std::string& path, int flags) {
  sqlite3* handle = nullptr;
  const int code = sqlite3_open_v2(path.c_str(), &handle, flags | SQLITE_OPEN_NOMUTEX, nullptr);
  Database database(handle, path);
  if (code != SQLITE_OK) return Failure(path, handle, code);
  sqlite3_busy_timeout(handle, 2000);  // a reader's checkpoint lasts milliseconds; two seconds mean something is stuck
  return database;
}

Result<void> Database::Execute(const std::string& sql) {
  const int code = sqlite3_exec(handle_.get(), sql.c_str(), nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) return Failure(path_, handle_.get(), code);
  return {};
}

Result<Statement> Database::Prepare(std::string_view sql) const {
  sqlite3_stmt* statement = nullptr;
  const int code = sqlite3_prepare_v2(handle_.get(), sql.data(), static_cast<int>(sql.size()), &statement, nullptr);
  if (code != SQLITE_OK) return Failure(path_, handle_.get(), code);
  return Statement(statement, path_);
}

}  // namespace heliograd

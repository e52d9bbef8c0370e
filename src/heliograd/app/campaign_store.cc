#include "heliograd/app/campaign_store.h"

#include <fmt/format.h>

namespace heliograd {
namespace {

constexpr int64_t kApplicationId = 0x48454C43;  // "HELC"
constexpr const char* kTables =
    "CREATE TABLE IF NOT EXISTS cells (hardware TEXT NOT NULL, network TEXT NOT NULL, data TEXT NOT NULL, "
    "with_layers INTEGER NOT NULL, settings TEXT NOT NULL, ok INTEGER NOT NULL, json TEXT NOT NULL, error TEXT NOT "
    "NULL, "
    "seconds_ms INTEGER NOT NULL, PRIMARY KEY (hardware, network, data))";

Result<int64_t> ApplicationId(const Database& database) {
  Result<Statement> statement = database.Prepare("PRAGMA application_id");
  if (!statement) return Fail(statement.error());
  const Result<bool> row = statement->Step();
  if (!row) return Fail(row.error());
  return *row ? statement->Integer(0) : 0;
}

Result<bool> HasTables(const Database& database) {
  Result<Statement> statement = database.Prepare("SELECT count(*) FROM sqlite_master");
  if (!statement) return Fail(statement.error());
  const Result<bool> row = statement->Step();
  if (!row) return Fail(row.error());
  return statement->Integer(0) > 0;
}

}  // namespace

Result<CampaignStore> CampaignStore::Open(const std::string& path) {
  Result<Database> database = Database::Open(path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE);
  if (!database) return Fail(database.error());
  const Result<int64_t> id = ApplicationId(*database);
  if (!id) return Fail(id.error());
  const Result<bool> used = HasTables(*database);
  if (!used) return Fail(used.error());
  if (*id != kApplicationId && *used) {
    return Fail(path + ": is a database of something else: give the campaign another folder (-o)");
  }
  const std::string mark = fmt::format("PRAGMA application_id = {}; PRAGMA synchronous = FULL;", kApplicationId);
  if (Result<void> done = database->Execute(mark + kTables); !done) return Fail(done.error());
  return CampaignStore(std::move(*database));
}

Result<void> CampaignStore::Put(const FinishedCell& cell) {
  Result<Statement> statement = database_.Prepare(
      "INSERT OR REPLACE INTO cells (hardware, network, data, with_layers, settings, ok, json, error, seconds_ms) "
      "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)");
  if (!statement) return Fail(statement.error());
  return statement->Bind(cell.hardware)
      .Bind(cell.cell.network)
      .Bind(cell.cell.data)
      .Bind(int64_t{cell.cell.with_layers})
      .Bind(cell.settings)
      .Bind(int64_t{cell.ok})
      .Bind(cell.json)
      .Bind(cell.error)
      .Bind(static_cast<int64_t>(1e3 * cell.seconds))
      .Run();
}

Result<std::vector<FinishedCell>> CampaignStore::Cells() const {
  Result<Statement> statement = database_.Prepare(
      "SELECT hardware, network, data, with_layers, settings, ok, json, error, seconds_ms FROM cells ORDER BY rowid");
  if (!statement) return Fail(statement.error());
  std::vector<FinishedCell> cells;
  while (true) {
    const Result<bool> row = statement->Step();
    if (!row) return Fail(row.error());
    if (!*row) return cells;
    FinishedCell cell;
    cell.hardware = statement->Text(0);
    cell.cell = {statement->Text(1), statement->Text(2), statement->Integer(3) != 0};
    cell.settings = statement->Text(4);
    cell.ok = statement->Integer(5) != 0;
    cell.json = statement->Text(6);
    cell.error = statement->Text(7);
    cell.seconds = 1e-3 * static_cast<double>(statement->Integer(8));
    cells.push_back(std::move(cell));
  }
}

}  // namespace heliograd

#include "heliograd/app/campaign_store.h"

#include <fmt/format.h>

#include <cmath>

namespace heliograd {
namespace {

constexpr int64_t kApplicationId = 0x48454C43;  // "HELC"
constexpr double kMilliwatts = 1000;            // in a watt
constexpr const char* kTables =
    "CREATE TABLE IF NOT EXISTS cells (hardware TEXT NOT NULL, network TEXT NOT NULL, data TEXT NOT NULL, "
    "with_layers INTEGER NOT NULL, settings TEXT NOT NULL, ok INTEGER NOT NULL, json TEXT NOT NULL, error TEXT NOT "
    "NULL, "
    "seconds_ms INTEGER NOT NULL, PRIMARY KEY (hardware, network, data));"
    "CREATE TABLE IF NOT EXISTS sweep_cells (hardware TEXT NOT NULL, network TEXT NOT NULL, data TEXT NOT NULL, "
    "limit_mw INTEGER NOT NULL, round INTEGER NOT NULL, settings TEXT NOT NULL, ok INTEGER NOT NULL, json TEXT NOT "
    "NULL, error TEXT NOT NULL, seconds_ms INTEGER NOT NULL, PRIMARY KEY (hardware, network, data, limit_mw, round));";

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

Result<void> CampaignStore::Put(const FinishedCell& finished) {
  const CampaignCell& cell = finished.cell;
  Result<Statement> statement = database_.Prepare(
      cell.IsOfSweep()
          ? "INSERT OR REPLACE INTO sweep_cells (hardware, network, data, limit_mw, round, settings, ok, json, error, "
            "seconds_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
          : "INSERT OR REPLACE INTO cells (hardware, network, data, with_layers, settings, ok, json, error, "
            "seconds_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)");
  if (!statement) return Fail(statement.error());
  statement->Bind(finished.hardware).Bind(cell.network).Bind(cell.data);
  if (cell.IsOfSweep()) {
    statement->Bind(std::llround(kMilliwatts * cell.limit_w)).Bind(cell.round);
  } else {
    statement->Bind(int64_t{cell.with_layers});
  }
  return statement->Bind(finished.settings)
      .Bind(int64_t{finished.ok})
      .Bind(finished.json)
      .Bind(finished.error)
      .Bind(static_cast<int64_t>(1e3 * finished.seconds))
      .Run();
}

Result<std::vector<FinishedCell>> CampaignStore::Cells() const {
  std::vector<FinishedCell> cells;
  // The columns before the sixth tell which cell it is, those from there on how it ended.
  const auto read = [&](const char* question, const auto& which) -> Result<void> {
    Result<Statement> statement = database_.Prepare(question);
    if (!statement) return Fail(statement.error());
    while (true) {
      const Result<bool> row = statement->Step();
      if (!row) return Fail(row.error());
      if (!*row) return {};
      FinishedCell cell;
      cell.hardware = statement->Text(0);
      cell.cell = which(*statement);
      cell.settings = statement->Text(5);
      cell.ok = statement->Integer(6) != 0;
      cell.json = statement->Text(7);
      cell.error = statement->Text(8);
      cell.seconds = 1e-3 * static_cast<double>(statement->Integer(9));
      cells.push_back(std::move(cell));
    }
  };
  Result<void> done = read(
      "SELECT hardware, network, data, with_layers, 0, settings, ok, json, error, seconds_ms FROM cells ORDER BY rowid",
      [](Statement& row) {
        return CampaignCell{row.Text(1), row.Text(2), row.Integer(3) != 0, 0, 0};
      });
  if (!done) return Fail(done.error());
  done = read(
      "SELECT hardware, network, data, limit_mw, round, settings, ok, json, error, seconds_ms FROM sweep_cells ORDER "
      "BY rowid",
      [](Statement& row) {
        return CampaignCell{row.Text(1), row.Text(2), false, static_cast<double>(row.Integer(3)) / kMilliwatts,
                            row.Integer(4)};
      });
  if (!done) return Fail(done.error());
  return cells;
}

}  // namespace heliograd

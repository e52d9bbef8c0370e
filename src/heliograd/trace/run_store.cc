#include "heliograd/trace/run_store.h"

#include <filesystem>

#include "heliograd/base/text.h"
#include "heliograd/trace/sample_codec.h"
#include "heliograd/trace/sqlite.h"

namespace heliograd {
namespace {

constexpr int kApplicationId = 0x68656c69;  // "heli": tells a run store from other SQLite files
constexpr int kVersion = 1;

constexpr const char* kSchema = R"(
CREATE TABLE fact(key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE device(id INTEGER PRIMARY KEY, uuid TEXT NOT NULL, name TEXT NOT NULL, driver TEXT NOT NULL,
                    source TEXT NOT NULL);
CREATE TABLE channel(id INTEGER PRIMARY KEY, device INTEGER NOT NULL, kind INTEGER NOT NULL);
CREATE TABLE block(id INTEGER PRIMARY KEY, channel INTEGER NOT NULL, begin_ns INTEGER NOT NULL,
                   end_ns INTEGER NOT NULL, samples BLOB NOT NULL);
CREATE INDEX block_by_time ON block(channel, begin_ns);
CREATE TABLE gap(channel INTEGER NOT NULL, begin_ns INTEGER NOT NULL, end_ns INTEGER NOT NULL, reason TEXT NOT NULL);
CREATE TABLE window(name TEXT NOT NULL, begin_ns INTEGER NOT NULL, end_ns INTEGER NOT NULL, thread INTEGER NOT NULL,
                    depth INTEGER NOT NULL);
CREATE TABLE remark(at_ns INTEGER NOT NULL, text TEXT NOT NULL);
)";

/// Joins samples that were cut at the end of a block: same value, not known to have changed between.
void AppendDecoded(std::vector<Sample>& samples, const Sample& next) {
  const bool goes_on = !samples.empty() && !next.changed && samples.back().value == next.value &&
                       samples.back().driver_us == next.driver_us && next.first_ns <= samples.back().last_ns;
  if (goes_on) {
    samples.back().last_ns = next.last_ns;
  } else {
    samples.push_back(next);
  }
}

Result<void> InsertDevices(Database& database, const std::vector<DeviceRecord>& devices) {
  Result<Statement> insert = database.Prepare("INSERT INTO device VALUES (?, ?, ?, ?, ?)");
  if (!insert) return Fail(insert.error());
  int64_t id = 0;
  for (const DeviceRecord& device : devices) {
    insert->Bind(id++).Bind(device.uuid).Bind(device.name).Bind(device.driver).Bind(device.source);
    if (Result<void> done = insert->Run(); !done) return done;
  }
  return {};
}

Result<void> InsertChannels(Database& database, const std::vector<ChannelRecord>& channels) {
  Result<Statement> insert = database.Prepare("INSERT INTO channel VALUES (?, ?, ?)");
  if (!insert) return Fail(insert.error());
  int64_t id = 0;
  for (const ChannelRecord& channel : channels) {
    insert->Bind(id++).Bind(int64_t{channel.device}).Bind(static_cast<int64_t>(channel.kind));
    if (Result<void> done = insert->Run(); !done) return done;
  }
  return {};
}

}  // namespace

struct RunWriter::State {
  Database database;
  Statement insert_block, insert_gap, insert_window, insert_remark, set_fact;

  Result<void> Insert(const RunBatch& batch) {
    for (const auto& [channel, samples] : batch.samples) {
      if (samples.empty()) continue;
      insert_block.Bind(int64_t{channel}).Bind(samples.front().first_ns).Bind(samples.back().last_ns);
      insert_block.BindBytes(EncodeSamples(samples));
      if (Result<void> done = insert_block.Run(); !done) return done;
    }
    for (const Gap& gap : batch.gaps) {
      insert_gap.Bind(int64_t{gap.channel}).Bind(gap.begin_ns).Bind(gap.end_ns).Bind(gap.reason);
      if (Result<void> done = insert_gap.Run(); !done) return done;
    }
    for (const WindowMark& window : batch.windows) {
      insert_window.Bind(window.name).Bind(window.begin_ns).Bind(window.end_ns).Bind(window.thread);
      insert_window.Bind(int64_t{window.depth});
      if (Result<void> done = insert_window.Run(); !done) return done;
    }
    for (const Remark& remark : batch.remarks) {
      insert_remark.Bind(remark.at_ns).Bind(remark.text);
      if (Result<void> done = insert_remark.Run(); !done) return done;
    }
    return {};
  }
};

RunWriter::RunWriter(std::unique_ptr<State> state) : state_(std::move(state)) {}
RunWriter::RunWriter(RunWriter&&) noexcept = default;
RunWriter& RunWriter::operator=(RunWriter&&) noexcept = default;
RunWriter::~RunWriter() = default;

Result<RunWriter> RunWriter::Create(const std::string& path, const std::vector<DeviceRecord>& devices,
                                    const std::vector<ChannelRecord>& channels,
                                    const std::vector<std::pair<std::string, std::string>>& facts) {
  std::error_code ignored;
  if (path.empty()) return Fail("the name of the run file is empty: expected a file name", ErrorKind::kUsage);
  if (std::filesystem::exists(std::filesystem::symlink_status(path, ignored))) {
    return Fail(path + ": exists already: give another name, or remove it first", ErrorKind::kUsage);
  }
  Result<Database> database = Database::Open(path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE);
  if (!database) return Fail(database.error());
  const std::string setup =
      "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA application_id=" + std::to_string(kApplicationId) +
      "; PRAGMA user_version=" + std::to_string(kVersion) + "; BEGIN;" + kSchema;
  if (Result<void> done = database->Execute(setup); !done) return Fail(done.error());
  if (Result<void> done = InsertDevices(*database, devices); !done) return Fail(done.error());
  if (Result<void> done = InsertChannels(*database, channels); !done) return Fail(done.error());

  Result<Statement> block =
      database->Prepare("INSERT INTO block(channel, begin_ns, end_ns, samples) VALUES (?, ?, ?, ?)");
  Result<Statement> gap = database->Prepare("INSERT INTO gap VALUES (?, ?, ?, ?)");
  Result<Statement> window = database->Prepare("INSERT INTO window VALUES (?, ?, ?, ?, ?)");
  Result<Statement> remark = database->Prepare("INSERT INTO remark VALUES (?, ?)");
  Result<Statement> fact = database->Prepare("INSERT OR REPLACE INTO fact VALUES (?, ?)");
  for (const Result<Statement>* statement : {&block, &gap, &window, &remark, &fact}) {
    if (!*statement) return Fail(statement->error());
  }
  RunWriter writer(std::make_unique<State>(State{std::move(*database), std::move(*block), std::move(*gap),
                                                 std::move(*window), std::move(*remark), std::move(*fact)}));
  for (const auto& [key, value] : facts) {
    if (Result<void> done = writer.SetFact(key, value); !done) return Fail(done.error());
  }
  if (Result<void> done = writer.state_->database.Execute("COMMIT"); !done) return Fail(done.error());
  return writer;
}

Result<void> RunWriter::Append(const RunBatch& batch) {
  if (batch.empty()) return {};
  if (Result<void> done = state_->database.Execute("BEGIN"); !done) return done;
  Result<void> done = state_->Insert(batch);
  if (done) done = state_->database.Execute("COMMIT");
  // A full disk may have rolled back already; a second rollback then fails, which changes nothing.
  if (!done) static_cast<void>(state_->database.Execute("ROLLBACK"));
  return done;
}

Result<void> RunWriter::SetFact(const std::string& key, const std::string& value) {
  state_->set_fact.Bind(key).Bind(value);
  return state_->set_fact.Run();
}

Result<void> RunWriter::Close() {
  State& s = *state_;
  const std::string path = s.database.path();
  // Statements that are prepared keep the log open.
  state_.reset();
  Result<Database> database = Database::Open(path, SQLITE_OPEN_READWRITE);
  if (!database) return Fail(database.error());
  return database->Execute("PRAGMA journal_mode=DELETE");
}

struct RunReader::State {
  Database database;

  /// Every row of a query, each made into a T.
  template <typename T, typename MakeRow>
  Result<std::vector<T>> All(std::string_view sql, MakeRow make) const {
    Result<Statement> statement = database.Prepare(sql);
    if (!statement) return Fail(statement.error());
    std::vector<T> rows;
    while (true) {
      const Result<bool> more = statement->Step();
      if (!more) return Fail(more.error());
      if (!*more) return rows;
      rows.push_back(make(*statement));
    }
  }
};

RunReader::RunReader(std::unique_ptr<State> state) : state_(std::move(state)) {}
RunReader::RunReader(RunReader&&) noexcept = default;
RunReader& RunReader::operator=(RunReader&&) noexcept = default;
RunReader::~RunReader() = default;

Result<RunReader> RunReader::Open(const std::string& path) {
  std::error_code ignored;
  if (!std::filesystem::is_regular_file(path, ignored))
    return Fail(path + ": no such file: expected a run recorded with -o");
  Result<Database> database = Database::Open(path, SQLITE_OPEN_READWRITE);
  if (!database) database = Database::Open(path, SQLITE_OPEN_READONLY);
  if (!database) return Fail(database.error());
  RunReader reader(std::make_unique<State>(State{std::move(*database)}));
  const auto number = [](const Statement& row) { return row.Integer(0); };
  const Result<std::vector<int64_t>> id = reader.state_->All<int64_t>("PRAGMA application_id", number);
  if (!id) return Fail(id.error());
  if (id->front() != kApplicationId) return Fail(path + ": is no run recorded by heliograd");
  const Result<std::vector<int64_t>> version = reader.state_->All<int64_t>("PRAGMA user_version", number);
  if (!version) return Fail(version.error());
  if (version->front() > kVersion) {
    return Fail(path + ": was written by a later heliograd (format " + std::to_string(version->front()) +
                ", this one reads up to " + std::to_string(kVersion) + "): update heliograd");
  }
  return reader;
}

Result<std::vector<DeviceRecord>> RunReader::Devices() const {
  return state_->All<DeviceRecord>("SELECT uuid, name, driver, source FROM device ORDER BY id",
                                   [](const Statement& row) {
                                     return DeviceRecord{row.Text(0), row.Text(1), row.Text(2), row.Text(3)};
                                   });
}

Result<std::vector<ChannelRecord>> RunReader::Channels() const {
  return state_->All<ChannelRecord>("SELECT device, kind FROM channel ORDER BY id", [](const Statement& row) {
    return ChannelRecord{static_cast<int>(row.Integer(0)), static_cast<ChannelKind>(row.Integer(1))};
  });
}

Result<std::vector<std::pair<std::string, std::string>>> RunReader::Facts() const {
  return state_->All<std::pair<std::string, std::string>>(
      "SELECT key, value FROM fact ORDER BY key",
      [](const Statement& row) { return std::pair(row.Text(0), row.Text(1)); });
}

Result<std::optional<std::pair<int64_t, int64_t>>> RunReader::Extent() const {
  using Range = std::optional<std::pair<int64_t, int64_t>>;
  Result<std::vector<Range>> rows = state_->All<Range>(
      "SELECT min(begin_ns), max(end_ns) FROM block",
      [](const Statement& row) { return row.IsNull(0) ? Range() : Range(std::pair(row.Integer(0), row.Integer(1))); });
  if (!rows) return Fail(rows.error());
  return rows->front();
}

Result<std::vector<Sample>> RunReader::Samples(int channel, int64_t begin_ns, int64_t end_ns) const {
  Result<Statement> blocks = state_->database.Prepare(
      "SELECT samples FROM block WHERE channel = ? AND end_ns >= ? AND begin_ns <= ? ORDER BY begin_ns, id");
  if (!blocks) return Fail(blocks.error());
  blocks->Bind(int64_t{channel}).Bind(begin_ns).Bind(end_ns);
  std::vector<Sample> samples;
  while (true) {
    const Result<bool> more = blocks->Step();
    if (!more) return Fail(more.error());
    if (!*more) break;
    const Result<std::vector<Sample>> block = DecodeSamples(blocks->Bytes(0));
    if (!block) return Fail(state_->database.path() + ": " + block.error().Message());
    for (const Sample& sample : *block) AppendDecoded(samples, sample);
  }
  std::erase_if(samples, [&](const Sample& sample) { return sample.last_ns < begin_ns || sample.first_ns > end_ns; });
  return samples;
}

Result<std::vector<Gap>> RunReader::Gaps() const {
  return state_->All<Gap>("SELECT channel, begin_ns, end_ns, reason FROM gap ORDER BY begin_ns",
                          [](const Statement& row) {
                            return Gap{static_cast<int>(row.Integer(0)), row.Integer(1), row.Integer(2), row.Text(3)};
                          });
}

Result<std::vector<WindowMark>> RunReader::Windows() const {
  return state_->All<WindowMark>("SELECT name, begin_ns, end_ns, thread, depth FROM window ORDER BY begin_ns, depth",
                                 [](const Statement& row) {
                                   return WindowMark{row.Text(0), row.Integer(1), row.Integer(2), row.Integer(3),
                                                     static_cast<int>(row.Integer(4))};
                                 });
}

Result<std::vector<Remark>> RunReader::Remarks() const {
  return state_->All<Remark>("SELECT at_ns, text FROM remark ORDER BY at_ns", [](const Statement& row) {
    return Remark{row.Integer(0), row.Text(1)};
  });
}

}  // namespace heliograd

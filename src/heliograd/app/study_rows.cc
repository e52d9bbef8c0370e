#include "heliograd/app/study_rows.h"

#include <fmt/format.h>

#include <cmath>
#include <iterator>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>

#include "heliograd/base/file.h"
#include "heliograd/base/path.h"
#include "heliograd/base/text.h"
#include "heliograd/report/study_figure.h"

namespace heliograd {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::array<std::string_view, 7> kStatusNames = {"",         "optimal",      "feasible", "infeasible",
                                                          "finished", "not finished", "error"};

std::string_view NameOf(RowStatus status) { return kStatusNames[static_cast<size_t>(status)]; }

std::optional<RowStatus> StatusOf(const std::string& name) {
  for (size_t i = 1; i < kStatusNames.size(); ++i) {
    if (kStatusNames[i] == name) return static_cast<RowStatus>(i);
  }
  return std::nullopt;
}

bool IsOffgrid(RowStatus status) { return status == RowStatus::kFinished || status == RowStatus::kNotFinished; }

/// As many digits as tell it from every other number, and always a sign that it may have a fraction: "0.0".
void AppendNumber(double number, std::string& text) {
  const size_t begin = text.size();
  fmt::format_to(std::back_inserter(text), "{}", number);
  if (text.find_first_of(".en", begin) == std::string::npos) text += ".0";
}

std::string Dump(const std::string& text) { return Json(text).dump(-1, ' ', false, Json::error_handler_t::replace); }

/// A number where the text is one (a whole one without ".0"), else the text.
Json TypedValue(const std::string& text) {
  if (const auto whole = ParseInteger(text)) return *whole;
  const auto number = ParseNumber(text);
  return number ? Json(*number) : Json(text);
}

/// A row from what AppendResult wrote; nothing where it is none.
std::optional<StudyRow> RowOf(const Json& json, std::span<const std::string_view> names, SolverNames& solvers) {
  const auto text = [&](const char* key) {
    const auto found = json.find(key);
    return found != json.end() && found->is_string() ? std::optional(found->get<std::string>()) : std::nullopt;
  };
  const auto status = StatusOf(text("status").value_or(""));
  if (!status) return std::nullopt;
  StudyRow row;
  row.status = *status;
  for (size_t i = 0; i < names.size(); ++i) {
    const auto found = json.find(names[i]);
    if (found != json.end() && found->is_number()) row.numbers[i] = found->get<double>();
  }
  if (const auto solver = text("solver")) row.solver = solvers.Of(*solver);
  if (auto message = text("message")) row.message = std::make_unique<const std::string>(*std::move(message));
  return row;
}

void AppendLine(size_t point, const StudyRow& row, const RowWriter& writer, std::string& text) {
  fmt::format_to(std::back_inserter(text), "{{\"point\":{},\"row\":", point);
  writer.AppendResult(row, text);
  text += "}\n";
}

Result<void> TakeOver(const std::string& path, const std::string& head, const RowWriter& writer, SolverNames& solvers,
                      std::vector<StudyRow>& rows) {
  std::ifstream old(path);
  std::string line;
  if (old && std::getline(old, line) && Json::parse(line, nullptr, false) != Json::parse(head)) {
    return Fail(fmt::format("{}: belongs to another study: remove it, or write to another file.", path));
  }
  for (size_t number = 2; std::getline(old, line); ++number) {
    const Json entry = Json::parse(line, nullptr, false);
    if (entry.is_discarded()) continue;  // a line cut short by a crash
    const bool sound = entry.is_object() && entry.contains("point") && entry["point"].is_number_unsigned() &&
                       entry["point"] < rows.size() && entry.contains("row") && entry["row"].is_object();
    auto row = sound ? RowOf(entry["row"], writer.NumberNames(), solvers) : std::nullopt;
    if (!row) {
      return Fail(
          fmt::format("{}:{}: is no finished point of this study: remove the line, or the file.", path, number));
    }
    rows[entry["point"].get<size_t>()] = *std::move(row);
  }
  return {};
}

/// The place of each value at a point of the grid; the last varies fastest.
template <typename Values>
std::vector<size_t> PlacesAt(const std::vector<Values>& values, size_t point) {
  std::vector<size_t> places(values.size());
  for (size_t v = values.size(); v-- > 0;) {
    places[v] = point % values[v].csv.size();
    point /= values[v].csv.size();
  }
  return places;
}

}  // namespace

std::span<const std::string_view> RowWriter::NumberNames() const {
  if (off_grid_) return kOffgridNumbers;
  return kPlanNumbers;
}

RowWriter::RowWriter(const std::vector<Variation>& variations, bool off_grid) : off_grid_(off_grid) {
  for (const Variation& variation : variations) {
    keys_.push_back(variation.key);
    Values& values = values_.emplace_back();
    for (const std::string& text : variation.values) {
      const Json value = TypedValue(text);
      values.json.push_back(value.dump());
      values.csv.push_back(value.is_string() ? CsvCell(text) : value.dump());
    }
  }
}

std::string RowWriter::CsvHead() const {
  std::string head;
  for (const std::string& key : keys_) head += key + ',';
  head += off_grid_ ? "status,finished" : "status";
  for (size_t i = 0; i < NumberNames().size(); ++i) fmt::format_to(std::back_inserter(head), ",{}", NumberNames()[i]);
  return head + (off_grid_ ? ",message\n" : ",message,solver\n");
}

void RowWriter::AppendCsv(size_t point, const StudyRow& row, std::string& text) const {
  const std::vector<size_t> places = PlacesAt(values_, point);
  for (size_t v = 0; v < keys_.size(); ++v) text += values_[v].csv[places[v]] + ',';
  text += NameOf(row.status);
  if (off_grid_) text += !IsOffgrid(row.status) ? "," : row.status == RowStatus::kFinished ? ",true" : ",false";
  for (size_t i = 0; i < NumberNames().size(); ++i) {
    text += ',';
    if (!std::isnan(row.numbers[i])) AppendNumber(row.numbers[i], text);
  }
  text += ',';
  if (row.message) text += CsvCell(*row.message);
  if (!off_grid_) {
    text += ',';
    if (row.solver) text += CsvCell(*row.solver);
  }
  text += '\n';
}

void RowWriter::AppendFields(const StudyRow& row, std::string& text) const {
  fmt::format_to(std::back_inserter(text), "\"status\":\"{}\"", NameOf(row.status));
  if (row.solver) text += ",\"solver\":" + Dump(*row.solver);
  if (IsOffgrid(row.status)) text += row.status == RowStatus::kFinished ? ",\"finished\":true" : ",\"finished\":false";
  for (size_t i = 0; i < NumberNames().size(); ++i) {
    if (std::isnan(row.numbers[i])) continue;
    fmt::format_to(std::back_inserter(text), ",\"{}\":", NumberNames()[i]);
    AppendNumber(row.numbers[i], text);
  }
  if (row.message) text += ",\"message\":" + Dump(*row.message);
}

void RowWriter::AppendJson(size_t point, const StudyRow& row, std::string& text) const {
  const std::vector<size_t> places = PlacesAt(values_, point);
  text += '{';
  for (size_t v = 0; v < keys_.size(); ++v) {
    fmt::format_to(std::back_inserter(text), "\"{}\":{},", keys_[v], values_[v].json[places[v]]);
  }
  AppendFields(row, text);
  text += '}';
}

void RowWriter::AppendResult(const StudyRow& row, std::string& text) const {
  text += '{';
  AppendFields(row, text);
  text += '}';
}

Result<std::unique_ptr<StudyJournal>> StudyJournal::Open(const std::string& path, const std::string& definition,
                                                         bool resume, const RowWriter& writer, SolverNames& solvers,
                                                         std::vector<StudyRow>& rows) {
  const Result<bool> is_there = IsThere(path);
  if (!is_there) return Fail(is_there.error());
  if (!resume && *is_there) {
    return Fail(
        fmt::format("{}: holds the finished points of an interrupted study: go on with --resume, or remove it.", path));
  }
  const std::string head = Json{{"study", definition}}.dump();
  if (resume) {
    if (auto taken = TakeOver(path, head, writer, solvers, rows); !taken) return Fail(taken.error());
  }
  // Written anew: a line cut short by a crash must not run into the next one.
  std::string kept = head + "\n";
  for (size_t point = 0; point < rows.size(); ++point) {
    if (rows[point].status != RowStatus::kMissing) AppendLine(point, rows[point], writer, kept);
  }
  if (auto done = WriteFile(path, kept); !done) return Fail(done.error());
  auto journal = std::unique_ptr<StudyJournal>(new StudyJournal(writer));
  journal->file_.open(path, std::ios::app);
  if (!journal->file_) return Fail(fmt::format("{}: cannot be written.", path));
  return journal;
}

void StudyJournal::Add(size_t point, const StudyRow& row) {
  const std::lock_guard lock(mutex_);
  AppendLine(point, row, writer_, waiting_);
  const auto now = std::chrono::steady_clock::now();
  if (now - flushed_ < std::chrono::milliseconds(200)) return;
  file_ << waiting_ << std::flush;
  waiting_.clear();
  flushed_ = now;
}

bool StudyJournal::Flush() {
  const std::lock_guard lock(mutex_);
  file_ << waiting_ << std::flush;
  waiting_.clear();
  return file_.good();
}

}  // namespace heliograd

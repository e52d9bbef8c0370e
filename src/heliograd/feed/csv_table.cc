#include "heliograd/feed/csv_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "heliograd/base/text.h"

namespace heliograd {
namespace {

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

/// Length of the line at the front of `text`, without its end; at most kLongestLine + 1.
size_t LineLength(std::string_view text) {
  const size_t most = std::min(text.size(), kLongestLine + 1);
  size_t length = 0;
  while (length < most && text[length] != '\n' && text[length] != '\r') ++length;
  return length;
}

bool IsSpace(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

/// What Trim does, for the inner loop over fields: most have no space around them.
std::string_view TrimField(std::string_view text) {
  while (!text.empty() && IsSpace(text.front())) text.remove_prefix(1);
  while (!text.empty() && IsSpace(text.back())) text.remove_suffix(1);
  return text;
}

size_t LineEndLength(std::string_view text) {
  if (text.empty()) return 0;
  return text.substr(0, 2) == "\r\n" ? 2 : 1;
}

std::string ExpectedNumber(const NumberColumn& column, std::string_view kind) {
  return fmt::format("{} from {} to {}{}{}", kind, column.low, column.high, column.unit.empty() ? "" : " ",
                     column.unit);
}

/// "0,25": a number but for its comma.
bool HasDecimalComma(std::string_view text) {
  const size_t comma = text.find(',');
  if (comma == std::string_view::npos) return false;
  std::string with_point(text);
  with_point[comma] = '.';
  return ParseNumber(with_point).has_value();
}

}  // namespace

void ProblemList::AddForFile(std::string_view what) { Add(fmt::format("{}: {}", file_, what)); }

void ProblemList::AddForLine(size_t line, std::string_view what) {
  if (problems_.size() >= kMostListed) return static_cast<void>(++count_);
  Add(fmt::format("{}:{}: {}", file_, line, what));
}

void ProblemList::AddForValue(size_t line, std::string_view column, std::string_view value, std::string_view expected) {
  const auto same = std::ranges::find_if(
      alike_, [&](const Alike& each) { return each.column == column && each.expected == expected; });
  if (same != alike_.end() && same->count++ >= kMostAlike) return static_cast<void>(++count_);
  if (problems_.size() >= kMostListed) return static_cast<void>(++count_);
  if (same == alike_.end()) alike_.push_back({std::string(column), std::string(expected), 1});
  const std::string found = value.empty() ? std::string("empty") : Quoted(value);
  Add(fmt::format("{}:{}: {} is {}: expected {}.", file_, line, column, found, expected));
}

void ProblemList::Add(std::string problem) {
  ++count_;
  if (problems_.size() < kMostListed) problems_.push_back(std::move(problem));
}

tl::unexpected<Error> ProblemList::Failure() const {
  std::vector<std::string> listed = problems_;
  size_t untold = count_ - problems_.size();
  for (const Alike& alike : alike_) {
    if (alike.count <= kMostAlike) continue;
    const size_t more = std::min(alike.count - kMostAlike, untold);
    untold -= more;
    if (more == 0) continue;
    listed.push_back(
        fmt::format("{}: {}: {} more line{} with the same mistake.", file_, alike.column, more, more == 1 ? "" : "s"));
  }
  if (untold > 0) listed.push_back(fmt::format("{}: and {} more problems.", file_, untold));
  return Fail(std::move(listed));
}

CsvReader::CsvReader(std::string_view text, char separator) : rest_(text), separator_(separator) {
  if (rest_.substr(0, kByteOrderMark.size()) == kByteOrderMark) rest_.remove_prefix(kByteOrderMark.size());
}

bool CsvReader::Next() {
  if (rest_.empty() || too_long_) return false;
  ++line_number_;
  split_ = false;
  const size_t length = LineLength(rest_);
  if (length > kLongestLine) {
    too_long_ = true;
    line_ = {};
    return false;
  }
  line_ = rest_.substr(0, length);
  rest_.remove_prefix(length);
  rest_.remove_prefix(LineEndLength(rest_));
  return true;
}

bool CsvReader::NextFilled() {
  while (Next()) {
    if (!TrimField(line_).empty()) return true;
  }
  return false;
}

const std::vector<std::string_view>& CsvReader::fields() {
  if (!split_) Split();
  return fields_;
}

std::string_view CsvReader::Field(size_t column) {
  return column < fields().size() ? fields_[column] : std::string_view();
}

void CsvReader::Split() {
  split_ = true;
  fields_.clear();
  if (line_.find('"') != std::string_view::npos) {
    unquoted_ = SplitCsvLine(line_, separator_);
    fields_.assign(unquoted_.begin(), unquoted_.end());
    return;
  }
  size_t start = 0;
  for (size_t at = 0; at < line_.size(); ++at) {
    if (line_[at] != separator_) continue;
    fields_.push_back(TrimField(line_.substr(start, at - start)));
    start = at + 1;
  }
  fields_.push_back(TrimField(line_.substr(start)));
}

std::optional<double> NumberFromText(std::string_view text, size_t line, const NumberColumn& column,
                                     ProblemList& problems, std::string_view hint) {
  const auto value = ParseNumber(text);
  if (value && *value >= column.low && *value <= column.high) return value;
  std::string expected = ExpectedNumber(column, "a number");
  if (HasDecimalComma(text)) hint = " with a decimal point, not a comma";
  problems.AddForValue(line, column.name, text, expected.append(hint));
  return std::nullopt;
}

std::optional<double> ReadNumber(CsvReader& reader, const NumberColumn& column, ProblemList& problems,
                                 std::string_view hint) {
  return NumberFromText(reader.Field(column.index), reader.line_number(), column, problems, hint);
}

std::optional<int> ReadWholeNumber(CsvReader& reader, const NumberColumn& column, ProblemList& problems) {
  const std::string_view field = reader.Field(column.index);
  const auto value = ParseInteger(field);
  const auto as_double = static_cast<double>(value.value_or(0));
  if (value && as_double >= column.low && as_double <= column.high) return static_cast<int>(*value);
  problems.AddForValue(reader.line_number(), column.name, field, ExpectedNumber(column, "a whole number"));
  return std::nullopt;
}

std::optional<size_t> FindColumn(const std::vector<std::string_view>& header,
                                 std::initializer_list<std::string_view> names) {
  for (size_t i = 0; i < header.size(); ++i) {
    const std::string name = ToLower(header[i]);
    const std::string_view without_unit = Trim(std::string_view(name).substr(0, name.find('(')));
    for (const std::string_view wanted : names) {
      if (wanted == name || wanted == without_unit) return i;
    }
  }
  return std::nullopt;
}

}  // namespace heliograd

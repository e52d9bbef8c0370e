#include "heliograd/feed/pv_series_file.h"

#include <fmt/format.h>

#include <optional>

#include "heliograd/base/text.h"
#include "heliograd/trace/weather.h"

namespace heliograd {
namespace {

constexpr size_t kLongestLine = size_t{64} << 10;
constexpr double kLargestPowerW = 1e9;  // more than any PV plant has: a wrong unit or column

/// Takes the next line off the front of `text`, without its end.
std::string_view TakeLine(std::string_view& text) {
  const size_t end = text.find('\n');
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  return line;
}

bool IsHeader(std::string_view line) { return SplitCsvLine(ToLower(line)) == std::vector<std::string>{"hour", "ac_w"}; }

/// Reads the rows after the header and keeps what they got wrong.
class PvSeriesReader {
 public:
  explicit PvSeriesReader(const std::string& name) : name_(name) { hourly_.reserve(kHoursPerYear); }

  void ReadRow(std::string_view row, int line) {
    const std::vector<std::string> fields = SplitCsvLine(row);
    if (fields.size() != 2) {
      problems_.Add(
          fmt::format("{}:{}: {} has {} fields: expected 2, hour and ac_w.", name_, line, Quoted(row), fields.size()));
      ++next_hour_;
      return;
    }
    ReadHour(fields[0], line);
    ReadPower(fields[1], line);
  }

  Result<std::vector<Power>> Finish() {
    if (problems_.empty() && hourly_.size() != kHoursPerYear) {
      problems_.Add(fmt::format("{}: {} rows: expected {}, one for each hour of a year without 29 February.", name_,
                                hourly_.size(), kHoursPerYear));
    }
    if (!problems_.empty()) return problems_.ToFailure();
    return std::move(hourly_);
  }

  void AddProblem(std::string problem) { problems_.Add(std::move(problem)); }

 private:
  /// After a missing or repeated hour goes on from the hour found, so that one slip is told once.
  void ReadHour(std::string_view field, int line) {
    const auto hour = ParseInteger(field);
    if (!hour || *hour < 0 || *hour >= kHoursPerYear) {
      problems_.Add(fmt::format("{}:{}: hour {}: expected a whole number from 0 to 8759.", name_, line, Quoted(field)));
    } else if (*hour != next_hour_) {
      problems_.Add(
          fmt::format("{}:{}: hour {}: expected {}: hours must follow each other, none missing and none twice.", name_,
                      line, *hour, next_hour_));
      next_hour_ = *hour;
    }
    ++next_hour_;
  }

  void ReadPower(std::string_view field, int line) {
    const auto power_w = ParseNumber(field);
    if (!power_w || *power_w < 0 || *power_w > kLargestPowerW) {
      problems_.Add(
          fmt::format("{}:{}: ac_w {}: expected a power in watts from 0 to 1e9.", name_, line, Quoted(field)));
      return;
    }
    if (hourly_.size() < kHoursPerYear) hourly_.push_back(Watts(*power_w));
  }

  const std::string& name_;
  ProblemList problems_;
  long next_hour_ = 0;
  std::vector<Power> hourly_;
};

}  // namespace

Result<std::vector<Power>> ParsePvSeries(std::string_view content, const std::string& name) {
  const std::string text = NormalizeLines(content);
  std::string_view rest = text;
  if (Trim(rest).empty()) return Fail(fmt::format("{}: empty: expected the header hour,ac_w and 8760 rows.", name));
  const std::string_view header = TakeLine(rest);
  if (header.size() > kLongestLine || !IsHeader(header)) {
    return Fail(fmt::format("{}:1: {} is not the header of a PV series: expected hour,ac_w.", name, Quoted(header)));
  }
  PvSeriesReader reader(name);
  for (int line = 2; !rest.empty(); ++line) {
    const std::string_view row = TakeLine(rest);
    if (row.size() > kLongestLine) {
      reader.AddProblem(fmt::format("{}:{}: longer than 64 KiB: expected one row per line.", name, line));
      break;
    }
    if (!Trim(row).empty()) reader.ReadRow(row, line);
  }
  return reader.Finish();
}

}  // namespace heliograd

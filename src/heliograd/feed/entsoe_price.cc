#include "heliograd/feed/entsoe_price.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "heliograd/base/text.h"
#include "heliograd/feed/price_column.h"
#include "heliograd/feed/series_rows.h"

namespace heliograd {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

constexpr std::array<seconds, 3> kLengths = {minutes(15), minutes(30), minutes(60)};

/// The clocks that the platform offers. Countries that share a clock change it at the same instant.
constexpr std::array<std::pair<std::string_view, std::string_view>, 10> kClocks = {{{"UTC", "UTC"},
                                                                                    {"WET", "+00:00"},
                                                                                    {"WEST", "+01:00"},
                                                                                    {"WET/WEST", "Europe/Lisbon"},
                                                                                    {"CET", "+01:00"},
                                                                                    {"CEST", "+02:00"},
                                                                                    {"CET/CEST", "Europe/Brussels"},
                                                                                    {"EET", "+02:00"},
                                                                                    {"EEST", "+03:00"},
                                                                                    {"EET/EEST", "Europe/Helsinki"}}};

Result<TimeZone> FindClock(std::string_view label) {
  for (const auto& [name, zone] : kClocks) {
    if (name == label) return TimeZone::Find(zone);
  }
  return Fail(
      fmt::format("clock {} is not known: expected UTC, or CET, WET or EET with their summer times, such as "
                  "CET/CEST.",
                  Quoted(label)));
}

/// What stands in the last pair of brackets, round or square.
std::string_view InBrackets(std::string_view text) {
  const size_t open = text.find_last_of("([");
  const size_t close = text.find_last_of(")]");
  if (open == std::string_view::npos || close == std::string_view::npos || close < open) return {};
  return Trim(text.substr(open + 1, close - open - 1));
}

struct Columns {
  size_t interval = 0;
  std::string interval_name;
  PriceColumn price;
  std::optional<size_t> area;
  std::optional<size_t> sequence;
  std::optional<size_t> currency;
  size_t count = 0;
};

bool IsIntervalColumn(std::string_view name) {
  return StartsWithIgnoringCase(name, "mtu") || StartsWithIgnoringCase(name, "time (");
}

std::optional<size_t> FindIf(const std::vector<std::string_view>& header, bool (*matches)(std::string_view)) {
  const auto found = std::ranges::find_if(header, matches);
  if (found == header.end()) return std::nullopt;
  return static_cast<size_t>(found - header.begin());
}

std::optional<PriceColumn> FindPriceColumn(CsvReader& csv, ProblemList& problems) {
  const auto index =
      FindIf(csv.fields(), [](std::string_view name) { return StartsWithIgnoringCase(name, "day-ahead price"); });
  const std::string name(index ? csv.fields()[*index] : std::string_view());
  const std::string unit = ToLower(InBrackets(name));
  if (unit == "eur/mwh") return MakePriceColumn(name, *index, PriceUnit::kEurosPerMegawattHour);
  if (unit == "eur/kwh") return MakePriceColumn(name, *index, PriceUnit::kEurosPerKilowattHour);
  problems.AddForLine(
      csv.line_number(),
      index ? fmt::format("column {}: expected prices in EUR/MWh.", Quoted(name))
            : fmt::format("header is {}: expected a column Day-ahead Price (EUR/MWh).", Quoted(csv.line())));
  return std::nullopt;
}

std::optional<Columns> FindColumns(CsvReader& csv, ProblemList& problems) {
  const auto price = FindPriceColumn(csv, problems);
  const auto interval = FindIf(csv.fields(), IsIntervalColumn);
  if (!price || !interval) return std::nullopt;
  Columns columns;
  columns.interval = *interval;
  columns.interval_name = csv.fields()[*interval];
  columns.price = *price;
  columns.area = FindColumn(csv.fields(), {"area"});
  columns.sequence = FindColumn(csv.fields(), {"sequence"});
  columns.currency = FindColumn(csv.fields(), {"currency"});
  columns.count = csv.fields().size();
  return columns;
}

/// One end of an interval as the file has it: the time shown and, where it is given, on which clock.
struct IntervalEnd {
  CivilTime civil;
  std::string clock;
};

/// "01.01.2024 00:00", with slashes, seconds and "(CET)" if need be.
std::optional<IntervalEnd> ParseIntervalEnd(std::string_view text) {
  text = Trim(text);
  IntervalEnd end;
  if (const size_t open = text.find('('); open != std::string_view::npos) {
    end.clock = InBrackets(text);
    text = Trim(text.substr(0, open));
  }
  const bool has_date = text.size() >= 16 && (text[2] == '.' || text[2] == '/') && text[5] == text[2];
  if (!has_date) return std::nullopt;
  const auto civil =
      ParseCivil(fmt::format("{}-{}-{}{}", text.substr(6, 4), text.substr(3, 2), text.substr(0, 2), text.substr(10)));
  if (!civil) return std::nullopt;
  end.civil = *civil;
  return end;
}

/// True when the clock shows `civil` at the instant, or would had it not just been changed: "01:00 - 02:00" ends at the
/// instant at which 02:00 becomes 03:00.
bool Shows(const TimeZone& clock, Stamp instant, const CivilTime& civil) {
  return clock.ToCivil(instant) == civil || instant + clock.OffsetAt(instant - seconds(1)) == StampFromUtc(civil);
}

struct Interval {
  Stamp start;
  seconds length;
};

/// Rows of one auction and one length ascend.
struct Group {
  long sequence;
  seconds length;
  friend auto operator<=>(const Group&, const Group&) = default;
};

class Reader {
 public:
  /// `clock` is that of rows without a label.
  Reader(Columns columns, const TimeZone& clock, ProblemList& problems)
      : columns_(std::move(columns)), problems_(problems) {
    clocks_.emplace("", clock);
  }

  void ReadRow(CsvReader& csv) {
    if (!IsWholeRow(csv, columns_.count, problems_)) return;
    CheckAreaAndCurrency(csv);
    const bool has_price = !IsGap(csv.Field(columns_.price.number.index));
    const long sequence = SequenceOf(csv);
    const auto interval = ReadInterval(csv, sequence, has_price);
    const auto price = has_price ? ReadPrice(csv, columns_.price, problems_) : std::nullopt;
    if (interval && price) auctions_[sequence].push_back({interval->start, interval->start + interval->length, *price});
  }

  /// The steps of the first auction that has a price.
  std::vector<Step<EnergyPrice>> TakeFirstAuction() {
    return auctions_.empty() ? std::vector<Step<EnergyPrice>>() : std::move(auctions_.begin()->second);
  }

 private:
  void CheckAreaAndCurrency(CsvReader& csv) {
    if (columns_.currency && csv.Field(*columns_.currency) != "EUR") {
      problems_.AddForValue(csv.line_number(), "Currency", csv.Field(*columns_.currency), "EUR");
    }
    if (!columns_.area) return;
    const std::string_view area = csv.Field(*columns_.area);
    if (!area_) area_ = area;
    if (*area_ != area) {
      problems_.AddForValue(csv.line_number(), "Area", area,
                            fmt::format("{}, as before: keep the rows of one area", *area_));
    }
  }

  /// The number at the end of "Sequence 2"; 1 where there is none.
  long SequenceOf(CsvReader& csv) const {
    if (!columns_.sequence) return 1;
    const std::string_view text = csv.Field(*columns_.sequence);
    return ParseInteger(text.substr(text.find_last_of(' ') + 1)).value_or(1);
  }

  /// The clock of that label, read once; nothing after a problem.
  const TimeZone* ClockOf(const std::string& label, size_t line) {
    const auto known = clocks_.find(label);
    if (known != clocks_.end()) return &known->second;
    const auto clock = FindClock(label);
    if (!clock) {
      problems_.AddForLine(line, clock.error().Message());
      return nullptr;
    }
    return &clocks_.emplace(label, *clock).first->second;
  }

  void AddIntervalProblem(CsvReader& csv, std::string_view expected) {
    problems_.AddForValue(csv.line_number(), columns_.interval_name, csv.Field(columns_.interval), expected);
  }

  std::optional<Interval> ReadInterval(CsvReader& csv, long sequence, bool has_price) {
    constexpr std::string_view kExpected = "15, 30 or 60 minutes such as 01.01.2024 00:00 - 01.01.2024 01:00";
    const std::string_view text = csv.Field(columns_.interval);
    const size_t dash = text.find(" - ");
    const auto start = ParseIntervalEnd(text.substr(0, dash));
    const auto end = ParseIntervalEnd(dash == std::string_view::npos ? std::string_view() : text.substr(dash + 3));
    if (!start || !end) {
      AddIntervalProblem(csv, kExpected);
      return std::nullopt;
    }
    const std::string& end_label = end->clock.empty() ? start->clock : end->clock;
    const TimeZone* end_clock = ClockOf(end_label, csv.line_number());
    const TimeZone* start_clock = end_clock;
    if (!start->clock.empty() && start->clock != end_label) start_clock = ClockOf(start->clock, csv.line_number());
    if (start_clock == nullptr || end_clock == nullptr) return std::nullopt;

    const std::vector<Stamp> starts = start_clock->ToStamps(start->civil);
    if (starts.empty()) {
      if (has_price) AddIntervalProblem(csv, fmt::format("a time that occurs in {}", start_clock->name()));
      return std::nullopt;
    }
    const std::vector<Interval> possible = PossibleIntervals(starts, *end_clock, end->civil);
    if (possible.empty()) {
      AddIntervalProblem(csv, kExpected);
      return std::nullopt;
    }
    return NextInOrder(csv, sequence, possible);
  }

  static std::vector<Interval> PossibleIntervals(const std::vector<Stamp>& starts, const TimeZone& end_clock,
                                                 const CivilTime& end) {
    std::vector<Interval> possible;
    for (const Stamp start : starts) {
      for (const seconds length : kLengths) {
        if (Shows(end_clock, start + length, end)) possible.push_back({start, length});
      }
    }
    return possible;
  }

  /// The first of the intervals that comes after the row before it in its group; else a problem.
  std::optional<Interval> NextInOrder(CsvReader& csv, long sequence, const std::vector<Interval>& possible) {
    for (const Interval& interval : possible) {
      const auto last = last_start_.find({sequence, interval.length});
      if (last != last_start_.end() && interval.start <= last->second) continue;
      last_start_[{sequence, interval.length}] = interval.start;
      return interval;
    }
    Stamp& last = last_start_[{sequence, possible.back().length}];
    AddIntervalProblem(csv, fmt::format("a time after {}, that of the row before", FormatStamp(last)));
    last = possible.back().start;
    return std::nullopt;
  }

  Columns columns_;
  ProblemList& problems_;
  std::map<std::string, TimeZone> clocks_;  // by label; "" is that of rows without one
  std::optional<std::string> area_;
  std::map<Group, Stamp> last_start_;
  std::map<long, std::vector<Step<EnergyPrice>>> auctions_;
};

/// Ascending steps without overlap: a shorter step hides the part of a longer one beneath it.
std::vector<Step<EnergyPrice>> Overlay(std::vector<Step<EnergyPrice>> steps) {
  std::ranges::stable_sort(steps, {}, [](const auto& step) { return std::pair(step.end - step.start, step.start); });
  std::map<Stamp, Step<EnergyPrice>> laid;
  for (const Step<EnergyPrice>& step : steps) {
    Stamp from = step.start;
    auto next = laid.lower_bound(from);
    if (next != laid.begin()) from = std::max(from, std::prev(next)->second.end);
    while (from < step.end) {
      const Stamp until = next == laid.end() ? step.end : std::min(step.end, next->first);
      if (until > from) laid.emplace_hint(next, from, Step<EnergyPrice>{from, until, step.value});
      if (next == laid.end()) break;
      from = next->second.end;
      ++next;
    }
  }
  std::vector<Step<EnergyPrice>> flat;
  flat.reserve(laid.size());
  for (const auto& [start, step] : laid) flat.push_back(step);
  return flat;
}

}  // namespace

bool IsEntsoeHeader(const std::vector<std::string_view>& header) {
  return FindIf(header, IsIntervalColumn).has_value();
}

std::vector<Step<EnergyPrice>> ReadEntsoePrices(CsvReader& csv, const TimeZone& zone, ProblemList& problems) {
  auto columns = FindColumns(csv, problems);
  if (!columns) return {};
  const std::string_view label = InBrackets(columns->interval_name);
  const auto clock = label.empty() ? Result<TimeZone>(zone) : FindClock(label);
  if (!clock) {
    problems.AddForLine(csv.line_number(), clock.error().Message());
    return {};
  }
  Reader reader(std::move(*columns), *clock, problems);
  while (csv.NextFilled()) reader.ReadRow(csv);
  return Overlay(reader.TakeFirstAuction());
}

}  // namespace heliograd

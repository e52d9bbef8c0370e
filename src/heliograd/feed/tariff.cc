#include "heliograd/feed/tariff.h"

#include <fmt/format.h>

#include <algorithm>
#include <bitset>
#include <chrono>
#include <map>
#include <optional>
#include <string_view>
#include <utility>

#include "heliograd/base/text.h"
#include "heliograd/feed/csv_table.h"

namespace heliograd {
namespace {

size_t DayKind(const CivilTime& civil, HolidayCalendar holidays) {
  return IsHoliday(civil, holidays) ? kHolidayKind : static_cast<size_t>(Weekday(civil));
}

/// The next full hour on the local clock.
Stamp EndOfLocalHour(Stamp from, const CivilTime& civil) {
  const auto whole_second = std::chrono::floor<std::chrono::seconds>(from);
  return whole_second + std::chrono::seconds(3600 - civil.minute * 60 - civil.second);
}

EnergyPrice MeanPrice(const BandTariff& tariff, Stamp start, Stamp end) {
  EnergyPrice sum;
  for (Stamp from = start; from < end;) {
    const CivilTime civil = tariff.zone.ToCivil(from);
    const Stamp until = std::min(end, EndOfLocalHour(from, civil));
    const EnergyPrice price = tariff.price[DayKind(civil, tariff.holidays)][static_cast<size_t>(civil.hour)];
    sum += price * (Between(from, until) / Between(start, end));
    from = until;
  }
  return sum;
}

struct PerSlot {
  const Horizon& horizon;
  const TimeZone& clock;

  Result<std::vector<EnergyPrice>> operator()(EnergyPrice price) const {
    return std::vector<EnergyPrice>(static_cast<size_t>(horizon.slots), price);
  }
  Result<std::vector<EnergyPrice>> operator()(const BandTariff& tariff) const {
    std::vector<EnergyPrice> prices;
    prices.reserve(static_cast<size_t>(horizon.slots));
    for (int slot = 0; slot < horizon.slots; ++slot) {
      prices.push_back(MeanPrice(tariff, horizon.SlotStart(slot), horizon.SlotStart(slot + 1)));
    }
    return prices;
  }
  Result<std::vector<EnergyPrice>> operator()(const StepSeries<EnergyPrice>& series) const {
    return MeanPerSlot(series, horizon, clock);
  }
};

void SetHours(BandTariff& tariff, size_t day, int from_hour, int to_hour, EnergyPrice price) {
  for (int hour = from_hour; hour < to_hour; ++hour) tariff.price[day][static_cast<size_t>(hour)] = price;
}

constexpr std::array<std::string_view, kDayKinds> kDayNames = {"mon", "tue", "wed", "thu",
                                                               "fri", "sat", "sun", "holiday"};
using DaySet = std::bitset<kDayKinds>;

std::optional<size_t> DayFromName(std::string_view name) {
  const auto found = std::ranges::find(kDayNames, ToLower(Trim(name)));
  if (found == kDayNames.end()) return std::nullopt;
  return static_cast<size_t>(found - kDayNames.begin());
}

/// One item of a list of days: "sat", "mon-fri", "holiday", "all".
std::optional<DaySet> ParseDayItem(std::string_view item) {
  if (ToLower(Trim(item)) == "all") return DaySet().set();
  const size_t dash = item.find('-');
  const auto first = DayFromName(item.substr(0, dash));
  const auto last = dash == std::string_view::npos ? first : DayFromName(item.substr(dash + 1));
  if (!first || !last) return std::nullopt;
  if (first != last && (first == kHolidayKind || last == kHolidayKind)) return std::nullopt;
  DaySet days;
  for (size_t day = *first; day != *last; day = (day + 1) % kHolidayKind) days.set(day);
  return days.set(*last);
}

Result<DaySet> ParseDays(std::string_view text) {
  DaySet days;
  for (const std::string& item : SplitCsvLine(text)) {
    const auto some = ParseDayItem(item);
    if (!some) {
      return Fail(
          fmt::format("days {}: {} is not a day: expected mon, tue, wed, thu, fri, sat, sun, holiday or all, a range "
                      "such as mon-fri, or a list such as sat,sun.",
                      Quoted(text), Quoted(item)));
    }
    days |= *some;
  }
  return days;
}

/// How often each hour of each kind of day has been priced, and by which bands.
using Coverage = std::array<std::array<std::vector<size_t>, 24>, kDayKinds>;

/// "mon-fri", "sat,sun", "mon-wed,fri,holiday".
std::string DaysText(const DaySet& days) {
  std::vector<std::string> parts;
  for (size_t day = 0; day < kDayKinds; ++day) {
    if (!days.test(day)) continue;
    size_t last = day;
    while (last + 1 < kHolidayKind && days.test(last + 1)) ++last;
    const std::string_view separator = last == day + 1 ? "," : "-";
    parts.push_back(last == day ? std::string(kDayNames[day])
                                : fmt::format("{}{}{}", kDayNames[day], separator, kDayNames[last]));
    day = last;
  }
  return fmt::format("{}", fmt::join(parts, ","));
}

/// Which bands price a stretch of hours, when it is not exactly one, and the kinds of day with that stretch.
struct Trouble {
  size_t from_hour;
  size_t to_hour;
  std::vector<size_t> bands;
  DaySet days;
};

std::vector<Trouble> FindTroubles(const Coverage& coverage, size_t kinds) {
  std::vector<Trouble> troubles;
  for (size_t day = 0; day < kinds; ++day) {
    const auto& hours = coverage[day];
    for (size_t from = 0, to = 0; from < 24; from = to) {
      while (to < 24 && hours[to] == hours[from]) ++to;
      if (hours[from].size() == 1) continue;
      const auto same = std::ranges::find_if(troubles, [&](const Trouble& trouble) {
        return trouble.from_hour == from && trouble.to_hour == to && trouble.bands == hours[from];
      });
      (same == troubles.end() ? troubles.emplace_back(Trouble{from, to, hours[from], {}}) : *same).days.set(day);
    }
  }
  return troubles;
}

/// One line for all hours without a price, one for each set of bands that price the same hours.
void CheckCoverage(const Coverage& coverage, size_t kinds, ProblemList& problems) {
  std::map<std::vector<size_t>, std::vector<std::string>> stretches;
  for (const Trouble& trouble : FindTroubles(coverage, kinds)) {
    stretches[trouble.bands].push_back(
        fmt::format("{} {:02}-{:02}", DaysText(trouble.days), trouble.from_hour, trouble.to_hour));
  }
  for (const auto& [bands, where] : stretches) {
    const std::string hours = fmt::format("{}", fmt::join(where, "; "));
    problems.AddForFile(bands.empty() ? fmt::format("no price for {}: add bands that cover it.", hours)
                                      : fmt::format("more than one price (bands {}) for {}: leave it to one of them.",
                                                    fmt::join(bands, ", "), hours));
  }
}

/// Marks and prices what one band covers. `number` counts bands from 1, as people do.
void ApplyBand(const Band& band, size_t number, BandTariff& tariff, Coverage& coverage, ProblemList& problems) {
  const auto days = ParseDays(band.days);
  if (!days) problems.AddForFile(fmt::format("band {}: {}", number, days.error().Message()));
  const bool hours_exist = band.from_hour >= 0 && band.from_hour <= 23 && band.to_hour >= 1 && band.to_hour <= 24;
  if (!hours_exist || band.from_hour == band.to_hour) {
    problems.AddForFile(
        fmt::format("band {}: from {} to {} is not a stretch of hours: expected from 0..23 and to 1..24, not equal "
                    "(a whole day is from 0 to 24).",
                    number, band.from_hour, band.to_hour));
    return;
  }
  if (!IsFinite(band.price)) problems.AddForFile(fmt::format("band {}: the price is not a finite number.", number));
  if (!days) return;
  const int length = (band.to_hour - band.from_hour + 24 - 1) % 24 + 1;
  for (size_t day = 0; day < kDayKinds; ++day) {
    if (!days->test(day)) continue;
    for (int i = 0; i < length; ++i) {
      const auto hour = static_cast<size_t>((band.from_hour + i) % 24);
      tariff.price[day][hour] = band.price;
      coverage[day][hour].push_back(number);
    }
  }
}

}  // namespace

Result<std::vector<EnergyPrice>> PricesPerSlot(const Tariff& tariff, const Horizon& horizon, const TimeZone& clock) {
  return std::visit(PerSlot{horizon, clock}, tariff);
}

BandTariff PaperBands(EnergyPrice f1, EnergyPrice f2, EnergyPrice f3, const TimeZone& zone) {
  BandTariff tariff{.zone = zone};
  for (size_t day = 0; day < kDayKinds; ++day) {
    SetHours(tariff, day, 0, 24, f3);
    SetHours(tariff, day, 8, 20, f1);
    SetHours(tariff, day, 20, 23, f2);
  }
  return tariff;
}

Result<BandTariff> AreraBands(EnergyPrice f1, EnergyPrice f2, EnergyPrice f3) {
  const auto rome = TimeZone::Find("Europe/Rome");
  if (!rome) return Fail(rome.error());
  BandTariff tariff{.zone = *rome, .holidays = HolidayCalendar::kItaly};
  constexpr size_t kSaturday = 5;
  for (size_t day = 0; day < kDayKinds; ++day) SetHours(tariff, day, 0, 24, f3);
  for (size_t day = 0; day <= kSaturday; ++day) SetHours(tariff, day, 7, 23, f2);
  for (size_t day = 0; day < kSaturday; ++day) SetHours(tariff, day, 8, 19, f1);
  return tariff;
}

Result<BandTariff> MakeBandTariff(const std::vector<Band>& bands, const TimeZone& zone, HolidayCalendar holidays) {
  BandTariff tariff{.zone = zone, .holidays = holidays};
  Coverage coverage;
  ProblemList problems("bands");
  for (size_t i = 0; i < bands.size(); ++i) ApplyBand(bands[i], i + 1, tariff, coverage, problems);
  if (!problems.empty()) return problems.Failure();
  CheckCoverage(coverage, holidays == HolidayCalendar::kNone ? kHolidayKind : kDayKinds, problems);
  if (!problems.empty()) return problems.Failure();
  return tariff;
}

}  // namespace heliograd

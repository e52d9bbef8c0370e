#include "heliograd/app/backtest_world.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "heliograd/base/text.h"

namespace heliograd {
namespace {

using std::chrono::days;
using std::chrono::hours;

constexpr std::array<std::pair<ForecastKind, std::string_view>, 5> kForecastNames = {
    {{ForecastKind::kTypicalYear, "typical-year"},
     {ForecastKind::kPersistence, "persistence"},
     {ForecastKind::kClearSky, "clear-sky"},
     {ForecastKind::kNone, "none"},
     {ForecastKind::kPerfect, "perfect"}}};

/// Local time at which the next day's prices are out.
constexpr int kPublicationHour = 13;

/// Time-weighted mean over [from, to), or nothing where the series has a gap there.
std::optional<EnergyPrice> MeanOver(const StepSeries<EnergyPrice>& series, Stamp from, Stamp to) {
  auto step = std::upper_bound(series.steps.begin(), series.steps.end(), from,
                               [](Stamp stamp, const Step<EnergyPrice>& each) { return stamp < each.end; });
  EnergyPrice mean;
  const double whole = InSeconds(Between(from, to));
  for (Stamp at = from; at < to; ++step) {
    if (step == series.steps.end() || step->start > at) return std::nullopt;
    const Stamp until = std::min(step->end, to);
    mean += step->value * (InSeconds(Between(at, until)) / whole);
    at = until;
  }
  return mean;
}

/// Which years a series has.
struct Years {
  int first = 0, last = 0;
};

std::optional<EnergyPrice> Matched(const StepSeries<EnergyPrice>& series, const Years& years, Stamp from,
                                   std::chrono::seconds step, const TimeZone& zone) {
  if (const auto own = MeanOver(series, from, from + step)) return own;
  CivilTime civil = zone.ToCivil(from);
  if (civil.month == 2 && civil.day == 29) civil.day = 28;
  for (civil.year = years.first; civil.year <= years.last; ++civil.year) {
    for (const Stamp stamp : zone.ToStamps(civil)) {
      if (const auto other = MeanOver(series, stamp, stamp + step)) return other;
    }
  }
  return std::nullopt;
}

/// The instant of that local time; the first after it where the clock skips it.
Stamp LocalStamp(const TimeZone& zone, CivilTime civil) {
  std::vector<Stamp> stamps = zone.ToStamps(civil);
  if (!stamps.empty()) return stamps.front();
  const CivilTime later = CivilInUtc(StampFromUtc(civil) + hours(1));
  stamps = zone.ToStamps(later);
  return stamps.empty() ? StampFromUtc(later) : stamps.front();
}

std::string DateText(const CivilTime& civil) {
  return fmt::format("{:04}-{:02}-{:02}", civil.year, civil.month, civil.day);
}

/// One start a day from `first` to `last`, at the time of day of `time`.
StartList DailyStarts(const CivilTime& first, const CivilTime& last, const CivilTime& time, const TimeZone& zone) {
  StartList list;
  for (Stamp day = StampFromUtc(first); day <= StampFromUtc(last); day += days(1)) {
    CivilTime civil = CivilInUtc(day);
    civil.hour = time.hour;
    civil.minute = time.minute;
    list.starts.push_back(LocalStamp(zone, civil));
  }
  list.words = fmt::format("daily at {:02}:{:02}, {} to {}", time.hour, time.minute, DateText(first), DateText(last));
  return list;
}

}  // namespace

std::string_view ForecastName(ForecastKind kind) {
  for (const auto& [value, name] : kForecastNames) {
    if (value == kind) return name;
  }
  return "";
}

std::optional<ForecastKind> ForecastFromName(std::string_view name) {
  for (const auto& [value, known] : kForecastNames) {
    if (known == name) return value;
  }
  return std::nullopt;
}

Result<PriceTrack> TrackOf(const Tariff& tariff, EnergyPrice fee, const Horizon& horizon, const TimeZone& zone) {
  PriceTrack track;
  track.per_slot.reserve(static_cast<size_t>(horizon.slots));
  const auto* series = std::get_if<StepSeries<EnergyPrice>>(&tariff);
  if (series == nullptr) {
    const auto prices = PricesPerSlot(tariff, horizon, zone);
    if (!prices) return Fail(prices.error());
    for (const EnergyPrice price : *prices) track.per_slot.push_back(price + fee);
    return track;
  }
  track.day_ahead = true;
  Years years;
  if (!series->steps.empty()) {
    years = {zone.ToCivil(series->steps.front().start).year, zone.ToCivil(series->steps.back().start).year};
  }
  for (int t = 0; t < horizon.slots; ++t) {
    const auto price = Matched(*series, years, horizon.SlotStart(t), horizon.step, zone);
    track.per_slot.push_back(price ? std::optional(*price + fee) : std::nullopt);
  }
  return track;
}

bool BacktestWorld::Covers(int first, int slots) const {
  const auto known = [&](const PriceTrack& track) {
    return std::all_of(track.per_slot.begin() + first, track.per_slot.begin() + first + slots,
                       [](const auto& price) { return price.has_value(); });
  };
  return known(import_price) && known(export_price);
}

DispatchProblem BacktestWorld::RealProblem(int first, int slots) const {
  DispatchProblem problem = node;
  problem.horizon = {horizon.SlotStart(first), horizon.step, slots};
  problem.pv.assign(pv.begin() + first, pv.begin() + first + slots);
  problem.carbon.assign(carbon.begin() + first, carbon.begin() + first + slots);
  problem.import_price.clear();
  problem.export_price.clear();
  for (int t = first; t < first + slots; ++t) {
    problem.import_price.push_back(*import_price.per_slot[static_cast<size_t>(t)]);
    problem.export_price.push_back(*export_price.per_slot[static_cast<size_t>(t)]);
  }
  return problem;
}

Outlook BacktestWorld::Believed(ForecastKind kind, int now, int end) const {
  if (kind == ForecastKind::kPerfect) {
    DispatchProblem real = RealProblem(now, end - now);
    return {std::move(real.pv), std::move(real.import_price), std::move(real.export_price)};
  }
  return {BelievedPv(kind, now, end), BelievedPrices(import_price, now, end), BelievedPrices(export_price, now, end)};
}

std::vector<Energy> BacktestWorld::BelievedPv(ForecastKind kind, int now, int end) const {
  if (kind == ForecastKind::kTypicalYear) return {typical.begin() + now, typical.begin() + end};
  std::vector<Energy> believed(static_cast<size_t>(end - now));
  const int day = SlotsPerDay();
  if (kind == ForecastKind::kPersistence) {
    for (int t = now; t < end; ++t) {
      const int days_back = (t - now) / day + 1;
      believed[static_cast<size_t>(t - now)] = pv[static_cast<size_t>(t - days_back * day)];
    }
  } else if (kind == ForecastKind::kClearSky) {
    Energy was, could_be;
    for (auto t = static_cast<size_t>(now - day); t < static_cast<size_t>(now); ++t) was += pv[t], could_be += clear[t];
    const double clearness = could_be > Energy() ? was / could_be : 1.0;
    for (int t = now; t < end; ++t) believed[static_cast<size_t>(t - now)] = clear[static_cast<size_t>(t)] * clearness;
  }
  return believed;
}

/// The first slot whose price is not out at the start of slot `now`.
int BacktestWorld::PublishedUntil(int now) const {
  CivilTime civil = price_zone.ToCivil(horizon.SlotStart(now));
  const int days_known = civil.hour >= kPublicationHour ? 2 : 1;
  civil = {.year = civil.year, .month = civil.month, .day = civil.day};
  return SlotAt(LocalStamp(price_zone, CivilInUtc(StampFromUtc(civil) + days(days_known))));
}

std::vector<EnergyPrice> BacktestWorld::BelievedPrices(const PriceTrack& track, int now, int end) const {
  std::vector<EnergyPrice> believed;
  const int known_until = track.day_ahead ? std::max(PublishedUntil(now), now + 1) : end;
  const int day = SlotsPerDay();
  /// The price some days before; nothing where it was not known yet or is a gap.
  const auto days_before = [&](int t, int days_back) -> std::optional<EnergyPrice> {
    const int before = t - days_back * day;
    if (before < 0 || before >= known_until) return std::nullopt;
    return track.per_slot[static_cast<size_t>(before)];
  };
  for (int t = now; t < end; ++t) {
    std::optional<EnergyPrice> price;
    if (t < known_until) price = track.per_slot[static_cast<size_t>(t)];
    for (int back = 7; !price && t - back * day >= 0; back += 7) price = days_before(t, back);
    for (int back = 1; !price && t - back * day >= 0; ++back) price = days_before(t, back);
    believed.push_back(price ? *price : *track.per_slot[static_cast<size_t>(now)]);
  }
  return believed;
}

Result<StartList> ParseStarts(const std::string& text, Stamp start, const TimeZone& zone) {
  const CivilTime time = zone.ToCivil(start);
  if (text == "daily") {
    return DailyStarts({.year = time.year}, {.year = time.year, .month = 12, .day = 31}, time, zone);
  }
  if (text == "hourly") {
    StartList list;
    const Stamp end = LocalStamp(zone, {.year = time.year + 1});
    for (Stamp at = LocalStamp(zone, {.year = time.year}); at < end; at += hours(1)) list.starts.push_back(at);
    list.words = fmt::format("every hour of {}", time.year);
    return list;
  }
  const size_t colon = text.find(':');
  const auto first = ParseCivil(text.substr(0, colon));
  const auto last =
      ParseCivil(colon == std::string::npos ? std::string_view() : std::string_view(text).substr(colon + 1));
  if (first && last && *last < *first) {
    return Fail(fmt::format("--starts is {}: its last day is before its first: write {}:{}.", Quoted(text),
                            text.substr(colon + 1), text.substr(0, colon)),
                ErrorKind::kUsage);
  }
  const auto is_date = [](const Result<CivilTime>& civil) { return civil && civil->hour == 0 && civil->minute == 0; };
  if (!is_date(first) || !is_date(last) || last->year - first->year > 3) {
    return Fail(fmt::format("--starts is {}: expected daily, hourly, or a first and a last day such as "
                            "2025-03-01:2025-06-30, at most three years apart.",
                            Quoted(text)),
                ErrorKind::kUsage);
  }
  return DailyStarts(*first, *last, time, zone);
}

}  // namespace heliograd

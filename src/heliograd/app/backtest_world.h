// The past (or a stand-in for it) that a backtest replays: what sun and prices really were in each slot, and what a
// planner would have believed at each moment.
//
// Enters: a scenario's inputs and series of PV and prices. Leaves: dispatch problems as they really were, and outlooks.
// It may not know how they are solved.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "heliograd/app/inputs.h"
#include "heliograd/base/result.h"
#include "heliograd/base/time.h"
#include "heliograd/optimize/rolling.h"
#include "heliograd/plan/problem.h"

namespace heliograd {

enum class ForecastKind {
  kTypicalYear,  // the scenario's typical year of weather
  kPersistence,  // each slot as at the same time of the last day that is over there
  kClearSky,     // a clear sky, times the clearness of the last 24 hours
  kNone,         // no sun at all
  kPerfect       // what comes, prices included
};
/// "typical-year", "persistence", "clear-sky", "none", "perfect".
std::string_view ForecastName(ForecastKind kind);
std::optional<ForecastKind> ForecastFromName(std::string_view name);

/// Prices of each slot, the fee included.
struct PriceTrack {
  std::vector<std::optional<EnergyPrice>> per_slot;  // nothing where the file has a gap
  bool day_ahead = false;                            // published at 13:00 for the next day; else known for ever
};

/// A tariff over the horizon. A published series is read at the slot's own date; where it does not reach, at the same
/// calendar hour of `zone` in the first of its years that has it (29 February reads 28 February).
Result<PriceTrack> TrackOf(const Tariff& tariff, EnergyPrice fee, const Horizon& horizon, const TimeZone& zone);

/// Thread-safe once made.
struct BacktestWorld {
  Horizon horizon;                     // from kLookBack before the first start to the end of the last job
  DispatchProblem node;                // battery, grid, GPU, work: all but the horizon's values
  std::vector<Energy> pv;              // that really was
  std::vector<Energy> typical, clear;  // that forecasts begin with; empty where none is asked for
  PriceTrack import_price, export_price;
  std::vector<CarbonIntensity> carbon;
  TimeZone price_zone;  // on whose clock day-ahead prices come out

  static constexpr std::chrono::hours kLookBack{24 * 15};

  int SlotAt(Stamp stamp) const { return static_cast<int>((stamp - horizon.start) / horizon.step); }
  /// Every price of these slots is known.
  bool Covers(int first, int slots) const;
  /// What really was over these slots. Precondition: Covers.
  DispatchProblem RealProblem(int first, int slots) const;
  /// What a planner with that forecast believes at the start of slot `now` of the slots now .. end - 1.
  Outlook Believed(ForecastKind kind, int now, int end) const;

 private:
  int SlotsPerDay() const { return static_cast<int>(std::chrono::hours(24) / horizon.step); }
  std::vector<Energy> BelievedPv(ForecastKind kind, int now, int end) const;
  std::vector<EnergyPrice> BelievedPrices(const PriceTrack& track, int now, int end) const;
  int PublishedUntil(int now) const;
};

/// When the jobs of a backtest start.
struct StartList {
  std::vector<Stamp> starts;  // ascending
  std::string words;          // "daily at 20:00, 2025-01-01 to 2025-12-31"
};

/// `text` is "daily" (each day of the start's year at its time of day), "hourly" (each hour of that year), or
/// "2025-03-01:2025-06-30" (each of these days at that time).
Result<StartList> ParseStarts(const std::string& text, Stamp start, const TimeZone& zone);

}  // namespace heliograd

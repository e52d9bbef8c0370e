// From a scenario's values to what the planner reads: weather to PV energy, tariffs to prices, the curve to levels.
//
// This is where the rooms meet: `feed` reads, `model` computes, `plan` gets its problem.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "heliograd/app/input_cache.h"
#include "heliograd/app/scenario.h"
#include "heliograd/base/result.h"
#include "heliograd/base/time.h"
#include "heliograd/feed/carbon_file.h"
#include "heliograd/feed/tariff.h"
#include "heliograd/feed/weather_file.h"
#include "heliograd/model/pvwatts.h"
#include "heliograd/plan/plan_json.h"
#include "heliograd/plan/problem.h"
#include "heliograd/trace/step_series.h"
#include "heliograd/trace/typical_year.h"
#include "heliograd/trace/weather.h"

namespace heliograd {

/// In the remark on what a horizon leaves before the deadline: "the last 20 minutes before the deadline are no whole
/// slot and are not used".
inline constexpr const char* kUnusedMinutes = "before the deadline are no whole slot";

/// Everything a scenario says, read and computed once, independent of how long the horizon is.
struct NodeInputs {
  TimeZone zone;
  std::string site_name;
  std::shared_ptr<const PvYearSeries> pv;  // null when the scenario has no PV
  Tariff import_tariff;
  EnergyPrice import_fee;
  Tariff export_tariff;
  std::shared_ptr<const StepSeries<CarbonIntensity>> carbon_series;  // null when the scenario has none
  std::shared_ptr<const CarbonYear> carbon_year;  // where the series is of another year: matched by month, day and hour
  CarbonIntensity carbon_constant;
  CarbonPrice carbon_price;
  Objective objective = Objective::kCost;
  Battery battery;
  Grid grid;
  Gpu gpu;                        // dominated levels dropped
  std::vector<Level> all_levels;  // within the limits allowed, ascending limit
  std::vector<DominatedLevel> dominated;
  std::vector<Level> forbidden_levels;  // of the curve, outside min_limit_w .. max_limit_w
  double work = 1.0;
  Stamp start;
  std::chrono::seconds slot{3600};
  int slots = 0;                     // of the scenario's own deadline
  PlanLabels labels;                 // measured, modelled or assumed
  std::vector<std::string> notes;    // what was assumed or dropped, for people
  std::vector<std::string> remarks;  // of the notes, those about the horizon itself: the headline says them
};

/// The PV system that the scenario describes.
PvSystem PvSystemOf(const Scenario& scenario);
/// What the scenario says of the weather file's site.
WeatherOverrides WeatherOverridesOf(const Scenario& scenario);
/// A note when weather observed at `own` stands for a site far from there; empty when it is near. `advice` ends it.
std::string FarWeatherNote(const WeatherYear& own, double latitude, double longitude, std::string_view advice);
/// PV power of the year; null when the scenario has no PV.
Result<std::shared_ptr<const PvYearSeries>> PvYearOf(const Scenario& scenario, InputCache& cache);

/// Reads and computes everything but the horizon's values. All mistakes of values are listed at once.
Result<NodeInputs> ReadInputs(const Scenario& scenario, int slot_minutes, InputCache& cache);

/// Carbon intensity where the horizon reaches beyond what the series covers: its year then stands for the dates, which
/// a note says.
Result<void> MatchCarbon(const Scenario& scenario, InputCache& cache, const Horizon& horizon, NodeInputs& inputs);
/// The clock of bands and price files: tariff.timezone, else the site's.
Result<TimeZone> TariffZone(const Scenario& scenario, const TimeZone& site);
/// PV power of the year as the weather would give it under a clear sky; an error when the scenario's PV is a series.
Result<std::shared_ptr<const PvYearSeries>> ClearSkyPvYearOf(const Scenario& scenario, InputCache& cache);

/// What an off-grid run needs of a scenario: no tariff, no battery, no deadline.
struct OffgridInputs {
  std::vector<Power> pv;  // mean power of each slot of the year, slot 0 at 1 January 00:00 local standard time
  Duration slot;
  size_t first_slot = 0;
  std::vector<Level> levels;  // ascending draw, dominated ones included
  double work = 1.0;
  std::vector<std::string> notes;  // what was assumed, for people
};
Result<OffgridInputs> ReadOffgridInputs(const Scenario& scenario, int slot_minutes, InputCache& cache);

/// The dispatch problem over `slots` slots from the start.
Result<DispatchProblem> ProblemOver(const NodeInputs& inputs, int slots);

}  // namespace heliograd

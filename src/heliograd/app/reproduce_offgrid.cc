// The study's Figs 10 to 12 and 16: training on PV alone.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>

#include "heliograd/app/parallel.h"
#include "heliograd/app/reproduce.h"

namespace heliograd {
namespace {

constexpr double kNever = std::numeric_limits<double>::quiet_NaN();
const std::vector<std::string> kMonthNames = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                              "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
constexpr std::array<size_t, 4> kBandSizes = {1, 2, 4, 9};  // 200, 300, 500 and 1000 W

Result<Scenario> ScenarioWith(const std::vector<std::string>& sets) { return Scenario::Load("builtin:paper", sets); }

/// First slot of each month and of the year's end, for hourly slots.
std::array<size_t, kMonths + 1> MonthStarts() {
  std::array<size_t, kMonths + 1> starts{};
  for (size_t m = 0; m < kMonths; ++m)
    starts[m] = static_cast<size_t>(DayOfTypicalYear(static_cast<int>(m) + 1, 1)) * 24;
  starts[kMonths] = kHoursPerYear;
  return starts;
}

double HoursOf(const OffgridResult& result) { return result.finished ? InHours(result.time_to_finish) : kNever; }

Spread SpreadOf(std::vector<double> hours) {
  // A run that never finishes is longer than any other; a percentile that falls on one does not exist.
  std::sort(hours.begin(), hours.end(), [](double a, double b) { return std::isnan(b) ? !std::isnan(a) : a < b; });
  const auto at = [&](double share) {
    return hours[static_cast<size_t>(share * static_cast<double>(hours.size() - 1))];
  };
  return {at(0.1), at(0.5), at(0.9)};
}

void FillSize(const OffgridInputs& inputs, OffgridMode mode, size_t size, OffgridMonths& months) {
  const OffgridYear year(inputs.pv, inputs.slot, inputs.levels, mode);
  const auto starts = MonthStarts();
  for (size_t m = 0; m < kMonths; ++m) {
    months.first_start[size][m] = year.From(starts[m], inputs.work);
    std::vector<double> hours;
    for (size_t slot = starts[m]; slot < starts[m + 1]; ++slot) hours.push_back(HoursOf(year.From(slot, inputs.work)));
    months.every_start[size][m] = SpreadOf(std::move(hours));
  }
}

std::string SizeName(size_t size) { return fmt::format("{} W", kPanelSizes[size]); }

StudyFigure TimeFigure(const OffgridMonths& months, const std::string& name, const std::string& mode) {
  LineChart chart;
  chart.title = fmt::format("Time to finish on PV alone, {} (modelled)", mode);
  chart.x_label = "month of the start (1st, 00:00)", chart.y_label = "time to finish, days";
  chart.categories = kMonthNames;
  chart.log_y = true, chart.ordered = true;
  for (size_t s = 0; s < kPanelSizes.size(); ++s) {
    LineSeries series{SizeName(s), {}};
    for (const OffgridResult& run : months.first_start[s]) series.y.push_back(HoursOf(run) / 24);
    const bool never = std::all_of(series.y.begin(), series.y.end(), [](double y) { return std::isnan(y); });
    if (!never) chart.series.push_back(std::move(series));
  }
  return {
      name, chart,
      fmt::format("One curve per panel size. {} W is missing: it never feeds the lowest level, 100 W, so the job never "
                  "runs.",
                  kPanelSizes[0])};
}

StudyFigure BandFigure(const OffgridMonths& months, const std::string& name, const std::string& mode) {
  LineChart chart;
  chart.title = fmt::format("Time to finish over every start of a month, {} (modelled)", mode);
  chart.x_label = "month of the start", chart.y_label = "time to finish, days";
  chart.categories = kMonthNames;
  chart.log_y = true, chart.ordered = true;
  for (const size_t s : kBandSizes) {
    LineSeries median{SizeName(s) + ", median", {}};
    LineBand band{SizeName(s) + ", 10-90 %", {}, {}, chart.series.size()};
    for (const Spread& spread : months.every_start[s]) {
      median.y.push_back(spread.median / 24);
      band.low.push_back(spread.low / 24);
      band.high.push_back(spread.high / 24);
    }
    chart.series.push_back(std::move(median));
    chart.bands.push_back(std::move(band));
  }
  return {name, chart, "Beyond the study: not only the first day, but every hour of the month as a start."};
}

StudyFigure MeanPowerFigure(const OffgridMonths& months) {
  LineChart chart;
  chart.title = "Mean GPU power while running on PV alone, dynamic level (modelled)";
  chart.x_label = "panel size, W DC", chart.y_label = "mean GPU power, W";
  chart.y_from_zero = true, chart.ordered = true;
  for (const int size : kPanelSizes) chart.x.push_back(size);
  for (size_t m = 0; m < kMonths; ++m) {
    LineSeries series{kMonthNames[m], {}};
    for (const auto& of_size : months.first_start) {
      series.y.push_back(of_size[m].finished ? InWatts(of_size[m].mean_gpu_power) : kNever);
    }
    chart.series.push_back(std::move(series));
  }
  return {"fig12", chart, "One curve per month of the start; mean over the time the GPU runs."};
}

}  // namespace

Result<OffgridStudy> RunOffgridStudy(InputCache& cache) {
  OffgridStudy study;
  std::array<std::optional<Error>, kPanelSizes.size()> errors;
  ParallelFor(kPanelSizes.size(), [&](size_t s) {
    const auto scenario =
        ScenarioWith({fmt::format("pv.dc_capacity_w={}", kPanelSizes[s]), "job.start=2025-01-01 00:00"});
    const auto inputs = scenario.and_then([&](const Scenario& sc) { return ReadOffgridInputs(sc, 60, cache); });
    if (!inputs) {
      errors[s] = inputs.error();
      return;
    }
    FillSize(*inputs, OffgridMode::kMinimum, s, study.minimum);
    FillSize(*inputs, OffgridMode::kDynamic, s, study.dynamic);
  });
  for (const auto& error : errors) {
    if (error) return Fail(*error);
  }
  return study;
}

std::vector<StudyFigure> OffgridFigures(const OffgridStudy& study) {
  return {TimeFigure(study.minimum, "fig10", "always 100 W"), BandFigure(study.minimum, "fig10b", "always 100 W"),
          TimeFigure(study.dynamic, "fig11", "highest level that PV feeds"),
          BandFigure(study.dynamic, "fig11b", "highest level that PV feeds"), MeanPowerFigure(study.dynamic)};
}

Result<std::vector<std::vector<double>>> FirstDaysOfPv(InputCache& cache) {
  constexpr size_t kHours = 48;
  std::vector<std::vector<double>> power_w;
  for (const int size : kPanelSizes) {
    const auto scenario = ScenarioWith({fmt::format("pv.dc_capacity_w={}", size)});
    const auto year = scenario.and_then([&](const Scenario& sc) { return PvYearOf(sc, cache); });
    if (!year) return Fail(year.error());
    std::vector<double> hours;
    for (size_t h = 0; h < kHours; ++h) hours.push_back(InWatts((*year)->hourly[h]));
    power_w.push_back(std::move(hours));
  }
  return power_w;
}

StudyFigure PvFigure(const std::vector<std::vector<double>>& power_w) {
  LineChart chart;
  chart.title = "PV power over the first 48 hours of the year (modelled)";
  chart.x_label = "hour of the year, local standard time", chart.y_label = "PV power, W AC";
  chart.steps = true, chart.ordered = true, chart.y_from_zero = true;
  for (size_t h = 0; h < power_w.front().size(); ++h) chart.x.push_back(static_cast<double>(h));
  for (size_t s = 0; s < power_w.size(); ++s) chart.series.push_back({SizeName(s), power_w[s]});
  return {"fig16", chart, "One curve per panel size, W DC."};
}

}  // namespace heliograd

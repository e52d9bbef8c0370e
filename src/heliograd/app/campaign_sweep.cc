#include "heliograd/app/campaign_sweep.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <optional>

#include "heliograd/app/campaign_energy.h"
#include "heliograd/app/profile_json.h"
#include "heliograd/app/toml_text.h"
#include "heliograd/base/clock.h"
#include "heliograd/base/time.h"
#include "heliograd/model/limit_sweep.h"
#include "heliograd/model/power_curve.h"
#include "heliograd/profile/training.h"

namespace heliograd {
namespace {

constexpr double kNone = std::numeric_limits<double>::quiet_NaN();
constexpr double kNoSlower = 0.01;  // relative: a limit with which an iteration takes no longer no longer binds

/// The study's Fig 8: the limit of least energy, and what is said of it.
constexpr double kStudyKneeW = 170, kStudyKneeSeconds = 259, kStudyKneeJoules = 1964;
constexpr double kStudyFastestSeconds = 245, kStudyFastestJoules = 2452, kStudyFlatFromW = 230;

struct Cell {
  int64_t round = 0;
  TrainingProfile profile;
};

/// The rounds at one limit that have an energy; all of them where none has.
struct Level {
  double limit_w = 0;
  std::vector<Cell> cells;
  std::vector<std::string> without;  // "round 1: aliased ...": of those that have none

  template <typename Value>
  double MeanOf(const Value& value) const {
    double sum = 0;
    for (const Cell& cell : cells) sum += value(cell.profile);
    return sum / static_cast<double>(cells.size());
  }
};

struct Sweep {
  std::string title;
  std::vector<Level> levels;  // ascending
};

bool HasEnergy(const TrainingProfile& profile) { return WhyNoEnergy(profile).empty(); }

/// With what lies between the steps, as the energy has it too.
double IterationSeconds(const TrainingProfile& profile) {
  double sum_s = 0;
  for (const ProfiledStep& step : profile.steps) sum_s += InSeconds(step.duration);
  return sum_s;
}

double IterationJoules(const TrainingProfile& profile) {
  return HasEnergy(profile) ? InJoules(profile.iteration_energy->energy) : kNone;
}

double StepJoules(const TrainingProfile& profile, const std::string& name) {
  for (const ProfiledStep& step : profile.steps) {
    if (step.name == name && step.energy && HasEnergy(profile)) return InJoules(step.energy->energy);
  }
  return kNone;
}

double ClockMhz(const TrainingProfile& profile) { return profile.sm_clock_mhz.value_or(kNone); }

/// Of the mean over the rounds: the gain is common to them, the rest is taken as if it were, too.
double HalfWidth(const Level& level) {
  return level.MeanOf([](const TrainingProfile& profile) {
    return HasEnergy(profile) ? InJoules(HalfWidthOf(*profile.iteration_energy)) : kNone;
  });
}

/// One good round tells of its limit, whatever became of the others.
void LeaveOutWithoutEnergy(Level& level) {
  std::vector<Cell> with;
  for (const Cell& cell : level.cells) {
    const std::string why = WhyNoEnergy(cell.profile);
    if (why.empty()) {
      with.push_back(cell);
    } else {
      level.without.push_back(fmt::format("round {}: {}", cell.round, why));
    }
  }
  if (!with.empty()) level.cells = std::move(with);
}

std::vector<Sweep> ReadSweeps(const std::vector<FinishedCell>& cells) {
  std::vector<Sweep> sweeps;
  for (const FinishedCell& cell : cells) {
    if (!cell.ok || !cell.cell.IsOfSweep()) continue;
    auto profile = ProfileFromJson(cell.json, cell.cell.Name());
    if (!profile) continue;
    const std::string title = fmt::format("{} on {}, {}", cell.cell.network, cell.cell.data, cell.hardware);
    auto sweep = std::find_if(sweeps.begin(), sweeps.end(), [&](const Sweep& one) { return one.title == title; });
    if (sweep == sweeps.end()) sweep = sweeps.insert(sweeps.end(), {title, {}});
    auto level = std::find_if(sweep->levels.begin(), sweep->levels.end(),
                              [&](const Level& one) { return one.limit_w >= cell.cell.limit_w; });
    if (level == sweep->levels.end() || level->limit_w > cell.cell.limit_w) {
      level = sweep->levels.insert(level, {cell.cell.limit_w, {}, {}});
    }
    level->cells.push_back({cell.cell.round, std::move(*profile)});
  }
  for (Sweep& sweep : sweeps) {
    for (Level& level : sweep.levels) LeaveOutWithoutEnergy(level);
  }
  return sweeps;
}

/// The study's time at a limit; it lies between those of the neighbouring limits.
double StudyHours(double limit_w) {
  static const std::vector<PowerCurvePoint> curve = StudyPowerCurve();
  for (size_t i = 0; i + 1 < curve.size(); ++i) {
    const double low_w = InWatts(curve[i].limit), high_w = InWatts(curve[i + 1].limit);
    if (limit_w < low_w || limit_w > high_w) continue;
    const double part = (limit_w - low_w) / (high_w - low_w);
    return (InSeconds(curve[i].job_time) * (1 - part) + InSeconds(curve[i + 1].job_time) * part) / 3600;
  }
  return kNone;
}

StepSweepChart ChartOf(const Sweep& sweep) {
  StepSweepChart chart;
  const TrainingProfile& first = sweep.levels.front().cells.front().profile;
  chart.title = fmt::format("Figs 7, 8: {} ({} power)", sweep.title, PowerSourceName(first.power_source));
  for (const char* name : kTrainingSteps) chart.steps.push_back({name, {}});
  chart.steps.push_back({"other", {}});
  const double fastest_s = sweep.levels.back().MeanOf(IterationSeconds);
  const double study_fastest_h = StudyHours(sweep.levels.back().limit_w);
  for (const Level& level : sweep.levels) {
    chart.limits_w.push_back(level.limit_w);
    for (StepSweepChart::Step& step : chart.steps) {
      const double joules = level.MeanOf([&](const TrainingProfile& one) { return StepJoules(one, step.name); });
      // Without an "other" of its own the bar is the steps alone.
      step.energy_j.push_back(step.name == "other" && !std::isfinite(joules) ? 0 : joules);
    }
    const double joules = level.MeanOf(IterationJoules), half = HalfWidth(level);
    chart.energy_low_j.push_back(joules - half);
    chart.energy_high_j.push_back(joules + half);
    chart.sm_clock_mhz.push_back(level.MeanOf(ClockMhz));
    chart.time.push_back(level.MeanOf(IterationSeconds) / fastest_s);
    chart.study_time.push_back(StudyHours(level.limit_w) / study_fastest_h);
  }
  return chart;
}

std::string NumberText(double value) { return std::isfinite(value) ? fmt::format("{:.5g}", value) : "-"; }

void AddRows(const Sweep& sweep, SweepReport& report) {
  const StepSweepChart& chart = report.chart;
  report.columns = {"limit W",      "s per iteration", "time against the highest limit",
                    "the study's",  "J per iteration", "half-width J",
                    "SM clock MHz", "rounds"};
  for (const StepSweepChart::Step& step : chart.steps) report.columns.push_back(step.name + " J");
  for (size_t i = 0; i < sweep.levels.size(); ++i) {
    const Level& level = sweep.levels[i];
    std::vector<std::string> row = {
        fmt::format("{:g}", level.limit_w), NumberText(level.MeanOf(IterationSeconds)), NumberText(chart.time[i]),
        NumberText(chart.study_time[i]),    NumberText(level.MeanOf(IterationJoules)),  NumberText(HalfWidth(level)),
        NumberText(chart.sm_clock_mhz[i]),  std::to_string(level.cells.size())};
    for (const StepSweepChart::Step& step : chart.steps) row.push_back(NumberText(step.energy_j[i]));
    report.rows.push_back(std::move(row));
  }
}

/// What plans and claims are made of: with several rounds smoothed and with intervals, else as measured.
struct Curve {
  SweepResult found;
  bool has_intervals = false;
};

std::string NoteOf(const Level& level) {
  const bool any = HasEnergy(level.cells.front().profile);
  const size_t without = level.without.size(), all = without + (any ? level.cells.size() : 0);
  return fmt::format("at {:g} W {} of {} trainings {} no energy and {} left out ({})", level.limit_w, without, all,
                     without == 1 ? "has" : "have", without == 1 ? "is" : "are", fmt::join(level.without, "; "));
}

/// Errors: why there is none.
Result<Curve> CurveOf(const Sweep& sweep) {
  std::vector<SweepWindow> windows;
  Curve curve;
  for (const Level& level : sweep.levels) {
    if (!HasEnergy(level.cells.front().profile)) continue;
    for (const Cell& cell : level.cells) {
      windows.push_back({static_cast<int>(cell.round), Watts(level.limit_w), cell.profile.iteration_energy->energy,
                         Seconds(IterationSeconds(cell.profile))});
    }
    SweepLevel one;
    one.limit = Watts(level.limit_w);
    one.energy = Joules(level.MeanOf(IterationJoules));
    one.time = Seconds(level.MeanOf(IterationSeconds));
    curve.found.levels.push_back(one);
  }
  if (curve.found.levels.size() < 2) {
    return Fail(fmt::format("{} of {} limits {} an energy, and a curve takes two or more", curve.found.levels.size(),
                            sweep.levels.size(), curve.found.levels.size() == 1 ? "has" : "have"));
  }
  if (const auto analysed = AnalyseSweep(windows)) return Curve{*analysed, true};
  const auto least = std::min_element(curve.found.levels.begin(), curve.found.levels.end(),
                                      [](const SweepLevel& a, const SweepLevel& b) { return a.energy < b.energy; });
  curve.found.least_energy = {least->limit, least->limit, least->limit};
  return curve;
}

double LowestThatNoLongerBinds(const SweepResult& found) {
  for (const SweepLevel& level : found.levels) {
    if (level.time < (1 + kNoSlower) * found.levels.back().time) return InWatts(level.limit);
  }
  return InWatts(found.levels.back().limit);
}

std::string PercentMore(double value, double than) { return fmt::format("{:+.1f} %", 100 * (value / than - 1)); }

void AddClaims(const Curve& curve, SweepReport& report) {
  const SweepResult& found = curve.found;
  const SweepLimit& knee = found.least_energy;
  const auto at_knee = std::find_if(found.levels.begin(), found.levels.end(),
                                    [&](const SweepLevel& level) { return level.limit == knee.limit; });
  const SweepLevel& highest = found.levels.back();
  report.claims = {
      {"limit of least energy", fmt::format("{:g} W", kStudyKneeW),
       curve.has_intervals
           ? fmt::format("{:g} W ({:g} to {:g} W)", InWatts(knee.limit), InWatts(knee.low), InWatts(knee.high))
           : fmt::format("{:g} W (no interval: it takes three limits in two rounds)", InWatts(knee.limit))},
      {"time there against the fastest", PercentMore(kStudyKneeSeconds, kStudyFastestSeconds),
       PercentMore(InSeconds(at_knee->time), InSeconds(highest.time))},
      {"energy of the fastest against the least", PercentMore(kStudyFastestJoules, kStudyKneeJoules),
       PercentMore(InJoules(highest.energy), InJoules(at_knee->energy))},
      {"no faster (by 1 %) from", fmt::format("{:g} W", kStudyFlatFromW),
       fmt::format("{:g} W", LowestThatNoLongerBinds(found))}};
}

std::string CurveText(const Sweep& sweep, const Curve& curve) {
  const TrainingProfile& first = sweep.levels.front().cells.front().profile;
  const bool simulated = first.power_source == PowerSource::kSimulated;
  const std::string stamp = FormatStamp(SystemClock().Now());
  std::string text = fmt::format(
      "# From the sweep of a campaign, {}: {}.\n# {}\n# A unit is one iteration of {} images; rests between iterations "
      "are not in it.\n[curve]\nname = {}\nobtained = \"{}\"\nunit = \"progress\"\nmeasured_at = \"{}\"\n"
      "gain_half_width_percent = {:.3g}\n",
      stamp, sweep.title,
      simulated ? "The power is simulated: it tells of the method, not of a GPU."
      : curve.has_intervals
          ? "Intervals hold the truth in 95 of 100 sweeps, without the sensor's gain, which all energies share."
          : "Values have no intervals: they take three limits in two rounds.",
      first.batch, TomlString(sweep.title), simulated ? "modelled" : "measured", stamp, 100 * first.gain_half_width);
  for (const SweepLevel& level : curve.found.levels) {
    const double seconds = InSeconds(level.time), joules = InJoules(level.energy);
    text += fmt::format("\n[[points]]{}\nlimit_w = {:g}\nseconds_per_unit = {:.9g}\nenergy_j_per_unit = {:.9g}\n",
                        level.dominated ? "  # dominated: another is as fast and needs less" : "", InWatts(level.limit),
                        seconds, joules);
    if (curve.has_intervals) {
      text += fmt::format(
          "seconds_per_unit_low = {:.9g}\nseconds_per_unit_high = {:.9g}\nenergy_j_per_unit_low = {:.9g}\n"
          "energy_j_per_unit_high = {:.9g}\n",
          seconds * (1 - level.time_half_width), seconds * (1 + level.time_half_width),
          joules * (1 - level.energy_half_width), joules * (1 + level.energy_half_width));
    }
    const auto measured = std::find_if(sweep.levels.begin(), sweep.levels.end(), [&](const Level& one) {
      return std::abs(one.limit_w - InWatts(level.limit)) < 1e-9;
    });
    if (const double clock = measured->MeanOf(ClockMhz); std::isfinite(clock)) {
      text += fmt::format("sm_clock_mhz = {:.6g}\n", clock);
    }
  }
  return text;
}

}  // namespace

std::vector<SweepReport> ReportSweeps(const std::vector<FinishedCell>& cells) {
  std::vector<SweepReport> reports;
  for (const Sweep& sweep : ReadSweeps(cells)) {
    SweepReport report;
    report.title = sweep.title;
    report.chart = ChartOf(sweep);
    AddRows(sweep, report);
    for (const Level& level : sweep.levels) {
      if (!level.without.empty()) report.notes.push_back(NoteOf(level));
    }
    if (const auto curve = CurveOf(sweep)) {
      AddClaims(*curve, report);
      report.curve_toml = CurveText(sweep, *curve);
    } else {
      report.why_no_curve = curve.error().Message();
    }
    reports.push_back(std::move(report));
  }
  return reports;
}

}  // namespace heliograd

#include "heliograd/model/window_energy.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <vector>

#include "heliograd/model/statistics.h"

namespace heliograd {
namespace {

constexpr double kFineRelative = 0.02;      // what a window is expected to close within
constexpr double kWidestRelative = 0.25;    // a half-width beyond which a window counts as unresolved
constexpr double kLeastExposure = 1.0 / 3;  // of any part of a repetition, against what its length asks for
constexpr size_t kRepeatParts = 10;

/// A stretch of time whose mean power one tick tells.
struct Cell {
  double begin_s, end_s, power_w;
  double look_begin_s, look_end_s;  // where the sensor looked
};

/// Whether a cell's power is the mean over all of it, and no sample of it.
bool CellsAreWhole(const WindowRequest& request) {
  return request.source == EnergySource::kTrueCounter || request.timing.contiguous;
}

bool SeesAll(const WindowRequest& request) {
  return request.source == EnergySource::kTrueCounter || request.timing.Duty() >= 1;
}

/// A reading stands for one period around the middle of its window, in the time of the load.
std::vector<Cell> CellsOf(const WindowRequest& request) {
  const SensorTiming& timing = request.timing;
  const bool whole = CellsAreWhole(request);
  const double delay_s = timing.lag_s + timing.low_pass_s;
  std::vector<Cell> cells;
  for (size_t i = 1; i < request.ticks.size(); ++i) {
    const SensorTick& before = request.ticks[i - 1];
    const SensorTick& tick = request.ticks[i];
    const long steps = std::max(1L, tick.number - before.number);
    const double length_s = (tick.time_s - before.time_s) / static_cast<double>(steps);
    const double window_s = whole ? length_s : timing.window_s;
    for (long step = 1; step <= steps; ++step) {
      const double seen_s = before.time_s + static_cast<double>(step) * length_s - delay_s;
      const double middle_s = seen_s - window_s / 2;
      // The updates between two changes showed the value of the first.
      const double power_w = request.source != EnergySource::kReadings
                                 ? (tick.value - before.value) / (tick.time_s - before.time_s)
                             : step == steps ? tick.value
                                             : before.value;
      cells.push_back({middle_s - length_s / 2, middle_s + length_s / 2, power_w, seen_s - window_s, seen_s});
    }
  }
  return cells;
}

double Overlap(double a_begin, double a_end, double b_begin, double b_end) {
  return std::max(0.0, std::min(a_end, b_end) - std::max(a_begin, b_begin));
}

/// Energy of the part of a cell that lies within the window. A window often begins and ends with the load itself, so
/// that power steps in the cells that its edges cut: where a cell's mean lies between its neighbours' powers, it is
/// taken as one step from the one to the other. Spread evenly instead, each such edge would lose up to a quarter of the
/// step.
double EnergyWithin(std::span<const Cell> cells, size_t i, const WindowRequest& request) {
  const Cell& cell = cells[i];
  const double begin_s = std::max(cell.begin_s, request.begin_s), end_s = std::min(cell.end_s, request.end_s);
  const bool is_cut = begin_s > cell.begin_s || end_s < cell.end_s;
  if (is_cut && CellsAreWhole(request) && i > 0 && i + 1 < cells.size()) {
    const double before_w = cells[i - 1].power_w, after_w = cells[i + 1].power_w;
    const double share = (after_w - cell.power_w) / (after_w - before_w);
    if (share > 0 && share < 1) {  // false where both are the same
      const double step_s = std::lerp(cell.begin_s, cell.end_s, share);
      return before_w * Overlap(begin_s, end_s, cell.begin_s, step_s) +
             after_w * Overlap(begin_s, end_s, step_s, cell.end_s);
    }
  }
  return cell.power_w * std::max(0.0, end_s - begin_s);
}

double PowerStep(const WindowRequest& request, std::span<const Cell> cells) {
  if (request.power_step) return InWatts(*request.power_step);
  double low = cells.front().power_w, high = low, sum = 0;
  for (const Cell& cell : cells) {
    low = std::min(low, cell.power_w);
    high = std::max(high, cell.power_w);
    sum += cell.power_w;
  }
  return std::max(high - low, sum / static_cast<double>(cells.size()));
}

/// Inside the cell that an edge cuts, power may have stepped once by `step_w` anywhere: the energy of one part is then
/// off by at most step x share x (1 - share) x length.
double CutError(std::span<const Cell> cells, double edge_s, double step_w) {
  const auto cell = std::find_if(cells.begin(), cells.end(), [&](const Cell& c) { return edge_s < c.end_s; });
  if (cell == cells.end()) return 0;
  const double length_s = cell->end_s - cell->begin_s;
  const double share = std::clamp((edge_s - cell->begin_s) / length_s, 0.0, 1.0);
  return step_w * share * (1 - share) * length_s;
}

double EdgesHalfWidth(const WindowRequest& request, std::span<const Cell> cells, double step_w) {
  const SensorTiming& timing = request.timing;
  const double cuts_j = std::hypot(CutError(cells, request.begin_s, step_w), CutError(cells, request.end_s, step_w));
  // A window longer than the period smears a step at an edge over itself, and both edges err the same way.
  const bool smears = request.source != EnergySource::kTrueCounter && timing.window_s > timing.period_s;
  const double smear_j = smears ? 2 * step_w * timing.window_s / 8 : 0;
  const double time_sd_s = std::hypot(timing.step_sd_s, timing.lag_sd_s, timing.low_pass_sd_s);
  return std::hypot(cuts_j + smear_j, kNormal975 * std::sqrt(2.0) * time_sd_s * step_w, timing.low_pass_s * step_w);
}

std::vector<double> PowersWithin(const WindowRequest& request, std::span<const Cell> cells) {
  std::vector<double> powers;
  for (const Cell& cell : cells) {
    if (Overlap(cell.begin_s, cell.end_s, request.begin_s, request.end_s) > 0) powers.push_back(cell.power_w);
  }
  return powers;
}

/// Least share that any tenth of the load's repetition has of the sensor's looks, against a tenth.
double LeastExposure(const WindowRequest& request, std::span<const Cell> cells) {
  const auto& repeats = request.repeat_begins_s;
  std::array<double, kRepeatParts> seen_s{}, spent_s{};
  size_t cell = 0;
  for (size_t r = 0; r + 1 < repeats.size(); ++r) {
    if (repeats[r] < request.begin_s || repeats[r + 1] > request.end_s) continue;
    const double part_s = (repeats[r + 1] - repeats[r]) / kRepeatParts;
    while (cell < cells.size() && cells[cell].look_end_s < repeats[r]) ++cell;
    for (size_t part = 0; part < kRepeatParts; ++part) {
      const double begin_s = repeats[r] + static_cast<double>(part) * part_s;
      spent_s[part] += part_s;
      for (size_t c = cell; c < cells.size() && cells[c].look_begin_s < begin_s + part_s; ++c) {
        seen_s[part] += Overlap(cells[c].look_begin_s, cells[c].look_end_s, begin_s, begin_s + part_s);
      }
    }
  }
  const double all_seen_s = std::accumulate(seen_s.begin(), seen_s.end(), 0.0);
  const double all_spent_s = std::accumulate(spent_s.begin(), spent_s.end(), 0.0);
  if (all_seen_s <= 0) return repeats.size() < 2 ? 1 : 0;
  double least = 1;
  for (size_t part = 0; part < kRepeatParts; ++part) {
    least = std::min(least, (seen_s[part] / all_seen_s) / (spent_s[part] / all_spent_s));
  }
  return least;
}

std::string WhyUnresolved(const WindowRequest& request, std::span<const Cell> cells, const WindowEnergy& result) {
  const double length_ms = 1e3 * (request.end_s - request.begin_s);
  if (result.ticks < 2) {
    return fmt::format(
        "the window of {:.3g} ms is shorter than two of the sensor's updates of {:.3g} ms: measure many such "
        "windows as a repeated phase, or one longer one",
        length_ms, 1e3 * request.timing.period_s);
  }
  if (!SeesAll(request) && request.repeat_begins_s.size() > 1 && LeastExposure(request, cells) < kLeastExposure) {
    return fmt::format(
        "the load repeats in step with the sensor, which looks only {:.0f} % of the time and never sees part "
        "of each repetition: add random sleep between repetitions",
        100 * request.timing.Duty());
  }
  if (result.half_width > kWidestRelative * Abs(result.energy)) {
    const bool edges = result.edges_half_width > result.duty_half_width;
    return fmt::format(
        "the sensor tells the energy of the window of {:.3g} ms only within {:.2g} %, mostly because {}: "
        "measure longer",
        length_ms, 100 * InJoules(result.half_width) / std::abs(InJoules(result.energy)),
        edges ? "its updates do not fall on the window's edges" : "it does not look all the time");
  }
  return {};
}

std::string WhyCoarse(const WindowRequest& request, const WindowEnergy& result) {
  const double open = InJoules(result.duty_half_width) / std::abs(InJoules(result.energy));
  if (!(open > kFineRelative)) return {};
  return fmt::format(
      "the sensor looks only {:.0f} % of the time and leaves {:.2g} % of the energy open: mark the load's iterations, "
      "or measure longer",
      100 * request.timing.Duty(), 100 * open);
}

Result<std::vector<Cell>> CheckedCells(const WindowRequest& request) {
  if (!(request.end_s > request.begin_s)) {
    return Fail(fmt::format("a window must end after it begins, but begins at {:.6g} s and ends at {:.6g} s",
                            request.begin_s, request.end_s));
  }
  if (request.ticks.size() < 3) {
    return Fail(fmt::format("the sensor updated only {} times in the record: expected at least 3; measure longer",
                            request.ticks.size()));
  }
  std::vector<Cell> cells = CellsOf(request);
  const double slack_s = 0.5 * request.timing.period_s + 1e-9;
  if (request.begin_s < cells.front().begin_s - slack_s || request.end_s > cells.back().end_s + slack_s) {
    return Fail(
        fmt::format("the record tells the power from {:.6g} s to {:.6g} s, but the window is {:.6g} s to {:.6g} s: "
                    "start the sampler before the window and stop it after",
                    cells.front().begin_s, cells.back().end_s, request.begin_s, request.end_s));
  }
  return cells;
}

}  // namespace

Energy WindowEnergy::HalfWidthWithGain() const {
  return Joules(std::hypot(InJoules(half_width), gain_half_width * InJoules(energy)));
}

Result<WindowEnergy> EstimateWindowEnergy(const WindowRequest& request) {
  const Result<std::vector<Cell>> checked = CheckedCells(request);
  if (!checked) return Fail(checked.error());
  const std::vector<Cell>& cells = *checked;
  const double length_s = request.end_s - request.begin_s;

  double energy_j = 0, covered_s = 0;
  for (size_t i = 0; i < cells.size(); ++i) {
    energy_j += EnergyWithin(cells, i, request);
    covered_s += Overlap(cells[i].begin_s, cells[i].end_s, request.begin_s, request.end_s);
  }
  // Within the slack at either end of the record the nearest cell's power holds.
  energy_j += cells.front().power_w * std::max(0.0, cells.front().begin_s - request.begin_s);
  energy_j += cells.back().power_w * std::max(0.0, request.end_s - cells.back().end_s);

  const std::vector<double> powers = PowersWithin(request, cells);
  const double step_w = PowerStep(request, cells);
  const double count = std::max(1.0, static_cast<double>(powers.size()));
  const double unseen = SeesAll(request) ? 0 : 1 - request.timing.Duty();
  const double duty_j = StudentT975(count - 1) * length_s * std::sqrt(unseen) * StandardErrorOfMean(powers);
  const double noise_w = std::hypot(InWatts(request.noise_sd) / std::sqrt(count), InWatts(request.offset_sd));

  WindowEnergy result;
  result.energy = Joules(energy_j);
  result.edges_half_width = Joules(EdgesHalfWidth(request, cells, step_w));
  result.duty_half_width = Joules(duty_j);
  result.noise_half_width = Joules(kNormal975 * noise_w * length_s);
  result.half_width = Joules(std::hypot(InJoules(result.edges_half_width), duty_j, InJoules(result.noise_half_width)));
  result.gain_half_width = kNormal975 * request.gain_sd;
  result.ticks = covered_s / request.timing.period_s;
  result.unresolved = WhyUnresolved(request, cells, result);
  if (result.Resolved()) result.coarse = WhyCoarse(request, result);
  return result;
}

}  // namespace heliograd

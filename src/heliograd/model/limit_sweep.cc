#include "heliograd/model/limit_sweep.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <numeric>
#include <set>

#include "heliograd/model/statistics.h"

namespace heliograd {
namespace {

using Series = std::vector<double>;

constexpr int kLevelsAtTheBend = 6;  // on the binding side, where log power is a line of log limit
constexpr int kBendsPerStep = 20;

struct Cell {
  size_t level, round;
  double log_energy, log_time;
};

struct Table {
  Series limits_w;
  size_t rounds = 0;
  std::vector<Cell> cells;
  Series counts;  // windows per level

  double Freedom() const {
    return static_cast<double>(cells.size()) - static_cast<double>(limits_w.size()) - static_cast<double>(rounds) + 1;
  }
};

/// A curve over the levels, less each round's own shift.
struct Centred {
  Series curve;
  double scatter = 0;
};

template <typename Value>
Centred CentreRounds(const Table& table, Value value) {
  constexpr int kMostPasses = 200;
  constexpr double kConverged = 1e-12;
  Centred result{Series(table.limits_w.size(), 0), 0};
  Series shifts(table.rounds, 0);
  double moved = 1;
  // One pass is exact for complete rounds; with gaps the two means settle in turns.
  for (int pass = 0; pass < kMostPasses && moved > kConverged; ++pass) {
    Series sums(result.curve.size(), 0), round_sums(table.rounds, 0), round_counts(table.rounds, 0);
    for (const Cell& cell : table.cells) sums[cell.level] += value(cell) - shifts[cell.round];
    moved = 0;
    for (size_t i = 0; i < sums.size(); ++i) {
      const double mean = sums[i] / table.counts[i];
      moved = std::max(moved, std::abs(mean - result.curve[i]));
      result.curve[i] = mean;
    }
    for (const Cell& cell : table.cells) {
      round_sums[cell.round] += value(cell) - result.curve[cell.level];
      round_counts[cell.round] += 1;
    }
    for (size_t j = 0; j < table.rounds; ++j) shifts[j] = round_sums[j] / round_counts[j];
    const double mean = std::accumulate(shifts.begin(), shifts.end(), 0.0) / static_cast<double>(table.rounds);
    for (double& shift : shifts) shift -= mean;
  }
  double squares = 0;
  for (const Cell& cell : table.cells) {
    squares += std::pow(value(cell) - result.curve[cell.level] - shifts[cell.round], 2);
  }
  result.scatter = std::sqrt(squares / std::max(1.0, table.Freedom()));
  return result;
}

Series Isotonic(const Series& values, const Series& weights, double sign) {
  Series turned = values;
  for (double& value : turned) value *= sign;
  turned = IsotonicRegression(turned, weights);
  for (double& value : turned) value *= sign;
  return turned;
}

Result<Table> TableOf(std::span<const SweepWindow> windows) {
  std::set<double> limits;
  std::map<int, size_t> rounds;
  for (const SweepWindow& window : windows) {
    if (!(window.limit > Watts(0) && window.energy > Joules(0) && window.time > Seconds(0))) {
      return Fail(
          fmt::format("a window of the sweep has limit {:.6g} W, energy {:.6g} J and time {:.6g} s: expected all above "
                      "0",
                      InWatts(window.limit), InJoules(window.energy), InSeconds(window.time)));
    }
    limits.insert(InWatts(window.limit));
    rounds.emplace(window.round, rounds.size());
  }
  if (limits.size() < 3 || rounds.size() < 2) {
    return Fail(
        fmt::format("a sweep over {} limits in {} rounds tells no curve with intervals: expected at least 3 limits and "
                    "2 rounds",
                    limits.size(), rounds.size()));
  }
  Table table;
  table.limits_w.assign(limits.begin(), limits.end());
  table.rounds = rounds.size();
  table.counts.assign(limits.size(), 0);
  for (const SweepWindow& window : windows) {
    const auto level = static_cast<size_t>(std::distance(limits.begin(), limits.find(InWatts(window.limit))));
    table.cells.push_back(
        {level, rounds[window.round], std::log(InJoules(window.energy)), std::log(InSeconds(window.time))});
    table.counts[level] += 1;
  }
  if (table.Freedom() < 1) {
    return Fail(
        fmt::format("{} windows at {} limits in {} rounds leave nothing to tell the scatter by: measure each limit in "
                    "each round",
                    windows.size(), limits.size(), rounds.size()));
  }
  return table;
}

/// Half the distance to the neighbour below (or above), which no sweep can resolve.
double HalfStep(const Series& limits_w, size_t level, int side) {
  if (side < 0) return level == 0 ? 0 : (limits_w[level] - limits_w[level - 1]) / 2;
  return level + 1 == limits_w.size() ? 0 : (limits_w[level + 1] - limits_w[level]) / 2;
}

/// The distance between the two limits that a limit lies between.
double StepAround(const Series& limits_w, double limit_w) {
  const auto above = std::lower_bound(limits_w.begin() + 1, limits_w.end() - 1, limit_w);
  return *above - *(above - 1);
}

/// The level where `smooth` is least, with all levels whose mean is not surely above the lowest mean.
SweepLimit Least(const Table& table, const Series& smooth, const Centred& mean) {
  const auto knee = static_cast<size_t>(std::min_element(smooth.begin(), smooth.end()) - smooth.begin());
  const auto lowest = static_cast<size_t>(std::min_element(mean.curve.begin(), mean.curve.end()) - mean.curve.begin());
  const double t = StudentT975(table.Freedom());
  size_t from = std::min(knee, lowest), to = std::max(knee, lowest);
  for (size_t i = 0; i < mean.curve.size(); ++i) {
    const double error = mean.scatter * std::sqrt(1 / table.counts[i] + 1 / table.counts[lowest]);
    if (mean.curve[i] - mean.curve[lowest] > t * error) continue;
    from = std::min(from, i);
    to = std::max(to, i);
  }
  return {Watts(table.limits_w[knee]), Watts(table.limits_w[from] - HalfStep(table.limits_w, from, -1)),
          Watts(table.limits_w[to] + HalfStep(table.limits_w, to, 1))};
}

/// Weighted squares about the line that rises until `bend_w` and is level from there on, over the levels from `first`.
double SquaresAboutBend(const Table& table, const Series& log_power, size_t first, double bend_w) {
  // Regresses on x = min(0, log(limit / bend)).
  double w = 0, wx = 0, wy = 0, wxx = 0, wxy = 0, wyy = 0;
  for (size_t i = first; i < log_power.size(); ++i) {
    const double x = std::min(0.0, std::log(table.limits_w[i] / bend_w)), weight = table.counts[i], y = log_power[i];
    w += weight;
    wx += weight * x;
    wy += weight * y;
    wxx += weight * x * x;
    wxy += weight * x * y;
    wyy += weight * y * y;
  }
  const double xx = wxx - wx * wx / w, xy = wxy - wx * wy / w, yy = wyy - wy * wy / w;
  const double slope = xx > 0 ? std::max(0.0, xy / xx) : 0;
  return yy - slope * (2 * xy - slope * xx);
}

/// The bend of log power against log limit: a line below it, level above. Its interval holds all bends that fit about
/// as well as the best (a likelihood ratio with one degree of freedom).
std::optional<SweepLimit> WhereBindingStops(const Table& table, const Centred& power) {
  const size_t count = table.limits_w.size();
  const double t = StudentT975(table.Freedom());
  const double margin = std::pow(t * power.scatter, 2);
  // Levels that the highest limit cannot be told from; at least one of them below it, else every limit binds.
  size_t first_level = count - 1;
  const auto differs = [&](size_t i) {
    return power.curve.back() - power.curve[i] >
           t * power.scatter * std::sqrt(1 / table.counts[i] + 1 / table.counts.back());
  };
  while (first_level > 0 && !differs(first_level - 1)) --first_level;
  if (first_level == 0 || first_level == count - 1) return std::nullopt;

  const size_t first = first_level > kLevelsAtTheBend ? first_level - kLevelsAtTheBend : 0;
  double best = std::numeric_limits<double>::infinity(), best_w = 0;
  std::vector<std::pair<double, double>> bends;
  for (size_t i = first; i + 1 < count; ++i) {
    for (int part = 0; part < kBendsPerStep; ++part) {
      const double bend_w =
          table.limits_w[i] + (table.limits_w[i + 1] - table.limits_w[i]) * (part + 1.0) / kBendsPerStep;
      const double squares = SquaresAboutBend(table, power.curve, first, bend_w);
      bends.emplace_back(bend_w, squares);
      if (squares < best) {
        best = squares;
        best_w = bend_w;
      }
    }
  }
  double low_w = best_w, high_w = best_w;
  for (const auto& [bend_w, squares] : bends) {
    if (squares > best + margin) continue;
    low_w = std::min(low_w, bend_w);
    high_w = std::max(high_w, bend_w);
  }
  const double half_step_w = std::max(StepAround(table.limits_w, low_w), StepAround(table.limits_w, high_w)) / 2;
  return SweepLimit{Watts(best_w), Watts(low_w - half_step_w), Watts(high_w + half_step_w)};
}

}  // namespace

Result<SweepResult> AnalyseSweep(std::span<const SweepWindow> windows) {
  const Result<Table> made = TableOf(windows);
  if (!made) return Fail(made.error());
  const Table& table = *made;
  const Centred energy = CentreRounds(table, [](const Cell& c) { return c.log_energy; });
  const Centred time = CentreRounds(table, [](const Cell& c) { return c.log_time; });
  const Centred power = CentreRounds(table, [](const Cell& c) { return c.log_energy - c.log_time; });
  const Centred product = CentreRounds(table, [](const Cell& c) { return c.log_energy + c.log_time; });

  const Series smooth_time = Isotonic(time.curve, table.counts, -1);
  const Series smooth_power = Isotonic(power.curve, table.counts, 1);
  const size_t count = table.limits_w.size();
  Series smooth_energy(count), smooth_product(count);
  for (size_t i = 0; i < count; ++i) {
    smooth_energy[i] = smooth_time[i] + smooth_power[i];
    smooth_product[i] = smooth_energy[i] + smooth_time[i];
  }

  SweepResult result;
  result.degrees_of_freedom = table.Freedom();
  result.energy_scatter = energy.scatter;
  result.time_scatter = time.scatter;
  result.least_energy = Least(table, smooth_energy, energy);
  result.least_energy_time = Least(table, smooth_product, product);
  result.stops_binding = WhereBindingStops(table, power);
  const double t = StudentT975(table.Freedom());
  for (size_t i = 0; i < count; ++i) {
    const double root = std::sqrt(table.counts[i]);
    SweepLevel level{Watts(table.limits_w[i]),          Joules(std::exp(smooth_energy[i])),
                     Seconds(std::exp(smooth_time[i])), t * energy.scatter / root,
                     t * time.scatter / root,           false};
    for (size_t j = 0; j < count; ++j) {
      const double sure = t * energy.scatter * std::sqrt(1 / table.counts[i] + 1 / table.counts[j]);
      level.dominated =
          level.dominated || (smooth_time[j] <= smooth_time[i] && smooth_energy[j] < smooth_energy[i] - sure);
    }
    result.levels.push_back(level);
  }
  return result;
}

}  // namespace heliograd

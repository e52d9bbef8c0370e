#include "heliograd/plan/problem.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

namespace heliograd {
namespace {

constexpr std::array<std::pair<Formulation, std::string_view>, 3> kFormulationNames = {
    {{Formulation::kPaper, "paper"}, {Formulation::kLevels, "levels"}, {Formulation::kBlend, "blend"}}};

bool Beats(const Level& a, const Level& b) { return a.draw <= b.draw && a.job_time <= b.job_time; }

/// Draws more and is faster: what each level must do against the one before.
bool Follows(const Level& previous, const Level& next) {
  return next.draw > previous.draw && next.job_time < previous.job_time;
}

template <typename Q>
bool FiniteAndNotNegative(Q q) {
  return IsFinite(q) && q >= Q();
}

template <typename Q>
bool FiniteAndPositive(Q q) {
  return IsFinite(q) && q > Q();
}

template <typename Q>
bool AllFinite(const std::vector<Q>& values) {
  return std::all_of(values.begin(), values.end(), [](Q q) { return IsFinite(q); });
}

}  // namespace

std::string_view FormulationName(Formulation formulation) {
  for (const auto& [value, name] : kFormulationNames) {
    if (value == formulation) return name;
  }
  return "";
}

std::optional<Formulation> FormulationFromName(std::string_view name) {
  for (const auto& [value, known] : kFormulationNames) {
    if (known == name) return value;
  }
  return std::nullopt;
}

double RetentionPerSlot(const DispatchProblem& problem) {
  return std::pow(1.0 - problem.battery.self_discharge_per_hour, InHours(problem.horizon.SlotDuration()));
}

EnergyPrice ObjectiveImportPrice(const DispatchProblem& problem, int slot) {
  const auto t = static_cast<size_t>(slot);
  const CarbonPrice weight = problem.objective == Objective::kCarbon ? kCarbonWeight : problem.carbon_price;
  return problem.import_price[t] + problem.carbon[t] * weight;
}

PrunedLevels DropDominated(std::vector<Level> levels) {
  std::stable_sort(levels.begin(), levels.end(), [](const Level& a, const Level& b) {
    return a.draw != b.draw ? a.draw < b.draw : a.job_time < b.job_time;
  });
  PrunedLevels pruned;
  for (const Level& level : levels) {
    if (!pruned.kept.empty() && Beats(pruned.kept.back(), level)) {
      pruned.dominated.push_back({level, pruned.kept.back()});
    } else {
      pruned.kept.push_back(level);
    }
  }
  return pruned;
}

std::vector<size_t> ConcaveHull(const Gpu& gpu) {
  // Points (draw, work per second); the idle point comes first. Monotone chain over ascending draw.
  struct Point {
    double draw, rate;
  };
  const Point idle{InWatts(gpu.idle), 0.0};
  std::vector<size_t> hull;
  const auto point = [&](size_t level) {
    return Point{InWatts(gpu.DrawAt(level)), 1.0 / InSeconds(gpu.levels[level].job_time)};
  };
  const auto before_last = [&] { return hull.size() >= 2 ? point(hull[hull.size() - 2]) : idle; };
  for (size_t level = 0; level < gpu.levels.size(); ++level) {
    const Point next = point(level);
    while (!hull.empty()) {
      const Point a = before_last(), b = point(hull.back());
      const bool below_chord = (b.rate - a.rate) * (next.draw - a.draw) <= (next.rate - a.rate) * (b.draw - a.draw);
      if (!below_chord) break;
      hull.pop_back();
    }
    hull.push_back(level);
  }
  return hull;
}

std::vector<std::string> Defects(const DispatchProblem& p) {
  std::vector<std::string> defects;
  const auto require = [&](bool sound, std::string sentence) {
    if (!sound) defects.push_back(std::move(sentence));
  };
  const auto slots = static_cast<size_t>(std::max(p.horizon.slots, 0));
  require(p.horizon.slots > 0, "the horizon is empty: the deadline must be at least one slot after the start.");
  require(p.horizon.step.count() > 0, "a slot must last longer than nothing.");
  for (const auto& [name, size] : {std::pair{"PV", p.pv.size()},
                                   {"import price", p.import_price.size()},
                                   {"export price", p.export_price.size()},
                                   {"carbon", p.carbon.size()}}) {
    require(size == slots, fmt::format("{} has {} values for {} slots.", name, size, slots));
  }
  require(AllFinite(p.pv) && AllFinite(p.import_price) && AllFinite(p.export_price) && AllFinite(p.carbon),
          "a PV energy, price or carbon intensity is not a finite number.");
  require(std::none_of(p.pv.begin(), p.pv.end(), [](Energy e) { return e < Energy(); }), "a PV energy is negative.");
  require(!p.gpu.levels.empty(), "the GPU has no power level.");
  for (size_t k = 0; k < p.gpu.levels.size(); ++k) {
    const Level& level = p.gpu.levels[k];
    require(FiniteAndPositive(level.limit) && FiniteAndPositive(level.draw) && FiniteAndPositive(level.job_time),
            fmt::format("level {} needs a positive power and a positive time.", k));
    require(k == 0 || Follows(p.gpu.levels[k - 1], level), fmt::format("level {} is dominated or out of order.", k));
  }
  require(FiniteAndNotNegative(p.gpu.idle) && FiniteAndNotNegative(p.gpu.host),
          "idle and host power are finite and not negative.");
  require(FiniteAndNotNegative(p.carbon_price), "the carbon price is finite and not negative.");
  const Battery& b = p.battery;
  require(FiniteAndNotNegative(b.capacity), "the battery's capacity is finite and not negative.");
  require(
      b.charge_efficiency > 0 && b.charge_efficiency <= 1 && b.discharge_efficiency > 0 && b.discharge_efficiency <= 1,
      "battery efficiencies lie in (0, 1].");
  require(b.self_discharge_per_hour >= 0 && b.self_discharge_per_hour < 1, "self-discharge lies in [0, 1) per hour.");
  require(b.initial >= Energy() && b.initial <= b.capacity, "the initial stored energy lies in [0, capacity].");
  require(b.final_min >= Energy() && b.final_min <= b.capacity, "the final stored energy lies in [0, capacity].");
  require(FiniteAndNotNegative(b.wear_cost) && FiniteAndNotNegative(b.terminal_value),
          "wear cost and terminal value are finite and not negative.");
  for (const auto& limit : {b.max_charge, b.max_discharge, p.grid.import_limit, p.grid.export_limit}) {
    require(!limit || FiniteAndNotNegative(*limit), "a power limit is finite and not negative.");
  }
  require(p.work > 0 && p.work <= 1, "the work still to do lies in (0, 1].");
  return defects;
}

}  // namespace heliograd

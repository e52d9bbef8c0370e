#include "heliograd/optimize/explain_slot.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "heliograd/optimize/kernel_blend.h"

namespace heliograd {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

/// Energies closer than this are the same, kWh: plans are checked to 1e-9 kWh.
constexpr double kEnergyRounding = 1e-9;

/// A polyline in the kernel's units: kWh against EUR, or against parts of the job.
using Polyline = std::vector<std::pair<double, double>>;

/// Infinite outside, but for rounding.
double ValueAt(const Polyline& line, double x) {
  if (x < line.front().first - kEnergyRounding || x > line.back().first + kEnergyRounding) return kInfinity;
  for (size_t i = 1; i < line.size(); ++i) {
    const auto& [a, y_a] = line[i - 1];
    const auto& [b, y_b] = line[i];
    if (x <= b) return y_a + (y_b - y_a) * std::max(x - a, 0.0) / (b - a);
  }
  return line.back().second;
}

std::optional<double> SlopeAfter(const Polyline& line, double x) {
  for (size_t i = 1; i < line.size(); ++i) {
    if (x < line[i].first - kEnergyRounding) {
      return (line[i].second - line[i - 1].second) / (line[i].first - line[i - 1].first);
    }
  }
  return std::nullopt;
}

std::optional<double> SlopeBefore(const Polyline& line, double x) {
  for (size_t i = line.size(); i-- > 1;) {
    if (x > line[i - 1].first + kEnergyRounding) {
      return (line[i].second - line[i - 1].second) / (line[i].first - line[i - 1].first);
    }
  }
  return std::nullopt;
}

/// Slopes on both sides, times a factor, as prices.
Slopes SlopesAt(const Polyline& line, double x, double factor) {
  const auto price = [factor](const std::optional<double>& slope) {
    return slope ? std::optional(EurosPerKilowattHour(factor * *slope)) : std::nullopt;
  };
  return {price(SlopeBefore(line, x)), price(SlopeAfter(line, x))};
}

/// The curve by rising draw.
Polyline LineOf(const kernel::BusCurve& curve) {
  Polyline line = {{curve.x_high, curve.cost_high}};
  for (int i = 0; i < curve.count; ++i) {
    const auto& [slope, length] = curve.pieces[static_cast<size_t>(i)];
    if (length > 0) line.push_back({line.back().first - length, line.back().second - slope * length});
  }
  std::reverse(line.begin(), line.end());
  return line;
}

/// The lower of two polylines that overlap.
Polyline LowerOf(const Polyline& a, const Polyline& b) {
  std::vector<double> places;
  for (const Polyline* line : {&a, &b}) {
    for (const auto& [x, y] : *line) places.push_back(x);
  }
  std::sort(places.begin(), places.end());
  places.erase(std::unique(places.begin(), places.end()), places.end());
  Polyline lower;
  for (const double x : places) {
    const double y_a = ValueAt(a, x), y_b = ValueAt(b, x);
    if (!lower.empty()) {
      const double from = lower.back().first;
      const double gap_from = ValueAt(a, from) - ValueAt(b, from), gap = y_a - y_b;
      if (std::isfinite(gap_from) && std::isfinite(gap) && gap_from * gap < 0) {  // they cross on the way
        const double x_cross = from + (x - from) * gap_from / (gap_from - gap);
        lower.push_back({x_cross, ValueAt(a, x_cross)});
      }
    }
    lower.push_back({x, std::min(y_a, y_b)});
  }
  return lower;
}

Polyline BusLine(const kernel::Slot& slot) {
  const Polyline line = LineOf(slot.curve);
  return slot.two_curves ? LowerOf(line, LineOf(slot.sale_curve)) : line;
}

Polyline HullLine(const kernel::Problem& problem) {
  Polyline line;
  for (const kernel::GpuPoint& point : problem.gpu) line.push_back({point.energy, point.work});
  return line;
}

/// The ways that the plan takes in each slot, where both are open.
std::vector<kernel::Modes> ModesOf(const kernel::Problem& problem, const Plan& plan) {
  std::vector<kernel::Modes> modes(problem.slots.size(), kernel::kAllModes);
  const auto forbid = [&](size_t t, kernel::Modes mode) { modes[t] = static_cast<kernel::Modes>(modes[t] & ~mode); };
  for (size_t t = 0; t < modes.size(); ++t) {
    const SlotDecision& decision = plan.slots[t].decision;
    const auto flows = [](Energy energy) { return InKilowattHours(energy) > kEnergyRounding; };
    if (problem.slots[t].two_curves) {
      forbid(t, flows(decision.grid_export) ? kernel::kBuys : kernel::kSells);
    }
    if (problem.slots[t].burns) {
      forbid(t, flows(decision.battery_charge) ? kernel::kDischarges : kernel::kCharges);
    }
  }
  return modes;
}

std::vector<CostPoint> CostPoints(const Polyline& line) {
  std::vector<CostPoint> points;
  for (const auto& [x, y] : line) points.push_back({KilowattHours(x), Euros(y)});
  return points;
}

CostPoint PointAt(const Polyline& line, double x) {
  return {KilowattHours(x), Euros(ValueAt(line, std::clamp(x, line.front().first, line.back().first)))};
}

Result<kernel::Problem> KernelProblem(const DispatchProblem& problem, const Plan& plan) {
  if (plan.status == PlanStatus::kInfeasible) {
    return Fail(
        fmt::format("this plan is infeasible, so that no slot of it can be explained: {}", plan.infeasible_reason));
  }
  if (plan.formulation != Formulation::kBlend) {
    return Fail(
        fmt::format("a slot is explained by prices of work and of stored energy, and the formulation `{}` of this plan "
                    "has none that "
                    "hold in every slot: plan once more with --formulation blend.",
                    FormulationName(plan.formulation)));
  }
  auto made = kernel::MakeProblem(problem, plan.formulation);
  if (made) return *std::move(made);
  return Fail(
      fmt::format("the GPU draws more when idle ({:g} W) than at its lowest level ({:g} W), which is outside the "
                  "structure that the "
                  "curves of a slot come from (docs/kernel.md): lower gpu.idle_w to explain a slot.",
                  InWatts(problem.gpu.idle), InWatts(problem.gpu.DrawAt(0))));
}

}  // namespace

Result<SlotExplanation> ExplainSlot(const DispatchProblem& problem, const Plan& plan, size_t slot) {
  const auto made = KernelProblem(problem, plan);
  if (!made) return Fail(made.error());
  const kernel::Problem& kernel = *made;
  kernel::BlendRelaxation relaxation(kernel);
  const std::vector<kernel::Modes> modes = ModesOf(kernel, plan);
  if (relaxation.Solve(modes, std::nullopt, {}) != kernel::Outcome::kSolved ||
      !relaxation.Draw(modes, relaxation.work_price())) {
    return Fail("the plan's slots could not be priced: solve the scenario anew with `heliograd plan`.");
  }
  const PlanSlot& planned = plan.slots[slot];
  const SlotDecision& decision = planned.decision;
  const kernel::Slot& own = kernel.slots[slot];
  const double work_price = relaxation.work_price();

  SlotExplanation explanation;
  explanation.slot = slot;
  explanation.work_price = Euros(work_price);
  explanation.import_price = EurosPerKilowattHour(own.import_price);
  explanation.export_price = EurosPerKilowattHour(own.export_price);

  const Polyline bus = BusLine(own);
  const double drawn = InKilowattHours(planned.load + decision.battery_charge -
                                       decision.battery_discharge * problem.battery.discharge_efficiency);
  const double bus_cost = InKilowattHours(decision.grid_import) * own.import_price -
                          InKilowattHours(decision.grid_export) * own.export_price;
  explanation.bus_curve = CostPoints(bus);
  explanation.bus = {KilowattHours(drawn), Euros(bus_cost)};
  explanation.bus_price = SlopesAt(bus, drawn, 1);

  const Polyline before = relaxation.ValueFunction(slot), after = relaxation.ValueFunction(slot + 1);
  explanation.value_before = CostPoints(before);
  explanation.value_after = CostPoints(after);
  explanation.before = PointAt(before, InKilowattHours(planned.battery_start));
  explanation.after = PointAt(after, InKilowattHours(planned.battery_end));
  explanation.worth_before = SlopesAt(before, InKilowattHours(planned.battery_start), -1);
  explanation.worth_after = SlopesAt(after, InKilowattHours(planned.battery_end), -1);

  const Polyline hull = HullLine(kernel);
  for (const auto& [energy, work] : hull) explanation.hull.push_back({KilowattHours(energy), work});
  explanation.gpu = {planned.load, planned.progress};
  explanation.gpu_worth = SlopesAt(hull, InKilowattHours(planned.load), work_price);

  explanation.wear = problem.battery.wear_cost * decision.battery_discharge;
  explanation.excess = explanation.bus.cost + explanation.wear - explanation.work_price * planned.progress +
                       explanation.after.cost - explanation.before.cost;
  explanation.plan_excess = plan.objective - Euros(relaxation.bound());
  return explanation;
}

}  // namespace heliograd

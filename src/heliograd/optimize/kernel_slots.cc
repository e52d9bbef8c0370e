#include "heliograd/optimize/kernel_slots.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace heliograd::kernel {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

/// How far the draw may lie outside a slot's range by rounding, kWh.
constexpr double kRounding = 1e-11;

double LimitKwh(const std::optional<Power>& limit, double hours) {
  return limit ? InWatts(*limit) * hours / 1000 : kInfinity;
}

std::vector<GpuPoint> AllPoints(const DispatchProblem& problem, double hours) {
  std::vector<GpuPoint> points = {{InWatts(problem.gpu.idle) * hours / 1000, 0, -1}};
  for (size_t k = 0; k < problem.gpu.levels.size(); ++k) {
    points.push_back({InWatts(problem.gpu.DrawAt(k)) * hours / 1000, hours / InHours(problem.gpu.levels[k].job_time),
                      static_cast<int>(k)});
  }
  return points;
}

void DrawBuyingCurve(const Slot& slot, BusCurve& curve) {
  const double q = slot.import_price, g = slot.most_import;
  curve.Begin(slot.pv + g, q * g);
  if (q >= 0) {
    curve.Add(q, g);
    curve.Add(0, slot.pv);
  } else {  // bought energy before the sun's
    curve.Add(0, slot.pv);
    curve.Add(q, g);
  }
}

void DrawSellingCurve(const Slot& slot, BusCurve& curve) {
  const double p = slot.export_price;
  curve.Begin(slot.pv, 0);
  if (p >= 0) {
    curve.Add(p, slot.most_export);
    curve.Add(0, slot.pv);
  } else {  // curtailed before it is sold at a loss
    curve.Add(0, slot.pv);
    curve.Add(p, slot.most_export);
  }
}

/// Both directions on one convex curve. Precondition: export_price <= import_price.
void DrawCommonCurve(const Slot& slot, BusCurve& curve) {
  const double q = slot.import_price, p = slot.export_price, g = slot.most_import;
  curve.Begin(slot.pv + g, q * g);
  if (q >= 0) curve.Add(q, g);
  if (p >= 0) curve.Add(p, slot.most_export);
  curve.Add(0, slot.pv);
  if (q < 0) curve.Add(q, g);
  if (p < 0) curve.Add(p, slot.most_export);
}

/// `paper`: nothing is curtailed. Precondition: the limits do not bind.
void DrawPaperCurve(const Slot& slot, BusCurve& curve) {
  curve.Begin(slot.pv + slot.most_import, slot.import_price * slot.most_import);
  curve.Add(slot.import_price, slot.most_import);
  curve.Add(slot.export_price, slot.most_export);
}

Slot MakePaperSlot(const DispatchProblem& problem, const Problem& kernel, int t) {
  Slot slot;
  slot.pv = InKilowattHours(problem.pv[static_cast<size_t>(t)]);
  slot.import_price = InEurosPerKilowattHour(ObjectiveImportPrice(problem, t));
  slot.export_price = InEurosPerKilowattHour(problem.export_price[static_cast<size_t>(t)]);
  slot.most_import = kernel.gpu.back().energy + kernel.most_charge;
  slot.most_export = slot.pv + kernel.beta * kernel.most_discharge;
  slot.sells_all = slot.export_price > slot.import_price;
  DrawPaperCurve(slot, slot.curve);
  return slot;
}

/// Why the study's equations with these values are not the kernel's; empty when they are.
std::string_view WhyNotPaper(const DispatchProblem& problem, const Problem& kernel, double hours) {
  for (const Slot& slot : kernel.slots) {
    if (slot.import_price < 0 || slot.export_price < 0) return "`paper` with prices below zero";
    if (kernel.alpha * kernel.beta * slot.export_price > slot.import_price)
      return "`paper` with prices at which a battery cycles for profit";
    if (LimitKwh(problem.grid.import_limit, hours) < slot.most_import)
      return "`paper` with an import limit that may bind";
    if (LimitKwh(problem.grid.export_limit, hours) < slot.most_export)
      return "`paper` with an export limit that may bind";
  }
  return {};
}

Slot MakeSlot(const DispatchProblem& problem, const Problem& kernel, int t, double hours) {
  Slot slot;
  slot.pv = InKilowattHours(problem.pv[static_cast<size_t>(t)]);
  slot.import_price = InEurosPerKilowattHour(ObjectiveImportPrice(problem, t));
  slot.export_price = InEurosPerKilowattHour(problem.export_price[static_cast<size_t>(t)]);
  const double most_draw = kernel.gpu.back().energy + kernel.most_charge;
  slot.most_import = std::min(LimitKwh(problem.grid.import_limit, hours), most_draw);
  const double surplus = slot.pv + kernel.beta * kernel.most_discharge - kernel.gpu.front().energy;
  slot.most_export = std::min(LimitKwh(problem.grid.export_limit, hours), std::max(surplus, 0.0));
  const double lowest_price = slot.most_export > 0 ? std::min(slot.import_price, slot.export_price) : slot.import_price;
  slot.burns = lowest_price < 0;
  slot.two_curves = slot.most_export > 0 && slot.export_price > slot.import_price;
  if (slot.two_curves) {
    DrawBuyingCurve(slot, slot.curve);
    DrawSellingCurve(slot, slot.sale_curve);
  } else {
    DrawCommonCurve(slot, slot.curve);
  }
  return slot;
}

/// Buys what PV leaves, or all that fits where buying is paid for.
BusFlows WhenBuying(const Slot& slot, double x) {
  const double most_x = slot.pv + slot.most_import;
  if (x < -kRounding || x > most_x + kRounding) return {0, 0, 0, kInfinity};
  x = std::clamp(x, 0.0, most_x);
  const double bought = slot.import_price >= 0 ? std::max(x - slot.pv, 0.0) : std::min(x, slot.most_import);
  return {x - bought, bought, 0, bought * slot.import_price};
}

/// Sells what is left, or no more than it must where selling costs.
BusFlows WhenSelling(const Slot& slot, double x) {
  if (x < -slot.most_export - kRounding || x > slot.pv + kRounding) return {0, 0, 0, kInfinity};
  x = std::clamp(x, -slot.most_export, slot.pv);
  const double sold = slot.export_price >= 0 ? std::min(slot.most_export, slot.pv - x) : std::max(-x, 0.0);
  return {x + sold, 0, sold, -sold * slot.export_price};
}

}  // namespace

double Problem::EnergyOf(double work_done) const {
  size_t k = 1;
  while (k + 1 < gpu.size() && gpu[k].work < work_done) ++k;
  if (k >= gpu.size() || work_done <= gpu.front().work) return gpu.front().energy;
  const GpuPoint &a = gpu[k - 1], &b = gpu[k];
  return a.energy + (std::min(work_done, b.work) - a.work) / (b.work - a.work) * (b.energy - a.energy);
}

double Problem::EnergyIn(const Slot& slot, double work_done, double z) const {
  const double drawn = Drawn(z), needed = EnergyOf(work_done);
  if (!slot.burns && needed + drawn >= -slot.most_export) return needed;
  double best = needed, least_cost = FlowsAt(slot, needed + drawn).cost;
  // The cost falls while the bus draws more only up to one of these.
  for (const double x : {-slot.most_export, 0.0, slot.most_import}) {
    const double energy = std::min(x - drawn, gpu.back().energy);
    if (energy <= needed) continue;
    if (const double cost = FlowsAt(slot, energy + drawn).cost; cost < least_cost) best = energy, least_cost = cost;
  }
  return best;
}

BusFlows FlowsAt(const Slot& slot, double x) {
  if (std::abs(x - slot.pv) < kRounding) x = slot.pv;  // no trace of rounding is bought or sold
  const BusFlows buying = WhenBuying(slot, x), selling = WhenSelling(slot, x);
  return buying.cost < selling.cost ? buying : selling;
}

BusFlows PaperFlowsAt(const Slot& slot, double used, double given) {
  const double net = used - given - slot.pv;
  BusFlows flows;
  flows.pv_used = slot.pv;
  flows.grid_import = slot.sells_all ? used : std::max(net, 0.0);
  flows.grid_export = slot.sells_all ? slot.pv + given : std::max(-net, 0.0);
  flows.cost = flows.grid_import * slot.import_price - flows.grid_export * slot.export_price;
  return flows;
}

std::vector<GpuPoint> UpperHull(const std::vector<GpuPoint>& points) {
  std::vector<GpuPoint> hull;
  for (const GpuPoint& next : points) {
    while (hull.size() >= 2) {
      const GpuPoint &a = hull[hull.size() - 2], &b = hull.back();
      if ((b.work - a.work) * (next.energy - a.energy) > (next.work - a.work) * (b.energy - a.energy)) break;
      hull.pop_back();
    }
    // A level that draws no more than idling takes its place.
    if (!hull.empty() && next.energy <= hull.back().energy) hull.pop_back();
    hull.push_back(next);
  }
  return hull;
}

std::optional<Problem> MakeProblem(const DispatchProblem& problem, Formulation formulation, std::string* why_not) {
  const auto outside = [why_not](std::string_view why) {
    if (why_not != nullptr) *why_not = why;
    return std::nullopt;
  };
  const double hours = InHours(problem.horizon.SlotDuration());
  std::vector<GpuPoint> points = AllPoints(problem, hours);
  Problem kernel;
  kernel.fill_rule = formulation == Formulation::kPaper;
  if (kernel.fill_rule) {
    points.erase(points.begin());  // the study's job is never off
  } else if (points[0].energy > points[1].energy) {
    return outside("a GPU that draws more when idle than at its lowest level");
  }
  kernel.gpu = formulation == Formulation::kBlend ? UpperHull(points) : points;
  const Battery& battery = problem.battery;
  kernel.capacity = InKilowattHours(battery.capacity);
  kernel.initial = InKilowattHours(battery.initial);
  kernel.final_min = InKilowattHours(battery.final_min);
  kernel.alpha = battery.charge_efficiency;
  kernel.beta = battery.discharge_efficiency;
  kernel.rho = RetentionPerSlot(problem);
  // An empty battery can be filled in one slot, its losses within the slot included.
  const double fill = kernel.fill_rule ? kernel.capacity : kernel.capacity / (kernel.alpha * kernel.rho);
  kernel.most_charge = std::min(LimitKwh(battery.max_charge, hours), fill);
  kernel.most_discharge = std::min(LimitKwh(battery.max_discharge, hours), kernel.capacity);
  kernel.wear = InEurosPerKilowattHour(battery.wear_cost);
  kernel.terminal_value = InEurosPerKilowattHour(battery.terminal_value);
  kernel.work = problem.work;
  kernel.slots.reserve(problem.pv.size());
  const double most_energy = kernel.gpu.back().energy + kernel.capacity;
  for (int t = 0; t < problem.horizon.slots; ++t) {
    const Slot& slot = kernel.slots.emplace_back(kernel.fill_rule ? MakePaperSlot(problem, kernel, t)
                                                                  : MakeSlot(problem, kernel, t, hours));
    kernel.money_scale += std::max(std::abs(slot.import_price), std::abs(slot.export_price)) * (most_energy + slot.pv) +
                          kernel.wear * kernel.most_discharge;
  }
  kernel.money_scale += kernel.terminal_value * kernel.capacity;
  if (kernel.fill_rule) {
    if (const std::string_view why = WhyNotPaper(problem, kernel, hours); !why.empty()) return outside(why);
  }
  return kernel;
}

}  // namespace heliograd::kernel

#include "heliograd/plan/reasons.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <string_view>

#include "heliograd/plan/objective.h"
#include "heliograd/plan/plan_facts.h"

namespace heliograd {
namespace {

/// A slot as the rules see it.
struct View {
  const DispatchProblem& problem;
  const Plan& plan;
  const PlanFacts& facts;
  const TimeZone& zone;
  size_t t;

  const PlanSlot& slot() const { return plan.slots[t]; }
  const SlotFacts& now() const { return facts.slots[t]; }
};

struct Rule {
  std::string_view name;
  bool (*holds)(const View&);
  std::string (*sentence)(const View&);
};

/// Two digits, three where the third is not zero. Rules compare prices as they are printed.
std::string Price(double eur_per_kwh) {
  const double rounded = std::round(eur_per_kwh * 1000) / 1000 + 0.0;  // + 0.0 turns -0 into 0
  const std::string three = fmt::format("{:.3f}", rounded);
  return three.back() == '0' ? three.substr(0, three.size() - 1) : three;
}

/// True when `a` is less than `b` even as printed.
bool PrintsLess(double a, double b) { return a < b && Price(a) != Price(b); }

/// "08:00" on the local clock; with the date when it is more than a day away.
std::string TimeOf(const View& v, size_t slot) {
  const Stamp stamp = v.problem.horizon.SlotStart(static_cast<int>(slot));
  const CivilTime c = v.zone.ToCivil(stamp);
  const std::string clock = fmt::format("{:02}:{:02}", c.hour, c.minute);
  const bool far = stamp - v.problem.horizon.SlotStart(static_cast<int>(v.t)) >= std::chrono::hours(24);
  return far ? fmt::format("{:02}-{:02} {}", c.month, c.day, clock) : clock;
}

/// "150 W", "150/160 W", with " for 39 min" when the job does not take the whole slot.
std::string RunsAt(const View& v) {
  const auto& levels = v.slot().decision.levels;
  const auto limit_w = [&](const LevelShare& part) { return InWatts(v.problem.gpu.levels[part.level].limit); };
  double share = 0;
  for (const LevelShare& part : levels) share += part.share;
  std::string text = fmt::format("{:g}", std::round(limit_w(levels.front())));
  if (levels.size() > 1) {
    text += fmt::format("{}{:g}", levels.size() == 2 ? "/" : "..", std::round(limit_w(levels.back())));
  }
  text += " W";
  const double minutes = share * static_cast<double>(v.problem.horizon.step.count()) / 60;
  const double whole = static_cast<double>(v.problem.horizon.step.count()) / 60;
  return std::round(minutes) < std::round(whole) ? fmt::format("{} for {:.0f} min", text, minutes) : text;
}

/// "what it bought at 0.25", "what PV gave", "what PV and grid gave".
std::string Stored(const StoreOrigin& origin) {
  const bool start = origin.Counts(origin.start_wh), pv = origin.Counts(origin.pv_wh),
             grid = origin.Counts(origin.grid_wh);
  if (grid && !pv && !start) {
    const std::string low = Price(origin.lowest_price), high = Price(origin.highest_price);
    return fmt::format("what it bought at {}", low == high ? low : low + "-" + high);
  }
  if (start && !pv && !grid) return "what it held at first";
  if (pv && !grid && !start) return "what PV gave";
  return pv && grid && !start ? "what PV and grid gave" : "what it holds";
}

bool OnlyLevelIs(const View& v, std::optional<size_t> level) {
  const auto& levels = v.slot().decision.levels;
  return level && levels.size() == 1 && levels.front().level == *level;
}

bool BatteryAlone(const View& v) { return v.now().battery_to_gpu_wh >= v.now().load_wh - kShown_wh; }

/// What one unit in the cells would save or earn in this slot, EUR/kWh, in terms of the objective.
double WorthHere(const View& v) {
  const SlotFacts& s = v.now();
  const double price = s.grid_to_gpu_wh > kShown_wh
                           ? InEurosPerKilowattHour(ObjectiveImportPrice(v.problem, static_cast<int>(v.t)))
                           : s.export_price;
  return v.problem.battery.discharge_efficiency * price - InEurosPerKilowattHour(v.problem.battery.wear_cost);
}

/// A worth in what is minimised.
std::string Worth(const View& v, double eur_per_kwh) {
  if (v.problem.objective == Objective::kCost) return Price(eur_per_kwh);
  return fmt::format("{:.0f} g CO2",
                     InGramsPerKilowattHour(CarbonOfObjective(EurosPerKilowattHour(eur_per_kwh))) + 0.0);
}

double StoredValue(const View& v) { return InEurosPerKilowattHour(*v.slot().stored_value); }

/// What a unit from the battery brings at the bus, EUR/kWh, where that is less than what is spared by not buying it:
/// nothing is bought here, because the work would rather wait. From the worth of what is stored, which a slot that
/// gives less than it could shares with its bus.
std::optional<double> WorkWorth(const View& v) {
  const Battery& battery = v.problem.battery;
  const PlanSlot& slot = v.slot();
  if (v.plan.formulation != Formulation::kBlend || v.problem.objective != Objective::kCost) return std::nullopt;
  if (!slot.stored_value || v.now().grid_to_gpu_wh > kShown_wh) return std::nullopt;
  const Energy most =
      battery.max_discharge ? *battery.max_discharge * v.problem.horizon.SlotDuration() : battery.capacity;
  if (battery.max_discharge && slot.decision.battery_discharge > most * (1 - 1e-6)) return std::nullopt;
  const double worth = (StoredValue(v) + InEurosPerKilowattHour(battery.wear_cost)) / battery.discharge_efficiency;
  return PrintsLess(worth, v.now().import_price) ? std::optional(worth) : std::nullopt;
}

// What the GPU does. The first rule that holds speaks; the last one for "off" and for "runs" always hold.
constexpr std::array<Rule, 13> kGpuRules = {{
    {"off, done", [](const View& v) { return !v.now().runs && v.now().done_before; },
     [](const View&) { return std::string("off: the job is done"); }},
    {"runs on, done", [](const View& v) { return v.now().runs && v.now().done_before; },
     [](const View& v) { return fmt::format("{} though done: the study never switches off", RunsAt(v)); }},
    {"off, dear",
     [](const View& v) {
       return !v.now().runs && v.facts.dearest_run && PrintsLess(*v.facts.dearest_run, v.now().import_price);
     },
     [](const View& v) {
       return fmt::format("off: {} EUR/kWh now, the work fits into cheaper slots", Price(v.now().import_price));
     }},
    {"off, sun later", [](const View& v) { return !v.now().runs && v.now().next_sun.has_value(); },
     [](const View& v) { return fmt::format("off: waits for the sun at {}", TimeOf(v, *v.now().next_sun)); }},
    {"off", [](const View& v) { return !v.now().runs; },
     [](const View&) { return std::string("off: the work fits into other slots"); }},
    {"PV alone", [](const View& v) { return v.now().pv_to_gpu_wh >= v.now().load_wh - kShown_wh; },
     [](const View& v) { return fmt::format("PV covers the GPU at {}", RunsAt(v)); }},
    {"battery alone", BatteryAlone, [](const View& v) { return fmt::format("battery carries {}", RunsAt(v)); }},
    {"PV and battery", [](const View& v) { return v.now().grid_to_gpu_wh <= kShown_wh; },
     [](const View& v) { return fmt::format("PV and battery carry {}", RunsAt(v)); }},
    {"lowest price",
     [](const View& v) {
       return !PrintsLess(v.facts.lowest_price, v.now().import_price) &&
              PrintsLess(v.facts.lowest_price, v.facts.highest_price);
     },
     [](const View& v) {
       return fmt::format("grid at its lowest price {}: runs at {}", Price(v.now().import_price), RunsAt(v));
     }},
    {"PV and grid", [](const View& v) { return v.now().pv_to_gpu_wh > kShown_wh; },
     [](const View& v) { return fmt::format("PV and grid at {} feed {}", Price(v.now().import_price), RunsAt(v)); }},
    {"thriftiest level", [](const View& v) { return OnlyLevelIs(v, v.facts.thriftiest_level); },
     [](const View& v) { return fmt::format("{}: least energy per work the deadline allows", RunsAt(v)); }},
    {"below the mean price", [](const View& v) { return PrintsLess(v.now().import_price, v.facts.mean_price); },
     [](const View& v) {
       return fmt::format("{}: grid at {}, below its mean {}", RunsAt(v), Price(v.now().import_price),
                          Price(v.facts.mean_price));
     }},
    {"from the grid", [](const View&) { return true; },
     [](const View& v) { return fmt::format("{} from the grid at {}", RunsAt(v), Price(v.now().import_price)); }},
}};

// What the battery and spare PV do. The first rule that holds speaks; there may be none.
constexpr std::array<Rule, 12> kStoreRules = {{
    {"sells what is stored", [](const View& v) { return v.now().battery_to_grid_wh > kShown_wh; },
     [](const View& v) {
       return fmt::format("battery sells at {} {}", Price(v.now().export_price), Stored(v.now().origin));
     }},
    {"feeds the idle draw", [](const View& v) { return !v.now().runs && v.now().battery_to_gpu_wh > kShown_wh; },
     [](const View& v) {
       const double hours = InHours(v.problem.horizon.SlotDuration());
       return fmt::format("idle {:.0f} W from the battery", v.now().battery_to_gpu_wh / hours);
     }},
    {"serves what is stored", [](const View& v) { return v.now().battery_to_gpu_wh > kShown_wh; },
     [](const View& v) {
       const std::string price = Price(v.now().import_price), stored = Stored(v.now().origin);
       // The rule for the GPU has named the battery already.
       if (const auto worth = WorkWorth(v)) {
         return BatteryAlone(v) ? fmt::format("{} does work worth {}", stored, Price(*worth))
                                : fmt::format("battery does work worth {} with {}", Price(*worth), stored);
       }
       return BatteryAlone(v) ? fmt::format("{} spares {}", stored, price)
                              : fmt::format("battery spares {} with {}", price, stored);
     }},
    {"buys for later",
     [](const View& v) { return v.now().grid_to_battery_wh > kShown_wh && v.now().next_discharge.has_value(); },
     [](const View& v) {
       return fmt::format("charges battery at {} for {}", Price(v.now().import_price),
                          TimeOf(v, *v.now().next_discharge));
     }},
    {"buys to keep", [](const View& v) { return v.now().grid_to_battery_wh > kShown_wh; },
     [](const View& v) { return fmt::format("charges battery at {} to keep", Price(v.now().import_price)); }},
    {"stores PV for later",
     [](const View& v) { return v.now().pv_to_battery_wh > kShown_wh && v.now().next_discharge.has_value(); },
     [](const View& v) { return fmt::format("PV charges the battery for {}", TimeOf(v, *v.now().next_discharge)); }},
    {"stores PV to keep", [](const View& v) { return v.now().pv_to_battery_wh > kShown_wh; },
     [](const View&) { return std::string("PV charges the battery"); }},
    {"sells PV", [](const View& v) { return v.now().pv_to_grid_wh > kShown_wh; },
     [](const View& v) { return fmt::format("spare PV sold at {}", Price(v.now().export_price)); }},
    {"curtails, no price", [](const View& v) { return v.now().curtailed_wh > kShown_wh && v.now().export_price <= 0; },
     [](const View& v) { return fmt::format("spare PV unused: a sale pays {}", Price(v.now().export_price)); }},
    {"curtails", [](const View& v) { return v.now().curtailed_wh > kShown_wh; },
     [](const View& v) { return fmt::format("{:.0f} Wh of PV unused", v.now().curtailed_wh); }},
    {"waits for its worth",
     [](const View& v) {
       return v.now().stored_wh > kShown_wh && v.slot().stored_value && PrintsLess(WorthHere(v), StoredValue(v));
     },
     [](const View& v) {
       return fmt::format("battery waits: worth {} stored, {} here", Worth(v, StoredValue(v)), Worth(v, WorthHere(v)));
     }},
    {"waits", [](const View& v) { return v.now().stored_wh > kShown_wh && v.now().next_discharge.has_value(); },
     [](const View& v) { return fmt::format("battery waits for {}", TimeOf(v, *v.now().next_discharge)); }},
}};

template <size_t N>
const Rule* FirstThatHolds(const std::array<Rule, N>& rules, const View& view) {
  const auto rule = std::find_if(rules.begin(), rules.end(), [&](const Rule& r) { return r.holds(view); });
  return rule == rules.end() ? nullptr : &*rule;
}

Reason ReasonFor(const View& view) {
  const Rule* gpu = FirstThatHolds(kGpuRules, view);  // the last one always holds
  const Rule* store = FirstThatHolds(kStoreRules, view);
  Reason reason{gpu->name, store == nullptr ? "" : store->name, gpu->sentence(view)};
  if (store == nullptr) return reason;
  const std::string second = store->sentence(view);
  const bool fits = reason.text.size() + 2 + second.size() <= kLongestReason;
  reason.text = fits ? fmt::format("{}; {}", reason.text, second) : second;
  return reason;
}

}  // namespace

std::vector<Reason> Reasons(const DispatchProblem& problem, const Plan& plan, const TimeZone& zone) {
  const PlanFacts facts = GatherFacts(problem, plan);
  std::vector<Reason> reasons;
  reasons.reserve(plan.slots.size());
  for (size_t t = 0; t < plan.slots.size(); ++t) reasons.push_back(ReasonFor({problem, plan, facts, zone, t}));
  return reasons;
}

void ExplainPlan(const DispatchProblem& problem, const TimeZone& zone, Plan& plan) {
  std::vector<Reason> reasons = Reasons(problem, plan, zone);
  for (size_t t = 0; t < reasons.size(); ++t) plan.slots[t].reason = std::move(reasons[t].text);
}

}  // namespace heliograd

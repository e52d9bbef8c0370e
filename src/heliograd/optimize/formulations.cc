#include "heliograd/optimize/formulations.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace heliograd {
namespace {

/// The least share of a slot that counts as run: below it lies the solver's tolerance.
constexpr double kLeastShare = 1e-9;

/// The part of the job that is one in the work row.
constexpr double kWorkUnit = 1e-3;

/// The problem in the model's units: kWh, EUR, h.
class Scaled {
 public:
  Scaled(const DispatchProblem& problem, Formulation formulation)
      : problem_(problem), formulation_(formulation), hours_(InHours(problem.horizon.SlotDuration())) {}

  bool paper() const { return formulation_ == Formulation::kPaper; }
  int slots() const { return problem_.horizon.slots; }
  double hours() const { return hours_; }
  double pv_kwh(int t) const { return InKilowattHours(problem_.pv[static_cast<size_t>(t)]); }
  double import_price(int t) const { return InEurosPerKilowattHour(ObjectiveImportPrice(problem_, t)); }
  double export_price(int t) const { return InEurosPerKilowattHour(problem_.export_price[static_cast<size_t>(t)]); }

  bool has_battery() const { return problem_.battery.capacity > Energy(); }
  double capacity_kwh() const { return InKilowattHours(problem_.battery.capacity); }
  double retention() const { return RetentionPerSlot(problem_); }
  double charge_efficiency() const { return problem_.battery.charge_efficiency; }
  double discharge_efficiency() const { return problem_.battery.discharge_efficiency; }
  /// An empty battery can be filled in one slot, its losses within the slot included.
  double most_charge_kwh() const {
    const double fill = paper() ? capacity_kwh() : capacity_kwh() / (charge_efficiency() * retention());
    return std::min(fill, LimitKwh(problem_.battery.max_charge));
  }
  double most_discharge_kwh() const { return std::min(capacity_kwh(), LimitKwh(problem_.battery.max_discharge)); }

  double idle_kwh() const { return InWatts(problem_.gpu.idle) * hours_ / 1000; }
  double draw_kwh(size_t level) const { return InWatts(problem_.gpu.DrawAt(level)) * hours_ / 1000; }
  double work_share(size_t level) const { return hours_ / InHours(problem_.gpu.levels[level].job_time); }
  double least_load_kwh() const { return paper() ? draw_kwh(0) : std::min(idle_kwh(), draw_kwh(0)); }
  double most_load_kwh() const { return std::max(idle_kwh(), draw_kwh(problem_.gpu.levels.size() - 1)); }

  double most_import_kwh() const {
    const double charge = has_battery() ? most_charge_kwh() : 0;
    return std::min(most_load_kwh() + charge, LimitKwh(problem_.grid.import_limit));
  }
  double most_export_kwh(int t) const {
    const double from_cells = has_battery() ? discharge_efficiency() * most_discharge_kwh() : 0;
    // In `paper` a slot may buy its load and sell everything else.
    const double own_use = paper() ? 0 : least_load_kwh();
    return std::clamp(pv_kwh(t) + from_cells - own_use, 0.0, LimitKwh(problem_.grid.export_limit));
  }
  bool export_limited() const { return problem_.grid.export_limit.has_value(); }

 private:
  double LimitKwh(const std::optional<Power>& limit) const {
    return limit ? InWatts(*limit) * hours_ / 1000 : kUnbounded;
  }

  const DispatchProblem& problem_;
  Formulation formulation_;
  double hours_;
};

class ModelBuilder {
 public:
  ModelBuilder(const DispatchProblem& problem, Formulation formulation)
      : problem_(problem), formulation_(formulation), scaled_(problem, formulation) {}

  DispatchModel Build() {
    ChooseLevels();
    FindBurningSlots();
    if (scaled_.has_battery()) AddFirstStored();
    for (int t = 0; t < scaled_.slots(); ++t) {
      AddColumns(t);
      AddBusRow(t);
      AddLevelRow(t);
      if (scaled_.has_battery()) AddCellRows(t);
      AddSaleRow(t);
      AddExclusivePairs(t);
    }
    AddWorkRow();
    return std::move(model_);
  }

 private:
  void ChooseLevels() {
    if (formulation_ == Formulation::kBlend) {
      model_.levels = ConcaveHull(problem_.gpu);
    } else {
      model_.levels.resize(problem_.gpu.levels.size());
      std::iota(model_.levels.begin(), model_.levels.end(), size_t{0});
    }
  }

  /// Where import is paid now or later, stored energy can be worth less than nothing and burning it pays.
  void FindBurningSlots() {
    burning_.assign(static_cast<size_t>(scaled_.slots()) + 1, false);
    for (int t = scaled_.slots() - 1; t >= 0; --t) {
      burning_[static_cast<size_t>(t)] = burning_[static_cast<size_t>(t) + 1] || scaled_.import_price(t) < 0;
    }
  }

  bool Burning(int t) const { return burning_[static_cast<size_t>(t)]; }
  SlotColumns& Slot(int t) { return model_.slots[static_cast<size_t>(t)]; }

  void AddFirstStored() {
    const double initial = InKilowattHours(problem_.battery.initial);
    next_stored_ = model_.linear.AddColumn(initial, initial, 0);
  }

  void AddColumns(int t) {
    LinearModel& linear = model_.linear;
    SlotColumns slot;
    slot.grid_import = linear.AddColumn(0, scaled_.most_import_kwh(), scaled_.import_price(t));
    // A sale at a negative price serves only to make room for energy that someone pays to give later.
    const bool sells = scaled_.export_price(t) >= 0 || Burning(t + 1);
    if (sells && scaled_.most_export_kwh(t) > 0) {
      slot.grid_export = linear.AddColumn(0, scaled_.most_export_kwh(t), -scaled_.export_price(t));
    }
    if (scaled_.has_battery()) {
      slot.stored = next_stored_;
      slot.charge = linear.AddColumn(0, scaled_.most_charge_kwh(), 0);
      slot.discharge =
          linear.AddColumn(0, scaled_.most_discharge_kwh(), InEurosPerKilowattHour(problem_.battery.wear_cost));
    }
    slot.first_level = linear.columns();
    for (size_t i = 0; i < model_.levels.size(); ++i) {
      linear.AddColumn(0, 1, 0, formulation_ != Formulation::kBlend);
    }
    model_.slots.push_back(slot);
  }

  /// pv_used, which has no column of its own, between zero and what PV offers.
  void AddBusRow(int t) {
    const SlotColumns& slot = Slot(t);
    const double idle = scaled_.paper() ? 0 : scaled_.idle_kwh();
    row_ = {{*slot.grid_import, -1}};
    if (slot.grid_export) row_.push_back({*slot.grid_export, 1});
    if (slot.charge) row_.push_back({*slot.charge, 1});
    if (slot.discharge) row_.push_back({*slot.discharge, -scaled_.discharge_efficiency()});
    AppendLevels(t, [&](size_t level) { return scaled_.draw_kwh(level) - idle; });
    const double pv = scaled_.pv_kwh(t);
    const double least_used = PvIsUsedUp(t) ? pv : 0;
    model_.linear.AddRow(least_used - idle, pv - idle, row_);
  }

  /// Equation (5) in `paper`; elsewhere a sale at a price of zero or more is never worse than curtailment.
  bool PvIsUsedUp(int t) {
    if (scaled_.paper()) return true;
    return Slot(t).grid_export && !scaled_.export_limited() && scaled_.export_price(t) >= 0 &&
           scaled_.import_price(t) >= 0;
  }

  template <typename Coefficient>
  void AppendLevels(int t, const Coefficient& coefficient) {
    for (size_t i = 0; i < model_.levels.size(); ++i) {
      row_.push_back({Slot(t).first_level + static_cast<int>(i), coefficient(model_.levels[i])});
    }
  }

  void AddLevelRow(int t) {
    row_.clear();
    AppendLevels(t, [](size_t) { return 1.0; });
    model_.linear.AddRow(scaled_.paper() ? 1 : -kUnbounded, 1, row_);
  }

  void AddCellRows(int t) {
    LinearModel& linear = model_.linear;
    const bool last = t + 1 == scaled_.slots();
    const double rho = scaled_.retention(), alpha = scaled_.charge_efficiency();
    next_stored_ = linear.AddColumn(last ? InKilowattHours(problem_.battery.final_min) : 0, scaled_.capacity_kwh(),
                                    last ? -InEurosPerKilowattHour(problem_.battery.terminal_value) : 0);
    const SlotColumns& slot = Slot(t);
    model_.stored_rows.push_back(linear.AddRow(
        0, 0, {{next_stored_, 1}, {*slot.stored, -rho}, {*slot.discharge, rho}, {*slot.charge, -rho * alpha}}));
    // Where charge excludes discharge, E' >= 0 says d <= E already.
    const double round_trip = alpha * scaled_.discharge_efficiency();
    if (scaled_.paper() || round_trip * scaled_.export_price(t) > scaled_.import_price(t)) {
      linear.AddRow(-kUnbounded, 0, {{*slot.discharge, 1}, {*slot.stored, -1}});
    }
    if (scaled_.paper()) linear.AddRow(-kUnbounded, scaled_.capacity_kwh(), {{*slot.charge, 1}, {*slot.stored, 1}});
  }

  /// Import is never sold on. Without this row a slot that sells for more than it buys would only be stopped by the
  /// limits.
  void AddSaleRow(int t) {
    const SlotColumns& slot = Slot(t);
    if (slot.grid_export && scaled_.export_price(t) >= scaled_.import_price(t)) {
      row_ = {{*slot.grid_export, 1}};
      if (slot.discharge) row_.push_back({*slot.discharge, -scaled_.discharge_efficiency()});
      model_.linear.AddRow(-kUnbounded, scaled_.pv_kwh(t), row_);
    }
    // Nor can the battery feed its own charger, which pays only where energy in excess has no buyer.
    const bool excess = Burning(t) || scaled_.export_price(t) <= 0 || scaled_.export_limited();
    if (scaled_.paper() && slot.charge && excess) {
      model_.linear.AddRow(-kUnbounded, scaled_.pv_kwh(t), {{*slot.charge, 1}, {*slot.grid_import, -1}});
    }
  }

  /// Elsewhere doing both at once costs money or nothing, and ReadDecisions takes it out.
  void AddExclusivePairs(int t) {
    if (scaled_.paper()) return;
    const SlotColumns& slot = Slot(t);
    if (slot.grid_export && scaled_.export_price(t) > scaled_.import_price(t)) {
      model_.linear.exclusive.push_back({*slot.grid_import, *slot.grid_export});
    }
    if (slot.charge && Burning(t)) model_.linear.exclusive.push_back({*slot.charge, *slot.discharge});
  }

  /// In thousandths of the job: an integer solver lets rows slip by 1e-6 of their unit.
  void AddWorkRow() {
    row_.clear();
    for (int t = 0; t < scaled_.slots(); ++t) {
      AppendLevels(t, [&](size_t level) { return scaled_.work_share(level) / kWorkUnit; });
    }
    model_.work_row = model_.linear.AddRow(problem_.work / kWorkUnit, kUnbounded, row_);
  }

  const DispatchProblem& problem_;
  Formulation formulation_;
  Scaled scaled_;
  DispatchModel model_;
  std::vector<bool> burning_;
  std::vector<LinearTerm> row_;  // of the row being written
  int next_stored_ = 0;          // column of E at the start of the next slot
};

double Value(const std::vector<double>& values, const std::optional<int>& column) {
  return column ? std::max(values[static_cast<size_t>(*column)], 0.0) : 0.0;
}

/// Reads one slot after another and keeps the cells exactly, so that no rounding adds up.
class DecisionReader {
 public:
  DecisionReader(const DispatchProblem& problem, Formulation formulation, const DispatchModel& model,
                 const std::vector<double>& values)
      : scaled_(problem, formulation),
        model_(model),
        values_(values),
        stored_(InKilowattHours(problem.battery.initial)) {}

  std::vector<SlotDecision> Read() {
    std::vector<SlotDecision> decisions;
    for (int t = 0; t < scaled_.slots(); ++t) decisions.push_back(ReadSlot(t));
    return decisions;
  }

 private:
  SlotDecision ReadSlot(int t) {
    const SlotColumns& slot = model_.slots[static_cast<size_t>(t)];
    SlotDecision decision;
    load_ = ReadLevels(slot, &decision.levels);
    import_ = Value(values_, slot.grid_import);
    export_ = Value(values_, slot.grid_export);
    charge_ = Value(values_, slot.charge);
    discharge_ = Value(values_, slot.discharge);
    if (!scaled_.paper()) Net();
    KeepCellsInRange();
    const double used = BalanceBus(t);
    stored_ = scaled_.retention() * (stored_ - discharge_ + scaled_.charge_efficiency() * charge_);
    decision.pv_used = KilowattHours(used);
    decision.grid_import = KilowattHours(import_);
    decision.grid_export = KilowattHours(export_);
    decision.battery_charge = KilowattHours(charge_);
    decision.battery_discharge = KilowattHours(discharge_);
    return decision;
  }

  /// Gives the load in kWh.
  double ReadLevels(const SlotColumns& slot, std::vector<LevelShare>* shares) const {
    double total = 0;
    for (size_t i = 0; i < model_.levels.size(); ++i) {
      const double share = values_[static_cast<size_t>(slot.first_level) + i];
      if (share <= kLeastShare) continue;
      shares->push_back({model_.levels[i], share});
      total += share;
    }
    double load = 0;
    for (LevelShare& part : *shares) {
      if (total > 1) part.share /= total;
      load += part.share * scaled_.draw_kwh(part.level);
    }
    return load + std::max(1 - total, 0.0) * (scaled_.paper() ? 0 : scaled_.idle_kwh());
  }

  /// One direction at the connection point, one at the battery: what the bus sees stays, the cells lose no more than
  /// before.
  void Net() {
    const double both_ways = std::min(import_, export_);
    import_ -= both_ways;
    export_ -= both_ways;
    const double drawn = charge_ - scaled_.discharge_efficiency() * discharge_;
    charge_ = std::max(drawn, 0.0);
    discharge_ = std::max(-drawn, 0.0) / scaled_.discharge_efficiency();
  }

  void KeepCellsInRange() {
    if (!scaled_.has_battery()) return;
    discharge_ = std::min(discharge_, stored_);
    const double alpha = scaled_.charge_efficiency();
    const double room = scaled_.paper() ? scaled_.capacity_kwh() - stored_
                                        : (scaled_.capacity_kwh() / scaled_.retention() - stored_ + discharge_) / alpha;
    charge_ = std::clamp(charge_, 0.0, std::max(room, 0.0));
  }

  /// Gives pv_used in kWh; where it would leave [0, pv], the connection point takes the difference.
  double BalanceBus(int t) {
    const double least = scaled_.paper() ? scaled_.pv_kwh(t) : 0, most = scaled_.pv_kwh(t);
    const double beta = scaled_.discharge_efficiency();
    double used = load_ + charge_ + export_ - import_ - beta * discharge_;
    if (used > most) {
      const double less_export = std::min(export_, used - most);
      export_ -= less_export;
      import_ += used - less_export - most;
      return most;
    }
    if (used < least) {
      const double less_import = std::min(import_, least - used);
      import_ -= less_import;
      const double less_discharge = scaled_.paper() ? 0 : std::min(discharge_, (least - used - less_import) / beta);
      discharge_ -= less_discharge;
      export_ += std::max(least - used - less_import - beta * less_discharge, 0.0);
      return least;
    }
    return used;
  }

  Scaled scaled_;
  const DispatchModel& model_;
  const std::vector<double>& values_;
  double stored_;
  double load_ = 0, import_ = 0, export_ = 0, charge_ = 0, discharge_ = 0;  // of the slot being read, kWh
};

}  // namespace

DispatchModel BuildDispatchModel(const DispatchProblem& problem, Formulation formulation) {
  return ModelBuilder(problem, formulation).Build();
}

std::vector<SlotDecision> ReadDecisions(const DispatchProblem& problem, Formulation formulation,
                                        const DispatchModel& model, const std::vector<double>& values) {
  return DecisionReader(problem, formulation, model, values).Read();
}

Money ReadWorkPrice(const DispatchModel& model, const std::vector<double>& row_duals) {
  return Euros(row_duals[static_cast<size_t>(model.work_row)] / kWorkUnit);
}

std::vector<EnergyPrice> ReadStoredValues(const DispatchModel& model, const std::vector<double>& column_duals,
                                          const std::vector<double>& row_duals) {
  std::vector<EnergyPrice> values;
  if (model.stored_rows.empty()) return values;
  values.push_back(EurosPerKilowattHour(-column_duals[static_cast<size_t>(*model.slots.front().stored)]));
  // One more unit at the start of slot t is one more on the right-hand side of the balance over slot t - 1.
  for (size_t t = 1; t < model.slots.size(); ++t) {
    values.push_back(EurosPerKilowattHour(-row_duals[static_cast<size_t>(model.stored_rows[t - 1])]));
  }
  return values;
}

}  // namespace heliograd

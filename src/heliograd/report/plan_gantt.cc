#include "heliograd/report/plan_gantt.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>

#include "heliograd/report/lane.h"
#include "heliograd/report/number_text.h"
#include "heliograd/report/text_table.h"
#include "heliograd/report/time_axis.h"

namespace heliograd {
namespace {

constexpr int kMostPriceLabels = 60;  // distinct prices beyond which labels would be noise
const Energy kVisible = WattHours(0.05);

/// What one column of the chart stands for: means and sums over its slots.
struct ColumnSums {
  Power gpu, pv, import, sale;
  Energy stored;                            // mean at the ends of the slots
  EnergyPrice price;                        // mean import price
  Energy from_pv, from_battery, from_grid;  // of what the GPU node took
  std::string level;                        // limit in words
};

/// The name of the level where a slot runs at one level all through; "mix" when levels share it.
std::string LevelLabel(const DispatchProblem& problem, const SlotDecision& decision) {
  if (decision.levels.empty()) return "off";
  const double share = decision.levels.front().share;
  if (decision.levels.size() > 1) return "mix";
  const std::string limit = fmt::format("{:.0f}", InWatts(problem.gpu.levels.at(decision.levels.front().level).limit));
  return share > 0.995 ? limit : limit + "*";
}

ColumnSums SumsOf(const DispatchProblem& problem, const Plan& plan, int first, int end) {
  ColumnSums sums;
  Energy gpu, pv, import, sale;
  for (int t = first; t < end; ++t) {
    const PlanSlot& slot = plan.slots[t];
    gpu += slot.load;
    pv += problem.pv[t];
    import += slot.decision.grid_import;
    sale += slot.decision.grid_export;
    sums.stored += slot.battery_end;
    sums.price += problem.import_price[t];
    sums.from_pv += slot.flows.pv_to_gpu;
    sums.from_battery += slot.flows.battery_to_gpu;
    sums.from_grid += slot.flows.grid_to_gpu;
    const std::string level = LevelLabel(problem, slot.decision);
    sums.level = t == first || level == sums.level ? level : "mix";
  }
  const double slots = end - first;
  const Duration time = problem.horizon.SlotDuration() * slots;
  sums.gpu = gpu / time;
  sums.pv = pv / time;
  sums.import = import / time;
  sums.sale = sale / time;
  sums.stored = sums.stored / slots;
  sums.price = sums.price / slots;
  return sums;
}

/// Height of each column as part of the largest.
template <typename Q>
std::vector<double> Heights(const std::vector<ColumnSums>& columns, Q ColumnSums::*field, Q full) {
  std::vector<double> heights;
  for (const ColumnSums& sums : columns) heights.push_back(full > Q() ? sums.*field / full : 0.0);
  return heights;
}

template <typename Q>
Q Largest(const std::vector<ColumnSums>& columns, Q ColumnSums::*field) {
  Q largest;
  for (const ColumnSums& sums : columns) largest = std::max(largest, sums.*field);
  return largest;
}

Power HighestDraw(const DispatchProblem& problem) {
  Power highest = problem.gpu.idle;
  for (size_t k = 0; k < problem.gpu.levels.size(); ++k) highest = std::max(highest, problem.gpu.DrawAt(k));
  return highest;
}

Ink GpuInk(double height) {
  static constexpr Ink kInks[] = {Ink::kGpu1, Ink::kGpu2, Ink::kGpu3, Ink::kGpu4, Ink::kGpu5};
  return kInks[std::clamp(static_cast<int>(height * 5), 0, 4)];
}

/// The source that gives the GPU most in a column: P, B, G, or a dot for none.
std::string MainSource(const ColumnSums& sums) {
  const Energy most = std::max({sums.from_pv, sums.from_battery, sums.from_grid});
  if (most < kVisible) return ".";
  if (most == sums.from_pv) return "P";
  return most == sums.from_battery ? "B" : "G";
}

class Gantt {
 public:
  Gantt(const DispatchProblem& problem, const Plan& plan, const TimeZone& zone, const TerminalStyle& style)
      : problem_(problem),
        style_(style),
        fit_(FitColumns(problem.horizon, std::max(kLeastWidth, style.width) - kGutter)) {
    for (int c = 0; c < fit_.columns; ++c) {
      columns_.push_back(SumsOf(problem, plan, fit_.FirstSlot(c), fit_.EndSlot(c, problem.horizon.slots)));
    }
    axis_ = MakeTimeAxis(problem.horizon, fit_, zone, style.utf8);
  }

  std::string Draw() const {
    std::string drawn = DrawGpu();
    drawn += DrawPower("PV", &ColumnSums::pv, Ink::kPv);
    drawn += DrawBattery();
    drawn += DrawPower("import", &ColumnSums::import, Ink::kImport);
    drawn += DrawPower("export", &ColumnSums::sale, Ink::kExport);
    drawn += DrawPrice();
    drawn += Gutter(style_, "", "└", "+") + Paint(style_, Ink::kDim, axis_.ticks) + '\n';
    drawn += Gutter(style_, "local time", " ", " ") + axis_.labels + '\n';
    drawn += Gutter(style_, "", " ", " ") + axis_.dates + '\n';
    return drawn;
  }

 private:
  std::string DrawGpu() const {
    const Power full = HighestDraw(problem_);
    Lane lane{"GPU", PowerText(full), Heights(columns_, &ColumnSums::gpu, full), {}, 3};
    for (double height : lane.height) lane.ink.push_back(GpuInk(height));
    std::vector<std::string> levels;
    std::vector<std::string> sources;
    for (const ColumnSums& sums : columns_) {
      levels.push_back(sums.level);
      sources.push_back(MainSource(sums));
    }
    return DrawLane(lane, fit_.cells_per_column, axis_.day_begins, style_) +
           DrawRunLabels("limit, W", levels, fit_.cells_per_column, Ink::kPlain, style_) + DrawSources(sources);
  }

  std::string DrawSources(const std::vector<std::string>& sources) const {
    std::string line = Gutter(style_, "fed by");
    for (const std::string& source : sources) {
      const Ink ink = source == "P"   ? Ink::kPv
                      : source == "B" ? Ink::kBattery
                      : source == "G" ? Ink::kImport
                                      : Ink::kDim;
      std::string cells;
      for (int i = 0; i < fit_.cells_per_column; ++i) cells += source;
      line += Paint(style_, ink, cells);
    }
    return line + '\n';
  }

  std::string DrawPower(const std::string& name, Power ColumnSums::*field, Ink ink) const {
    const Power full = Largest(columns_, field);
    if (full * ColumnDuration(problem_.horizon, fit_) < kVisible) return "";
    const Lane lane{name, PowerText(full), Heights(columns_, field, full), std::vector<Ink>(columns_.size(), ink), 2};
    return DrawLane(lane, fit_.cells_per_column, axis_.day_begins, style_);
  }

  std::string DrawBattery() const {
    const Energy full = problem_.battery.capacity;
    if (full < kVisible) return "";
    const Lane lane{"battery", EnergyText(full), Heights(columns_, &ColumnSums::stored, full),
                    std::vector<Ink>(columns_.size(), Ink::kBattery), 2};
    return DrawLane(lane, fit_.cells_per_column, axis_.day_begins, style_);
  }

  /// One line of blocks from the lowest price to the highest, and the prices themselves where they fit.
  std::string DrawPrice() const {
    EnergyPrice low = columns_.front().price;
    EnergyPrice high = low;
    for (const ColumnSums& sums : columns_) {
      low = std::min(low, sums.price);
      high = std::max(high, sums.price);
    }
    Lane lane{"price", "", {}, std::vector<Ink>(columns_.size(), Ink::kPrice), 1};
    std::vector<std::string> labels;
    for (const ColumnSums& sums : columns_) {
      const double above = high > low ? (sums.price - low) / (high - low) : 0.0;
      lane.height.push_back((1 + 7 * above) / 8);
      labels.push_back(fmt::format("{:.2f}", InEurosPerKilowattHour(sums.price)));
    }
    std::vector<std::string> distinct = labels;
    std::sort(distinct.begin(), distinct.end());
    const auto count = std::unique(distinct.begin(), distinct.end()) - distinct.begin();
    std::string drawn = DrawLane(lane, fit_.cells_per_column, axis_.day_begins, style_);
    if (count <= kMostPriceLabels)
      drawn += DrawRunLabels("EUR/kWh", labels, fit_.cells_per_column, Ink::kPrice, style_);
    return drawn;
  }

  const DispatchProblem& problem_;
  const TerminalStyle& style_;
  TimeColumns fit_;
  std::vector<ColumnSums> columns_;
  TimeAxis axis_;
};

}  // namespace

std::string DrawGantt(const DispatchProblem& problem, const Plan& plan, const TimeZone& zone,
                      const TerminalStyle& style) {
  return Gantt(problem, plan, zone, style).Draw();
}

std::string GanttLegend(const DispatchProblem& problem, const Plan& plan, const TerminalStyle& style) {
  const TimeColumns fit = FitColumns(problem.horizon, std::max(kLeastWidth, style.width) - kGutter);
  std::string legend =
      "Fed by: P PV, B battery, G grid (the largest part). The number below a lane's name is its full height.";
  const bool mixes = std::any_of(plan.slots.begin(), plan.slots.end(), [](const PlanSlot& slot) {
    return slot.decision.levels.size() > 1 ||
           (slot.decision.levels.size() == 1 && slot.decision.levels[0].share <= 0.995);
  });
  if (mixes) legend += " Limit: mix = several limits in turn, * = on for part of the time.";
  if (fit.slots_per_column > 1) {
    legend += fmt::format(" Each column is the mean of {}.", DurationText(ColumnDuration(problem.horizon, fit)));
  }
  return Paragraph(legend, style);
}

}  // namespace heliograd

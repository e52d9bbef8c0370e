#include "heliograd/report/plan_gantt.h"

#include <fmt/format.h>

#include <algorithm>

#include "heliograd/report/lane.h"
#include "heliograd/report/number_text.h"
#include "heliograd/report/plan_columns.h"
#include "heliograd/report/text_table.h"
#include "heliograd/report/time_axis.h"

namespace heliograd {
namespace {

constexpr int kMostPriceLabels = 60;  // distinct prices beyond which labels would be noise
/// Height of each column as part of the largest.
template <typename Q>
std::vector<double> Heights(const std::vector<PlanColumn>& columns, Q PlanColumn::*field, Q full) {
  std::vector<double> heights;
  for (const PlanColumn& column : columns) heights.push_back(full > Q() ? column.*field / full : 0.0);
  return heights;
}

template <typename Q>
Q Largest(const std::vector<PlanColumn>& columns, Q PlanColumn::*field) {
  Q largest;
  for (const PlanColumn& column : columns) largest = std::max(largest, column.*field);
  return largest;
}

Ink GpuInk(double height) {
  static constexpr Ink kInks[] = {Ink::kGpu1, Ink::kGpu2, Ink::kGpu3, Ink::kGpu4, Ink::kGpu5};
  return kInks[std::clamp(static_cast<int>(height * 5), 0, 4)];
}

/// The source that gives the GPU most in a column: P, B, G, or a dot for none.
std::string MainSource(const PlanColumn& column, Duration length) {
  const Power most = std::max({column.gpu_from_pv, column.gpu_from_battery, column.gpu_from_grid});
  if (most * length < kVisibleEnergy) return ".";
  if (most == column.gpu_from_pv) return "P";
  return most == column.gpu_from_battery ? "B" : "G";
}

class Gantt {
 public:
  Gantt(const DispatchProblem& problem, const Plan& plan, const TimeZone& zone, const TerminalStyle& style)
      : problem_(problem),
        style_(style),
        fit_(FitColumns(problem.horizon, std::max(kLeastWidth, style.width) - kGutter)) {
    columns_ = GatherColumns(problem, plan, fit_);
    axis_ = MakeTimeAxis(problem.horizon, fit_, zone, style.utf8);
  }

  std::string Draw() const {
    std::string drawn = DrawGpu();
    drawn += DrawPower("PV", &PlanColumn::pv, Ink::kPv);
    drawn += DrawBattery();
    drawn += DrawPower("import", &PlanColumn::grid_import, Ink::kImport);
    drawn += DrawPower("export", &PlanColumn::grid_export, Ink::kExport);
    drawn += DrawPrice();
    drawn += Gutter(style_, "", "└", "+") + Paint(style_, Ink::kDim, axis_.ticks) + '\n';
    drawn += Gutter(style_, "local time", " ", " ") + axis_.labels + '\n';
    drawn += Gutter(style_, "", " ", " ") + axis_.dates + '\n';
    return drawn;
  }

 private:
  std::string DrawGpu() const {
    const Power full = HighestDraw(problem_);
    Lane lane{"GPU", PowerText(full), Heights(columns_, &PlanColumn::gpu, full), {}, 3};
    for (double height : lane.height) lane.ink.push_back(GpuInk(height));
    std::vector<std::string> limits;
    std::vector<std::string> sources;
    for (const PlanColumn& column : columns_) {
      limits.push_back(column.limit);
      sources.push_back(MainSource(column, ColumnDuration(problem_.horizon, fit_)));
    }
    return DrawLane(lane, fit_.cells_per_column, axis_.day_begins, style_) +
           DrawRunLabels("limit, W", limits, fit_.cells_per_column, Ink::kPlain, style_) + DrawSources(sources);
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

  std::string DrawPower(const std::string& name, Power PlanColumn::*field, Ink ink) const {
    const Power full = Largest(columns_, field);
    if (full * ColumnDuration(problem_.horizon, fit_) < kVisibleEnergy) return "";
    const Lane lane{name, PowerText(full), Heights(columns_, field, full), std::vector<Ink>(columns_.size(), ink), 2};
    return DrawLane(lane, fit_.cells_per_column, axis_.day_begins, style_);
  }

  std::string DrawBattery() const {
    const Energy full = problem_.battery.capacity;
    if (full < kVisibleEnergy) return "";
    const Lane lane{"battery", EnergyText(full), Heights(columns_, &PlanColumn::stored, full),
                    std::vector<Ink>(columns_.size(), Ink::kBattery), 2};
    return DrawLane(lane, fit_.cells_per_column, axis_.day_begins, style_);
  }

  /// One line of blocks from the lowest price to the highest, and the prices themselves where they fit.
  std::string DrawPrice() const {
    EnergyPrice low = columns_.front().import_price;
    EnergyPrice high = low;
    for (const PlanColumn& column : columns_) {
      low = std::min(low, column.import_price);
      high = std::max(high, column.import_price);
    }
    Lane lane{"price", "", {}, std::vector<Ink>(columns_.size(), Ink::kPrice), 1};
    std::vector<std::string> labels;
    for (const PlanColumn& column : columns_) {
      const double above = high > low ? (column.import_price - low) / (high - low) : 0.0;
      lane.height.push_back((1 + 7 * above) / 8);
      labels.push_back(fmt::format("{:.2f}", InEurosPerKilowattHour(column.import_price)));
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
  std::vector<PlanColumn> columns_;
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

// The study's Figs 13 to 15 and Table VI: plans with PV, battery and grid.
#include <fmt/format.h>
#include <unistd.h>

#include <optional>

#include "heliograd/app/interrupt.h"
#include "heliograd/app/parallel.h"
#include "heliograd/app/reproduce.h"
#include "heliograd/model/power_curve.h"
#include "heliograd/plan/baselines.h"

namespace heliograd {
namespace {

/// A case to plan and where its plan belongs.
struct Case {
  std::vector<std::string> sets;
  size_t formulation = 0;
  PlannedJob* answer = nullptr;
};

void AddCase(std::vector<Case>& cases, const std::vector<std::string>& sets, ThreePlans& answers) {
  for (size_t f = 0; f < kFormulations.size(); ++f) cases.push_back({sets, f, &answers[f]});
}

Result<NodeInputs> InputsOf(const std::vector<std::string>& sets, InputCache& cache) {
  return Scenario::Load("builtin:paper", sets).and_then([&](const Scenario& scenario) {
    return ReadInputs(scenario, 60, cache);
  });
}

Result<PlannedJob> PlanCase(const Case& item, InputCache& cache, const DispatchSolver& solver) {
  const auto inputs = InputsOf(item.sets, cache);
  if (!inputs) return Fail(inputs.error());
  PlanningOptions options;
  options.formulation = kFormulations[item.formulation];
  options.explain = false;
  return PlanJob(*inputs, options, solver);
}

/// The study's baseline: 230 W for 14 h, bought hour by hour from `start` on.
Result<ConstantLoad> GridOnly(const std::string& start, InputCache& cache) {
  const auto inputs = InputsOf({"job.start=" + start}, cache);
  if (!inputs) return Fail(inputs.error());
  const auto problem = ProblemOver(*inputs, 14);
  if (!problem) return Fail(problem.error());
  ConstantLoad load;
  for (const EnergyPrice price : problem->import_price) {
    const Energy hour = Watts(230) * problem->horizon.SlotDuration();
    load.energy += hour;
    load.cost += hour * price;
  }
  return load;
}

StudyFigure CostFigure(const std::string& name, const std::string& over, const std::string& x_label,
                       const std::vector<double>& x, const std::vector<ThreePlans>& plans, const std::string& caption) {
  LineChart chart;
  chart.title = fmt::format("Cost of the job against {} (modelled)", over);
  chart.x_label = x_label, chart.y_label = "cost, EUR";
  chart.x = x;
  static constexpr std::array<const char*, 3> kNames = {"paper: the study's equations", "levels: may be off, one meter",
                                                        "blend: levels may mix"};
  for (size_t f = 0; f < kFormulations.size(); ++f) {
    LineSeries series{kNames[f], {}};
    for (const ThreePlans& three : plans) series.y.push_back(InEuros(three[f].plan.totals.cost));
    chart.series.push_back(std::move(series));
  }
  return {name, chart, caption};
}

std::vector<double> AsDoubles(const std::vector<int>& values) { return {values.begin(), values.end()}; }

std::string Wh(Energy energy) { return fmt::format("{:.1f}", InWattHours(energy)); }
std::string Eur(Money money) { return fmt::format("{:.4f}", InEuros(money)); }

}  // namespace

Result<OngridStudy> RunOngridStudy(InputCache& cache, bool on_terminal) {
  OngridStudy study;
  for (int hours = 14; hours <= 28; ++hours) study.hours.push_back(hours);
  for (int start = 0; start <= 20; start += 2) study.start_hours.push_back(start);
  study.by_hours.resize(study.hours.size());
  study.by_start.resize(study.start_hours.size());
  study.by_size.resize(kPanelSizes.size());

  std::vector<Case> cases;
  for (size_t i = 0; i < study.hours.size(); ++i) {
    AddCase(cases, {fmt::format("job.hours={}", study.hours[i])}, study.by_hours[i]);
  }
  for (size_t i = 0; i < study.start_hours.size(); ++i) {
    AddCase(cases, {fmt::format("job.start=2025-01-01 {:02}:00", study.start_hours[i])}, study.by_start[i]);
  }
  for (size_t i = 0; i < kPanelSizes.size(); ++i) {
    AddCase(cases, {fmt::format("pv.dc_capacity_w={}", kPanelSizes[i])}, study.by_size[i]);
  }
  AddCase(cases, {"pv.dc_capacity_w=0"}, study.without_pv);

  const auto solver = MakeAutoSolver();
  std::vector<std::optional<Error>> errors(cases.size());
  const auto plan = [&](size_t i) {
    auto job = PlanCase(cases[i], cache, *solver);
    if (job)
      *cases[i].answer = std::move(*job);
    else
      errors[i] = job.error();
  };
  ParallelFor(cases.size(), plan, [&](size_t done) {
    if (on_terminal) fmt::print(stderr, "\r{} of {} plans", done, cases.size());
  });
  if (on_terminal) fmt::print(stderr, "\r\033[K");
  if (Interrupted()) return Fail("interrupted: nothing of the on-grid figures is written.", ErrorKind::kInterrupted);
  for (const auto& error : errors) {
    if (error) return Fail(*error);
  }
  const auto at_20 = GridOnly("2025-01-01 20:00", cache), at_10 = GridOnly("2025-01-01 10:00", cache);
  if (!at_20) return Fail(at_20.error());
  if (!at_10) return Fail(at_10.error());
  study.grid_only_at_20 = *at_20, study.grid_only_at_10 = *at_10;
  return study;
}

std::vector<StudyFigure> OngridFigures(const OngridStudy& study) {
  return {
      CostFigure("fig13", "the time allowed", "time from 1 January 20:00 to the deadline, h", AsDoubles(study.hours),
                 study.by_hours,
                 "1000 W, start 1 January 20:00. The study finds its lowest cost, 0.72 EUR, at 19 h, and 0.7 to 0.9 "
                 "EUR beyond."),
      CostFigure("fig14", "the hour of the start", "hour of the start on 1 January", AsDoubles(study.start_hours),
                 study.by_start, "1000 W, 19 h. The study finds 08:00 dearest and 20:00 cheapest."),
      CostFigure("fig15", "panel size", "panel size, W DC", {kPanelSizes.begin(), kPanelSizes.end()}, study.by_size,
                 "Start 1 January 20:00, 19 h.")};
}

std::vector<StudyTable> DataTables() {
  StudyTable parameters{"table3", "Parameters of the model", {"symbol", "meaning", "value"}, {}, {}};
  parameters.rows = {
      {"alpha", "charge efficiency", "0.9"},         {"beta", "discharge efficiency", "0.9"},
      {"theta", "self-discharge per hour", "0.005"}, {"E_max", "battery capacity, Wh", "250"},
      {"E", "stored at the start, Wh", "0"},         {"-", "panel sizes, W DC", "100 to 1000 in steps of 100"}};
  parameters.note =
      "Which of Tables III and V holds the parameters and which the tariff is not certain: titled here by content.";
  StudyTable levels{
      "table4", "Power limit and time of the whole job", {"limit_w", "job_time_h", "energy_wh", "note"}, {}, {}};
  std::vector<Level> all;
  for (const PowerCurvePoint& point : StudyPowerCurve()) all.push_back({point.limit, point.draw, point.job_time});
  const PrunedLevels pruned = DropDominated(all);
  for (const Level& level : all) {
    std::string note;
    if (level.limit == Watts(260)) note = "printed as 23.75, a misprint: read as 13.75";
    for (const DominatedLevel& dominated : pruned.dominated) {
      if (dominated.level.limit == level.limit) {
        note = fmt::format("dominated: {:g} W draws less and is no slower", InWatts(dominated.by.limit));
      }
    }
    levels.rows.push_back({fmt::format("{:g}", InWatts(level.limit)), fmt::format("{:.2f}", InHours(level.job_time)),
                           Wh(level.draw * level.job_time), note});
  }
  StudyTable tariff{"table5", "Tariff, every day alike", {"band", "hours", "price_eur_per_kwh"}, {}, {}};
  tariff.rows = {{"F1", "08-20", "0.45"}, {"F2", "20-23", "0.35"}, {"F3", "23-08", "0.25"}, {"sale", "00-24", "0.30"}};
  return {parameters, levels, tariff};
}

StudyTable TableSix(const OngridStudy& study) {
  StudyTable table{"table6",
                   "1000 W, start 20:00, 19 h: grid alone against the proposal",
                   {"plan", "source", "grid_import_wh", "cost_eur"},
                   {},
                   {}};
  table.rows = {{"grid only", "study", "3220", "1.33"},
                {"proposal", "study, Table VI", "2304.37", "0.72"},
                {"proposal", "study, text", "2431.71", "0.72"}};
  table.rows.push_back({"230 W for 14 h from 10:00, grid only", "ours", Wh(study.grid_only_at_10.energy),
                        Eur(study.grid_only_at_10.cost)});
  table.rows.push_back({"230 W for 14 h from 20:00, grid only", "ours", Wh(study.grid_only_at_20.energy),
                        Eur(study.grid_only_at_20.cost)});
  const ThreePlans& plans = study.by_size.back();
  for (const Baseline& baseline : MakeBaselines(plans[2].problem, Formulation::kBlend)) {
    if (!baseline.totals) continue;
    table.rows.push_back({fmt::format("{} ({:g} W)", baseline.name, InWatts(*baseline.limit)), "ours, start 20:00",
                          Wh(baseline.totals->grid_import), Eur(baseline.totals->cost)});
  }
  for (size_t f = 0; f < kFormulations.size(); ++f) {
    const Totals& totals = plans[f].plan.totals;
    table.rows.push_back(
        {fmt::format("plan, {}", FormulationName(kFormulations[f])), "ours", Wh(totals.grid_import), Eur(totals.cost)});
  }
  for (size_t f = 0; f < kFormulations.size(); ++f) {
    const Totals& totals = study.without_pv[f].plan.totals;
    table.rows.push_back({fmt::format("plan, {}, without PV", FormulationName(kFormulations[f])), "ours",
                          Wh(totals.grid_import), Eur(totals.cost)});
  }
  const Totals& no_pv = study.without_pv.front().plan.totals;
  table.note = fmt::format(
      "Without any PV the study's equations give {} Wh and {} EUR, close to its 2304.37 Wh and 0.72 EUR: on its two "
      "days the "
      "panel can hardly have produced, while 2 January of our typical year is bright.",
      Wh(no_pv.grid_import), Eur(no_pv.cost));
  return table;
}

}  // namespace heliograd

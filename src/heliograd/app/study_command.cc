// `heliograd study`: one plan (or off-grid run) per point of a grid of scenario values.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <filesystem>
#include <functional>
#include <limits>
#include <memory>
#include <nlohmann/json.hpp>

#include "heliograd/app/command_line.h"
#include "heliograd/app/interrupt.h"
#include "heliograd/app/output_check.h"
#include "heliograd/app/parallel.h"
#include "heliograd/app/study_rows.h"
#include "heliograd/app/vary.h"
#include "heliograd/base/file.h"
#include "heliograd/optimize/offgrid.h"
#include "heliograd/plan/objective.h"

namespace heliograd {
namespace {

constexpr int kExitInterrupted = 130;

struct StudyFlags {
  ScenarioFlags scenario;
  std::vector<std::string> vary;
  std::string mode;  // off-grid mode, empty = plan
  std::string output;
  bool json = false;
  bool resume = false;
};

/// What all points share.
struct Study {
  Scenario scenario;
  std::vector<Variation> variations;
  std::string mode;
  int slot_minutes = 60;
  PlanningOptions options;
  std::string definition;  // tells studies apart when one is resumed
};

/// Numbers without the rounding of a zero: sums over a year of slots lose less than a billionth of a Wh or EUR.
double Plain(double number) {
  constexpr double kRounding = 1e-9;
  return std::abs(number) < kRounding ? 0.0 : number;
}

StudyRow PlanRow(const PlannedJob& job, SolverNames& solvers) {
  const Plan& plan = job.plan;
  StudyRow row;
  row.solver = solvers.Of(plan.solver);
  row.status = plan.status == PlanStatus::kOptimal    ? RowStatus::kOptimal
               : plan.status == PlanStatus::kFeasible ? RowStatus::kFeasible
                                                      : RowStatus::kInfeasible;
  if (plan.status == PlanStatus::kInfeasible) {
    row.message = std::make_unique<const std::string>(plan.infeasible_reason);
    return row;
  }
  constexpr double kNone = std::numeric_limits<double>::quiet_NaN();
  const bool carbon = job.problem.objective == Objective::kCarbon;
  row.numbers = {InEuros(plan.totals.cost),
                 carbon ? kNone : InEuros(plan.bound),
                 InWattHours(plan.totals.grid_import),
                 InWattHours(plan.totals.grid_export),
                 InWattHours(plan.totals.pv_available),
                 InWattHours(plan.totals.load),
                 InKilograms(plan.totals.carbon),
                 carbon ? InKilograms(CarbonOfObjective(plan.bound)) : kNone};
  for (double& number : row.numbers) number = Plain(number);
  return row;
}

StudyRow OffgridRow(const OffgridResult& result) {
  StudyRow row;
  row.status = result.finished ? RowStatus::kFinished : RowStatus::kNotFinished;
  const std::array numbers = {InHours(result.running_time), InWatts(result.mean_gpu_power), InWattHours(result.pv_used),
                              InWattHours(result.pv_lost)};
  if (result.finished) row.numbers[0] = InHours(result.time_to_finish);
  std::copy(numbers.begin(), numbers.end(), row.numbers.begin() + 1);
  return row;
}

Result<StudyRow> SolvePoint(const Study& study, size_t point, InputCache& cache, const DispatchSolver& solver,
                            SolverNames& solvers) {
  Scenario scenario = study.scenario;
  for (const std::string& assignment : AssignmentsAt(study.variations, point)) {
    if (auto done = scenario.Set(assignment, "--vary"); !done) return Fail(done.error());
  }
  if (!study.mode.empty()) {
    const auto inputs = ReadOffgridInputs(scenario, study.slot_minutes, cache);
    if (!inputs) return Fail(inputs.error());
    const OffgridMode mode = study.mode == "minimum" ? OffgridMode::kMinimum : OffgridMode::kDynamic;
    return OffgridRow(
        SimulateOffgrid(inputs->pv, inputs->slot, inputs->first_slot, inputs->levels, mode, inputs->work));
  }
  const auto inputs = ReadInputs(scenario, study.slot_minutes, cache);
  if (!inputs) return Fail(inputs.error());
  return PlanJob(*inputs, study.options, solver).map([&](const PlannedJob& job) { return PlanRow(job, solvers); });
}

/// The result or the error.
StudyRow RowOf(const Study& study, size_t point, InputCache& cache, const DispatchSolver& solver,
               SolverNames& solvers) {
  auto row = SolvePoint(study, point, cache, solver, solvers);
  if (row) return *std::move(row);
  StudyRow error;
  error.status = RowStatus::kError;
  error.message = std::make_unique<const std::string>(row.error().Message());
  return error;
}

std::string JsonHead(const Study& study) {
  nlohmann::json keys = nlohmann::json::array();
  for (const Variation& variation : study.variations) keys.push_back(variation.key);
  const nlohmann::json source = study.scenario.source();
  return fmt::format("{{\n  \"scenario\": {},\n  \"vary\": {},\n  \"points\": [",
                     source.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace), keys.dump());
}

/// Gives the text of all finished points to `write`, a few megabytes at a time.
Result<void> WriteRows(const Study& study, const RowWriter& writer, const std::vector<StudyRow>& rows, bool json,
                       const std::function<Result<void>(std::string_view)>& write) {
  constexpr size_t kChunk = size_t{1} << 20;
  std::string text = json ? JsonHead(study) : writer.CsvHead();
  bool first = true;
  for (size_t point = 0; point < rows.size(); ++point) {
    if (rows[point].status == RowStatus::kMissing) continue;
    if (json) {
      text += first ? "\n    " : ",\n    ";
      writer.AppendJson(point, rows[point], text);
    } else {
      writer.AppendCsv(point, rows[point], text);
    }
    first = false;
    if (text.size() < kChunk) continue;
    if (auto done = write(text); !done) return done;
    text.clear();
  }
  if (json) text += first ? "]\n}\n" : "\n  ]\n}\n";
  return write(text);
}

bool Varies(const std::vector<Variation>& variations, const std::string& key) {
  return std::ranges::any_of(variations, [&key](const Variation& variation) { return variation.key == key; });
}

Result<Study> MakeStudy(const StudyFlags& flags) {
  auto scenario = flags.scenario.Load();
  if (!scenario) return Fail(scenario.error());
  Study study{std::move(*scenario), {}, flags.mode, flags.scenario.slot_minutes, flags.scenario.Options(), {}};
  study.options.explain = false;
  std::vector<std::string> problems;
  for (const std::string& text : flags.vary) {
    auto variation = ParseVariation(text);
    if (!variation) {
      problems.push_back(variation.error().Message());
    } else if (Varies(study.variations, variation->key)) {
      problems.push_back(
          fmt::format("--vary {}: is given twice: put all of its values into one --vary.", variation->key));
    } else {
      study.variations.push_back(std::move(*variation));
    }
  }
  if (!problems.empty()) return Fail(std::move(problems), ErrorKind::kUsage);
  double points = 1;
  for (const Variation& variation : study.variations) points *= static_cast<double>(variation.values.size());
  if (points > static_cast<double>(kMostPoints)) {
    return Fail(fmt::format("--vary: {:.0f} points: expected at most {}.", points, kMostPoints), ErrorKind::kUsage);
  }
  study.definition = fmt::format("{} {} {} {} {} {} {}", flags.scenario.source, fmt::join(flags.scenario.sets, " "),
                                 fmt::join(flags.vary, " "), flags.mode, flags.scenario.formulation,
                                 flags.scenario.slot_minutes, flags.scenario.tolerance_eur) +
                     fmt::format(" {} {} {} {} {}", flags.scenario.start, flags.scenario.deadline, flags.scenario.hours,
                                 flags.scenario.pv_series, flags.scenario.solver);
  return study;
}

/// Solves every point that is missing, on all cores.
void SolveRows(const Study& study, const DispatchSolver& solver, SolverNames& solvers, StudyJournal* journal,
               std::vector<StudyRow>& rows) {
  InputCache cache;
  const auto solve = [&](size_t point) {
    if (rows[point].status != RowStatus::kMissing) return;
    rows[point] = RowOf(study, point, cache, solver, solvers);
    if (journal) journal->Add(point, rows[point]);
  };
  const bool on_terminal = isatty(STDERR_FILENO) != 0;
  ParallelFor(rows.size(), solve, [&](size_t done) {
    if (on_terminal) fmt::print(stderr, "\r{} of {} points", done, rows.size());
  });
  if (on_terminal) fmt::print(stderr, "\r\033[K");
}

Result<int> RunStudy(const StudyFlags& flags) {
  if (flags.resume && flags.output.empty()) {
    return Fail("--resume needs -o FILE: the finished points lie beside that file.", ErrorKind::kUsage);
  }
  const auto study = MakeStudy(flags);
  if (!study) return Fail(study.error());
  const RowWriter writer(study->variations, !study->mode.empty());
  const std::string head = flags.json ? JsonHead(*study) : writer.CsvHead();
  if (auto sound = CheckOutput(flags.output, head, "earlier result of this study"); !sound) return Fail(sound.error());
  SolverNames solvers;
  std::vector<StudyRow> rows(PointsIn(study->variations));
  const std::string journal_path = flags.output + ".partial";
  std::unique_ptr<StudyJournal> journal;
  if (!flags.output.empty()) {
    auto opened = StudyJournal::Open(journal_path, study->definition, flags.resume, writer, solvers, rows);
    if (!opened) return Fail(opened.error());
    journal = std::move(*opened);
  }
  CatchInterrupts();
  SolveRows(*study, *flags.scenario.Solver(), solvers, journal.get(), rows);
  if (journal && !journal->Flush())
    PrintMessage(journal_path + ": cannot be written; points finished since are not kept in it.");

  const auto finished = static_cast<size_t>(
      std::count_if(rows.begin(), rows.end(), [](const StudyRow& row) { return row.status != RowStatus::kMissing; }));
  if (flags.output.empty()) {
    if (auto done = WriteRows(*study, writer, rows, flags.json, Print); !done) return Fail(done.error());
  }
  if (finished < rows.size()) {
    PrintMessage(
        fmt::format("interrupted: {} of {} points are finished{}", finished, rows.size(),
                    flags.output.empty() ? "" : fmt::format(" and kept in {}. Go on with --resume", journal_path)));
    return kExitInterrupted;
  }
  if (!flags.output.empty()) {
    std::string text;
    const auto gather = [&text](std::string_view part) { return text += part, Result<void>(); };
    if (auto done = WriteRows(*study, writer, rows, flags.json, gather); !done) return Fail(done.error());
    if (auto done = WriteFile(flags.output, text); !done) return Fail(done.error());
    journal.reset();
    std::error_code code;
    if (!std::filesystem::remove(journal_path, code))
      PrintMessage(journal_path + ": is no longer needed but cannot be removed.");
    PrintMessage(fmt::format("{} points written to {}", finished, flags.output));
  }
  const auto is_error = [](const StudyRow& row) { return row.status == RowStatus::kError; };
  const auto failed = std::count_if(rows.begin(), rows.end(), is_error);
  if (failed == 0) return kExitOk;
  return Fail(fmt::format("{} of {} points failed; the first: {}", failed, rows.size(),
                          *std::find_if(rows.begin(), rows.end(), is_error)->message));
}

}  // namespace

void AddStudyCommand(CLI::App& program, Commands& commands) {
  CLI::App* app = AddCommand(
      program, "study", "Plans every point of a grid of scenario values, on all cores",
      {"heliograd study builtin:paper --vary pv.dc_capacity_w=100:1000:100",
       "heliograd study builtin:paper --vary job.hours=14:28:1 --vary battery.capacity_wh=0,250,2500 -o grid.csv",
       "heliograd study builtin:paper --vary \"job.start=2025-01-01 00:00:2025-12-01 00:00:1d\" --mode dynamic",
       "heliograd study ... -o grid.csv --resume      (goes on after Ctrl-C)"});
  auto flags = std::make_shared<StudyFlags>();
  flags->scenario.AddTo(*app);
  app->add_option("--vary", flags->vary, "KEY=a:b:step or KEY=v1,v2,...; several make a grid")
      ->required()
      ->allow_extra_args(false);
  app->add_option("--mode", flags->mode, "off-grid runs instead of plans: minimum | dynamic")
      ->check(CLI::IsMember({"minimum", "dynamic"}));
  app->add_option("-o,--output", flags->output, "file to write; standard output when left out");
  app->add_flag("--json", flags->json, "JSON instead of CSV");
  app->add_flag("--resume", flags->resume, "takes over the points that an interrupted run finished");
  commands.push_back({app, [flags] { return RunStudy(*flags); }});
}

}  // namespace heliograd

// `heliograd study`: one plan (or off-grid run) per point of a grid of scenario values.
#include <fmt/format.h>
#include <unistd.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <memory>
#include <mutex>
#include <nlohmann/json.hpp>

#include "heliograd/app/command_line.h"
#include "heliograd/app/interrupt.h"
#include "heliograd/app/parallel.h"
#include "heliograd/app/vary.h"
#include "heliograd/base/file.h"
#include "heliograd/base/text.h"
#include "heliograd/optimize/offgrid.h"
#include "heliograd/report/study_figure.h"

namespace heliograd {
namespace {

using Json = nlohmann::ordered_json;

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

Json PlanRow(const PlannedJob& job) {
  static constexpr const char* kNames[] = {"optimal", "feasible", "infeasible"};
  const Plan& plan = job.plan;
  Json row = {{"status", kNames[static_cast<int>(plan.status)]}, {"solver", plan.solver}};
  if (plan.status == PlanStatus::kInfeasible) {
    row["message"] = plan.infeasible_reason;
    return row;
  }
  row["cost_eur"] = InEuros(plan.totals.cost);
  row["bound_eur"] = InEuros(plan.bound);
  row["grid_import_wh"] = InWattHours(plan.totals.grid_import);
  row["grid_export_wh"] = InWattHours(plan.totals.grid_export);
  row["pv_wh"] = InWattHours(plan.totals.pv_available);
  row["gpu_energy_wh"] = InWattHours(plan.totals.load);
  row["carbon_kg"] = InKilograms(plan.totals.carbon);
  return row;
}

/// Numbers without the rounding of a zero: sums over a year of slots lose less than a billionth of a Wh or EUR.
Json Plain(Json row) {
  constexpr double kRounding = 1e-9;
  for (Json& value : row) {
    if (value.is_number_float() && std::abs(value.get<double>()) < kRounding) value = 0.0;
  }
  return row;
}

Json OffgridRow(const OffgridResult& result) {
  Json row = {{"status", result.finished ? "finished" : "not finished"}};
  row["finished"] = result.finished;
  if (result.finished) row["hours_to_finish"] = InHours(result.time_to_finish);
  row["running_hours"] = InHours(result.running_time);
  row["mean_gpu_power_w"] = InWatts(result.mean_gpu_power);
  row["pv_used_wh"] = InWattHours(result.pv_used);
  row["pv_lost_wh"] = InWattHours(result.pv_lost);
  return row;
}

std::vector<std::string> ResultColumns(bool off_grid) {
  if (off_grid)
    return {"status",           "finished",   "hours_to_finish", "running_hours",
            "mean_gpu_power_w", "pv_used_wh", "pv_lost_wh",      "message"};
  return {"status", "cost_eur",      "bound_eur", "grid_import_wh", "grid_export_wh",
          "pv_wh",  "gpu_energy_wh", "carbon_kg", "message",        "solver"};
}

Result<Json> SolvePoint(const Study& study, size_t point, InputCache& cache, const DispatchSolver& solver) {
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
  return PlanJob(*inputs, study.options, solver).map(PlanRow).map(Plain);
}

/// A number where the text is one (a whole one without ".0"), else the text.
Json TypedValue(const std::string& text) {
  if (const auto whole = ParseInteger(text)) return *whole;
  const auto number = ParseNumber(text);
  return number ? Json(*number) : Json(text);
}

/// The varied values, then the result or the error.
Json RowOf(const Study& study, size_t point, InputCache& cache, const DispatchSolver& solver) {
  Json row;
  for (const std::string& assignment : AssignmentsAt(study.variations, point)) {
    const size_t equals = assignment.find('=');
    const std::string value = assignment.substr(equals + 1);
    row[assignment.substr(0, equals)] = TypedValue(value);
  }
  const auto result = SolvePoint(study, point, cache, solver);
  if (result)
    row.update(*result);
  else
    row.update(Json{{"status", "error"}, {"message", result.error().Message()}});
  return row;
}

/// Finished points on disk while a study runs, so that Ctrl-C or a crash loses none of them.
class Journal {
 public:
  /// Takes over the rows of an earlier run of the same study when `resume`.
  static Result<std::unique_ptr<Journal>> Open(const std::string& path, const std::string& definition, bool resume,
                                               std::vector<Json>& rows) {
    auto journal = std::unique_ptr<Journal>(new Journal);
    if (!resume && std::filesystem::exists(path)) {
      return Fail(fmt::format(
          "{}: holds the finished points of an interrupted study: go on with --resume, or remove it.", path));
    }
    if (resume) {
      if (auto taken = TakeOver(path, definition, rows); !taken) return Fail(taken.error());
    }
    // Written anew: a line cut short by a crash must not run into the next one.
    std::string kept = Json{{"study", definition}}.dump() + "\n";
    for (size_t point = 0; point < rows.size(); ++point) {
      if (!rows[point].is_null()) kept += Json{{"point", point}, {"row", rows[point]}}.dump() + "\n";
    }
    if (auto done = WriteFile(path, kept); !done) return Fail(done.error());
    journal->file_.open(path, std::ios::app);
    if (!journal->file_) return Fail(fmt::format("{}: cannot be written.", path));
    return journal;
  }
  void Add(size_t point, const Json& row) {
    const std::lock_guard lock(mutex_);
    file_ << Json{{"point", point}, {"row", row}}.dump() << '\n' << std::flush;
  }
  /// False once a point could not be written (disk full): it is in memory only.
  bool sound() const { return file_.good(); }

 private:
  static Result<void> TakeOver(const std::string& path, const std::string& definition, std::vector<Json>& rows) {
    std::ifstream old(path);
    std::string line;
    if (old && std::getline(old, line) && Json::parse(line, nullptr, false) != Json{{"study", definition}}) {
      return Fail(fmt::format("{}: belongs to another study: remove it, or write to another file.", path));
    }
    for (size_t number = 2; std::getline(old, line); ++number) {
      const Json entry = Json::parse(line, nullptr, false);
      if (entry.is_discarded()) continue;  // a line cut short by a crash
      const bool sound = entry.is_object() && entry.contains("point") && entry["point"].is_number_unsigned() &&
                         entry["point"] < rows.size() && entry.contains("row") && entry["row"].is_object() &&
                         entry["row"].contains("status");
      if (!sound) {
        return Fail(
            fmt::format("{}:{}: is no finished point of this study: remove the line, or the file.", path, number));
      }
      rows[entry["point"].get<size_t>()] = entry["row"];
    }
    return {};
  }

  std::mutex mutex_;
  std::ofstream file_;
};

std::string CsvField(const Json& value) {
  if (value.is_null()) return "";
  return value.is_string() ? CsvCell(value.get<std::string>()) : value.dump();
}

std::string AsCsv(const Study& study, const std::vector<Json>& rows) {
  std::vector<std::string> columns;
  for (const Variation& variation : study.variations) columns.push_back(variation.key);
  for (const std::string& column : ResultColumns(!study.mode.empty())) columns.push_back(column);
  std::string text = fmt::format("{}\n", fmt::join(columns, ","));
  for (const Json& row : rows) {
    if (row.is_null()) continue;
    std::vector<std::string> fields;
    for (const std::string& column : columns) fields.push_back(row.contains(column) ? CsvField(row[column]) : "");
    text += fmt::format("{}\n", fmt::join(fields, ","));
  }
  return text;
}

std::string AsJson(const Study& study, const std::vector<Json>& rows) {
  Json json = {{"scenario", study.scenario.source()}, {"vary", Json::array()}, {"points", Json::array()}};
  for (const Variation& variation : study.variations) json["vary"].push_back(variation.key);
  for (const Json& row : rows) {
    if (!row.is_null()) json["points"].push_back(row);
  }
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

Result<Study> MakeStudy(const StudyFlags& flags) {
  auto scenario = flags.scenario.Load();
  if (!scenario) return Fail(scenario.error());
  Study study{std::move(*scenario), {}, flags.mode, flags.scenario.slot_minutes, flags.scenario.Options(), {}};
  study.options.explain = false;
  std::vector<std::string> problems;
  for (const std::string& text : flags.vary) {
    if (auto variation = ParseVariation(text))
      study.variations.push_back(std::move(*variation));
    else
      problems.push_back(variation.error().Message());
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

Result<int> RunStudy(const StudyFlags& flags) {
  if (flags.resume && flags.output.empty()) {
    return Fail("--resume needs -o FILE: the finished points lie beside that file.", ErrorKind::kUsage);
  }
  const auto study = MakeStudy(flags);
  if (!study) return Fail(study.error());
  std::vector<Json> rows(PointsIn(study->variations));
  const std::string journal_path = flags.output + ".partial";
  std::unique_ptr<Journal> journal;
  if (!flags.output.empty()) {
    auto opened = Journal::Open(journal_path, study->definition, flags.resume, rows);
    if (!opened) return Fail(opened.error());
    journal = std::move(*opened);
  }
  CatchInterrupts();
  InputCache cache;
  const auto solver = flags.scenario.Solver();
  const auto solve = [&](size_t point) {
    if (!rows[point].is_null()) return;
    rows[point] = RowOf(*study, point, cache, *solver);
    if (journal) journal->Add(point, rows[point]);
  };
  const bool on_terminal = isatty(STDERR_FILENO) != 0;
  ParallelFor(rows.size(), solve, [&](size_t done) {
    if (on_terminal) fmt::print(stderr, "\r{} of {} points", done, rows.size());
  });
  if (on_terminal) fmt::print(stderr, "\r\033[K");

  const auto finished =
      static_cast<size_t>(std::count_if(rows.begin(), rows.end(), [](const Json& row) { return !row.is_null(); }));
  const std::string text = flags.json ? AsJson(*study, rows) : AsCsv(*study, rows);
  if (journal && !journal->sound())
    PrintMessage(journal_path + ": cannot be written; points finished since are not kept in it.");
  if (flags.output.empty() || finished < rows.size()) {
    if (flags.output.empty()) {
      if (auto done = Print(text); !done) return Fail(done.error());
    }
    if (finished < rows.size()) {
      PrintMessage(
          fmt::format("interrupted: {} of {} points are finished{}", finished, rows.size(),
                      flags.output.empty() ? "" : fmt::format(" and kept in {}. Go on with --resume", journal_path)));
      return kExitInterrupted;
    }
  } else {
    if (auto done = WriteFile(flags.output, text); !done) return Fail(done.error());
    journal.reset();
    std::error_code code;
    if (!std::filesystem::remove(journal_path, code))
      PrintMessage(journal_path + ": is no longer needed but cannot be removed.");
    PrintMessage(fmt::format("{} points written to {}", finished, flags.output));
  }
  const auto failed = std::count_if(rows.begin(), rows.end(), [](const Json& row) { return row["status"] == "error"; });
  if (failed > 0) {
    const auto first = std::find_if(rows.begin(), rows.end(), [](const Json& row) { return row["status"] == "error"; });
    return Fail(fmt::format("{} of {} points failed; the first: {}", failed, rows.size(),
                            (*first)["message"].get<std::string>()));
  }
  return kExitOk;
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

// What the commands share on the command line: the flags of a scenario, the exit codes, and how a command is
// registered.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "heliograd/app/inputs.h"
#include "heliograd/app/planning.h"
#include "heliograd/app/scenario.h"
#include "heliograd/base/result.h"

namespace heliograd {

inline constexpr int kExitOk = 0;
inline constexpr int kExitInfeasible = 3;

/// Runs after the command line is parsed; gives the exit code.
using CommandBody = std::function<Result<int>()>;

struct Command {
  CLI::App* app = nullptr;
  CommandBody body;
};

using Commands = std::vector<Command>;

/// Flags that `plan`, `offgrid` and `study` share.
struct ScenarioFlags {
  std::string source;
  std::vector<std::string> sets;
  std::string curve, pv_series, start, hours, deadline;
  int slot_minutes = 60;
  std::string formulation = "blend";
  double tolerance_eur = 0.001;
  double time_limit_s = 60;
  std::string solver = "auto";

  /// Adds them to a command. `planning` adds those that only a planner needs.
  void AddTo(CLI::App& app, bool planning = true);
  /// True when the scenario is the user's own, because no other was named.
  bool IsUsers() const { return source.empty() || source == kUserScenario; }
  /// The scenario with every flag applied; all mistakes at once.
  Result<Scenario> Load() const;
  PlanningOptions Options() const;
  std::unique_ptr<DispatchSolver> Solver() const;
};

/// Help that shows a command's examples, kept as its footer, above its flags.
class ExamplesFirst : public CLI::Formatter {
 public:
  std::string make_description(const CLI::App* app) const override;
  std::string make_footer(const CLI::App*) const override { return ""; }
};

/// A new command whose help shows `examples` first.
CLI::App* AddCommand(CLI::App& program, const std::string& name, const std::string& summary,
                     const std::vector<std::string>& examples);

/// Makes every option of the command and of its subcommands refuse an empty text, which would read as "not given".
void RefuseEmptyTexts(CLI::App& app);
/// A sentence for the first command or flag that the program does not have, naming the nearest; nothing when there is
/// none.
std::optional<std::string> UnknownName(const CLI::App& program, const std::vector<std::string>& arguments);

/// The arguments with the user's own scenario put where `run` is given none before "--": the words after it are the
/// job's.
std::vector<std::string> WithScenarioOfRun(const CLI::App& program, std::vector<std::string> arguments);

/// Prints to standard output; a closed pipe or a full disk is a failure, not silence.
Result<void> Print(std::string_view text);
/// A line on standard error.
void PrintMessage(std::string_view text);

void AddPlanCommand(CLI::App& program, Commands& commands);
void AddPvCommand(CLI::App& program, Commands& commands);
void AddOffgridCommand(CLI::App& program, Commands& commands);
void AddStudyCommand(CLI::App& program, Commands& commands);
void AddReproduceCommand(CLI::App& program, Commands& commands);
void AddReportCommand(CLI::App& program, Commands& commands);
void AddScenarioCommand(CLI::App& program, Commands& commands);
void AddCurveCommand(CLI::App& program, Commands& commands);
void AddEstimateCommand(CLI::App& program, Commands& commands);
void AddCalibrateCommand(CLI::App& program, Commands& commands);
void AddDoctorCommand(CLI::App& program, Commands& commands);
void AddLimitsCommand(CLI::App& program, Commands& commands);
void AddSizeCommand(CLI::App& program, Commands& commands);
void AddBacktestCommand(CLI::App& program, Commands& commands);
void AddWhatifCommand(CLI::App& program, Commands& commands);
void AddCampaignCommand(CLI::App& program, Commands& commands);
void AddInitCommand(CLI::App& program, Commands& commands);
void AddMeasureCommand(CLI::App& program, Commands& commands);
void AddProfileCommand(CLI::App& program, Commands& commands);
void AddRunCommand(CLI::App& program, Commands& commands);

}  // namespace heliograd

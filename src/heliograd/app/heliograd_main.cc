// The program: registers the commands, parses the command line, runs one of them, and turns failures into exit codes.
#include <algorithm>
#include <memory>

#include "heliograd/app/command_line.h"
#include "heliograd/app/left_limits.h"
#include "heliograd/app/shell_texts.h"
#include "heliograd/base/text.h"

namespace {

using namespace heliograd;

constexpr int kExitUsage = 2;

/// CLI11 has exit codes of its own; help and version are no failures, everything else is wrong usage.
int ExitAfterParsing(const CLI::App& program, const CLI::ParseError& error) {
  return program.exit(error) == 0 ? kExitOk : kExitUsage;
}

/// "--hours is ten: expected a number" of CLI11's "Could not convert: --hours = ten"; its own words where they are
/// others.
std::string UnreadValue(const CLI::ConversionError& error) {
  constexpr std::string_view kBegin = "Could not convert: ";
  const std::string text = error.what();
  const size_t equals = text.find(" = ");
  if (!text.starts_with(kBegin) || equals == std::string::npos) return text;
  return text.substr(kBegin.size(), equals - kBegin.size()) + " is " + Quoted(text.substr(equals + 3)) +
         ": expected a number, without a unit";
}

/// `limits` tells and mends by itself what was left; its guard must not.
bool IsLimitsCommand(const Command& command) {
  const CLI::App* parent = command.app->get_parent();
  return parent != nullptr && parent->get_name() == "limits";
}

int Run(const Command& command) {
  if (!IsLimitsCommand(command)) PutBackLeftLimits();
  const Result<int> code = command.body();
  if (code) return *code;
  PrintMessage(code.error().Message());
  return static_cast<int>(code.error().kind);
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App program("heliograd measures and plans neural-network training on sun, battery and grid.", "heliograd");
  program.footer(
      "Examples:\n"
      "  heliograd plan builtin:paper                plan the study's job for real Turin weather\n"
      "  heliograd init                              four questions, then plan and run without a scenario\n"
      "  heliograd scenario new my.toml              start a scenario file of your own\n"
      "  heliograd plan my.toml --hours 24 --json    plan it, as JSON\n"
      "  heliograd doctor                            what can be measured and limited here\n"
      "  heliograd COMMAND --help                    what a command takes\n");
  program.formatter(std::make_shared<ExamplesFirst>());
  program.set_version_flag("--version", "heliograd " HELIOGRAD_VERSION);
  program.require_subcommand(1);
  Commands commands;
  AddPlanCommand(program, commands);
  AddPvCommand(program, commands);
  AddOffgridCommand(program, commands);
  AddStudyCommand(program, commands);
  AddSizeCommand(program, commands);
  AddWhatifCommand(program, commands);
  AddBacktestCommand(program, commands);
  AddReproduceCommand(program, commands);
  AddReportCommand(program, commands);
  AddScenarioCommand(program, commands);
  AddInitCommand(program, commands);
  AddCurveCommand(program, commands);
  AddEstimateCommand(program, commands);
  AddCalibrateCommand(program, commands);
  AddDoctorCommand(program, commands);
  AddLimitsCommand(program, commands);
  AddMeasureCommand(program, commands);
  AddCampaignCommand(program, commands);
  AddProfileCommand(program, commands);
  AddRunCommand(program, commands);
  AddShellCommands(program, commands);
  RefuseEmptyTexts(program);
  try {
    std::vector<std::string> arguments = WithScenarioOfRun(program, {argv + 1, argv + argc});
    std::reverse(arguments.begin(), arguments.end());  // as CLI11 takes them
    program.parse(std::move(arguments));
  } catch (const CLI::ParseError& error) {
    const bool wrong = error.get_exit_code() != 0;
    if (const auto unknown = wrong ? UnknownName(program, {argv + 1, argv + argc}) : std::nullopt) {
      PrintMessage(*unknown);
      return kExitUsage;
    }
    if (const auto* unread = dynamic_cast<const CLI::ConversionError*>(&error)) {
      PrintMessage(UnreadValue(*unread));
      return kExitUsage;
    }
    return ExitAfterParsing(program, error);
  }
  for (const Command& command : commands) {
    if (command.app->parsed()) return Run(command);
  }
  return kExitUsage;
}

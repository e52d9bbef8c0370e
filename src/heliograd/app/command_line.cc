#include "heliograd/app/command_line.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>

#include "heliograd/base/text.h"

namespace heliograd {
namespace {

std::vector<const CLI::App*> SubcommandsOf(const CLI::App& app) {
  return app.get_subcommands([](const CLI::App*) { return true; });
}

std::string UnknownCommand(const CLI::App& app, const std::string& path, const std::string& name) {
  std::vector<std::string> names;
  for (const CLI::App* command : SubcommandsOf(app)) names.push_back(command->get_name());
  return fmt::format("{}: there is no command {}.{} The commands are {}.", path, Quoted(name), DidYouMean(name, names),
                     fmt::join(names, ", "));
}

std::string UnknownFlag(const CLI::App& app, const std::string& path, const std::string& name) {
  std::vector<std::string> names;
  for (const CLI::Option* option : app.get_options()) {
    for (const std::string& long_name : option->get_lnames()) names.push_back("--" + long_name);
  }
  return fmt::format("{}: there is no flag {}.{} {} --help lists the flags.", path, Quoted(name),
                     DidYouMean(name, names), path);
}

/// "--hours" of "--hours=3", "-o" of "-oplan.json", nothing for a value.
std::optional<std::string> FlagName(const std::string& argument) {
  if (argument.size() < 2 || argument.front() != '-' || ParseNumber(argument)) return std::nullopt;
  return argument[1] == '-' ? argument.substr(0, argument.find('=')) : argument.substr(0, 2);
}

}  // namespace

namespace {

std::string RefuseNotANumber(const std::string& text) {
  const std::string value = ToLower(Trim(text));
  const bool is_none = value.find("nan") != std::string::npos;
  return is_none ? "expected a number, not " + text : "";
}

}  // namespace

void RefuseEmptyTexts(CLI::App& app) {
  for (CLI::Option* option : app.get_options()) {
    if (option->get_items_expected_min() == 0) continue;
    option->check(
        [](const std::string& text) { return Trim(text).empty() ? "expected a value, not an empty text" : ""; });
    // A range's own check lets NaN pass: no comparison holds for it.
    if (option->get_type_name().starts_with("FLOAT")) option->check(RefuseNotANumber);
  }
  for (CLI::App* command : app.get_subcommands([](CLI::App*) { return true; })) RefuseEmptyTexts(*command);
}

std::optional<std::string> UnknownName(const CLI::App& program, const std::vector<std::string>& arguments) {
  const CLI::App* app = &program;
  std::string path = program.get_name();
  for (size_t i = 0; i < arguments.size() && arguments[i] != "--"; ++i) {
    if (const auto flag = FlagName(arguments[i])) {
      const CLI::Option* option = app->get_option_no_throw(*flag);
      if (option == nullptr) return UnknownFlag(*app, path, *flag);
      const bool value_follows = option->get_items_expected_min() > 0 && arguments[i] == *flag;
      if (value_follows) ++i;
      continue;
    }
    const auto commands = SubcommandsOf(*app);
    if (commands.empty()) continue;
    const auto found = std::find_if(commands.begin(), commands.end(),
                                    [&](const CLI::App* command) { return command->get_name() == arguments[i]; });
    if (found == commands.end()) return UnknownCommand(*app, path, arguments[i]);
    app = *found;
    path += " " + arguments[i];
  }
  return std::nullopt;
}

std::vector<std::string> WithScenarioOfRun(const CLI::App& program, std::vector<std::string> arguments) {
  if (arguments.empty() || arguments.front() != "run") return arguments;
  const CLI::App* run = program.get_subcommand("run");
  for (size_t i = 1; i < arguments.size(); ++i) {
    if (arguments[i] == "--") {
      arguments.insert(arguments.begin() + static_cast<std::ptrdiff_t>(i), std::string(kUserScenario));
      return arguments;
    }
    const auto flag = FlagName(arguments[i]);
    if (!flag) return arguments;  // the scenario
    const CLI::Option* option = run->get_option_no_throw(*flag);
    if (option != nullptr && option->get_items_expected_min() > 0 && arguments[i] == *flag) ++i;
  }
  return arguments;
}

void ScenarioFlags::AddTo(CLI::App& app, bool planning) {
  app.add_option("SCENARIO", source, "builtin:paper, or a TOML file (see: heliograd scenario new)")->required();
  app.add_option("--set", sets, "SECTION.KEY=VALUE: changes one value; repeatable")->allow_extra_args(false);
  app.add_option("--pv-series", pv_series, "CSV hour,ac_w with 8760 rows instead of the scenario's PV");
  app.add_option("--start", start,
                 "when the job may start, on the site's clock: \"2025-01-01 20:00\", now, \"tomorrow 08:00\"");
  if (!planning) return;
  app.add_option("--curve", curve, "power curve of the GPU: a file of heliograd curve, or builtin:paper");
  auto* hours_flag = app.add_option("--hours", hours, "time from start to deadline");
  app.add_option(
         "--deadline", deadline,
         "when the job must be done: \"2025-01-02 08:00\", \"Friday 18:00\" or \"+14h\", as seen from the start")
      ->excludes(hours_flag);
  app.add_option("--slot-minutes", slot_minutes, "length of a slot, divides 60 (default 60)");
  app.add_option("--formulation", formulation, "paper | levels | blend (default blend)")
      ->check(CLI::IsMember({"paper", "levels", "blend"}));
  app.add_option("--tolerance-eur", tolerance_eur, "absolute distance from the optimum allowed (default 0.001)")
      ->check(CLI::Range(0.0, 1e6));
  app.add_option("--time-limit-s", time_limit_s, "per solve, then the best plan so far with its bound (default 60)")
      ->check(CLI::Range(0.001, 1e6));
  app.add_option("--solver", solver,
                 "auto | kernel | highs (default auto: the kernel where it can, HiGHS elsewhere; docs/kernel.md)")
      ->check(CLI::IsMember({"auto", "kernel", "highs"}));
}

Result<Scenario> ScenarioFlags::Load() const {
  auto scenario = Scenario::Load(source.empty() ? std::string(kUserScenario) : source, sets);
  if (!scenario) return scenario;
  std::vector<std::string> problems;
  const auto set = [&](const std::string& flag, const std::string& key, const std::string& value) {
    if (value.empty()) return;
    if (const auto done = scenario->Set(key + "=" + value, flag); !done) {
      problems.insert(problems.end(), done.error().problems.begin(), done.error().problems.end());
    }
  };
  set("--curve", "gpu.curve", curve);
  set("--pv-series", "pv.series", pv_series);
  set("--start", "job.start", start);
  set("--deadline", "job.deadline", deadline);
  set("--hours", "job.hours", hours);
  if (!problems.empty()) return Fail(std::move(problems), ErrorKind::kUsage);
  return scenario;
}

PlanningOptions ScenarioFlags::Options() const {
  PlanningOptions options;
  options.formulation = *FormulationFromName(formulation);
  options.solve.tolerance = Euros(tolerance_eur);
  options.solve.time_limit = Seconds(time_limit_s);
  return options;
}

std::unique_ptr<DispatchSolver> ScenarioFlags::Solver() const { return MakeSolver(*SolverChoiceFromName(solver)); }

CLI::App* AddCommand(CLI::App& program, const std::string& name, const std::string& summary,
                     const std::vector<std::string>& examples) {
  CLI::App* app = program.add_subcommand(name, summary);
  std::string text = "Examples:\n";
  for (const std::string& example : examples) text += "  " + example + "\n";
  app->footer(text);
  return app;
}

std::string ExamplesFirst::make_description(const CLI::App* app) const {
  const std::string summary = CLI::Formatter::make_description(app);
  return app->get_footer().empty() ? summary : summary + "\n" + app->get_footer() + "\n";
}

Result<void> Print(std::string_view text) {
  if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size() || std::fflush(stdout) != 0) {
    return Fail("standard output cannot be written: nothing more is printed.");
  }
  return {};
}

void PrintMessage(std::string_view text) {
  std::fwrite(text.data(), 1, text.size(), stderr);
  std::fputc('\n', stderr);
}

}  // namespace heliograd

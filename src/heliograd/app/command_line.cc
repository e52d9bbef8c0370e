#include "heliograd/app/command_line.h"

#include <fmt/format.h>

#include <cstdio>

namespace heliograd {

void ScenarioFlags::AddTo(CLI::App& app, bool planning) {
  app.add_option("SCENARIO", source, "builtin:paper, or a TOML file (see: heliograd scenario new)")->required();
  app.add_option("--set", sets, "SECTION.KEY=VALUE: changes one value; repeatable")->allow_extra_args(false);
  app.add_option("--pv-series", pv_series, "CSV hour,ac_w with 8760 rows instead of the scenario's PV");
  app.add_option("--start", start, "when the job may start, on the site's clock: \"2025-01-01 20:00\"");
  if (!planning) return;
  auto* hours_flag = app.add_option("--hours", hours, "time from start to deadline");
  app.add_option("--deadline", deadline, "when the job must be done, on the site's clock")->excludes(hours_flag);
  app.add_option("--slot-minutes", slot_minutes, "length of a slot, divides 60 (default 60)");
  app.add_option("--formulation", formulation, "paper | levels | blend (default blend)")
      ->check(CLI::IsMember({"paper", "levels", "blend"}));
  app.add_option("--tolerance-eur", tolerance_eur, "absolute distance from the optimum allowed (default 0.001)")
      ->check(CLI::Range(0.0, 1e6));
  app.add_option("--time-limit-s", time_limit_s, "then the best plan so far, with its bound")
      ->check(CLI::Range(0.001, 1e6));
  app.add_option("--solver", solver,
                 "auto | kernel | highs (default auto: the kernel where it can, HiGHS elsewhere; docs/kernel.md)")
      ->check(CLI::IsMember({"auto", "kernel", "highs"}));
}

Result<Scenario> ScenarioFlags::Load() const {
  auto scenario = Scenario::Load(source, sets);
  if (!scenario) return scenario;
  std::vector<std::string> problems;
  const auto set = [&](const std::string& flag, const std::string& key, const std::string& value) {
    if (value.empty()) return;
    if (const auto done = scenario->Set(key + "=" + value, flag); !done) {
      problems.insert(problems.end(), done.error().problems.begin(), done.error().problems.end());
    }
  };
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
  if (time_limit_s) options.solve.time_limit = Seconds(*time_limit_s);
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

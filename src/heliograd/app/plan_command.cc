// `heliograd plan`: a scenario in, a proven and explained plan out.
#include <fmt/format.h>

#include <memory>
#include <optional>

#include "heliograd/app/command_line.h"
#include "heliograd/app/curve_store.h"
#include "heliograd/app/interrupt.h"
#include "heliograd/app/output_check.h"
#include "heliograd/app/slot_length.h"
#include "heliograd/base/file.h"
#include "heliograd/plan/plan_csv.h"
#include "heliograd/plan/plan_json.h"
#include "heliograd/report/terminal_plan.h"

namespace heliograd {
namespace {

struct PlanFlags {
  ScenarioFlags scenario;
  std::string csv, output;
  bool json = false;
  bool table = false;
  bool gave_slot = false;  // --slot-minutes was given
};

Result<int> RunPlan(const PlanFlags& flags) {
  if (auto sound = CheckOutput(flags.output, "{\n  \"format\": \"heliograd-plan-", "plan"); !sound)
    return Fail(sound.error());
  if (auto sound = CheckOutput(flags.csv, "start,start_local,duration_s,", "table of a plan", "--csv"); !sound)
    return Fail(sound.error());
  std::optional<EndAtInterrupt> guard(std::in_place);
  auto scenario = flags.scenario.Load();
  if (!scenario) return Fail(scenario.error());
  if (flags.scenario.IsUsers()) {
    const auto curve = TakeStoredCurve(*scenario, std::nullopt, 0);
    if (!curve) return Fail(curve.error());
    if (!curve->empty()) PrintMessage(*curve);
  }
  InputCache cache;
  const auto inputs = ReadFittingInputs(*scenario, flags.scenario.slot_minutes, flags.gave_slot, cache);
  if (!inputs) return Fail(inputs.error());
  const auto job = PlanJob(*inputs, flags.scenario.Options(), *flags.scenario.Solver());
  if (!job) return Fail(job.error());
  guard.reset();

  const bool feasible = job->plan.status != PlanStatus::kInfeasible;
  if (!flags.csv.empty() && feasible) {
    if (auto done = WriteFile(flags.csv, PlanToCsv(job->problem, job->plan, inputs->zone)); !done)
      return Fail(done.error());
  }
  if (!flags.csv.empty() && !feasible) PrintMessage(flags.csv + ": not written, for there is no plan");
  if (!flags.output.empty()) {
    if (auto done = WriteFile(flags.output, PlanToJson(job->problem, job->plan, inputs->zone, inputs->labels)); !done)
      return Fail(done.error());
    PrintMessage(feasible ? fmt::format("{} written. Next: heliograd report {} -o plan.svg", flags.output, flags.output)
                          : flags.output + " written, with the reason why there is no plan");
  }
  TerminalStyle style = DetectTerminal(1);
  style.table = flags.table;
  const std::string text =
      flags.json ? PlanToJson(job->problem, job->plan, inputs->zone, inputs->labels)
                 : DrawPlan(job->problem, job->plan, inputs->zone, style, {inputs->site_name, inputs->remarks});
  if (auto done = Print(text); !done) return Fail(done.error());
  return feasible ? kExitOk : kExitInfeasible;
}

}  // namespace

void AddPlanCommand(CLI::App& program, Commands& commands) {
  CLI::App* app =
      AddCommand(program, "plan", "Plans when sun, battery and grid pay for the job, and at what power level",
                 {"heliograd plan builtin:paper",
                  "heliograd plan --deadline \"tomorrow 08:00\"        (your own scenario: heliograd init)",
                  "heliograd plan my.toml --deadline \"2026-06-02 08:00\" --table",
                  "heliograd plan builtin:paper --set battery.capacity_wh=2500 --slot-minutes 15 --json",
                  "heliograd plan my.toml -o plan.json --csv plan.csv"});
  auto flags = std::make_shared<PlanFlags>();
  flags->scenario.AddTo(*app);
  app->get_option("SCENARIO")
      ->required(false)
      ->description("builtin:paper, or a TOML file; your own when left out (see: heliograd init)");
  app->add_flag("--json", flags->json, "the plan as JSON on standard output");
  app->add_flag("--table", flags->table, "also the table of slots with a reason for each");
  app->add_option("--csv", flags->csv, "writes the slots to this file");
  app->add_option("-o,--output", flags->output, "writes the plan (JSON) to this file, for `report`");
  commands.push_back({app, [app, flags] {
                        flags->gave_slot = app->count("--slot-minutes") > 0;
                        return RunPlan(*flags);
                      }});
}

}  // namespace heliograd

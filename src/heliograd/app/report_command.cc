// `heliograd report PLAN -o FILE`: a plan file drawn.
#include <fmt/format.h>

#include <memory>

#include "heliograd/app/command_line.h"
#include "heliograd/base/file.h"
#include "heliograd/plan/plan_json.h"
#include "heliograd/report/gnuplot.h"
#include "heliograd/report/plan_figure.h"
#include "heliograd/report/terminal_plan.h"

namespace heliograd {
namespace {

Result<int> RunReport(const std::string& path, const std::string& output) {
  const auto content = ReadFile(path);
  if (!content) return Fail(content.error());
  const auto file = PlanFromJson(*content, path);
  if (!file) return Fail(file.error());
  if (output.empty())
    return Print(DrawPlan(file->problem, file->plan, file->zone, DetectTerminal(1))).map([] { return kExitOk; });
  if (file->plan.status == PlanStatus::kInfeasible) {
    return Fail(
        fmt::format("{}: this plan is infeasible, there is nothing to draw: {}", path, file->plan.infeasible_reason));
  }
  const Figure figure = PlanFigure(file->problem, file->plan, file->zone, "Plan of a training job");
  if (auto done = WriteFigure(figure, output); !done) return Fail(done.error());
  PrintMessage(fmt::format("{} written", output));
  return kExitOk;
}

}  // namespace

void AddReportCommand(CLI::App& program, Commands& commands) {
  CLI::App* app = AddCommand(program, "report", "Draws a plan file on the terminal or as SVG, PNG or PDF",
                             {"heliograd plan builtin:paper -o plan.json", "heliograd report plan.json",
                              "heliograd report plan.json -o plan.svg"});
  struct Flags {
    std::string path, output;
  };
  auto flags = std::make_shared<Flags>();
  app->add_option("PLAN", flags->path, "file that `heliograd plan -o` wrote")->required();
  app->add_option("-o,--output", flags->output, "FILE.svg, .png or .pdf; the terminal when left out");
  commands.push_back({app, [flags] { return RunReport(flags->path, flags->output); }});
}

}  // namespace heliograd

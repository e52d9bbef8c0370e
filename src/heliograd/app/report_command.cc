// `heliograd report FILE`: a plan or a recorded run as text, JSON or figure.
#include <fmt/format.h>

#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>

#include "heliograd/app/calibration_store.h"
#include "heliograd/app/command_line.h"
#include "heliograd/app/window_json.h"
#include "heliograd/base/file.h"
#include "heliograd/plan/plan_json.h"
#include "heliograd/report/gnuplot.h"
#include "heliograd/report/plan_figure.h"
#include "heliograd/report/run_report.h"
#include "heliograd/report/terminal_plan.h"

namespace heliograd {
namespace {

struct ReportFlags {
  std::string path, output;
  bool json = false;
};

Result<int> ReportPlan(const ReportFlags& flags) {
  const auto content = ReadFile(flags.path);
  if (!content) return Fail(content.error());
  const auto file = PlanFromJson(*content, flags.path);
  if (!file) return Fail(file.error());
  if (flags.json) return Print(*content).map([] { return kExitOk; });
  if (flags.output.empty())
    return Print(DrawPlan(file->problem, file->plan, file->zone, DetectTerminal(1))).map([] { return kExitOk; });
  if (file->plan.status == PlanStatus::kInfeasible) {
    return Fail(fmt::format("{}: this plan is infeasible, there is nothing to draw: {}", flags.path,
                            file->plan.infeasible_reason));
  }
  const Figure figure = PlanFigure(file->problem, file->plan, file->zone, "Plan of a training job");
  if (auto done = WriteFigure(figure, flags.output); !done) return Fail(done.error());
  PrintMessage(fmt::format("{} written", flags.output));
  return kExitOk;
}

bool IsRun(const std::string& path) {
  constexpr std::string_view kMagic = "SQLite format 3";
  std::string head(kMagic.size(), '\0');
  std::ifstream file(path, std::ios::binary);
  return file.read(head.data(), static_cast<std::streamsize>(head.size())) && head == kMagic;
}

std::string AsJson(const RunReport& report) {
  using Json = nlohmann::ordered_json;
  Json json = Json::object();
  json["facts"] = Json::object();
  for (const auto& [key, value] : report.facts) json["facts"][key] = value;
  json["start_unix_ns"] = report.begin_ns;
  json["end_unix_ns"] = report.end_ns;
  json["devices"] = Json::array();
  for (const DeviceEnergy& energy : report.energies) {
    json["devices"].push_back({{"uuid", energy.device.uuid},
                               {"name", energy.device.name},
                               {"energy_j", InJoules(energy.energy)},
                               {"energy_low_j", InJoules(energy.low)},
                               {"energy_high_j", InJoules(energy.high)},
                               {"mean_power_w", InWatts(energy.mean)},
                               {"peak_power_w", InWatts(energy.peak)},
                               {"method", energy.method},
                               {"obtained", "measured"},
                               {"samples", energy.samples},
                               {"remarks", energy.remarks}});
  }
  json["windows"] = Json::parse(WindowsAsJson(report.windows));
  json["gaps"] = Json::array();
  for (const Gap& gap : report.gaps) {
    const ChannelRecord& channel = report.channels[static_cast<size_t>(gap.channel)];
    json["gaps"].push_back({{"device", channel.device},
                            {"channel", ChannelName(channel.kind)},
                            {"begin_unix_ns", gap.begin_ns},
                            {"end_unix_ns", gap.end_ns},
                            {"reason", gap.reason}});
  }
  json["remarks"] = Json::array();
  for (const Remark& remark : report.remarks) {
    json["remarks"].push_back({{"at_unix_ns", remark.at_ns}, {"text", remark.text}});
  }
  json["notes"] = report.notes;
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

Result<int> ReportRun(const ReportFlags& flags) {
  const Result<RunReader> run = RunReader::Open(flags.path);
  if (!run) return Fail(run.error());
  const LoadedCalibrations calibrations = LoadCalibrations();
  Result<RunReport> report = MakeRunReport(*run, calibrations.usable);
  if (!report) return Fail(flags.path + ": " + report.error().Message(), report.error().kind);
  report->notes.insert(report->notes.end(), calibrations.problems.begin(), calibrations.problems.end());
  if (flags.output.empty() || flags.json) {
    return Print(flags.json ? AsJson(*report) : RunReportText(*report, DetectTerminal(1))).map([] { return kExitOk; });
  }
  const Result<Figure> figure = PowerFigure(*run, *report);
  if (!figure) return Fail(flags.path + ": " + figure.error().Message());
  if (auto done = WriteFigure(*figure, flags.output); !done) return Fail(done.error());
  PrintMessage(fmt::format("{} written", flags.output));
  return kExitOk;
}

}  // namespace

void AddReportCommand(CLI::App& program, Commands& commands) {
  CLI::App* app = AddCommand(program, "report", "Shows a plan or a recorded run, on the terminal or as SVG, PNG or PDF",
                             {"heliograd plan builtin:paper -o plan.json", "heliograd report plan.json -o plan.svg",
                              "heliograd measure -o run.helio -- python train.py", "heliograd report run.helio"});
  auto flags = std::make_shared<ReportFlags>();
  app->add_option("FILE", flags->path, "what `heliograd plan -o` or `heliograd measure -o` wrote")->required();
  auto* output = app->add_option("-o,--output", flags->output, "FILE.svg, .png or .pdf; the terminal when left out");
  app->add_flag("--json", flags->json, "one JSON object on standard output")->excludes(output);
  commands.push_back({app, [flags] { return IsRun(flags->path) ? ReportRun(*flags) : ReportPlan(*flags); }});
}

}  // namespace heliograd

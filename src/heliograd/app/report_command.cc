// `heliograd report FILE`: a plan, a recorded run or the folder of a plan carried out as text, JSON, figure or page.
#include <fmt/format.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>

#include "heliograd/app/calibration_store.h"
#include "heliograd/app/carried_run.h"
#include "heliograd/app/command_line.h"
#include "heliograd/app/output_check.h"
#include "heliograd/app/window_json.h"
#include "heliograd/base/file.h"
#include "heliograd/optimize/explain_slot.h"
#include "heliograd/plan/objective.h"
#include "heliograd/plan/plan_json.h"
#include "heliograd/plan/slot_choice.h"
#include "heliograd/report/gnuplot.h"
#include "heliograd/report/plan_figure.h"
#include "heliograd/report/run_report.h"
#include "heliograd/report/slot_text.h"
#include "heliograd/report/terminal_plan.h"

namespace heliograd {
namespace {

struct ReportFlags {
  std::string path, output, csv;
  std::string slot;  // to explain; empty = the whole plan
  bool json = false;
};

using Json = nlohmann::ordered_json;

Json OptionalPrice(const std::optional<EnergyPrice>& price) {
  return price ? Json(InEurosPerKilowattHour(*price)) : Json();
}

Json CostCurve(const char* energy_key, const std::vector<CostPoint>& points) {
  Json curve = Json::array();
  for (const CostPoint& point : points) {
    curve.push_back({{energy_key, InWattHours(point.energy)}, {"cost_eur", InEuros(point.cost)}});
  }
  return curve;
}

Json ValueOfStored(const CostPoint& point, const Slopes& worth, const std::vector<CostPoint>& curve) {
  return {{"battery_wh", InWattHours(point.energy)},
          {"cost_eur", InEuros(point.cost)},
          {"worth_of_one_more_eur_per_kwh", OptionalPrice(worth.more)},
          {"worth_of_the_last_eur_per_kwh", OptionalPrice(worth.less)},
          {"curve", CostCurve("battery_wh", curve)}};
}

bool EndsWith(const std::string& text, std::string_view end) {
  return text.size() >= end.size() && text.compare(text.size() - end.size(), end.size(), end) == 0;
}

/// Values of the objective in carbon: every `x_eur` is null and x_carbon_kg stands beside it, every `x_eur_per_kwh`
/// likewise x_carbon_g_per_kwh; but for what is money whatever is minimised.
Json InCarbon(const Json& json) {
  if (!json.is_structured()) return json;
  Json carbon = json.is_array() ? Json::array() : Json::object();
  if (json.is_array()) {
    for (const Json& element : json) carbon.push_back(InCarbon(element));
    return carbon;
  }
  for (const auto& [key, value] : json.items()) {
    const bool price = EndsWith(key, "_eur_per_kwh"), money = EndsWith(key, "_eur");
    if ((!price && !money) || key == "export_price_eur_per_kwh" || key == "wear_eur") {
      carbon[key] = InCarbon(value);
      continue;
    }
    carbon[key] = nullptr;
    const std::string stem = key.substr(0, key.size() - std::string_view(price ? "_eur_per_kwh" : "_eur").size());
    Json& beside = carbon[stem + (price ? "_carbon_g_per_kwh" : "_carbon_kg")];
    if (!value.is_number()) continue;
    const double eur = value.get<double>();
    beside = price ? InGramsPerKilowattHour(CarbonOfObjective(EurosPerKilowattHour(eur)))
                   : InKilograms(CarbonOfObjective(Euros(eur)));
  }
  return carbon;
}

std::string AsJson(const SlotExplanation& why, const PlanFile& file) {
  const Stamp start = file.problem.horizon.SlotStart(static_cast<int>(why.slot));
  Json json = {{"slot", why.slot},
               {"start", FormatStamp(start)},
               {"start_local", FormatLocal(start, file.zone)},
               {"duration_s", InSeconds(file.problem.horizon.SlotDuration())},
               {"obtained", "modelled"},
               {"pv_wh", InWattHours(file.problem.pv[why.slot])},
               {"objective_import_price_eur_per_kwh", InEurosPerKilowattHour(why.import_price)},
               {"export_price_eur_per_kwh", InEurosPerKilowattHour(why.export_price)},
               {"work_price_eur", InEuros(why.work_price)}};
  json["bus"] = {{"draw_wh", InWattHours(why.bus.energy)},
                 {"cost_eur", InEuros(why.bus.cost)},
                 {"one_more_costs_eur_per_kwh", OptionalPrice(why.bus_price.more)},
                 {"one_less_saves_eur_per_kwh", OptionalPrice(why.bus_price.less)},
                 {"curve", CostCurve("draw_wh", why.bus_curve)}};
  json["value_before"] = ValueOfStored(why.before, why.worth_before, why.value_before);
  json["value_after"] = ValueOfStored(why.after, why.worth_after, why.value_after);
  json["gpu"] = {{"energy_wh", InWattHours(why.gpu.energy)},
                 {"work", why.gpu.work},
                 {"worth_of_one_more_eur_per_kwh", OptionalPrice(why.gpu_worth.more)},
                 {"worth_of_the_last_eur_per_kwh", OptionalPrice(why.gpu_worth.less)},
                 {"hull", Json::array()}};
  for (const WorkPoint& point : why.hull) {
    json["gpu"]["hull"].push_back({{"energy_wh", InWattHours(point.energy)}, {"work", point.work}});
  }
  json["wear_eur"] = InEuros(why.wear);
  json["excess_eur"] = InEuros(why.excess);
  json["plan_excess_eur"] = InEuros(why.plan_excess);
  if (file.problem.objective == Objective::kCarbon) json = InCarbon(json);
  return json.dump(2) + "\n";
}

Result<int> ReportSlot(const ReportFlags& flags, const PlanFile& file) {
  const auto of_flag = [](const Error& error) { return Fail("--explain: " + error.Message(), error.kind); };
  const auto slot = ChooseSlot(flags.slot, file.problem.horizon, file.zone);
  if (!slot) return of_flag(slot.error());
  const auto why = ExplainSlot(file.problem, file.plan, *slot);
  if (!why) return Fail(fmt::format("{}: {}", flags.path, why.error().Message()), why.error().kind);
  if (flags.json) return Print(AsJson(*why, file)).map([] { return kExitOk; });
  if (flags.output.empty()) {
    return Print(SlotExplanationText(file.problem, file.plan, *why, file.zone, DetectTerminal(1))).map([] {
      return kExitOk;
    });
  }
  const Figure figure = SlotExplanationFigure(file.problem, file.plan, *why, file.zone);
  if (auto done = WriteFigure(figure, flags.output); !done) return Fail(done.error());
  PrintMessage(fmt::format("{} written", flags.output));
  return kExitOk;
}

Result<int> ReportPlan(const ReportFlags& flags) {
  const auto content = ReadFile(flags.path);
  if (!content) return Fail(content.error());
  const auto file = PlanFromJson(*content, flags.path);
  if (!file) return Fail(file.error());
  if (!flags.slot.empty()) return ReportSlot(flags, *file);
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
  if (!flags.slot.empty()) {
    return Fail(
        fmt::format("{}: is a recorded run: --explain takes a plan, as `heliograd plan -o` writes it.", flags.path),
        ErrorKind::kUsage);
  }
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
  if (!figure) return Fail(flags.path + ": " + figure.error().Message(), figure.error().kind);
  if (auto done = WriteFigure(*figure, flags.output); !done) return Fail(done.error());
  PrintMessage(fmt::format("{} written", flags.output));
  return kExitOk;
}

bool IsPage(const std::string& path) { return path.ends_with(".html"); }

/// A page takes the place of an earlier report alone, because .html is what people write.
Result<void> CheckOutputs(const ReportFlags& flags) {
  if (auto sound = CheckOutput(flags.csv, "start,settled,planned_levels,", "table of a run", "--csv"); !sound)
    return sound;
  return IsPage(flags.output) ? CheckPageOutput(flags.output, "A run against its plan")
                              : CheckFigureOutput(flags.output);
}

Result<int> ReportCarriedRun(const ReportFlags& flags) {
  if (!flags.slot.empty()) {
    return Fail(flags.path + ": is a run: --explain takes a plan, for example " + flags.path + "/plan.json",
                ErrorKind::kUsage);
  }
  const Result<CarriedPlan> run = ReadCarriedRun(flags.path);
  if (!run) return Fail(run.error());
  if (!flags.csv.empty()) {
    if (auto done = WriteFile(flags.csv, CarriedPlanCsv(*run)); !done) return Fail(done.error());
    PrintMessage(flags.csv + " written");
  }
  if (!flags.output.empty()) {
    if (IsPage(flags.output)) {
      const Result<std::string> page = CarriedPlanPage(*run);
      if (!page) return Fail(page.error());
      if (auto done = WriteFile(flags.output, *page); !done) return Fail(done.error());
    } else if (auto done = WriteFigure(CarriedPlanFigure(*run), flags.output); !done) {
      return Fail(done.error());
    }
    PrintMessage(flags.output + " written");
  }
  if (flags.json) return Print(CarriedPlanJson(*run)).map([] { return kExitOk; });
  if (!flags.output.empty() || !flags.csv.empty()) return kExitOk;
  return Print(CarriedPlanText(*run, DetectTerminal(1))).map([] { return kExitOk; });
}

Result<int> Report(const ReportFlags& flags) {
  std::error_code ignored;
  if (std::filesystem::is_directory(flags.path, ignored)) {
    if (auto sound = CheckOutputs(flags); !sound) return Fail(sound.error());
    return ReportCarriedRun(flags);
  }
  const bool wants_run = !flags.csv.empty() || IsPage(flags.output);
  if (wants_run && std::filesystem::exists(flags.path, ignored)) {
    return Fail(flags.path +
                    ": --csv and .html are for a run's folder, as `heliograd run -o DIR` makes it; the slots of a plan "
                    "are written by `heliograd plan --csv FILE`",
                ErrorKind::kUsage);
  }
  if (auto sound = CheckOutputs(flags); !sound) return Fail(sound.error());
  return IsRun(flags.path) ? ReportRun(flags) : ReportPlan(flags);
}

}  // namespace

void AddReportCommand(CLI::App& program, Commands& commands) {
  CLI::App* app = AddCommand(
      program, "report", "Shows a plan, a run against its plan, or a recording: on the terminal or as figure or page",
      {"heliograd plan builtin:paper -o plan.json", "heliograd report plan.json -o plan.svg",
       "heliograd report plan.json --explain \"Thu 14:00\"      (why this hour does what it does)",
       "heliograd report run1 -o run1.html                         (a run against its plan)",
       "heliograd measure -o run.helio -- python train.py", "heliograd report run.helio"});
  auto flags = std::make_shared<ReportFlags>();
  app->add_option("FILE", flags->path, "what `heliograd plan -o`, `heliograd run -o` or `heliograd measure -o` wrote")
      ->required();
  auto* output = app->add_option("-o,--output", flags->output,
                                 "FILE.svg, .png or .pdf, of a run also .html; the terminal when left out");
  app->add_option("--csv", flags->csv, "writes the slots of a run to this file");
  app->add_option("--explain", flags->slot,
                  "why one slot does what it does, by its prices: SLOT is a number from 0, \"2025-01-02 14:00\" or "
                  "\"Thu 14:00\"")
      ->type_name("SLOT");
  app->add_flag("--json", flags->json, "one JSON object on standard output")->excludes(output);
  commands.push_back({app, [flags] { return Report(*flags); }});
}

}  // namespace heliograd

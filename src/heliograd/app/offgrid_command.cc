// `heliograd offgrid`: time to finish and mean power on PV alone.
#include <fmt/format.h>

#include <memory>
#include <nlohmann/json.hpp>

#include "heliograd/app/command_line.h"
#include "heliograd/optimize/offgrid.h"

namespace heliograd {
namespace {

std::string AsJson(const OffgridResult& result, const std::string& mode) {
  nlohmann::ordered_json json = {{"mode", mode}, {"finished", result.finished}};
  json["hours_to_finish"] = result.finished ? nlohmann::ordered_json(InHours(result.time_to_finish)) : nullptr;
  json["running_hours"] = InHours(result.running_time);
  json["mean_gpu_power_w"] = InWatts(result.mean_gpu_power);
  json["gpu_energy_wh"] = InWattHours(result.mean_gpu_power * result.running_time);
  json["pv_used_wh"] = InWattHours(result.pv_used);
  json["pv_lost_wh"] = InWattHours(result.pv_lost);
  return json.dump(2) + "\n";
}

std::string AsText(const OffgridResult& result, const std::string& mode, const Scenario& scenario) {
  std::string text = fmt::format("On PV alone, mode {}: ", mode);
  if (result.finished) {
    text += fmt::format("finished {:.2f} h ({:.1f} days) after {}\n", InHours(result.time_to_finish),
                        InHours(result.time_to_finish) / 24, scenario.TextOf("job.start"));
  } else {
    text += "not finished in three years: the sun is too rarely strong enough for the lowest level\n";
  }
  text += fmt::format("  running          {:10.2f} h\n", InHours(result.running_time));
  text += fmt::format("  mean GPU power   {:10.1f} W over running time\n", InWatts(result.mean_gpu_power));
  text += fmt::format("  PV used          {:10.2f} kWh\n", InKilowattHours(result.pv_used));
  text += fmt::format("  PV lost          {:10.2f} kWh\n", InKilowattHours(result.pv_lost));
  text += "All energies are modelled from a typical year of weather.\n";
  return text;
}

}  // namespace

void AddOffgridCommand(CLI::App& program, Commands& commands) {
  CLI::App* app = AddCommand(program, "offgrid", "Says how long the job takes on PV alone, without battery and grid",
                             {"heliograd offgrid builtin:paper --start \"2025-07-01 00:00\" --mode dynamic",
                              "heliograd offgrid my.toml --mode minimum --json"});
  struct Flags {
    ScenarioFlags scenario;
    std::string mode = "dynamic";
    bool json = false;
  };
  auto flags = std::make_shared<Flags>();
  flags->scenario.AddTo(*app);
  app->add_option("--mode", flags->mode,
                  "minimum (always the lowest level) | dynamic (the highest that PV feeds; default)")
      ->check(CLI::IsMember({"minimum", "dynamic"}));
  app->add_flag("--json", flags->json, "machine-readable output");
  commands.push_back(
      {app, [flags]() -> Result<int> {
         const auto scenario = flags->scenario.Load();
         if (!scenario) return Fail(scenario.error());
         InputCache cache;
         const auto inputs = ReadOffgridInputs(*scenario, flags->scenario.slot_minutes, cache);
         if (!inputs) return Fail(inputs.error());
         if (!flags->scenario.hours.empty() || !flags->scenario.deadline.empty()) {
           PrintMessage("off grid there is no deadline: --hours and --deadline are not used");
         }
         for (const std::string& remark : inputs->notes) PrintMessage("note: " + remark);
         const OffgridMode mode = flags->mode == "minimum" ? OffgridMode::kMinimum : OffgridMode::kDynamic;
         const OffgridResult result =
             SimulateOffgrid(inputs->pv, inputs->slot, inputs->first_slot, inputs->levels, mode, inputs->work);
         const std::string text = flags->json ? AsJson(result, flags->mode) : AsText(result, flags->mode, *scenario);
         return Print(text).map([] { return kExitOk; });
       }});
}

}  // namespace heliograd

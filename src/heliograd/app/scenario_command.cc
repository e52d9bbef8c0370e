// `heliograd scenario new | check | show`.
#include <fmt/format.h>

#include <memory>
#include <nlohmann/json.hpp>

#include "heliograd/app/command_line.h"
#include "heliograd/app/output_check.h"
#include "heliograd/base/file.h"
#include "heliograd/base/path.h"

namespace heliograd {
namespace {

Result<int> WriteTemplate(const std::string& path, bool force) {
  if (path.empty()) return Print(ScenarioTemplate()).map([] { return kExitOk; });
  const Result<bool> is_there = IsThere(path);
  if (!is_there) return Fail(is_there.error());
  if (!force && *is_there) {
    return Fail(fmt::format("{}: exists already: give another name, or --force to replace it.", path),
                ErrorKind::kUsage);
  }
  if (auto sound = CheckOutput(path, "", "scenario", "FILE"); !sound) return Fail(sound.error());
  if (auto done = WriteFile(path, ScenarioTemplate()); !done) return Fail(done.error());
  PrintMessage(fmt::format("{} written. Next: edit it, then heliograd scenario check {}", path, path));
  return kExitOk;
}

/// Every value as it stands in a file, or nothing where there is none.
std::string ShownValue(const Scenario& scenario, const KeySpec& key) {
  const SettledValue* settled = scenario.Find(key.name());
  return settled ? FormatValue(settled->value) : "";
}

std::string ShowText(const Scenario& scenario) {
  std::string text, section;
  for (const KeySpec& key : ScenarioKeys()) {
    if (key.section != section) text += fmt::format("{}[{}]\n", section.empty() ? "" : "\n", section = key.section);
    const SettledValue* settled = scenario.Find(key.name());
    if (settled) {
      text += fmt::format("{:<44} # {}\n", fmt::format("{} = {}", key.key, ShownValue(scenario, key)), settled->origin);
    } else {
      text += fmt::format("{:<44} # not set: {}\n", fmt::format("# {} =", key.key), key.meaning);
    }
  }
  for (const BandRow& band : scenario.bands()) {
    text +=
        fmt::format("\n[[tariff.bands]] # {}\ndays = \"{}\"\nfrom_hour = {}\nto_hour = {}\nprice_eur_per_kwh = {}\n",
                    band.origin, band.days, band.from_hour, band.to_hour, band.price_eur_per_kwh);
  }
  return text;
}

std::string ShowJson(const Scenario& scenario) {
  nlohmann::ordered_json values;
  for (const KeySpec& key : ScenarioKeys()) {
    const SettledValue* settled = scenario.Find(key.name());
    auto& entry = values[key.section][key.key];
    entry["value"] = nullptr;
    if (!settled) continue;
    if (const double* number = std::get_if<double>(&settled->value))
      entry["value"] = *number;
    else
      entry["value"] = std::get<std::string>(settled->value);
    entry["origin"] = settled->origin;
  }
  for (const BandRow& band : scenario.bands()) {
    values["tariff"]["bands"].push_back({{"days", band.days},
                                         {"from_hour", band.from_hour},
                                         {"to_hour", band.to_hour},
                                         {"price_eur_per_kwh", band.price_eur_per_kwh},
                                         {"origin", band.origin}});
  }
  return values.dump(2) + "\n";
}

/// The number of slots that the scenario gives to plan, else every mistake: of the file's text, of its values and of
/// the files that it names, in one round.
Result<int> SlotsToPlan(const std::string& source, const std::vector<std::string>& sets) {
  auto reading = Scenario::Read(source, sets);
  if (!reading) return Fail(reading.error());
  Problems& problems = reading->problems;
  if (!reading->whole) return problems.Fail();
  InputCache cache;
  const auto inputs = problems.Take(ReadInputs(reading->scenario, 60, cache));
  if (inputs && problems.empty()) problems.Take(ProblemOver(*inputs, inputs->slots));
  if (!problems.empty()) return problems.Fail();
  return inputs->slots;
}

/// Reads the scenario and every file that it names, as `plan` would, but plans nothing.
Result<int> Check(const std::string& source, const std::vector<std::string>& sets, bool json) {
  const Result<int> verdict = SlotsToPlan(source, sets);
  if (json) {
    const nlohmann::ordered_json answer = {
        {"source", source},
        {"valid", verdict.has_value()},
        {"problems", verdict ? std::vector<std::string>() : verdict.error().problems}};
    if (auto done = Print(answer.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n"); !done)
      return Fail(done.error());
    return verdict ? kExitOk : static_cast<int>(verdict.error().kind);
  }
  if (!verdict) return verdict;
  PrintMessage(
      fmt::format("{}: no mistakes; {} slots of an hour to plan. Next: heliograd plan {}", source, *verdict, source));
  return kExitOk;
}

}  // namespace

void AddScenarioCommand(CLI::App& program, Commands& commands) {
  CLI::App* scenario = AddCommand(program, "scenario", "Starts, checks and shows scenario files",
                                  {"heliograd scenario new my.toml", "heliograd scenario check my.toml",
                                   "heliograd scenario show builtin:paper --set pv.dc_capacity_w=600"});
  scenario->require_subcommand(1);
  struct Flags {
    std::string path, source;
    std::vector<std::string> sets;
    bool force = false, json = false;
  };
  auto flags = std::make_shared<Flags>();
  CLI::App* create = AddCommand(*scenario, "new", "Writes a commented template of a scenario file",
                                {"heliograd scenario new my.toml", "heliograd scenario new > my.toml"});
  create->add_option("FILE", flags->path, "file to write; standard output when left out");
  create->add_flag("--force", flags->force, "replace a file that exists");
  commands.push_back({create, [flags] { return WriteTemplate(flags->path, flags->force); }});

  const auto add_reading = [&](CLI::App* app) {
    app->add_option("SCENARIO", flags->source, "builtin:paper or a TOML file")->required();
    app->add_option("--set", flags->sets, "SECTION.KEY=VALUE: changes one value; repeatable")->allow_extra_args(false);
    app->add_flag("--json", flags->json, "machine-readable output");
  };
  CLI::App* check = AddCommand(*scenario, "check", "Lists every mistake of a scenario and of the files that it names",
                               {"heliograd scenario check my.toml"});
  add_reading(check);
  commands.push_back({check, [flags] { return Check(flags->source, flags->sets, flags->json); }});

  CLI::App* show = AddCommand(*scenario, "show", "Shows every value with its origin",
                              {"heliograd scenario show builtin:paper", "heliograd scenario show my.toml --json"});
  add_reading(show);
  commands.push_back({show, [flags]() -> Result<int> {
                        auto loaded = Scenario::Load(flags->source, flags->sets);
                        if (!loaded) return Fail(loaded.error());
                        return Print(flags->json ? ShowJson(*loaded) : ShowText(*loaded)).map([] { return kExitOk; });
                      }});
}

}  // namespace heliograd

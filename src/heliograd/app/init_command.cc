// `heliograd init`: four questions, the user's own scenario file.
#include <fmt/format.h>
#include <unistd.h>

#include <filesystem>
#include <functional>
#include <iostream>
#include <memory>
#include <vector>

#include "heliograd/app/cities.h"
#include "heliograd/app/command_line.h"
#include "heliograd/app/problems.h"
#include "heliograd/base/file.h"
#include "heliograd/base/path.h"
#include "heliograd/base/text.h"

namespace heliograd {
namespace {

struct InitFlags {
  std::string city, timezone, weather, tariff, name;
  std::optional<double> latitude, longitude, pv_w, battery_wh, price, export_price;
  bool yes = false, force = false, json = false;
};

/// What goes into the file; each value as it would stand after "=".
struct Answers {
  std::string name, timezone;
  double latitude = 0, longitude = 0;
  double pv_w = 1000, battery_wh = 0;
  std::string tariff = "fixed", weather;
  double price = 0.30, export_price = 0.10;
};

Result<std::string> Ask(const std::string& question, const std::string& fallback) {
  const std::string text = fmt::format("{} [{}] ", question, fallback);
  std::fwrite(text.data(), 1, text.size(), stderr);
  std::string line;
  if (!std::getline(std::cin, line)) {
    PrintMessage("");
    return Fail("init asks, and there is no answer: give --city, --pv-w, --battery-wh, --tariff-eur-per-kwh and --yes",
                ErrorKind::kUsage);
  }
  const std::string answer(Trim(line));
  return answer.empty() ? fallback : answer;
}

/// The machine's own zone, "Europe/Rome"; empty where it is not told.
std::string MachineZone() {
  std::error_code failed;
  const std::string target = std::filesystem::read_symlink("/etc/localtime", failed).string();
  const size_t found = target.find("zoneinfo/");
  if (failed || found == std::string::npos) return "";
  const std::string name = target.substr(found + 9);
  return TimeZone::Find(name) ? name : "";
}

Result<void> TakeCity(const std::string& name, Answers& answers) {
  const auto city = FindCity(name);
  if (!city) {
    return Fail(fmt::format("there is no city {} here.{} Give latitude and longitude instead (--latitude, --longitude, "
                            "--timezone; or as an answer \"45.07, 7.69 Europe/Rome\")",
                            Quoted(name), DidYouMean(name, CityNames())),
                ErrorKind::kUsage);
  }
  answers.name = city->name;
  answers.latitude = city->latitude;
  answers.longitude = city->longitude;
  answers.timezone = city->timezone;
  return {};
}

/// A city, or "45.07, 7.69 Europe/Rome".
Result<void> TakePlace(const std::string& text, Answers& answers) {
  const size_t comma = text.find(',');
  const auto latitude = ParseNumber(text.substr(0, comma));
  if (comma == std::string::npos || !latitude) return TakeCity(text, answers);
  const std::string rest(Trim(std::string_view(text).substr(comma + 1)));
  const size_t space = rest.find_first_of(" ,");
  const auto longitude = ParseNumber(rest.substr(0, space));
  if (!longitude) {
    return Fail(
        fmt::format("{}: expected a city, or latitude, longitude and time zone: 45.07, 7.69 Europe/Rome", Quoted(text)),
        ErrorKind::kUsage);
  }
  answers.name = "my node";
  answers.latitude = *latitude;
  answers.longitude = *longitude;
  answers.timezone =
      space == std::string::npos ? MachineZone() : std::string(Trim(std::string_view(rest).substr(space + 1)));
  return {};
}

/// "500", "500 W", "5 kW" and "5 kWp" in W, and so on; nothing where it is no such number.
std::optional<double> NumberOf(std::string_view text, std::string_view unit) {
  std::string_view bare = Trim(text);
  if (unit == "W" && bare.ends_with("Wp")) bare.remove_suffix(1);
  double times = 1;
  if (bare.ends_with(unit)) {
    bare.remove_suffix(unit.size());
    if (bare.ends_with('k')) {
      bare.remove_suffix(1);
      times = 1000;
    }
  }
  const auto number = ParseNumber(Trim(bare));
  return number ? std::optional(*number * times) : std::nullopt;
}

Result<void> TakeNumber(const std::string& text, const char* unit, double& into) {
  const auto number = NumberOf(text, unit);
  if (!number) return Fail(fmt::format("{}: expected a number of {}", Quoted(text), unit), ErrorKind::kUsage);
  into = *number;
  return {};
}

/// The value is one that the scenario's key takes.
Result<void> CheckKey(const char* key, double value) {
  const auto parsed = ParseValue(*FindKey(key), fmt::format("{}", value));
  return parsed ? Result<void>() : Fail(parsed.error());
}

/// A price, or where prices come from.
Result<void> TakeTariff(const std::string& text, Answers& answers) {
  if (NumberOf(text, "EUR/kWh")) {
    answers.tariff = "fixed";
    return TakeNumber(text, "EUR/kWh", answers.price);
  }
  answers.tariff = text.rfind("builtin:", 0) == 0 ? text : AbsolutePath(text);
  return {};
}

Result<void> TakeFlags(const InitFlags& flags, Answers& answers) {
  if (flags.latitude.has_value() != flags.longitude.has_value()) {
    return Fail("--latitude and --longitude belong together: give both, or --city", ErrorKind::kUsage);
  }
  if (!flags.city.empty()) {
    if (Result<void> taken = TakeCity(flags.city, answers); !taken) return taken;
  }
  if (flags.latitude) {
    answers.latitude = *flags.latitude;
    answers.longitude = *flags.longitude;
    answers.name = "my node";
    answers.timezone = MachineZone();
  }
  if (!flags.timezone.empty()) answers.timezone = flags.timezone;
  if (!flags.name.empty()) answers.name = flags.name;
  if (flags.pv_w) answers.pv_w = *flags.pv_w;
  if (flags.battery_wh) answers.battery_wh = *flags.battery_wh;
  if (flags.price) answers.price = *flags.price;
  if (!flags.tariff.empty()) {
    if (Result<void> taken = TakeTariff(flags.tariff, answers); !taken) return taken;
  }
  if (flags.export_price) answers.export_price = *flags.export_price;
  if (!flags.weather.empty()) {
    const bool is_file = flags.weather.rfind("builtin:", 0) != 0;
    answers.weather = is_file ? AbsolutePath(flags.weather) : flags.weather;
  }
  return {};
}

/// Asks until the answer can be taken; once where nobody sits there to answer again.
Result<void> AskFor(const std::string& question, const std::string& fallback,
                    const std::function<Result<void>(const std::string&)>& take) {
  while (true) {
    const auto answer = Ask(question, fallback);
    if (!answer) return Fail(answer.error());
    Result<void> taken = take(*answer);
    if (taken || isatty(STDIN_FILENO) == 0) return taken;
    PrintMessage(taken.error().Message());
  }
}

Result<void> AskForNumber(const std::string& question, const char* unit, const char* key, double& into) {
  return AskFor(question, fmt::format("{}", into), [&](const std::string& answer) {
    return TakeNumber(answer, unit, into).and_then([&] { return CheckKey(key, into); });
  });
}

/// As an answer a file must be there; a flag's is read with all else.
Result<void> TakeTariffAnswer(const std::string& text, Answers& answers) {
  const bool is_path = !NumberOf(text, "EUR/kWh") && !text.starts_with("builtin:");
  const Result<bool> is_there = is_path ? IsThere(text) : Result<bool>(true);
  if (!is_there) return Fail(is_there.error());
  if (!*is_there) {
    return Fail(Quoted(text) + ": expected a price in EUR/kWh, builtin:arera, or a CSV file that is there",
                ErrorKind::kUsage);
  }
  return TakeTariff(text, answers);
}

/// What no flag has said.
Result<void> AskTheRest(const InitFlags& flags, Answers& answers) {
  if (flags.city.empty() && !flags.latitude) {
    const auto taken = AskFor("Where? A city, or latitude, longitude and time zone:", answers.name,
                              [&](const std::string& place) { return TakePlace(place, answers); });
    if (!taken) return taken;
    if (!flags.timezone.empty()) answers.timezone = flags.timezone;
  }
  if (!flags.pv_w) {
    const auto taken = AskForNumber("How much PV, in W (0 = none)?", "W", "pv.dc_capacity_w", answers.pv_w);
    if (!taken) return taken;
  }
  if (!flags.battery_wh) {
    const auto taken =
        AskForNumber("How much battery, in Wh (0 = none)?", "Wh", "battery.capacity_wh", answers.battery_wh);
    if (!taken) return taken;
  }
  if (flags.price || !flags.tariff.empty()) return {};
  return AskFor("Which tariff? A price in EUR/kWh, builtin:arera (Italy's bands), or a CSV file of prices:",
                fmt::format("{:.2f}", answers.price),
                [&](const std::string& tariff) { return TakeTariffAnswer(tariff, answers); });
}

std::string Text(const std::string& text) { return FormatValue(KeyValue(text)); }

std::string FileText(const Answers& answers) {
  std::string text = fmt::format(
      "# Your node, written by heliograd init. `heliograd plan` and `heliograd run` without a scenario take this file; "
      "in\n"
      "# other scenarios its values stand where they give none. Every key: heliograd scenario new\n"
      "[site]\nname = {}\nlatitude = {}\nlongitude = {}\ntimezone = {}\n\n",
      Text(answers.name), answers.latitude, answers.longitude, Text(answers.timezone));
  if (!answers.weather.empty()) text += fmt::format("[weather]\nfile = {}\n\n", Text(answers.weather));
  text += fmt::format("[pv]\ndc_capacity_w = {}\n\n[battery]\ncapacity_wh = {}\n\n[tariff]\nimport = {}\n",
                      answers.pv_w, answers.battery_wh, Text(answers.tariff));
  if (answers.tariff == "fixed") text += fmt::format("import_price_eur_per_kwh = {}\n", answers.price);
  text += fmt::format("export_price_eur_per_kwh = {}\n\n", answers.export_price);
  return text + "[job]\nstart = \"now\"\nhours = 24                # until you say --deadline \"tomorrow 08:00\"\n";
}

/// One value of the file and what gave it, for messages: "--pv-w", or the answer that stands for it.
struct GivenValue {
  std::string key, value, origin;
};

std::vector<GivenValue> ValuesOf(const InitFlags& flags, const Answers& answers) {
  const auto from = [](bool by_flag, const std::string& flag) { return by_flag ? flag : "your answer (" + flag + ")"; };
  const auto text = [](double number) { return fmt::format("{}", number); };
  const bool by_price = flags.price.has_value();
  const std::string tariff = from(by_price || !flags.tariff.empty(), by_price ? "--tariff-eur-per-kwh" : "--tariff");
  std::vector<GivenValue> values = {
      {"site.name", answers.name, from(!flags.name.empty(), "--name")},
      {"site.latitude", text(answers.latitude), from(flags.latitude.has_value(), "--latitude")},
      {"site.longitude", text(answers.longitude), from(flags.longitude.has_value(), "--longitude")},
      {"site.timezone", answers.timezone, from(!flags.timezone.empty(), "--timezone")},
      {"pv.dc_capacity_w", text(answers.pv_w), from(flags.pv_w.has_value(), "--pv-w")},
      {"battery.capacity_wh", text(answers.battery_wh), from(flags.battery_wh.has_value(), "--battery-wh")},
      {"tariff.import", answers.tariff, tariff},
      {"tariff.export_price_eur_per_kwh", text(answers.export_price), "--export-eur-per-kwh"}};
  if (answers.tariff == "fixed") values.push_back({"tariff.import_price_eur_per_kwh", text(answers.price), tariff});
  if (!answers.weather.empty()) values.push_back({"weather.file", answers.weather, "--weather"});
  return values;
}

/// As `scenario check` does: values, and the files that they name. A node has no curve yet; any stands for it. Messages
/// name the flags, for the file is not written yet.
Result<void> CheckValues(const std::vector<GivenValue>& values) {
  Result<Scenario> scenario = Scenario::Parse("[job]\nstart = \"now\"\nhours = 24\n", "init");
  if (!scenario) return Fail(scenario.error());
  Problems problems;
  problems.Note(scenario->Set("gpu.curve=builtin:paper"));
  for (const auto& [key, value, origin] : values) problems.Note(scenario->Set(key + "=" + value, origin));
  if (!problems.empty()) return problems.Fail();
  InputCache cache;
  const auto inputs = ReadInputs(*scenario, 60, cache);
  if (!inputs) return Fail(inputs.error());
  if (const auto problem = ProblemOver(*inputs, inputs->slots); !problem) return Fail(problem.error());
  for (const std::string& note : inputs->notes) {
    if (note.find("power limit") == std::string::npos) PrintMessage("note: " + note);
  }
  return {};
}

Result<int> Init(const InitFlags& flags) {
  const std::string path = UserScenarioPath();
  if (path.empty()) return Fail("neither XDG_CONFIG_HOME nor HOME is set: there is no place for your scenario");
  const Result<bool> is_there = IsThere(path);
  if (!is_there) return Fail(is_there.error());
  if (!flags.force && *is_there) {
    return Fail(path + ": exists already: edit it, or give --force to replace it", ErrorKind::kUsage);
  }
  Answers answers;
  if (Result<void> taken = TakeCity("Turin", answers); !taken) return Fail(taken.error());
  if (Result<void> taken = TakeFlags(flags, answers); !taken) return Fail(taken.error());
  if (!flags.yes) {
    if (Result<void> asked = AskTheRest(flags, answers); !asked) return Fail(asked.error());
  }
  if (answers.timezone.empty()) {
    return Fail("the time zone is not known: give --timezone, for example Europe/Rome", ErrorKind::kUsage);
  }
  const std::string text = FileText(answers);
  if (Result<void> sound = CheckValues(ValuesOf(flags, answers)); !sound) {
    Error error = sound.error();
    error.problems.push_back("nothing was written");
    return Fail(std::move(error));
  }
  std::error_code failed;
  std::filesystem::create_directories(std::filesystem::path(path).parent_path(), failed);
  if (failed) return FailAt(path, "its folder cannot be made", failed);
  if (Result<void> written = WriteFile(path, text); !written) return Fail(written.error());
  if (flags.json) {
    if (auto done = Print(fmt::format("{{\"path\": {}}}\n", Text(path))); !done) return Fail(done.error());
  }
  PrintMessage(
      path +
      " written. Next: heliograd run --deadline \"tomorrow 08:00\" --progress REGEX --steps N -- COMMAND, which "
      "measures your GPU in the job's first minutes; heliograd curve -- COMMAND measures it better before");
  return kExitOk;
}

}  // namespace

void AddInitCommand(CLI::App& program, Commands& commands) {
  CLI::App* app = AddCommand(
      program, "init", "Asks four questions and writes your own scenario file",
      {"heliograd init", "heliograd init --city Turin --pv-w 1000 --battery-wh 2500 --tariff-eur-per-kwh 0.30 --yes",
       "heliograd init --latitude 45.07 --longitude 7.69 --timezone Europe/Rome --yes --force"});
  auto flags = std::make_shared<InitFlags>();
  auto* city = app->add_option("--city", flags->city, "where the node stands, by name");
  app->add_option("--latitude", flags->latitude, "degrees, north positive")->excludes(city);
  app->add_option("--longitude", flags->longitude, "degrees, east positive")->excludes(city);
  app->add_option("--timezone", flags->timezone, "IANA name; default: the city's, else the machine's");
  app->add_option("--name", flags->name, "shown in results");
  app->add_option("--weather", flags->weather, "weather file (PVGIS, EPW, NSRDB, PVWatts); default: builtin:turin");
  const auto with_unit = [](const char* unit) {
    return [unit](const std::string& text) {
      const auto number = NumberOf(text, unit);
      return number ? fmt::format("{}", *number) : text;
    };
  };
  const auto expect = [](const char* written) {
    return [written](const std::string& text) {
      return ParseNumber(text) ? std::string() : fmt::format("{}: expected {}", Quoted(text), written);
    };
  };
  app->add_option("--pv-w", flags->pv_w,
                  "size of the array at standard test conditions, also as 5kW; 0 = none (default 1000)")
      ->transform(with_unit("W"))
      ->check(expect("a number of W, such as 5000, 5000W, 5kW or 5kWp"));
  app->add_option("--battery-wh", flags->battery_wh, "usable capacity, also as 5kWh; 0 = none (default 0)")
      ->transform(with_unit("Wh"))
      ->check(expect("a number of Wh, such as 2500, 2500Wh or 2.5kWh"));
  auto* price = app->add_option("--tariff-eur-per-kwh", flags->price, "price of what is bought (default 0.30)");
  app->add_option("--tariff", flags->tariff, "builtin:arera, builtin:paper, or a CSV file of prices")->excludes(price);
  app->add_option("--export-eur-per-kwh", flags->export_price, "price of what is sold (default 0.10)");
  app->add_flag("--yes", flags->yes, "asks nothing: the defaults stand where no flag is given");
  app->add_flag("--force", flags->force, "replaces a file that exists");
  app->add_flag("--json", flags->json, "the file's path as JSON on standard output");
  commands.push_back({app, [flags] { return Init(*flags); }});
}

}  // namespace heliograd

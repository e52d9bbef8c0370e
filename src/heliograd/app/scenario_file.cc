#include "heliograd/app/scenario_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>

#include "heliograd/app/toml_text.h"
#include "heliograd/base/text.h"

namespace heliograd {
namespace {

constexpr size_t kMostBands = 1000;

std::string TypeName(const toml::node& node) {
  switch (node.type()) {
    case toml::node_type::table:
      return "a table";
    case toml::node_type::array:
      return "a list";
    case toml::node_type::string:
      return "a text";
    case toml::node_type::integer:
    case toml::node_type::floating_point:
      return "a number";
    case toml::node_type::boolean:
      return "true or false";
    default:
      return "a date or time";
  }
}

std::string DateTimeText(const toml::date_time& moment) {
  std::string text = fmt::format("{:04}-{:02}-{:02} {:02}:{:02}:{:02}", moment.date.year, moment.date.month,
                                 moment.date.day, moment.time.hour, moment.time.minute, moment.time.second);
  if (moment.offset) {
    const int minutes = moment.offset->minutes;
    text += fmt::format("{}{:02}:{:02}", minutes < 0 ? '-' : '+', std::abs(minutes) / 60, std::abs(minutes) % 60);
  }
  return text;
}

/// The node as a value of the kind the key wants, or nothing when its type is another.
std::optional<KeyValue> ValueOf(const KeySpec& spec, const toml::node& node) {
  if (spec.kind == KeyKind::kNumber) {
    if (node.is_integer() || node.is_floating_point()) return KeyValue(*node.value<double>());
    return std::nullopt;
  }
  if (const auto* text = node.as_string()) return KeyValue(text->get());
  if (spec.kind == KeyKind::kTime) {
    if (const auto* moment = node.as_date_time()) return KeyValue(DateTimeText(moment->get()));
    if (const auto* date = node.as_date()) {
      return KeyValue(DateTimeText(toml::date_time(date->get(), toml::time{})));
    }
  }
  return std::nullopt;
}

std::string ShownValue(const toml::node& node) {
  if (const auto* text = node.as_string()) return Quoted(text->get());
  if (node.is_integer() || node.is_floating_point()) return fmt::format("{}", *node.value<double>());
  if (const auto* truth = node.as_boolean()) return truth->get() ? "true" : "false";
  return TypeName(node);
}

std::string Where(const std::string& name, const toml::node& node) {
  return fmt::format("{}:{}", name, node.source().begin.line);
}

/// The line that a problem begins with, 0 when there is none.
long LineOf(const std::string& problem, const std::string& name) {
  const std::string rest = problem.substr(std::min(name.size() + 1, problem.size()));
  return ParseInteger(rest.substr(0, rest.find(':'))).value_or(0);
}

/// Problems in the order of the file; its parser hands keys out in the order of the alphabet.
void SortByLine(std::vector<std::string>& problems, const std::string& name) {
  std::stable_sort(problems.begin(), problems.end(),
                   [&name](const std::string& a, const std::string& b) { return LineOf(a, name) < LineOf(b, name); });
}

/// ", without quotes" when a number was written as a text.
std::string QuotesHint(const KeySpec& spec, const toml::node& node) {
  const auto* text = node.as_string();
  return spec.kind == KeyKind::kNumber && text && ParseNumber(text->get()) ? ", without quotes" : "";
}

/// Reads one row of [[tariff.bands]]; problems are added to `problems`.
BandRow ReadBand(const toml::node& node, const std::string& name, std::vector<std::string>& problems) {
  BandRow row;
  row.origin = Where(name, node);
  const auto expected = [&](std::string_view key, std::string_view what, const toml::node* found) {
    problems.push_back(fmt::format("{}: tariff.bands.{} is {}: expected {}.", found ? Where(name, *found) : row.origin,
                                   key, found ? ShownValue(*found) : "missing", what));
  };
  const toml::table* table = node.as_table();
  if (!table) {
    problems.push_back(fmt::format("{}: tariff.bands holds {}: expected tables, each under [[tariff.bands]].",
                                   row.origin, TypeName(node)));
    return row;
  }
  for (const auto& [key, value] : *table) {
    static const std::vector<std::string> kKnown = {"days", "from_hour", "to_hour", "price_eur_per_kwh"};
    if (std::find(kKnown.begin(), kKnown.end(), key.str()) == kKnown.end()) {
      problems.push_back(fmt::format("{}: there is no key {} in [[tariff.bands]].{} It has {}.", Where(name, value),
                                     Quoted(key.str()), DidYouMean(key.str(), kKnown), fmt::join(kKnown, ", ")));
    }
  }
  const toml::node* days = table->get("days");
  if (const auto* text = days ? days->as_string() : nullptr)
    row.days = text->get();
  else
    expected("days", "a text such as \"mon-fri\", \"sat,sun,holiday\" or \"all\"", days);
  for (const auto& [key, target, least, most] :
       {std::tuple{"from_hour", &row.from_hour, 0, 23}, {"to_hour", &row.to_hour, 1, 24}}) {
    const toml::node* found = table->get(key);
    const auto* whole = found ? found->as_integer() : nullptr;
    if (whole && whole->get() >= least && whole->get() <= most)
      *target = static_cast<int>(whole->get());
    else
      expected(key, fmt::format("a whole number from {} to {}", least, most), found);
  }
  const toml::node* price = table->get("price_eur_per_kwh");
  const auto number = price && price->is_number() ? price->value<double>() : std::nullopt;
  if (number && *number >= -20 && *number <= 20)
    row.price_eur_per_kwh = *number;
  else
    expected("price_eur_per_kwh", "a number from -20 to 20", price);
  return row;
}

/// Walks over the file and gathers what it gives.
class Reader {
 public:
  Reader(const TomlText& text, const std::string& name) : text_(text), name_(name) {}

  ScenarioFile Read() {
    file_.problems = text_.problems;
    file_.whole = text_.whole;
    const toml::node_view hours = text_.root["job"]["hours"], deadline = text_.root["job"]["deadline"];
    if (hours && deadline) {
      AddProblem(*hours.node(), "job has both hours and deadline: give one of them.");
    }
    for (const auto& [section, node] : text_.root) ReadSection(std::string(section.str()), node);
    SortByLine(file_.problems, name_);
    return std::move(file_);
  }

 private:
  void AddProblem(const toml::node& node, std::string_view what) {
    file_.problems.push_back(fmt::format("{}: {}", Where(name_, node), what));
  }
  void Refuse(const toml::node& node, const std::string& key, std::string_view what) {
    file_.refused.push_back(key);
    // A line that is no TOML has been told about already.
    if (!text_.IsRefused(node)) AddProblem(node, what);
  }
  void RefuseUnknown(const toml::node& node, const std::string& name) {
    Refuse(node, NearestKey(name).value_or(name), UnknownKey(name));
  }

  void ReadSection(const std::string& section, const toml::node& node) {
    const std::vector<std::string> sections = ScenarioSections();
    const toml::table* table = node.as_table();
    if (!table) {
      Refuse(node, section,
             fmt::format("{} stands outside a section: expected it under one of [{}].", Quoted(section),
                         fmt::join(sections, "], [")));
      return;
    }
    if (std::find(sections.begin(), sections.end(), section) == sections.end()) return RefuseUnknown(node, section);
    for (const auto& [key, value] : *table) {
      const std::string full = section + "." + std::string(key.str());
      if (full == "tariff.bands") {
        ReadBands(value);
      } else {
        ReadKey(full, value);
      }
    }
  }

  void ReadKey(const std::string& key, const toml::node& node) {
    const KeySpec* spec = FindKey(key);
    if (!spec) return RefuseUnknown(node, key);
    auto value = ValueOf(*spec, node);
    const std::string expected = value ? Expected(*spec, *value) : ExpectedText(*spec);
    if (expected.empty() && !text_.IsRefused(node)) {
      file_.values.push_back({spec, std::move(*value), Where(name_, node)});
      return;
    }
    Refuse(node, key,
           fmt::format("{} is {}: expected {}{}.", key, ShownValue(node), expected, QuotesHint(*spec, node)));
  }

  void ReadBands(const toml::node& node) {
    const toml::array* rows = node.as_array();
    if (!rows || rows->size() > kMostBands) {
      Refuse(node, "tariff.bands",
             fmt::format("tariff.bands is {}: expected at most {} tables, each under [[tariff.bands]].", TypeName(node),
                         kMostBands));
      return;
    }
    std::vector<std::string> problems;
    file_.bands.emplace();
    for (const toml::node& row : *rows) file_.bands->push_back(ReadBand(row, name_, problems));
    std::erase_if(problems, [this](const std::string& problem) { return IsOfRefusedLine(problem); });
    const bool refused_within = std::any_of(rows->begin(), rows->end(), [this](const toml::node& row) {
      const toml::table* table = row.as_table();
      return table && std::any_of(table->begin(), table->end(),
                                  [this](const auto& entry) { return text_.IsRefused(entry.second); });
    });
    if (!problems.empty() || refused_within) file_.refused.push_back("tariff.bands");
    file_.problems.insert(file_.problems.end(), problems.begin(), problems.end());
  }

  bool IsOfRefusedLine(const std::string& problem) const {
    const auto line = LineOf(problem, name_);
    return text_.refused_lines.count(static_cast<size_t>(line)) > 0;
  }

  const TomlText& text_;
  const std::string& name_;
  ScenarioFile file_;
};

}  // namespace

ScenarioFile ReadScenarioFile(std::string_view content, const std::string& name) {
  const TomlText text = ReadTomlText(content, name);
  return Reader(text, name).Read();
}

}  // namespace heliograd

// A scenario file as it stands: the values of its keys and every mistake, before other layers have their say.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "heliograd/app/scenario_schema.h"

namespace heliograd {

/// One row of [[tariff.bands]], checked for type but not yet for coverage.
struct BandRow {
  std::string days;  // "mon-fri", "sat,sun,holiday", "all"
  int from_hour = 0;
  int to_hour = 24;
  double price_eur_per_kwh = 0;
  std::string origin;
};

struct ScenarioFile {
  struct Given {
    const KeySpec* spec;
    KeyValue value;
    std::string origin;  // "my.toml:12"
  };
  std::vector<Given> values;
  std::optional<std::vector<BandRow>> bands;
  std::vector<std::string> problems;  // in the order of the file
  std::vector<std::string> refused;   // keys, or sections with all their keys, that the problems are about
  bool whole = true;                  // false when it could not be read to its end
};

/// `name` appears in messages. Pure; safe from any thread.
ScenarioFile ReadScenarioFile(std::string_view content, const std::string& name);

}  // namespace heliograd

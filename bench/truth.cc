// The estimators against a known truth: simulated sensors x loads x runs. Prints one JSON object of tables, each a list
// of cells. Nothing is timed.
#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <set>
#include <string>
#include <thread>

#include "bench/truth_tables.h"

namespace heliograd::bench {
namespace {

constexpr char kUsage[] =
    "usage: truth [--only TABLE]... [--runs N] [--threads N]\n"
    "tables: windows phases sweeps coverage calibrated miscalibration rough closure; all by default\n";

struct Arguments {
  TruthOptions options;
  std::set<std::string> only;
};

bool IsTable(const std::string& name) {
  const auto& tables = TruthTables();
  return std::any_of(tables.begin(), tables.end(), [&](const TruthTable& table) { return table.name == name; });
}

bool Read(int count, char** values, Arguments& arguments) {
  arguments.options.threads = std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
  for (int i = 1; i < count; i += 2) {
    const std::string name = values[i];
    if (i + 1 == count) return false;
    const std::string value = values[i + 1];
    if (name == "--only" && IsTable(value)) {
      arguments.only.insert(value);
    } else if (name == "--runs" && std::atoi(value.c_str()) > 0) {
      arguments.options.runs = std::atoi(value.c_str());
    } else if (name == "--threads" && std::atoi(value.c_str()) > 0) {
      arguments.options.threads = std::atoi(value.c_str());
    } else {
      return false;
    }
  }
  return true;
}

int Main(int count, char** values) {
  Arguments arguments;
  if (!Read(count, values, arguments)) {
    std::cerr << kUsage;
    return 2;
  }
  nlohmann::json found;
  for (const TruthTable& table : TruthTables()) {
    if (!arguments.only.empty() && !arguments.only.contains(table.name)) continue;
    found[table.name] = table.measure(arguments.options);
  }
  std::cout << found.dump(1) << '\n';
  return 0;
}

}  // namespace
}  // namespace heliograd::bench

int main(int count, char** values) { return heliograd::bench::Main(count, values); }

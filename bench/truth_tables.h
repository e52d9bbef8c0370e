// The tables of the truth benchmark: which cells of sensor, load and run each has, and how many runs.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace heliograd::bench {

struct TruthOptions {
  int runs = 40;    // of a cell; cells of 600 s have about a third
  int threads = 1;  // results do not depend on it: each trial has its own seed
};

struct TruthTable {
  std::string name;
  nlohmann::json (*measure)(const TruthOptions& options);  // an array of cells
};

const std::vector<TruthTable>& TruthTables();

}  // namespace heliograd::bench

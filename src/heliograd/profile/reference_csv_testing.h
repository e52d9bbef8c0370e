// Reads the reference counts under data/models/ for the tests of this room.
#pragma once

#include <fstream>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

#include "heliograd/base/text.h"

namespace heliograd {

using CsvRow = std::map<std::string, std::string>;

inline std::vector<CsvRow> ReferenceRows(const std::string& file) {
  const std::string path = std::string(HELIOGRAD_SOURCE_DIR) + "/data/models/" + file;
  std::ifstream in(path);
  std::string line;
  if (!std::getline(in, line)) throw std::runtime_error(path + " cannot be read");
  const std::vector<std::string> names = SplitCsvLine(line);
  std::vector<CsvRow> rows;
  while (std::getline(in, line)) {
    const std::vector<std::string> fields = SplitCsvLine(line);
    CsvRow row;
    for (size_t i = 0; i < names.size(); ++i) row[names[i]] = fields.at(i);
    rows.push_back(row);
  }
  return rows;
}

inline int64_t Count(const CsvRow& row, const std::string& column) { return std::stoll(row.at(column)); }

}  // namespace heliograd

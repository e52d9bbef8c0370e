// A column of prices: which unit its numbers are in, and which numbers are believable.
#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "heliograd/base/quantity.h"
#include "heliograd/feed/csv_table.h"

namespace heliograd {

enum class PriceUnit { kEurosPerMegawattHour, kEurosPerKilowattHour };

struct PriceColumn {
  NumberColumn number;
  PriceUnit unit = PriceUnit::kEurosPerMegawattHour;
};

/// A column that takes -20..20 EUR/kWh: European markets cap at 5 EUR/kWh, so what lies outside is a wrong unit.
PriceColumn MakePriceColumn(std::string name, size_t index, PriceUnit unit);

/// The price in the reader's line. What is no number or out of range is added to `problems` and gives nothing.
std::optional<EnergyPrice> ReadPrice(CsvReader& csv, const PriceColumn& column, ProblemList& problems);

}  // namespace heliograd

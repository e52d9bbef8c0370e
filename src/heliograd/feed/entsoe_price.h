// The day-ahead price table that ENTSO-E's Transparency Platform exports.
//
// A row's time is an interval, "01.01.2024 00:00 - 01.01.2024 01:00", with dots or slashes, with or without seconds, on
// the clock that the column's name gives, "MTU (CET/CEST)", or that stands behind the time, "02:00 (CEST)". In the hour
// that occurs twice in autumn the first row is summer time.
//
// A file may hold several auctions of one day (column `Sequence`): only the first one that has a price is used, since
// they are different markets ("Without Sequence" counts as sequence 1). Where rows of 15 and 60 minutes of one auction
// overlap, the shorter is used. Rows must ascend within one sequence and length. Several areas in one file are refused.
#pragma once

#include <string_view>
#include <vector>

#include "heliograd/base/time.h"
#include "heliograd/feed/csv_table.h"
#include "heliograd/trace/step_series.h"

namespace heliograd {

/// True when a column is named as the export names its intervals: "MTU (CET/CEST)", once "Time (CET/CEST)".
bool IsEntsoeHeader(const std::vector<std::string_view>& header);

/// Reads the rows after the header, on which `csv` stands. Ascending steps without overlap; gaps stay gaps. `zone` is
/// used where neither the header nor the row names a clock. What is wrong is added to `problems`.
std::vector<Step<EnergyPrice>> ReadEntsoePrices(CsvReader& csv, const TimeZone& zone, ProblemList& problems);

}  // namespace heliograd

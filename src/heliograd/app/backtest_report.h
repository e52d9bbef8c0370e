// What a backtest says: summaries of its starts, as text, JSON, CSV and a figure.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "heliograd/app/backtest_run.h"
#include "heliograd/report/backtest_figure.h"
#include "heliograd/report/text_table.h"

namespace heliograd {

/// What the reader must know of how the numbers came about.
struct BacktestFacts {
  std::string scenario;
  std::string starts;       // in words
  std::string pv, prices;   // where what really was comes from
  std::string pv_obtained;  // "measured", "modelled", "assumed"
  std::string pv_file;      // --actual-pv
  std::vector<std::string> notes;
  double hours = 0;  // of each job's horizon
  double replan_hours = 1;
  std::string formulation;
  std::string battery;  // "planned" or "follows-sun"
  TimeZone zone;        // on whose clock starts are told
};

struct Spread {
  size_t count = 0;
  double mean = 0, p10 = 0, p50 = 0, p90 = 0;
};
/// Percentiles between the values beside them, as numpy's default. Zeros when there are none.
Spread SpreadOf(std::vector<double> values);

/// Share of perfect foresight's saving against a reference that a forecast keeps, over the starts where all three are
/// known: sum of (reference - cost) / sum of (reference - perfect). Nothing where there is no saving.
std::optional<double> Captured(const std::vector<StartOutcome>& outcomes, size_t forecast, size_t reference,
                               std::optional<int> month, const TimeZone& zone);

std::string BacktestText(const std::vector<StartOutcome>& outcomes, const BacktestOptions& options,
                         const BacktestFacts& facts, const TerminalStyle& style);
std::string BacktestJson(const std::vector<StartOutcome>& outcomes, const BacktestOptions& options,
                         const BacktestFacts& facts);
/// One row per start.
std::string BacktestCsv(const std::vector<StartOutcome>& outcomes, const BacktestOptions& options,
                        const TimeZone& zone);
BacktestChart ChartOf(const std::vector<StartOutcome>& outcomes, const BacktestOptions& options,
                      const BacktestFacts& facts);

}  // namespace heliograd

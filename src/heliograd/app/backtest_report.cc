#include "heliograd/app/backtest_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

#include "heliograd/report/number_text.h"

namespace heliograd {
namespace {

using Json = nlohmann::ordered_json;

size_t Count(const std::vector<StartOutcome>& outcomes, StartStatus status) {
  return static_cast<size_t>(std::count_if(outcomes.begin(), outcomes.end(),
                                           [status](const StartOutcome& each) { return each.status == status; }));
}

/// One number of each start that was done; `value` gives nothing where it has none.
template <typename Value>
std::vector<double> Gather(const std::vector<StartOutcome>& outcomes, Value value) {
  std::vector<double> values;
  for (const StartOutcome& outcome : outcomes) {
    if (outcome.status != StartStatus::kDone) continue;
    if (const std::optional<double> number = value(outcome)) values.push_back(*number);
  }
  return values;
}

std::vector<double> PerfectCosts(const std::vector<StartOutcome>& outcomes) {
  return Gather(outcomes, [](const StartOutcome& each) { return std::optional(InEuros(each.perfect)); });
}

std::vector<double> ReferenceCosts(const std::vector<StartOutcome>& outcomes, size_t reference) {
  return Gather(outcomes, [reference](const StartOutcome& each) {
    const auto& cost = each.reference[reference];
    return cost ? std::optional(InEuros(*cost)) : std::nullopt;
  });
}

std::vector<double> ForecastCosts(const std::vector<StartOutcome>& outcomes, size_t forecast, bool above_perfect) {
  return Gather(outcomes, [=](const StartOutcome& each) -> std::optional<double> {
    const ForecastOutcome& one = each.forecasts[forecast];
    if (!one.Complete()) return std::nullopt;
    return InEuros(above_perfect ? one.cost - each.perfect : one.cost);
  });
}

size_t DeadlinesKept(const std::vector<StartOutcome>& outcomes, size_t forecast) {
  return Gather(outcomes,
                [forecast](const StartOutcome& each) {
                  return each.forecasts[forecast].deadline_kept ? std::optional(1.0) : std::nullopt;
                })
      .size();
}

Json AsJson(const Spread& spread) {
  return {{"mean", spread.mean}, {"p10", spread.p10}, {"p50", spread.p50}, {"p90", spread.p90}};
}

Json PercentOrNull(const std::optional<double>& share) { return share ? Json(100 * *share) : Json(); }

std::vector<std::string> SpreadCells(const Spread& spread) {
  if (spread.count == 0) return {"", "", "", ""};
  const auto money = [](double eur) { return fmt::format("{:.3f}", std::abs(eur) < 5e-4 ? 0.0 : eur); };
  return {money(spread.mean), money(spread.p10), money(spread.p50), money(spread.p90)};
}

std::vector<std::string> Joined(std::vector<std::string> cells, const std::vector<std::string>& more) {
  cells.insert(cells.end(), more.begin(), more.end());
  return cells;
}

std::string Csv(const std::optional<Money>& money) { return money ? fmt::format("{}", InEuros(*money)) : ""; }

std::string Key(std::string_view name) {
  std::string key;
  for (const char c : name) {
    if (std::isalnum(static_cast<unsigned char>(c))) {
      key += c;
    } else if (!key.empty() && key.back() != '_') {
      key += '_';
    }
  }
  while (!key.empty() && key.back() == '_') key.pop_back();
  return key;
}

const char* StatusName(StartStatus status) {
  return status == StartStatus::kDone ? "done" : status == StartStatus::kGap ? "gap" : "infeasible";
}

}  // namespace

Spread SpreadOf(std::vector<double> values) {
  Spread spread;
  spread.count = values.size();
  if (values.empty()) return spread;
  std::sort(values.begin(), values.end());
  for (const double value : values) spread.mean += value / static_cast<double>(values.size());
  const auto at = [&](double part) {
    const double place = part * static_cast<double>(values.size() - 1);
    const auto below = static_cast<size_t>(place);
    const size_t above = std::min(below + 1, values.size() - 1);
    return std::lerp(values[below], values[above], place - static_cast<double>(below));
  };
  spread.p10 = at(0.1);
  spread.p50 = at(0.5);
  spread.p90 = at(0.9);
  return spread;
}

std::optional<double> Captured(const std::vector<StartOutcome>& outcomes, size_t forecast, size_t reference,
                               std::optional<int> month, const TimeZone& zone) {
  double kept = 0, possible = 0;
  for (const StartOutcome& outcome : outcomes) {
    if (outcome.status != StartStatus::kDone || !outcome.reference[reference]) continue;
    if (month && zone.ToCivil(outcome.start).month != *month) continue;
    const ForecastOutcome& one = outcome.forecasts[forecast];
    if (!one.Complete()) continue;
    kept += InEuros(*outcome.reference[reference] - one.cost);
    possible += InEuros(*outcome.reference[reference] - outcome.perfect);
  }
  constexpr double kNoSaving = 1e-9;
  if (possible <= kNoSaving) return std::nullopt;
  return kept / possible;
}

std::string BacktestText(const std::vector<StartOutcome>& outcomes, const BacktestOptions& options,
                         const BacktestFacts& facts, const TerminalStyle& style) {
  const size_t done = Count(outcomes, StartStatus::kDone), gaps = Count(outcomes, StartStatus::kGap),
               infeasible = Count(outcomes, StartStatus::kInfeasible);
  std::string text = Paragraph(
      fmt::format("Backtest of {} starts ({}), {:g} h from start to deadline, planned anew every {}.{}{}",
                  outcomes.size(), facts.starts, facts.hours, DurationText(Hours(facts.replan_hours)),
                  gaps > 0 ? fmt::format(" {} are left out: a price is missing.", gaps) : "",
                  infeasible > 0 ? fmt::format(" {} cannot be done even with perfect foresight.", infeasible) : ""),
      style);
  if (done == 0) return text;
  text += Paragraph("What came: " + facts.pv + "; " + facts.prices + ".", style) + "\n";
  TextTable table({{"cost per job, EUR", Align::kLeft, true},
                   {"mean"},
                   {"p10"},
                   {"p50"},
                   {"p90"},
                   {"above"},
                   {"vs full"},
                   {"vs limit"},
                   {"in time"}});
  table.AddRow(Joined(Joined({"perfect foresight"}, SpreadCells(SpreadOf(PerfectCosts(outcomes)))), {"", "", "", ""}));
  for (size_t f = 0; f < options.forecasts.size(); ++f) {
    const auto percent = [&](size_t reference) {
      const auto share = Captured(outcomes, f, reference, std::nullopt, facts.zone);
      return share ? PercentText(*share) : std::string("-");
    };
    const Spread above = SpreadOf(ForecastCosts(outcomes, f, true));
    table.AddRow(
        Joined(Joined({"rolling, " + std::string(ForecastName(options.forecasts[f]))},
                      SpreadCells(SpreadOf(ForecastCosts(outcomes, f, false)))),
               {fmt::format("{:.4f}", std::abs(above.mean) < 5e-5 ? 0.0 : above.mean), percent(kFullPowerWithPv),
                percent(kBestLimitWithPv), fmt::format("{}/{}", DeadlinesKept(outcomes, f), done)}));
  }
  for (size_t r = kReferences.size(); r-- > 0;) {
    const std::vector<double> costs = ReferenceCosts(outcomes, r);
    table.AddRow(Joined(Joined({std::string(kReferences[r])}, SpreadCells(SpreadOf(costs))),
                        {"", "", "", costs.size() < done ? fmt::format("{}/{}", costs.size(), done) : ""}),
                 Ink::kDim);
  }
  text += table.Draw(style) + "\n";
  text += Paragraph(
      fmt::format(
          "Above: mean cost above perfect foresight. Vs full, vs limit: the part of perfect foresight's saving "
          "against \"{}\" and \"{}\" that is captured; both rules know what comes. In time: deadlines kept. p10, "
          "p50, p90: of the starts. {}.",
          kReferences[kFullPowerWithPv], kReferences[kBestLimitWithPv],
          facts.pv_obtained == "measured" ? "PV is measured, the node is modelled"
          : facts.pv_file.empty()         ? "All costs are modelled"
                                          : fmt::format("PV is from {}, the node is modelled", facts.pv_file)),
      style);
  if (!facts.notes.empty()) text += "\nNotes\n";
  for (const std::string& note : facts.notes) text += Paragraph("- " + note, style, 2);
  return text;
}

std::string BacktestJson(const std::vector<StartOutcome>& outcomes, const BacktestOptions& options,
                         const BacktestFacts& facts) {
  Json json = {{"scenario", facts.scenario},
               {"obtained", "modelled"},
               {"pv_obtained", facts.pv_obtained},
               {"actual_pv", facts.pv},
               {"actual_prices", facts.prices},
               {"starts", facts.starts},
               {"starts_count", outcomes.size()},
               {"starts_done", Count(outcomes, StartStatus::kDone)},
               {"starts_left_out_for_gaps", Count(outcomes, StartStatus::kGap)},
               {"starts_infeasible", Count(outcomes, StartStatus::kInfeasible)},
               {"horizon_h", facts.hours},
               {"replan_h", facts.replan_hours},
               {"formulation", facts.formulation},
               {"battery", facts.battery},
               {"notes", facts.notes}};
  json["perfect_foresight"] = {{"cost_eur", AsJson(SpreadOf(PerfectCosts(outcomes)))}};
  json["references"] = Json::array();
  for (size_t r = 0; r < kReferences.size(); ++r) {
    const std::vector<double> costs = ReferenceCosts(outcomes, r);
    json["references"].push_back(
        {{"name", kReferences[r]}, {"starts", costs.size()}, {"cost_eur", AsJson(SpreadOf(costs))}});
  }
  json["forecasts"] = Json::array();
  for (size_t f = 0; f < options.forecasts.size(); ++f) {
    Json captured = Json::object(), monthly = Json::array();
    for (size_t r = 0; r < kReferences.size(); ++r) {
      captured[Key(kReferences[r])] = PercentOrNull(Captured(outcomes, f, r, std::nullopt, facts.zone));
    }
    for (int month = 1; month <= 12; ++month) {
      monthly.push_back(PercentOrNull(Captured(outcomes, f, kBestLimitWithPv, month, facts.zone)));
    }
    json["forecasts"].push_back({{"name", ForecastName(options.forecasts[f])},
                                 {"cost_eur", AsJson(SpreadOf(ForecastCosts(outcomes, f, false)))},
                                 {"above_perfect_eur", AsJson(SpreadOf(ForecastCosts(outcomes, f, true)))},
                                 {"captured_percent", captured},
                                 {"captured_best_fixed_limit_PV_percent_by_month", monthly},
                                 {"deadlines_kept", DeadlinesKept(outcomes, f)}});
  }
  json["points"] = Json::array();
  for (const StartOutcome& outcome : outcomes) {
    Json point = {{"start", FormatStamp(outcome.start)}, {"status", StatusName(outcome.status)}};
    if (outcome.status == StartStatus::kDone) {
      point["perfect_foresight_cost_eur"] = InEuros(outcome.perfect);
      for (size_t r = 0; r < kReferences.size(); ++r) {
        const auto& cost = outcome.reference[r];
        point[Key(kReferences[r]) + "_cost_eur"] = cost ? Json(InEuros(*cost)) : Json();
      }
      for (size_t f = 0; f < outcome.forecasts.size(); ++f) {
        const ForecastOutcome& one = outcome.forecasts[f];
        point[std::string(ForecastName(options.forecasts[f]))] = {{"cost_eur", InEuros(one.cost)},
                                                                  {"grid_import_wh", InWattHours(one.grid_import)},
                                                                  {"grid_export_wh", InWattHours(one.grid_export)},
                                                                  {"deadline_kept", one.deadline_kept},
                                                                  {"battery_kept", one.battery_kept},
                                                                  {"forced_slots", one.forced_slots},
                                                                  {"cut_slots", one.cut_slots}};
      }
    }
    json["points"].push_back(std::move(point));
  }
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::string BacktestCsv(const std::vector<StartOutcome>& outcomes, const BacktestOptions& options,
                        const TimeZone& zone) {
  std::string csv = "start,status,perfect_foresight_cost_eur";
  for (const std::string_view name : kReferences) csv += fmt::format(",{}_cost_eur", Key(name));
  for (const ForecastKind kind : options.forecasts) {
    const std::string key = Key(ForecastName(kind));
    csv += fmt::format(",{0}_cost_eur,{0}_grid_import_wh,{0}_grid_export_wh,{0}_deadline_kept", key);
  }
  csv += "\n";
  for (const StartOutcome& outcome : outcomes) {
    const bool done = outcome.status == StartStatus::kDone;
    csv += fmt::format("{},{},{}", FormatLocal(outcome.start, zone), StatusName(outcome.status),
                       done ? Csv(outcome.perfect) : "");
    for (const auto& cost : outcome.reference) csv += fmt::format(",{}", done ? Csv(cost) : "");
    for (size_t f = 0; f < options.forecasts.size(); ++f) {
      if (!done) {
        csv += ",,,,";
        continue;
      }
      const ForecastOutcome& one = outcome.forecasts[f];
      csv += fmt::format(",{},{},{},{}", InEuros(one.cost), InWattHours(one.grid_import), InWattHours(one.grid_export),
                         one.deadline_kept);
    }
    csv += "\n";
  }
  return csv;
}

BacktestChart ChartOf(const std::vector<StartOutcome>& outcomes, const BacktestOptions& options,
                      const BacktestFacts& facts) {
  BacktestChart chart;
  chart.title = fmt::format("Rolling plans against perfect foresight, {}", facts.starts);
  chart.reference = kReferences[kBestLimitWithPv];
  for (int month = 1; month <= 12; ++month) chart.categories.push_back(MonthText(month));
  for (size_t f = 0; f < options.forecasts.size(); ++f) {
    BacktestChart::Series series;
    series.name = ForecastName(options.forecasts[f]);
    series.above_eur = ForecastCosts(outcomes, f, true);
    for (int month = 1; month <= 12; ++month) {
      const auto share = Captured(outcomes, f, kBestLimitWithPv, month, facts.zone);
      series.captured_percent.push_back(share ? 100 * *share : std::numeric_limits<double>::quiet_NaN());
    }
    chart.series.push_back(std::move(series));
  }
  return chart;
}

}  // namespace heliograd

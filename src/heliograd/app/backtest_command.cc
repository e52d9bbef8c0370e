// `heliograd backtest`: days of real sun and prices replayed with the forecasts that a planner would have had.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <memory>

#include "heliograd/app/backtest_report.h"
#include "heliograd/app/backtest_run.h"
#include "heliograd/app/backtest_world.h"
#include "heliograd/app/command_line.h"
#include "heliograd/app/interrupt.h"
#include "heliograd/app/output_check.h"
#include "heliograd/base/file.h"
#include "heliograd/feed/measured_pv_file.h"
#include "heliograd/report/gnuplot.h"

namespace heliograd {
namespace {

struct BacktestFlags {
  ScenarioFlags scenario;
  std::string actual_pv, actual_price, actual_export_price;
  std::vector<std::string> forecasts = {"typical-year", "persistence", "clear-sky"};
  std::string starts = "daily";
  double replan_hours = 0;  // 0 = every slot
  std::string battery = "planned";
  std::string csv, output;
  bool json = false;
};

bool IsAsked(const BacktestFlags& flags, ForecastKind kind) {
  return std::find(flags.forecasts.begin(), flags.forecasts.end(), ForecastName(kind)) != flags.forecasts.end();
}

/// PV that really was, as a year; null without PV. Facts are told.
Result<std::shared_ptr<const PvYearSeries>> ActualPv(const BacktestFlags& flags, const Scenario& scenario,
                                                     const NodeInputs& inputs, BacktestFacts& facts) {
  using Answer = Result<std::shared_ptr<const PvYearSeries>>;
  if (flags.actual_pv.empty()) {
    facts.pv = "PV of the scenario's own year";
    facts.pv_obtained = inputs.labels.pv == Origin::kAssumed ? "assumed" : "modelled";
    if (IsAsked(flags, ForecastKind::kTypicalYear)) {
      facts.notes.push_back(
          "without --actual-pv the sun that came is the typical year itself, so that forecast knows it");
    }
    return Answer(inputs.pv);
  }
  const auto content = ReadFile(flags.actual_pv);
  if (!content) return Fail("--actual-pv: " + content.error().Message(), content.error().kind);
  auto measured = ParseMeasuredPv(*content, flags.actual_pv);
  if (!measured) return Fail(measured.error());
  double scale = 1;
  if (measured->per_watt) {
    scale = scenario.Has("pv.series") ? 0 : scenario.NumberOf("pv.dc_capacity_w");
    if (scale <= 0) {
      return Fail(fmt::format("--actual-pv: {} has power per W of panel: expected a panel in the scenario "
                              "(pv.dc_capacity_w) to scale it to.",
                              flags.actual_pv),
                  ErrorKind::kUsage);
    }
  }
  auto year = std::make_shared<PvYearSeries>();
  year->utc_offset = inputs.zone.StandardOffsetAt(inputs.start);
  for (const double power : measured->hourly) year->hourly.push_back(Watts(power * scale));
  facts.pv = fmt::format(
      "PV of {}{}{}", flags.actual_pv,
      measured->year > 0 ? fmt::format(", measured in {}", measured->year) : ", which does not say how it was made",
      measured->per_watt ? fmt::format(", times {:g} W", scale) : "");
  // Measurements have dates. Hours without any are a typical year's, as `pv --csv` writes them.
  facts.pv_obtained = measured->year > 0 ? "measured" : "assumed";
  facts.pv_file = flags.actual_pv;
  facts.notes.insert(facts.notes.end(), measured->notes.begin(), measured->notes.end());
  facts.notes.push_back(
      "that PV is matched by month, day and hour of local standard time; 29 February reads 28 February; before 1 "
      "January comes its own 31 December");
  return Answer(std::move(year));
}

/// The tariff of the file, or the scenario's own.
Result<Tariff> ActualPrices(const std::string& flag, const std::string& path, const Tariff& own, const TimeZone& zone,
                            InputCache& cache) {
  if (path.empty()) return own;
  const auto series = cache.ReadPrices(path, zone);
  if (!series) return Fail(flag + ": " + series.error().Message(), series.error().kind);
  return Tariff(**series);
}

DispatchProblem NodeOf(const NodeInputs& inputs) {
  DispatchProblem node;
  node.carbon_price = inputs.carbon_price;
  node.battery = inputs.battery;
  node.grid = inputs.grid;
  node.gpu = inputs.gpu;
  node.work = inputs.work;
  return node;
}

Result<std::vector<CarbonIntensity>> CarbonOver(const Horizon& horizon, const NodeInputs& inputs) {
  if (inputs.carbon_year) return CarbonPerSlot(*inputs.carbon_year, horizon);
  if (inputs.carbon_series) return CarbonPerSlot(*inputs.carbon_series, horizon, inputs.zone);
  return std::vector<CarbonIntensity>(static_cast<size_t>(horizon.slots), inputs.carbon_constant);
}

/// From before the first start to the end of the last job.
Result<Horizon> SpanOf(const std::vector<Stamp>& starts, const NodeInputs& inputs) {
  Horizon span{starts.front() - BacktestWorld::kLookBack, inputs.slot, 0};
  for (const Stamp start : starts) {
    if ((start - span.start) % span.step != std::chrono::nanoseconds(0)) {
      return Fail(fmt::format("--starts: {} is not a whole number of slots after the first start: expected shorter "
                              "slots (--slot-minutes).",
                              FormatLocal(start, inputs.zone)),
                  ErrorKind::kUsage);
    }
  }
  span.slots = static_cast<int>((starts.back() - span.start) / span.step) + inputs.slots;
  return span;
}

Result<BacktestWorld> MakeWorld(const BacktestFlags& flags, const Scenario& scenario, NodeInputs& inputs,
                                const std::vector<Stamp>& starts, InputCache& cache, BacktestFacts& facts) {
  BacktestWorld world;
  const auto span = SpanOf(starts, inputs);
  if (!span) return Fail(span.error());
  world.horizon = *span;
  world.node = NodeOf(inputs);
  const auto zone = TariffZone(scenario, inputs.zone);
  if (!zone) return Fail(zone.error());
  world.price_zone = *zone;

  const auto pv_over = [&](const std::shared_ptr<const PvYearSeries>& year) {
    return year ? PvEnergyPerSlot(*year, *span) : std::vector<Energy>(static_cast<size_t>(span->slots));
  };
  const auto pv = ActualPv(flags, scenario, inputs, facts);
  if (!pv) return Fail(pv.error());
  world.pv = pv_over(*pv);
  if (IsAsked(flags, ForecastKind::kTypicalYear)) world.typical = pv_over(inputs.pv);
  if (IsAsked(flags, ForecastKind::kClearSky)) {
    const auto clear = ClearSkyPvYearOf(scenario, cache);
    if (!clear) return Fail(clear.error());
    world.clear = pv_over(*clear);
  }

  const auto import = ActualPrices("--actual-price", flags.actual_price, inputs.import_tariff, *zone, cache);
  if (!import) return Fail(import.error());
  const auto exported =
      ActualPrices("--actual-export-price", flags.actual_export_price, inputs.export_tariff, *zone, cache);
  if (!exported) return Fail(exported.error());
  auto import_track = TrackOf(*import, inputs.import_fee, *span, *zone);
  if (!import_track) return Fail(import_track.error());
  auto export_track = TrackOf(*exported, EnergyPrice(), *span, *zone);
  if (!export_track) return Fail(export_track.error());
  world.import_price = *std::move(import_track);
  world.export_price = *std::move(export_track);
  facts.prices = flags.actual_price.empty() ? "prices of the scenario's tariff" : "prices of " + flags.actual_price;
  if (world.import_price.day_ahead || world.export_price.day_ahead) {
    facts.notes.push_back(fmt::format(
        "published prices are known to the end of the day, from 13:00 on ({}) to the end of the next; later ones are "
        "believed as a week before; dates that the file does not have read the same calendar hour of another of its "
        "years",
        zone->name()));
  }

  if (auto matched = MatchCarbon(scenario, cache, *span, inputs); !matched) return Fail(matched.error());
  auto carbon = CarbonOver(*span, inputs);
  if (!carbon) return Fail(carbon.error());
  world.carbon = *std::move(carbon);
  return world;
}

Result<BacktestOptions> OptionsOf(const BacktestFlags& flags, const NodeInputs& inputs) {
  BacktestOptions options;
  for (const std::string& name : flags.forecasts) {
    const ForecastKind kind = *ForecastFromName(name);
    if (std::find(options.forecasts.begin(), options.forecasts.end(), kind) == options.forecasts.end()) {
      options.forecasts.push_back(kind);
    }
  }
  const PlanningOptions planning = flags.scenario.Options();
  if (planning.formulation == Formulation::kPaper) {
    return Fail(
        "--formulation paper: its plans may buy and sell at once, which no node can do: expected blend or "
        "levels.",
        ErrorKind::kUsage);
  }
  if (inputs.objective == Objective::kCarbon) {
    return Fail("job.objective is 'carbon': a backtest compares costs: expected 'cost'.", ErrorKind::kUsage);
  }
  options.rolling.formulation = planning.formulation;
  options.rolling.solve = planning.solve;
  if (flags.battery == "follows-sun") options.rolling.battery = BatteryIntent::kFollowsSun;
  options.slots = inputs.slots;
  if (flags.replan_hours > 0) {
    const double slots = flags.replan_hours * 3600 / static_cast<double>(inputs.slot.count());
    if (std::abs(slots - std::round(slots)) > 1e-6 || slots < 0.5) {
      return Fail(fmt::format("--replan-hours is {:g}: expected a whole number of slots of {} minutes.",
                              flags.replan_hours, inputs.slot.count() / 60),
                  ErrorKind::kUsage);
    }
    options.rolling.replan_every = static_cast<int>(std::min(std::round(slots), 1e6));
  }
  return options;
}

/// Files first, so that an answer on the screen means that all was written.
Result<void> WriteFiles(const BacktestFlags& flags, const std::vector<StartOutcome>& outcomes,
                        const BacktestOptions& options, const BacktestFacts& facts) {
  if (!flags.csv.empty()) {
    if (auto done = WriteFile(flags.csv, BacktestCsv(outcomes, options, facts.zone)); !done) return done;
    PrintMessage(fmt::format("{} starts written to {}", outcomes.size(), flags.csv));
  }
  if (!flags.output.empty()) {
    if (auto done = WriteFigure(BacktestFigure(ChartOf(outcomes, options, facts)), flags.output); !done) return done;
    PrintMessage(flags.output + " written");
  }
  return {};
}

/// Why not even perfect foresight does the job, at the first start that it cannot do.
std::string WhyNone(const BacktestFlags& flags, NodeInputs inputs, const std::vector<StartOutcome>& outcomes) {
  const auto infeasible = std::find_if(outcomes.begin(), outcomes.end(), [](const StartOutcome& outcome) {
    return outcome.status == StartStatus::kInfeasible;
  });
  inputs.start = infeasible->start;
  PlanningOptions options = flags.scenario.Options();
  options.explain = false;
  const auto job = PlanJob(inputs, options, *flags.scenario.Solver());
  const std::string reason = !job                                  ? job.error().Message()
                             : job->plan.infeasible_reason.empty() ? "the sun that really came does not suffice"
                                                                   : job->plan.infeasible_reason;
  return fmt::format("no start can be done. The first, {}: {}", FormatLocal(inputs.start, inputs.zone), reason);
}

Result<int> Backtest(const BacktestFlags& flags) {
  if (auto sound = CheckFigureOutput(flags.output); !sound) return Fail(sound.error());
  if (auto sound = CheckOutput(flags.csv, "start,status,perfect_foresight_cost_eur", "table of a backtest", "--csv");
      !sound)
    return Fail(sound.error());
  const auto scenario = flags.scenario.Load();
  if (!scenario) return Fail(scenario.error());
  InputCache cache;
  auto inputs = ReadInputs(*scenario, flags.scenario.slot_minutes, cache);
  if (!inputs) return Fail(inputs.error());
  const auto options = OptionsOf(flags, *inputs);
  if (!options) return Fail(options.error());
  const auto starts = ParseStarts(flags.starts, inputs->start, inputs->zone);
  if (!starts) return Fail(starts.error());
  BacktestFacts facts;
  const auto world = MakeWorld(flags, *scenario, *inputs, starts->starts, cache, facts);
  if (!world) return Fail(world.error());
  facts.scenario = scenario->source();
  facts.starts = starts->words;
  facts.zone = inputs->zone;
  facts.battery = flags.battery;
  facts.formulation = FormulationName(options->rolling.formulation);
  const double slot_h = InHours(world->horizon.SlotDuration());
  facts.hours = slot_h * inputs->slots;
  facts.replan_hours = slot_h * options->rolling.replan_every;
  facts.notes.insert(facts.notes.end(), inputs->notes.begin(), inputs->notes.end());

  CatchInterrupts();
  const bool on_terminal = isatty(STDERR_FILENO) != 0;
  const auto outcomes = RunBacktest(*world, starts->starts, *options, *flags.scenario.Solver(), [&](size_t done) {
    if (on_terminal) fmt::print(stderr, "\r{} of {} starts", done, starts->starts.size());
  });
  if (on_terminal) fmt::print(stderr, "\r\033[K");
  if (!outcomes) return Fail(outcomes.error());
  const auto is = [](StartStatus status) {
    return [status](const StartOutcome& outcome) { return outcome.status == status; };
  };
  if (std::all_of(outcomes->begin(), outcomes->end(), is(StartStatus::kGap))) {
    return Fail(
        "every start has hours whose price the file does not know: give a file that covers them, or other "
        "days (--starts).");
  }
  const bool any_done = std::any_of(outcomes->begin(), outcomes->end(), is(StartStatus::kDone));
  if (any_done) {
    if (auto done = WriteFiles(flags, *outcomes, *options, facts); !done) return Fail(done.error());
  }
  const std::string text = flags.json ? BacktestJson(*outcomes, *options, facts)
                                      : BacktestText(*outcomes, *options, facts, DetectTerminal(1));
  if (auto done = Print(text); !done) return Fail(done.error());
  if (any_done) return kExitOk;
  PrintMessage(WhyNone(flags, *inputs, *outcomes));
  return kExitInfeasible;
}

}  // namespace

void AddBacktestCommand(CLI::App& program, Commands& commands) {
  CLI::App* app = AddCommand(
      program, "backtest", "Replays real sun and prices with the forecasts that a planner would have had",
      {"heliograd backtest builtin:paper", "heliograd backtest my.toml --actual-pv measured.csv -o backtest.svg",
       "heliograd backtest my.toml --actual-pv measured.csv --actual-price day_ahead.csv --csv starts.csv",
       "heliograd backtest my.toml --starts 2025-06-01:2025-08-31 --forecast persistence --forecast none"});
  auto flags = std::make_shared<BacktestFlags>();
  flags->scenario.AddTo(*app);
  app->add_option("--actual-pv", flags->actual_pv,
                  "PV that really came: CSV time,ac_w or time,ac_w_per_w (hours of one year, local standard time); "
                  "default: the scenario's own");
  app->add_option("--actual-price", flags->actual_price,
                  "prices that really came (layouts as for tariff.import), read on the clock of tariff.timezone or the "
                  "site; the import fee is added; default: the scenario's tariff");
  app->add_option("--actual-export-price", flags->actual_export_price, "the same for what is sold");
  app->add_option("--forecast", flags->forecasts,
                  "typical-year | persistence | clear-sky | none | perfect; repeatable (default: the first three)")
      ->check(CLI::IsMember({"typical-year", "persistence", "clear-sky", "none", "perfect"}))
      ->delimiter(',')
      ->allow_extra_args(false);
  app->add_option("--starts", flags->starts,
                  "daily | hourly | FIRST-DAY:LAST-DAY, at the scenario's time of day (default daily, its whole year)");
  app->add_option("--replan-hours", flags->replan_hours, "hours between two plans (default: every slot)")
      ->check(CLI::Range(1.0 / 60, 8784.0));
  app->add_option("--battery", flags->battery,
                  "planned (flows as planned, the grid takes the difference; default) | follows-sun (what was to come "
                  "from PV only takes PV, as inverters do)")
      ->check(CLI::IsMember({"planned", "follows-sun"}));
  app->add_option("--csv", flags->csv, "file for one row per start");
  app->add_option("-o,--output", flags->output, "figure of the distribution and of each month: FILE.svg, .png or .pdf");
  app->add_flag("--json", flags->json, "one JSON object on standard output, with every start");
  commands.push_back({app, [flags] { return Backtest(*flags); }});
}

}  // namespace heliograd

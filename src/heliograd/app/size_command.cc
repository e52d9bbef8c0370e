// `heliograd size`: the panel and the battery that make a year of training runs cheapest, investment included.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <nlohmann/json.hpp>

#include "heliograd/app/command_line.h"
#include "heliograd/app/interrupt.h"
#include "heliograd/app/output_check.h"
#include "heliograd/app/parallel.h"
#include "heliograd/app/vary.h"
#include "heliograd/base/text.h"
#include "heliograd/optimize/diagnose.h"
#include "heliograd/optimize/offgrid.h"
#include "heliograd/optimize/sizing.h"
#include "heliograd/report/gnuplot.h"
#include "heliograd/report/number_text.h"
#include "heliograd/report/size_figure.h"
#include "heliograd/report/text_table.h"

namespace heliograd {
namespace {

using Json = nlohmann::ordered_json;

struct SizeFlags {
  ScenarioFlags scenario;
  std::string pv = "0:3000:250", battery = "0:5000:500", output;
  double pv_eur_per_w = 1.2, battery_eur_per_wh = 0.4;
  double pv_years = 25, battery_years = 12;
  double discount_percent = 4;
  int runs = 100;
  bool only_runs = false;
  bool json = false;
};

/// One pair of sizes and what it costs per year.
struct Sized {
  double pv_w = 0, battery_wh = 0;
  YearOfRuns year;
  Money investment;  // once
  Money payment;     // per year, for the investment

  Money Total() const { return year.cost + payment; }
};

/// What all sizes share.
class Sizing {
 public:
  Sizing(const SizeFlags& flags, const Scenario& scenario, InputCache& cache)
      : flags_(flags), scenario_(scenario), cache_(cache), solver_(flags.scenario.Solver()) {}

  Result<Sized> At(double pv_w, double battery_wh) const {
    Result<DispatchProblem> year = YearWith(pv_w);
    if (!year) return Fail(year.error());
    return At(*year, pv_w, battery_wh);
  }

  Result<Sized> At(DispatchProblem year, double pv_w, double battery_wh) const {
    SetBattery(year, battery_wh);
    const Result<RunCalendar> calendar = Calendar(year);
    if (!calendar) return Fail(calendar.error());
    const PlanningOptions options = flags_.scenario.Options();
    auto cost = CostOfYear(year, *calendar, options.formulation, options.solve, *solver_);
    if (!cost) return Fail(cost.error());
    if (flags_.only_runs) cost->cost += cost->between;
    Sized sized{pv_w, battery_wh, *cost, {}, {}};
    const Money pv = Euros(flags_.pv_eur_per_w * pv_w), battery = Euros(flags_.battery_eur_per_wh * battery_wh);
    sized.investment = pv + battery;
    sized.payment = YearlyPayment(pv, flags_.pv_years, flags_.discount_percent / 100) +
                    YearlyPayment(battery, flags_.battery_years, flags_.discount_percent / 100);
    return sized;
  }

  /// Why the year cannot be done with these sizes, on the site's clock, and what would help.
  /// Precondition: it cannot (Sized::year.impossible_run).
  Result<std::string> WhyImpossible(const Sized& sized) const {
    const auto inputs = InputsWith(sized.pv_w);
    if (!inputs) return Fail(inputs.error());
    auto year = YearWith(sized.pv_w);
    if (!year) return Fail(year.error());
    SetBattery(*year, sized.battery_wh);
    const int first = *sized.year.impossible_run, slots_per_year = year->horizon.slots - inputs->slots;
    const ProblemForSlots over = [&](int slots) -> Result<DispatchProblem> {
      return RunOf(*year, first, slots, slots_per_year);
    };
    const auto run = over(inputs->slots);
    const auto local = [&](Stamp stamp) { return FormatCivil(inputs->zone.ToCivil(stamp)); };
    std::vector<Level> levels = inputs->all_levels;
    levels.insert(levels.end(), inputs->forbidden_levels.begin(), inputs->forbidden_levels.end());
    const auto diagnosis = Diagnose(*run, flags_.scenario.Options().formulation,
                                    {*solver_, over, local, DropDominated(std::move(levels)).kept});
    if (!diagnosis) return Fail(diagnosis.error());
    return fmt::format("with {:g} W of PV and {:g} Wh of battery the run from {} cannot be done in its {:g} h: {}",
                       sized.pv_w, sized.battery_wh, local(run->horizon.start),
                       InHours(run->horizon.SlotDuration()) * inputs->slots, diagnosis->sentence);
  }

  /// A year and one run more from the scenario's start, with a panel of this size.
  Result<DispatchProblem> YearWith(double pv_w) const {
    const auto inputs = InputsWith(pv_w);
    if (!inputs) return Fail(inputs.error());
    const int slots_per_day = static_cast<int>(std::chrono::hours(24) / inputs->slot);
    return ProblemOver(*inputs, 365 * slots_per_day + inputs->slots);
  }

  /// Whole jobs that PV alone finishes in a year, one after the other, without a battery (the last by the part done).
  Result<double> RunsOnSunAlone(double pv_w) const {
    if (pv_w <= 0) return 0.0;
    Scenario scenario = scenario_;
    if (auto set = scenario.Set(fmt::format("pv.dc_capacity_w={:.10g}", pv_w), "--pv"); !set) return Fail(set.error());
    const auto inputs = ReadOffgridInputs(scenario, flags_.scenario.slot_minutes, cache_);
    if (!inputs) return Fail(inputs.error());
    const OffgridYear year(inputs->pv, inputs->slot, inputs->levels, OffgridMode::kDynamic);
    const double slot_h = InHours(inputs->slot), year_h = slot_h * static_cast<double>(inputs->pv.size());
    double begin_h = 0, runs = 0;
    while (begin_h < year_h) {
      const OffgridResult run = year.From(static_cast<size_t>(begin_h / slot_h) % inputs->pv.size(), inputs->work);
      if (!run.finished) return runs;
      const double needed_h = std::max(InHours(run.time_to_finish), slot_h);
      runs += std::min(1.0, (year_h - begin_h) / needed_h);
      begin_h += needed_h;
    }
    return runs;
  }

 private:
  Result<NodeInputs> InputsWith(double pv_w) const {
    Scenario scenario = scenario_;
    if (auto set = scenario.Set(fmt::format("pv.dc_capacity_w={:.10g}", pv_w), "--pv"); !set) return Fail(set.error());
    return ReadInputs(scenario, flags_.scenario.slot_minutes, cache_);
  }

  static void SetBattery(DispatchProblem& year, double battery_wh) {
    year.battery.capacity = WattHours(battery_wh);
    year.battery.initial = std::min(year.battery.initial, year.battery.capacity);
    year.battery.final_min = std::min(year.battery.final_min, year.battery.capacity);
  }

  Result<RunCalendar> Calendar(const DispatchProblem& year) const {
    const int per_day = static_cast<int>(std::lround(24 / InHours(year.horizon.SlotDuration())));
    return SpreadRuns(flags_.runs, year.horizon.slots - 365 * per_day, per_day, 365 * per_day);
  }

  const SizeFlags& flags_;
  const Scenario& scenario_;
  InputCache& cache_;
  std::unique_ptr<DispatchSolver> solver_;
};

Result<std::vector<double>> Sizes(const std::string& flag, const std::string& text) {
  const auto wrong = [&] {
    return Fail(fmt::format("{} {}: expected START:STOP:STEP or a list of sizes from 0 up", flag, Quoted(text)),
                ErrorKind::kUsage);
  };
  const Result<Variation> variation = ParseVariation("pv.dc_capacity_w=" + text);
  if (!variation) return wrong();
  std::vector<double> sizes;
  for (const std::string& value : variation->values) {
    const std::optional<double> number = ParseNumber(value);
    if (!number || *number < 0) return wrong();
    sizes.push_back(*number);
  }
  std::sort(sizes.begin(), sizes.end());
  sizes.erase(std::unique(sizes.begin(), sizes.end()), sizes.end());
  if (sizes.front() != 0) sizes.insert(sizes.begin(), 0);  // neither: what everything is compared with
  return sizes;
}

/// Each point plans every run of a year: above this many the answer would be days away.
constexpr size_t kMostSizes = 10'000;

/// "--pv 0:3000:0.001" names the flag with more sizes.
Result<void> RequireFewPoints(const SizeFlags& flags, size_t pv, size_t battery) {
  if (pv * battery <= kMostSizes) return {};
  const bool pv_is_more = pv >= battery;
  return Fail(fmt::format("{} {}: {} sizes, {} points with those of {}: expected at most {} points: take a longer step",
                          pv_is_more ? "--pv" : "--battery", Quoted(pv_is_more ? flags.pv : flags.battery),
                          std::max(pv, battery), pv * battery, pv_is_more ? "--battery" : "--pv", kMostSizes),
              ErrorKind::kUsage);
}

/// A map has an area. Said before the work, which may take minutes.
Result<void> RequireAMap(const SizeFlags& flags, size_t pv, size_t battery) {
  if (flags.output.empty() || (pv > 1 && battery > 1)) return {};
  const bool pv_is_one = pv <= 1;
  return Fail(fmt::format("{} {}: a single size, and the map of -o needs two of the panel and two of the battery: give "
                          "a second size, or leave out -o",
                          pv_is_one ? "--pv" : "--battery", Quoted(pv_is_one ? flags.pv : flags.battery)),
              ErrorKind::kUsage);
}

Result<std::vector<Sized>> Grid(const Sizing& sizing, const std::vector<double>& pv,
                                const std::vector<double>& battery) {
  std::vector<Sized> grid(pv.size() * battery.size());
  std::vector<std::optional<Error>> failures(pv.size());
  ParallelFor(pv.size(), [&](size_t i) {
    const Result<DispatchProblem> year = sizing.YearWith(pv[i]);
    if (!year) failures[i] = year.error();
    for (size_t k = 0; year && k < battery.size() && !failures[i]; ++k) {
      const Result<Sized> sized = sizing.At(*year, pv[i], battery[k]);
      if (sized) grid[i * battery.size() + k] = *sized;
      if (!sized) failures[i] = sized.error();
    }
  });
  for (const std::optional<Error>& failure : failures) {
    if (failure) return Fail(*failure);
  }
  if (Interrupted()) return Fail("interrupted", ErrorKind::kInterrupted);
  return grid;
}

/// From the best of the grid to sizes within 1 % of the grid's step: with `blend` the year's cost is convex in both.
Result<Sized> Refine(const Sizing& sizing, Sized best, const std::vector<double>& pv,
                     const std::vector<double>& battery) {
  constexpr int kHalvings = 7;
  const auto step = [](const std::vector<double>& sizes) { return sizes.size() > 1 ? sizes[1] - sizes[0] : 0.0; };
  double pv_step = step(pv), battery_step = step(battery);
  for (int halving = 0; halving < kHalvings; ++halving) {
    pv_step /= 2;
    battery_step /= 2;
    const Sized middle = best;
    for (const double pv_sign : {-1.0, 0.0, 1.0}) {
      for (const double battery_sign : {-1.0, 0.0, 1.0}) {
        const double pv_w = middle.pv_w + pv_sign * pv_step,
                     battery_wh = middle.battery_wh + battery_sign * battery_step;
        if (pv_w < 0 || pv_w > pv.back() || battery_wh < 0 || battery_wh > battery.back()) continue;
        const Result<Sized> sized = sizing.At(pv_w, battery_wh);
        if (!sized) return Fail(sized.error());
        if (!sized->year.impossible_run && sized->Total() < best.Total()) best = *sized;
      }
    }
  }
  return best;
}

/// Years until what is saved has paid for the hardware, however long it lives; nothing where nothing is saved.
std::optional<double> Payback(const Sized& sized, const Sized& neither) {
  const Money saved = neither.year.cost - sized.year.cost;
  if (sized.investment <= Money() || saved <= Money()) return std::nullopt;
  return sized.investment / saved;
}

Json AsJson(const Sized& sized, const Sized& neither) {
  const std::optional<double> payback = Payback(sized, neither);
  return {{"pv_w", sized.pv_w},
          {"battery_wh", sized.battery_wh},
          {"total_eur_per_year", InEuros(sized.Total())},
          {"energy_eur_per_year", InEuros(sized.year.cost)},
          {"sold_between_runs_eur_per_year", InEuros(sized.year.between)},
          {"hardware_eur_per_year", InEuros(sized.payment)},
          {"investment_eur", InEuros(sized.investment)},
          {"payback_years", payback ? Json(*payback) : Json()},
          {"grid_import_wh_per_year", InWattHours(sized.year.grid_import)},
          {"grid_export_wh_per_year", InWattHours(sized.year.grid_export)},
          {"carbon_kg_per_year", InKilograms(sized.year.carbon)}};
}

Json Assumptions(const SizeFlags& flags) {
  return {{"pv_eur_per_w", flags.pv_eur_per_w},
          {"battery_eur_per_wh", flags.battery_eur_per_wh},
          {"pv_lifetime_years", flags.pv_years},
          {"battery_lifetime_years", flags.battery_years},
          {"discount_rate_percent", flags.discount_percent},
          {"runs_per_year", flags.runs}};
}

std::string Words(const Sized& sized) {
  if (sized.pv_w == 0 && sized.battery_wh == 0) return "neither";
  return fmt::format("{:.0f} W PV, {:.0f} Wh", sized.pv_w, sized.battery_wh);
}

bool IsNeither(const Sized& sized) { return sized.pv_w == 0 && sized.battery_wh == 0; }

/// "32.5 years" of a battery that lives for 12 would promise what it cannot give.
std::string PaybackText(const Sized& sized, const Sized& neither, const SizeFlags& flags) {
  if (sized.investment <= Money()) return "";
  const std::optional<double> payback = Payback(sized, neither);
  if (!payback) return "never";
  const double life = std::max(sized.pv_w > 0 ? flags.pv_years : 0, sized.battery_wh > 0 ? flags.battery_years : 0);
  return *payback > life ? "not within its life" : fmt::format("{:.1f} years", *payback);
}

std::string AsText(const std::vector<Sized>& shown, double sun_runs, bool at_edge, const SizeFlags& flags,
                   bool has_carbon, const TerminalStyle& style) {
  const Sized& best = shown.front();
  const Sized& neither = IsNeither(best) ? best : shown.back();
  const std::string compared = IsNeither(best) ? "" : fmt::format("; {} with neither", MoneyText(neither.Total()));
  std::string text = Paragraph(fmt::format("Least cost over the year for {} runs: {} ({} per year{}).", flags.runs,
                                           Words(best), MoneyText(best.Total()), compared),
                               style);
  if (at_edge) {
    text += Paragraph("It lies at the edge of what was searched: more may be cheaper still (--pv, --battery).", style);
  }
  const Sized& least =
      *std::min_element(shown.begin(), shown.end(), [](const auto& a, const auto& b) { return a.Total() < b.Total(); });
  if (least.Total() < best.Total()) {
    text += Paragraph(fmt::format("The scenario's own sizes were not searched and cost less: {} ({} per year).",
                                  Words(least), MoneyText(least.Total())),
                      style);
  }
  if (best.year.between > Money() && !flags.only_runs) {
    text += Paragraph(fmt::format("{} of the energy's cost are sales between runs; --only-runs leaves them out.",
                                  MoneyText(Money() - best.year.between)),
                      style);
  }
  if (best.pv_w > 0) {
    text += Paragraph(
        fmt::format("On its sun alone, without battery and grid, that panel finishes {:.0f} such runs a year.",
                    std::floor(sun_runs)),
        style);
  }
  TextTable table(
      {{"sizes", Align::kLeft, true}, {"per year"}, {"energy"}, {"hardware"}, {"paid back"}, {"bought"}, {"carbon"}});
  for (const Sized& sized : shown) {
    table.AddRow({Words(sized), MoneyText(sized.Total()), MoneyText(sized.year.cost), MoneyText(sized.payment),
                  PaybackText(sized, neither, flags), EnergyText(sized.year.grid_import),
                  has_carbon ? CarbonText(sized.year.carbon) : "not known"});
  }
  text += "\n" + table.Draw(style) + "\n";
  return text + Paragraph(fmt::format(
                              "Assumed: PV {:g} EUR/W for {:g} years, battery {:g} EUR/Wh for {:g} years, {:g} % a "
                              "year; runs spread evenly from the scenario's start. Modelled: each run has its own best "
                              "plan; between runs the panel sells what it makes and the battery rests.",
                              flags.pv_eur_per_w, flags.pv_years, flags.battery_eur_per_wh, flags.battery_years,
                              flags.discount_percent),
                          style);
}

/// What a reader compares: the best, the best with one of the two, the scenario's own, neither.
Result<std::vector<Sized>> Shown(const Sizing& sizing, const Sized& best, const std::vector<Sized>& grid,
                                 const Scenario& scenario) {
  std::vector<Sized> shown = {best};
  const auto add_least = [&](auto allowed) {
    const Sized* least = nullptr;
    for (const Sized& sized : grid) {
      if (allowed(sized) && (least == nullptr || sized.Total() < least->Total())) least = &sized;
    }
    if (least != nullptr) shown.push_back(*least);
  };
  add_least([](const Sized& sized) { return sized.battery_wh == 0 && sized.pv_w > 0; });
  add_least([](const Sized& sized) { return sized.battery_wh > 0 && sized.pv_w > 0; });
  add_least([](const Sized& sized) { return sized.battery_wh > 0 && sized.pv_w == 0; });
  const Result<Sized> own = sizing.At(scenario.NumberOf("pv.dc_capacity_w"), scenario.NumberOf("battery.capacity_wh"));
  if (!own) return Fail(own.error());
  if (!own->year.impossible_run) shown.push_back(*own);
  std::sort(shown.begin() + 1, shown.end(), [](const Sized& a, const Sized& b) { return a.Total() < b.Total(); });
  const auto same = [](const Sized& a, const Sized& b) { return a.pv_w == b.pv_w && a.battery_wh == b.battery_wh; };
  shown.erase(std::unique(shown.begin(), shown.end(), same), shown.end());
  std::erase_if(shown, [&](const Sized& sized) { return &sized != &shown.front() && same(sized, grid.front()); });
  if (!same(shown.front(), grid.front())) shown.push_back(grid.front());
  return shown;
}

SizeMap MapOf(const std::vector<double>& pv, const std::vector<double>& battery, const std::vector<Sized>& grid,
              const Sized& best, int runs) {
  SizeMap map{fmt::format("Cost per year of {} training runs, hardware included", runs),
              pv,
              battery,
              {},
              best.pv_w,
              best.battery_wh};
  for (const Sized& sized : grid) map.cost_eur.push_back(InEuros(sized.Total()));
  return map;
}

Result<int> SayImpossible(const Sizing& sizing, const Sized& sized, bool as_json) {
  const Result<std::string> why = sizing.WhyImpossible(sized);
  if (!why) return Fail(why.error());
  const Json json = {{"status", "infeasible"}, {"infeasible_reason", *why}};
  const std::string text = as_json ? json.dump(2) + "\n" : Paragraph("Infeasible: " + *why, DetectTerminal(1));
  return Print(text).map([] { return kExitInfeasible; });
}

Result<void> RequireCosts(const Scenario& scenario) {
  if (scenario.TextOf("job.objective") != "carbon") return {};
  return Fail(scenario.Cite("job.objective") +
                  ": `size` weighs energy against hardware in money: expected 'cost' (carbon.price_eur_per_kg makes "
                  "carbon count)",
              ErrorKind::kUsage);
}

Result<void> RequireAnArray(const Scenario& scenario) {
  if (scenario.Has("pv.series")) {
    return Fail(
        scenario.Cite("pv.series") + ": a series has a size of its own; `size` needs the array (pv.dc_capacity_w)",
        ErrorKind::kUsage);
  }
  return {};
}

Result<int> Size(const SizeFlags& flags) {
  if (Result<void> sound = CheckFigureOutput(flags.output); !sound) return Fail(sound.error());
  const auto scenario = flags.scenario.Load();
  if (!scenario) return Fail(scenario.error());
  if (Result<void> sound = RequireAnArray(*scenario); !sound) return Fail(sound.error());
  if (Result<void> sound = RequireCosts(*scenario); !sound) return Fail(sound.error());
  const auto pv = Sizes("--pv", flags.pv);
  const auto battery = Sizes("--battery", flags.battery);
  if (!pv) return Fail(pv.error());
  if (!battery) return Fail(battery.error());
  if (Result<void> few = RequireFewPoints(flags, pv->size(), battery->size()); !few) return Fail(few.error());
  if (Result<void> map = RequireAMap(flags, pv->size(), battery->size()); !map) return Fail(map.error());
  CatchInterrupts();
  InputCache cache;
  const Sizing sizing(flags, *scenario, cache);
  const auto grid = Grid(sizing, *pv, *battery);
  if (!grid) return Fail(grid.error());
  for (const Sized& sized : *grid) {
    if (sized.year.impossible_run) return SayImpossible(sizing, sized, flags.json);
  }
  const Sized& coarse = *std::min_element(grid->begin(), grid->end(),
                                          [](const Sized& a, const Sized& b) { return a.Total() < b.Total(); });
  const auto best = Refine(sizing, coarse, *pv, *battery);
  if (!best) return Fail(best.error());
  const auto shown = Shown(sizing, *best, *grid, *scenario);
  if (!shown) return Fail(shown.error());
  const auto sun_runs = sizing.RunsOnSunAlone(best->pv_w);
  if (!sun_runs) return Fail(sun_runs.error());
  if (!flags.output.empty()) {
    if (auto done = WriteFigure(SizeFigure(MapOf(*pv, *battery, *grid, *best, flags.runs)), flags.output); !done) {
      return Fail(done.error());
    }
    PrintMessage(flags.output + " written");
  }
  // A range that holds nothing but "none" was not searched.
  const auto at_end = [](double size, const std::vector<double>& sizes) {
    return sizes.size() > 1 && size >= sizes.back();
  };
  const bool at_edge = at_end(best->pv_w, *pv) || at_end(best->battery_wh, *battery);
  if (!flags.json) {
    const bool has_carbon = scenario->Has("carbon.series") || scenario->Has("carbon.intensity_g_per_kwh");
    return Print(AsText(*shown, *sun_runs, at_edge, flags, has_carbon, DetectTerminal(1))).map([] { return kExitOk; });
  }
  Json json = {{"obtained", "modelled"}, {"assumed", Assumptions(flags)}, {"best", AsJson(*best, grid->front())}};
  json["best"]["runs_per_year_on_sun_alone"] = *sun_runs;
  json["best"]["at_edge_of_search"] = at_edge;
  json["points"] = Json::array();
  for (const Sized& sized : *grid) json["points"].push_back(AsJson(sized, grid->front()));
  return Print(json.dump(2) + "\n").map([] { return kExitOk; });
}

}  // namespace

void AddSizeCommand(CLI::App& program, Commands& commands) {
  CLI::App* app = AddCommand(program, "size", "Finds the panel and the battery that make a year of runs cheapest",
                             {"heliograd size builtin:paper", "heliograd size my.toml --runs-per-year 52 -o sizes.svg",
                              "heliograd size my.toml --pv 0:6000:500 --battery 0:10000:1000 --battery-price 0.25"});
  auto flags = std::make_shared<SizeFlags>();
  flags->scenario.AddTo(*app);
  app->add_option("--pv", flags->pv, "panel sizes in W: START:STOP:STEP or a list")->capture_default_str();
  app->add_option("--battery", flags->battery, "battery sizes in Wh: START:STOP:STEP or a list")->capture_default_str();
  app->add_option("--pv-price", flags->pv_eur_per_w, "EUR per W of panel, installed")
      ->check(CLI::Range(0.0, 1000.0))
      ->capture_default_str();
  app->add_option("--battery-price", flags->battery_eur_per_wh, "EUR per Wh of battery, installed")
      ->check(CLI::Range(0.0, 1000.0))
      ->capture_default_str();
  app->add_option("--pv-lifetime", flags->pv_years, "years")->check(CLI::Range(1.0, 100.0))->capture_default_str();
  app->add_option("--battery-lifetime", flags->battery_years, "years")
      ->check(CLI::Range(1.0, 100.0))
      ->capture_default_str();
  app->add_option("--discount-rate", flags->discount_percent, "percent a year")
      ->check(CLI::Range(0.0, 50.0))
      ->capture_default_str();
  app->add_option("--runs-per-year", flags->runs, "jobs like the scenario's, spread evenly over the year")
      ->check(CLI::Range(1, 100'000))
      ->capture_default_str();
  app->add_flag("--only-runs", flags->only_runs, "leave out what PV sells between runs");
  app->add_option("-o,--output", flags->output, "figure of the yearly cost over both sizes: FILE.svg, .png or .pdf");
  app->add_flag("--json", flags->json, "one JSON object on standard output, with every point");
  commands.push_back({app, [flags] { return Size(*flags); }});
}

}  // namespace heliograd

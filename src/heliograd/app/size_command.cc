// `heliograd size`: the panel and the battery that make a year of training runs cheapest, investment included.
#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <memory>
#include <nlohmann/json.hpp>

#include "heliograd/app/command_line.h"
#include "heliograd/app/interrupt.h"
#include "heliograd/app/output_check.h"
#include "heliograd/app/parallel.h"
#include "heliograd/app/progress_line.h"
#include "heliograd/app/vary.h"
#include "heliograd/base/file.h"
#include "heliograd/base/text.h"
#include "heliograd/feed/run_calendar_file.h"
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
  std::string pv = "0:3000:250", battery = "0:5000:500", calendar, output;
  double pv_eur_per_w = 1.2, battery_eur_per_wh = 0.4;
  double pv_years = 25, battery_years = 12;
  double discount_percent = 4;
  int runs = 100;
  bool only_runs = false;
  bool json = false;
};

/// When the year's runs begin, and the year that they lie in.
struct Runs {
  RunCalendar calendar;
  Stamp begin;
  std::string from;  // the calendar's file; empty: spread evenly

  size_t count() const { return calendar.runs.size(); }
  /// "100 runs", "the 42 runs of runs.csv".
  std::string Words() const {
    const std::string plural = count() == 1 ? "run" : "runs";
    return from.empty() ? fmt::format("{} {}", count(), plural) : fmt::format("the {} {} of {}", count(), plural, from);
  }
};

Result<Runs> SpreadOver(const SizeFlags& flags, const NodeInputs& inputs) {
  const int per_day = static_cast<int>(std::chrono::hours(24) / inputs.slot);
  auto calendar = SpreadRuns(flags.runs, inputs.slots, per_day, 365 * per_day);
  if (!calendar) {
    return Fail(fmt::format("--runs-per-year {}: runs of {:g} h would overlap: expected at most {}, or a shorter "
                            "horizon (--hours, --deadline)",
                            flags.runs, InHours(Seconds(static_cast<double>(inputs.slot.count()))) * inputs.slots,
                            MostSpreadRuns(inputs.slots, per_day, 365 * per_day)),
                ErrorKind::kUsage);
  }
  return Runs{*std::move(calendar), inputs.start, ""};
}

Result<Runs> ReadCalendar(const std::string& path, const NodeInputs& inputs) {
  const auto content = ReadFile(path);
  if (!content) return Fail("--calendar: " + content.error().Message(), content.error().kind);
  auto year = ParseRunCalendar(*content, path, {inputs.zone, inputs.slot, inputs.slots});
  if (!year) return Fail(year.error());
  Runs runs;
  runs.calendar.slots_per_year = year->slots;
  runs.begin = year->begin;
  runs.from = path;
  for (const CalendarRun& run : year->runs) runs.calendar.runs.push_back({run.first_slot, run.slots});
  return runs;
}

Result<Runs> RunsOf(const SizeFlags& flags, const Scenario& scenario, InputCache& cache) {
  const auto inputs = ReadInputs(scenario, flags.scenario.slot_minutes, cache);
  if (!inputs) return Fail(inputs.error());
  return flags.calendar.empty() ? SpreadOver(flags, *inputs) : ReadCalendar(flags.calendar, *inputs);
}

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
  Sizing(const SizeFlags& flags, const Scenario& scenario, const Runs& runs, InputCache& cache)
      : flags_(flags), scenario_(scenario), runs_(runs), cache_(cache), solver_(flags.scenario.Solver()) {}

  Result<Sized> At(double pv_w, double battery_wh) const {
    Result<DispatchProblem> year = YearWith(pv_w);
    if (!year) return Fail(year.error());
    return At(*year, pv_w, battery_wh);
  }

  Result<Sized> At(DispatchProblem year, double pv_w, double battery_wh) const {
    year.battery.capacity = WattHours(battery_wh);
    const PlanningOptions options = flags_.scenario.Options();
    auto cost = CostOfYear(year, runs_.calendar, options.formulation, options.solve, *solver_);
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
    year->battery.capacity = WattHours(sized.battery_wh);
    const ScheduledRun impossible = *sized.year.impossible_run;
    const ProblemForSlots over = [&](int slots) -> Result<DispatchProblem> {
      return RunOf(*year, impossible.first_slot, slots, runs_.calendar.slots_per_year);
    };
    const auto run = over(impossible.slots);
    const auto local = [&](Stamp stamp) { return FormatCivil(inputs->zone.ToCivil(stamp)); };
    std::vector<Level> levels = inputs->all_levels;
    levels.insert(levels.end(), inputs->forbidden_levels.begin(), inputs->forbidden_levels.end());
    const auto diagnosis = Diagnose(*run, flags_.scenario.Options().formulation,
                                    {*solver_, over, local, DropDominated(std::move(levels)).kept});
    if (!diagnosis) return Fail(diagnosis.error());
    return fmt::format("with {:g} W of PV and {:g} Wh of battery the run from {} cannot be done in its {:g} h: {}",
                       sized.pv_w, sized.battery_wh, local(run->horizon.start),
                       InHours(run->horizon.SlotDuration()) * impossible.slots, diagnosis->sentence);
  }

  /// A year and one run more, from where the calendar's year begins, with a panel of this size.
  Result<DispatchProblem> YearWith(double pv_w) const {
    auto inputs = InputsWith(pv_w);
    if (!inputs) return Fail(inputs.error());
    inputs->start = runs_.begin;
    const int slots = runs_.calendar.slots_per_year + runs_.calendar.LongestRun();
    if (auto done = MatchCarbon(scenario_, cache_, {inputs->start, inputs->slot, slots}, *inputs); !done)
      return Fail(done.error());
    return ProblemOver(*inputs, slots);
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

  const SizeFlags& flags_;
  const Scenario& scenario_;
  const Runs& runs_;
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

Result<std::vector<Sized>> Grid(const Sizing& sizing, const std::vector<double>& pv, const std::vector<double>& battery,
                                const ProgressLine& line) {
  std::vector<Sized> grid(pv.size() * battery.size());
  std::vector<std::optional<Error>> failures(pv.size());
  std::atomic<size_t> done{0};
  const auto row = [&](size_t i) {
    const Result<DispatchProblem> year = sizing.YearWith(pv[i]);
    if (!year) failures[i] = year.error();
    for (size_t k = 0; year && k < battery.size() && !failures[i]; ++k, ++done) {
      const Result<Sized> sized = sizing.At(*year, pv[i], battery[k]);
      if (sized) grid[i * battery.size() + k] = *sized;
      if (!sized) failures[i] = sized.error();
    }
  };
  ParallelFor(pv.size(), row, [&](size_t) { line.Show(fmt::format("{} of {} points", done.load(), grid.size())); });
  for (const std::optional<Error>& failure : failures) {
    if (failure) return Fail(*failure);
  }
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

/// Years until what is saved has paid for the hardware, or why there are none.
struct Payback {
  std::optional<double> years;
  std::string why_not;
};

/// "32.5 years" of a battery that lives for 12 would promise what it cannot give.
Payback PaybackOf(const Sized& sized, const Sized& neither, const SizeFlags& flags) {
  if (sized.investment <= Money()) return {std::nullopt, "no hardware"};
  const Money saved = neither.year.cost - sized.year.cost;
  if (saved <= Money()) return {std::nullopt, "never"};
  const double years = sized.investment / saved;
  const double life = std::max(sized.pv_w > 0 ? flags.pv_years : 0, sized.battery_wh > 0 ? flags.battery_years : 0);
  if (years > life) return {std::nullopt, "not within its life"};
  return {years, ""};
}

Json AsJson(const Sized& sized, const Sized& neither, const SizeFlags& flags) {
  const Payback payback = PaybackOf(sized, neither, flags);
  return {{"pv_w", sized.pv_w},
          {"battery_wh", sized.battery_wh},
          {"total_eur_per_year", InEuros(sized.Total())},
          {"energy_eur_per_year", InEuros(sized.year.cost)},
          {"sold_between_runs_eur_per_year", InEuros(sized.year.between)},
          {"hardware_eur_per_year", InEuros(sized.payment)},
          {"investment_eur", InEuros(sized.investment)},
          {"payback_years", payback.years ? Json(*payback.years) : Json()},
          {"no_payback_because", payback.years ? Json() : Json(payback.why_not)},
          {"grid_import_wh_per_year", InWattHours(sized.year.grid_import)},
          {"grid_export_wh_per_year", InWattHours(sized.year.grid_export)},
          {"carbon_kg_per_year", InKilograms(sized.year.carbon)}};
}

Json Assumptions(const SizeFlags& flags, const Runs& runs) {
  return {{"pv_eur_per_w", flags.pv_eur_per_w},
          {"battery_eur_per_wh", flags.battery_eur_per_wh},
          {"pv_lifetime_years", flags.pv_years},
          {"battery_lifetime_years", flags.battery_years},
          {"discount_rate_percent", flags.discount_percent},
          {"runs_per_year", runs.count()},
          {"runs", runs.from.empty() ? "spread evenly" : "calendar"},
          {"calendar", runs.from.empty() ? Json() : Json(runs.from)},
          {"battery_initial_wh", 0},
          {"battery_terminal_value_eur_per_kwh", 0}};
}

std::string Words(const Sized& sized) {
  if (sized.pv_w == 0 && sized.battery_wh == 0) return "neither";
  return fmt::format("{:.0f} W PV, {:.0f} Wh", sized.pv_w, sized.battery_wh);
}

bool IsNeither(const Sized& sized) { return sized.pv_w == 0 && sized.battery_wh == 0; }

std::string PaybackText(const Payback& payback) {
  if (payback.years) return fmt::format("{:.1f} years", *payback.years);
  return payback.why_not == "no hardware" ? "" : payback.why_not;
}

/// A row of the table.
struct ShownSize {
  Sized sized;
  bool is_scenarios = false;
};

/// What weighs on the answer beside the numbers, a paragraph each.
std::string Remarks(const std::vector<ShownSize>& shown, double sun_runs, bool at_edge, const SizeFlags& flags,
                    const TerminalStyle& style) {
  const Sized& best = shown.front().sized;
  std::string text;
  if (at_edge) {
    text += Paragraph("It lies at the edge of what was searched: more may be cheaper still (--pv, --battery).", style);
  }
  const Sized& least = std::min_element(shown.begin(), shown.end(), [](const auto& a, const auto& b) {
                         return a.sized.Total() < b.sized.Total();
                       })->sized;
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
  return text;
}

std::string Table(const std::vector<ShownSize>& shown, const Sized& neither, const SizeFlags& flags, bool has_carbon,
                  const TerminalStyle& style) {
  TextTable table(
      {{"sizes", Align::kLeft, true}, {"per year"}, {"energy"}, {"hardware"}, {"paid back"}, {"bought"}, {"carbon"}});
  for (const auto& [sized, is_scenarios] : shown) {
    table.AddRow({Words(sized) + (is_scenarios ? " (the scenario's)" : ""), MoneyText(sized.Total()),
                  MoneyText(sized.year.cost), MoneyText(sized.payment), PaybackText(PaybackOf(sized, neither, flags)),
                  EnergyText(sized.year.grid_import), has_carbon ? CarbonText(sized.year.carbon) : "not known"});
  }
  return table.Draw(style);
}

std::string Assumed(const SizeFlags& flags, const Runs& runs, const Scenario& scenario) {
  const bool has_energy = scenario.NumberOf("battery.initial_wh") > 0 || scenario.NumberOf("battery.final_wh") > 0 ||
                          scenario.NumberOf("battery.terminal_value_eur_per_kwh") > 0;
  return fmt::format(
      "Assumed: PV {:g} EUR/W for {:g} years, battery {:g} EUR/Wh for {:g} years, {:g} % a year; runs {}. Modelled: "
      "each run has its own best plan, begins with an empty battery and is paid nothing for what it leaves in it{}; "
      "between runs the panel sells what it makes and the battery rests.",
      flags.pv_eur_per_w, flags.pv_years, flags.battery_eur_per_wh, flags.battery_years, flags.discount_percent,
      runs.from.empty() ? "spread evenly from the scenario's start" : "as in " + runs.from,
      has_energy ? ", whatever the scenario says of that" : "");
}

std::string AsText(const std::vector<ShownSize>& shown, double sun_runs, bool at_edge, const SizeFlags& flags,
                   const Runs& runs, const Scenario& scenario, const TerminalStyle& style) {
  const Sized& best = shown.front().sized;
  const Sized& neither = IsNeither(best) ? best : shown.back().sized;
  const std::string compared = IsNeither(best) ? "" : fmt::format("; {} with neither", MoneyText(neither.Total()));
  const std::string answer = fmt::format("Least cost over the year for {}: {} ({} per year{}).", runs.Words(),
                                         Words(best), MoneyText(best.Total()), compared);
  const bool has_carbon = scenario.Has("carbon.series") || scenario.Has("carbon.intensity_g_per_kwh");
  return Paragraph(answer, style) + Remarks(shown, sun_runs, at_edge, flags, style) + "\n" +
         Table(shown, neither, flags, has_carbon, style) + "\n" + Paragraph(Assumed(flags, runs, scenario), style);
}

/// What a reader compares: the best, the best with one of the two, the scenario's own, neither.
Result<std::vector<ShownSize>> Shown(const Sizing& sizing, const Sized& best, const std::vector<Sized>& grid,
                                     const Scenario& scenario) {
  std::vector<Sized> others;
  const auto add_least = [&](auto allowed) {
    const Sized* least = nullptr;
    for (const Sized& sized : grid) {
      if (allowed(sized) && (least == nullptr || sized.Total() < least->Total())) least = &sized;
    }
    if (least != nullptr) others.push_back(*least);
  };
  add_least([](const Sized& sized) { return sized.battery_wh == 0 && sized.pv_w > 0; });
  add_least([](const Sized& sized) { return sized.battery_wh > 0 && sized.pv_w > 0; });
  add_least([](const Sized& sized) { return sized.battery_wh > 0 && sized.pv_w == 0; });
  const Result<Sized> own = sizing.At(scenario.NumberOf("pv.dc_capacity_w"), scenario.NumberOf("battery.capacity_wh"));
  if (!own) return Fail(own.error());
  if (!own->year.impossible_run) others.push_back(*own);
  std::sort(others.begin(), others.end(), [](const Sized& a, const Sized& b) { return a.Total() < b.Total(); });
  others.push_back(grid.front());  // neither, last
  // Sizes that read alike are one row: the first of them.
  std::vector<ShownSize> shown;
  const auto add = [&](const Sized& sized) {
    const auto reads_alike = [&](const ShownSize& each) { return Words(each.sized) == Words(sized); };
    if (std::none_of(shown.begin(), shown.end(), reads_alike)) shown.push_back({sized, Words(sized) == Words(*own)});
  };
  add(best);
  for (const Sized& sized : others) {
    if (!IsNeither(sized) || &sized == &others.back()) add(sized);
  }
  return shown;
}

SizeMap MapOf(const std::vector<double>& pv, const std::vector<double>& battery, const std::vector<Sized>& grid,
              const Sized& best, size_t runs) {
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
  const Result<std::string> why = [&] {
    const EndAtInterrupt guard;
    return sizing.WhyImpossible(sized);
  }();
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

/// What the search found. Where a run cannot be done, the grid alone, whose point says so.
struct Searched {
  std::vector<Sized> grid;
  Sized best;
  std::vector<ShownSize> shown;
  double sun_runs = 0;
};

Result<Searched> Search(const Sizing& sizing, const std::vector<double>& pv, const std::vector<double>& battery,
                        const Scenario& scenario) {
  const EndAtInterrupt guard;
  const ProgressLine line;
  auto grid = Grid(sizing, pv, battery, line);
  if (!grid) return Fail(grid.error());
  const auto cannot = [](const Sized& sized) { return sized.year.impossible_run.has_value(); };
  if (std::any_of(grid->begin(), grid->end(), cannot)) return Searched{*std::move(grid), {}, {}, 0};
  const Sized& coarse = *std::min_element(grid->begin(), grid->end(),
                                          [](const Sized& a, const Sized& b) { return a.Total() < b.Total(); });
  line.Show("sizes between the points");
  const auto best = Refine(sizing, coarse, pv, battery);
  if (!best) return Fail(best.error());
  auto shown = Shown(sizing, *best, *grid, scenario);
  if (!shown) return Fail(shown.error());
  const auto sun_runs = sizing.RunsOnSunAlone(best->pv_w);
  if (!sun_runs) return Fail(sun_runs.error());
  return Searched{*std::move(grid), *best, *std::move(shown), *sun_runs};
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
  InputCache cache;
  const auto runs = RunsOf(flags, *scenario, cache);
  if (!runs) return Fail(runs.error());
  const Sizing sizing(flags, *scenario, *runs, cache);
  const auto searched = Search(sizing, *pv, *battery, *scenario);
  if (!searched) return Fail(searched.error());
  const auto& [grid, best, shown, sun_runs] = *searched;
  for (const Sized& sized : grid) {
    if (sized.year.impossible_run) return SayImpossible(sizing, sized, flags.json);
  }
  if (!flags.output.empty()) {
    if (auto done = WriteFigure(SizeFigure(MapOf(*pv, *battery, grid, best, runs->count())), flags.output); !done) {
      return Fail(done.error());
    }
    PrintMessage(flags.output + " written");
  }
  // A range that holds nothing but "none" was not searched.
  const auto at_end = [](double size, const std::vector<double>& sizes) {
    return sizes.size() > 1 && size >= sizes.back();
  };
  const bool at_edge = at_end(best.pv_w, *pv) || at_end(best.battery_wh, *battery);
  if (!flags.json) {
    return Print(AsText(shown, sun_runs, at_edge, flags, *runs, *scenario, DetectTerminal(1))).map([] {
      return kExitOk;
    });
  }
  Json json = {
      {"obtained", "modelled"}, {"assumed", Assumptions(flags, *runs)}, {"best", AsJson(best, grid.front(), flags)}};
  json["best"]["runs_per_year_on_sun_alone"] = sun_runs;
  json["best"]["at_edge_of_search"] = at_edge;
  json["points"] = Json::array();
  for (const Sized& sized : grid) json["points"].push_back(AsJson(sized, grid.front(), flags));
  return Print(json.dump(2) + "\n").map([] { return kExitOk; });
}

}  // namespace

void AddSizeCommand(CLI::App& program, Commands& commands) {
  CLI::App* app = AddCommand(program, "size", "Finds the panel and the battery that make a year of runs cheapest",
                             {"heliograd size builtin:paper", "heliograd size my.toml --runs-per-year 52 -o sizes.svg",
                              "heliograd size my.toml --calendar runs.csv      (a start a line: 2025-03-01 20:00)",
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
  auto* runs = app->add_option("--runs-per-year", flags->runs, "jobs like the scenario's, spread evenly over the year")
                   ->check(CLI::Range(1, 100'000))
                   ->capture_default_str();
  app->add_option("--calendar", flags->calendar,
                  "when the year's runs begin instead: FILE with a local start a line, 2025-03-01 20:00, or with the "
                  "run's own hours, 2025-03-01 20:00,14")
      ->excludes(runs);
  app->add_flag("--only-runs", flags->only_runs, "leave out what PV sells between runs");
  app->add_option("-o,--output", flags->output, "figure of the yearly cost over both sizes: FILE.svg, .png or .pdf");
  app->add_flag("--json", flags->json, "one JSON object on standard output, with every point");
  commands.push_back({app, [flags] { return Size(*flags); }});
}

}  // namespace heliograd

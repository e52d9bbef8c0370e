#include "heliograd/report/slot_text.h"

#include <fmt/format.h>

#include <cmath>
#include <vector>

#include "heliograd/report/number_text.h"
#include "heliograd/report/objective_text.h"
#include "heliograd/report/text_table.h"

namespace heliograd {
namespace {

/// Below this a flow prints as zero.
constexpr Energy kVisibleEnergy = WattHours(0.05);

/// Writes the paragraphs of one slot.
class SlotWriter {
 public:
  SlotWriter(const DispatchProblem& problem, const Plan& plan, const SlotExplanation& why, const TimeZone& zone,
             const TerminalStyle& style)
      : problem_(problem),
        slot_(plan.slots[why.slot]),
        why_(why),
        zone_(zone),
        style_(style),
        keeps_(RetentionPerSlot(problem)) {}

  std::string Write() {
    WriteHead();
    WriteBus();
    if (problem_.battery.capacity > Energy()) WriteBattery();
    WriteGpu();
    WriteSum();
    return text_;
  }

 private:
  void Title(std::string_view title) { text_ += fmt::format("\n{}\n", Paint(style_, Ink::kBold, title)); }
  void Say(const std::string& sentence) { text_ += Paragraph(Printable(sentence, style_.utf8), style_); }

  // All in what is minimised: euros, or the carbon that they stand for.
  bool IsCarbon() const { return problem_.objective == Objective::kCarbon; }
  std::string Cost(Money money) const { return ObjectiveText(problem_.objective, money); }
  std::string Price(EnergyPrice price) const { return ObjectivePriceText(problem_.objective, price); }

  /// How a price stands to another, as both are printed.
  std::string Against(EnergyPrice a, EnergyPrice b) const {
    const double difference = InEurosPerKilowattHour(a - b);
    return std::abs(difference) < (IsCarbon() ? 0.5 : 5e-4) ? "as much as" : difference > 0 ? "more than" : "less than";
  }

  /// "0.00045 EUR", "0.317 g CO2": what one Wh costs at a price.
  std::string PerWattHour(EnergyPrice price) const {
    const double eur = InEuros(price * WattHours(1));  // a gram of carbon is weighed as a euro
    if (IsCarbon()) return fmt::format("{:.3f} g CO2", std::abs(eur) < 5e-4 ? 0.0 : eur);
    return fmt::format("{:.5f} EUR", std::abs(eur) < 5e-6 ? 0.0 : eur);
  }

  std::string PricesText() const {
    const double import = InEurosPerKilowattHour(problem_.import_price[why_.slot]),
                 sale = InEurosPerKilowattHour(why_.export_price);
    if (IsCarbon()) {
      return fmt::format(
          "A kWh bought emits {:.0f} g CO2 and costs {:.3f} EUR; sold it earns {:.3f} EUR, which spares "
          "no carbon.",
          InGramsPerKilowattHour(problem_.carbon[why_.slot]), import, sale);
    }
    const bool carbon = why_.import_price != problem_.import_price[why_.slot];
    return fmt::format("A kWh costs {:.3f} EUR bought{} and earns {:.3f} EUR sold.",
                       InEurosPerKilowattHour(why_.import_price), carbon ? ", its carbon included," : "", sale);
  }

  void WriteHead() {
    const int t = static_cast<int>(why_.slot);
    const CivilTime from = zone_.ToCivil(problem_.horizon.SlotStart(t)),
                    to = zone_.ToCivil(problem_.horizon.SlotStart(t + 1));
    text_ += Paint(style_, Ink::kBold,
                   fmt::format("Slot {}: {} {} to {}", t, DayText(from), ClockText(from), ClockText(to))) +
             "\n";
    Say(fmt::format("PV offers {}. {}{}", EnergyText(problem_.pv[why_.slot]), PricesText(),
                    slot_.reason.empty() ? "" : " The plan's reason: " + slot_.reason + "."));
    if (IsCarbon()) {
      Say("The plan minimises carbon, so that all that follows is told in carbon; money, a euro counted as a gram, "
          "only "
          "decides between equals.");
    }
  }

  void WriteBus() {
    Title("The connection point");
    const SlotDecision& d = slot_.decision;
    const Energy given = d.battery_discharge * problem_.battery.discharge_efficiency;
    std::string uses = fmt::format("The GPU node uses {}", EnergyText(slot_.load));
    if (d.battery_charge > kVisibleEnergy) uses += fmt::format(", the charger {}", EnergyText(d.battery_charge));
    if (given > kVisibleEnergy) uses += fmt::format(", the battery gives {}", EnergyText(given));
    std::string trade = "nothing is bought or sold";
    if (d.grid_import > kVisibleEnergy) trade = EnergyText(d.grid_import) + " is bought";
    if (d.grid_export > kVisibleEnergy) trade = EnergyText(d.grid_export) + " is sold";
    const Energy curtailed = problem_.pv[why_.slot] - d.pv_used;
    if (curtailed > kVisibleEnergy) trade += fmt::format(", {} of the sun is left unused", EnergyText(curtailed));
    Say(fmt::format("{}: the bus draws {} and {}, at a cost of {}.", uses, EnergyText(why_.bus.energy), trade,
                    Cost(why_.bus.cost)));
    std::string margin;
    if (why_.bus_price.more) {
      margin = fmt::format("One Wh more would cost {} ({}).", PerWattHour(*why_.bus_price.more),
                           Price(*why_.bus_price.more));
    } else {
      margin = "Not one Wh more can be had: the limit of import is reached.";
    }
    if (why_.bus_price.less && why_.bus_price.less != why_.bus_price.more) {
      margin += fmt::format(" One Wh less would save {} ({}).", PerWattHour(*why_.bus_price.less),
                            Price(*why_.bus_price.less));
    }
    Say(margin);
  }

  void WriteBattery() {
    Title("The battery");
    const auto worth = [this](const Slopes& slopes) {
      if (!slopes.more)
        return fmt::format("it is full; the last kWh in it is worth {}", slopes.less ? Price(*slopes.less) : "nothing");
      if (!slopes.less || Price(*slopes.less) == Price(*slopes.more)) {
        return fmt::format("one kWh more stored then is worth {}", Price(*slopes.more));
      }
      return fmt::format("one kWh more stored then is worth {}, the last kWh in it {}", Price(*slopes.more),
                         Price(*slopes.less));
    };
    Say(fmt::format("At the start it holds {}: {}. At the end it holds {}: {}.", EnergyText(slot_.battery_start),
                    worth(why_.worth_before), EnergyText(slot_.battery_end), worth(why_.worth_after)));
    const SlotDecision& d = slot_.decision;
    if (d.battery_charge > kVisibleEnergy) {
      WriteCharge();
    } else if (d.battery_discharge > kVisibleEnergy) {
      WriteDischarge();
    } else {
      WriteRest();
    }
  }

  /// What a kWh at the charger is worth at the end of the slot.
  EnergyPrice Stored(EnergyPrice worth_after) const {
    return worth_after * (problem_.battery.charge_efficiency * keeps_);
  }
  /// What it takes to give a kWh to the bus: worth that is lost, and wear.
  EnergyPrice Given(EnergyPrice worth_after) const {
    return (worth_after * keeps_ + problem_.battery.wear_cost) / problem_.battery.discharge_efficiency;
  }

  void WriteCharge() {
    if (!why_.worth_after.less || !why_.bus_price.less) return;
    const EnergyPrice brings = Stored(*why_.worth_after.less), costs = *why_.bus_price.less;
    Say(fmt::format(
        "It charges: a kWh at the charger becomes {:.3f} kWh by the end of the slot, worth {}, {} the {} that "
        "it costs here.",
        problem_.battery.charge_efficiency * keeps_, Price(brings), Against(brings, costs), Price(costs)));
  }

  void WriteDischarge() {
    if (!why_.worth_after.more || !why_.bus_price.more) return;
    const EnergyPrice costs = Given(*why_.worth_after.more), bought = *why_.bus_price.more;
    // Without the battery the GPU would rather not run than buy: what a kWh spares is the work, not the purchase.
    if (why_.gpu_worth.less && *why_.gpu_worth.less < bought && Price(*why_.gpu_worth.less) != Price(bought)) {
      Say(
          fmt::format("It gives energy: a kWh at the bus does work worth {}, {} the {} that the same energy would be "
                      "worth later. Bought it would cost {}, at which the GPU would not run.",
                      Price(*why_.gpu_worth.less), Against(*why_.gpu_worth.less, costs), Price(costs), Price(bought)));
      return;
    }
    const EnergyPrice brings = bought;
    Say(fmt::format("It gives energy: a kWh at the bus spares {}, {} the {} that the same energy would be worth later.",
                    Price(brings), Against(brings, costs), Price(costs)));
  }

  void WriteRest() {
    std::string rest = "It rests.";
    if (why_.worth_after.more && why_.bus_price.more) {
      const EnergyPrice brings = Stored(*why_.worth_after.more), costs = *why_.bus_price.more;
      rest += fmt::format(" A kWh charged would be worth {}, {} the {} that it costs here.", Price(brings),
                          Against(brings, costs), Price(costs));
    }
    if (slot_.battery_start > kVisibleEnergy && why_.worth_after.less && why_.bus_price.less) {
      const EnergyPrice costs = Given(*why_.worth_after.less), brings = *why_.bus_price.less;
      rest += fmt::format(" A kWh given would spare {}, {} the {} that the same energy is worth later.", Price(brings),
                          Against(brings, costs), Price(costs));
    }
    Say(rest);
  }

  std::string Running() const {
    const auto& levels = slot_.decision.levels;
    if (levels.empty()) return "It does not run";
    std::vector<std::string> parts;
    for (const LevelShare& part : levels) {
      const std::string limit = PowerText(problem_.gpu.levels[part.level].limit);
      parts.push_back(part.share > 0.9995 ? limit : fmt::format("{} for {}", limit, PercentText(part.share)));
    }
    return fmt::format("It runs at {}", fmt::join(parts, " and "));
  }

  void WriteGpu() {
    Title("The GPU");
    Say(fmt::format("One whole job more would cost {} at the margin: the price of work. {}: {} of the job, worth {}.",
                    Cost(why_.work_price), Running(), PercentText(slot_.progress),
                    Cost(why_.work_price * slot_.progress)));
    std::string margin;
    if (why_.gpu_worth.less && why_.bus_price.less) {
      margin += fmt::format("The last kWh that it uses does work worth {}, {} the {} that leaving it would save. ",
                            Price(*why_.gpu_worth.less), Against(*why_.gpu_worth.less, *why_.bus_price.less),
                            Price(*why_.bus_price.less));
    }
    if (!why_.gpu_worth.more) {
      margin += "It is at its highest level.";
    } else if (why_.bus_price.more) {
      margin +=
          fmt::format("One kWh more would do work worth {}, {} the {} that it would cost.", Price(*why_.gpu_worth.more),
                      Against(*why_.gpu_worth.more, *why_.bus_price.more), Price(*why_.bus_price.more));
    }
    if (!margin.empty()) Say(margin);
  }

  void WriteSum() {
    Title("Together");
    if (Abs(why_.excess) < NegligibleObjective(problem_.objective)) {
      Say("At these prices of work and of stored energy nothing that this slot could do costs less.");
    } else {
      Say(fmt::format(
          "At these prices of work and of stored energy this slot costs {} more than the best that it could "
          "do; the whole plan costs {} more than its bound.",
          Cost(why_.excess), Cost(why_.plan_excess)));
    }
    Say("All numbers are modelled, none is measured.");
  }

  const DispatchProblem& problem_;
  const PlanSlot& slot_;
  const SlotExplanation& why_;
  const TimeZone& zone_;
  const TerminalStyle& style_;
  const double keeps_;
  std::string text_;
};

}  // namespace

std::string SlotExplanationText(const DispatchProblem& problem, const Plan& plan, const SlotExplanation& explanation,
                                const TimeZone& zone, const TerminalStyle& style) {
  return SlotWriter(problem, plan, explanation, zone, style).Write();
}

}  // namespace heliograd

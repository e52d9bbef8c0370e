#include "bench/study_node.h"

#include <fmt/format.h>

#include <limits>
#include <sstream>
#include <string>

#include "heliograd/base/file.h"
#include "heliograd/base/text.h"
#include "heliograd/feed/tariff.h"
#include "heliograd/model/power_curve.h"
#include "heliograd/trace/typical_year.h"

namespace heliograd::bench {
namespace {

/// The study knows no daylight saving.
constexpr std::chrono::seconds kUtcOffset = std::chrono::hours(1);

Battery StudyBattery() {
  Battery battery;
  battery.capacity = WattHours(250);
  battery.charge_efficiency = 0.9;
  battery.discharge_efficiency = 0.9;
  battery.self_discharge_per_hour = 0.005;
  return battery;
}

/// One line of a data file, whose numbers are asked for by column.
class Row {
 public:
  Row(std::string place, std::string_view line) : place_(std::move(place)), fields_(SplitCsvLine(line)) {}

  size_t columns() const { return fields_.size(); }
  std::string Text(size_t column) const { return column < fields_.size() ? fields_[column] : ""; }
  /// NaN, and a problem noted, where there is no number.
  double Number(size_t column) {
    if (const auto number = ParseNumber(Text(column))) return *number;
    Complain(column, "a number");
    return std::numeric_limits<double>::quiet_NaN();
  }
  int WholeNumber(size_t column) {
    if (const auto number = ParseInteger(Text(column)); number && *number >= 0 && *number < 10000) {
      return static_cast<int>(*number);
    }
    Complain(column, "a whole number");
    return 0;
  }
  void Complain(size_t column, std::string_view expected) {
    problems_.push_back(
        fmt::format("{}: column {} is {}: expected {}", place_, column + 1, Quoted(Text(column)), expected));
  }
  const std::vector<std::string>& problems() const { return problems_; }

 private:
  std::string place_;
  std::vector<std::string> fields_;
  std::vector<std::string> problems_;
};

/// What `read` makes of each line below the header; the first bad line ends it.
template <typename Value>
Result<std::vector<Value>> ReadRows(const std::string& path, Value (*read)(Row&)) {
  const auto content = ReadFile(path);
  if (!content) return Fail(content.error());
  std::istringstream lines(NormalizeLines(*content));
  std::string line;
  std::getline(lines, line);
  std::vector<Value> values;
  for (int number = 2; std::getline(lines, line); ++number) {
    Row row(fmt::format("{}:{}", path, number), line);
    values.push_back(read(row));
    if (!row.problems().empty()) return Fail(row.problems());
  }
  return values;
}

FamilyInstance ReadInstance(Row& row) {
  FamilyInstance instance;
  instance.start = {2025, row.WholeNumber(0), row.WholeNumber(1), row.WholeNumber(2)};
  instance.pv_dc_w = row.Number(3);
  instance.hours = row.WholeNumber(4);
  if (const auto formulation = FormulationFromName(row.Text(5))) {
    instance.formulation = *formulation;
  } else {
    row.Complain(5, "paper, levels or blend");
  }
  instance.reference_cost_eur = row.Number(6);
  return instance;
}

/// The last column is the AC power.
Power ReadAcPower(Row& row) { return Watts(row.Number(row.columns() - 1)); }

}  // namespace

Result<std::vector<FamilyInstance>> ReadFamily() { return ReadRows("data/plans/family_pvgis_v8.csv", ReadInstance); }

Result<std::vector<Power>> ReadReferencePvYear() {
  return ReadRows("data/pv/turin_pvgis_tilt20_roof_v8.csv", ReadAcPower);
}

std::vector<Level> StudyLevels() {
  std::vector<Level> levels;
  for (const PowerCurvePoint& point : StudyPowerCurve()) levels.push_back({point.limit, point.draw, point.job_time});
  return levels;
}

Result<StudyNode> StudyNode::Load() {
  auto pv = ReadReferencePvYear();
  if (!pv) return Fail(pv.error());
  return StudyNode(std::move(*pv));
}

Result<DispatchProblem> StudyNode::Problem(const CivilTime& start, int slots, std::chrono::seconds slot,
                                           double pv_dc_w) const {
  DispatchProblem problem;
  problem.horizon = {StampFromUtc(start) - kUtcOffset, slot, slots};
  PvYearSeries pv{pv_of_one_kilowatt_, kUtcOffset};
  for (Power& power : pv.hourly) power = power * (pv_dc_w / 1000);
  problem.pv = PvEnergyPerSlot(pv, problem.horizon);
  auto import_price = PricesPerSlot(PaperBands(EurosPerKilowattHour(0.45), EurosPerKilowattHour(0.35),
                                               EurosPerKilowattHour(0.25), TimeZone::Fixed(kUtcOffset)),
                                    problem.horizon);
  if (!import_price) return Fail(import_price.error());
  problem.import_price = std::move(*import_price);
  problem.export_price.assign(problem.pv.size(), EurosPerKilowattHour(0.30));
  problem.carbon.resize(problem.pv.size());
  problem.battery = StudyBattery();
  problem.gpu.levels = DropDominated(StudyLevels()).kept;
  return problem;
}

}  // namespace heliograd::bench

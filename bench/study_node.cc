#include "bench/study_node.h"

#include <algorithm>
#include <string>

#include "heliograd/base/file.h"
#include "heliograd/base/text.h"
#include "heliograd/feed/tariff.h"
#include "heliograd/model/power_curve.h"
#include "heliograd/trace/typical_year.h"

namespace heliograd::bench {
namespace {

constexpr auto kFamilyFile = "data/plans/family_pvgis_v8.csv";
constexpr auto kPvFile = "data/pv/turin_pvgis_tilt20_roof_v8.csv";

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

/// The rows of a CSV file below its header.
Result<std::vector<std::vector<std::string>>> ReadRows(const std::string& path) {
  const auto content = ReadFile(path);
  if (!content) return Fail(content.error());
  const std::string text = NormalizeLines(*content);
  std::vector<std::vector<std::string>> rows;
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = std::min(text.find('\n', begin), text.size());
    rows.push_back(SplitCsvLine(std::string_view(text).substr(begin, end - begin)));
    begin = end + 1;
  }
  if (!rows.empty()) rows.erase(rows.begin());
  return rows;
}

}  // namespace

Result<std::vector<FamilyInstance>> ReadFamily() {
  const auto rows = ReadRows(kFamilyFile);
  if (!rows) return Fail(rows.error());
  std::vector<FamilyInstance> family;
  for (const auto& row : *rows) {
    FamilyInstance instance;
    instance.start = {2025, std::stoi(row[0]), std::stoi(row[1]), std::stoi(row[2])};
    instance.pv_dc_w = std::stod(row[3]);
    instance.hours = std::stoi(row[4]);
    instance.formulation = *FormulationFromName(row[5]);
    instance.reference_cost_eur = std::stod(row[6]);
    family.push_back(instance);
  }
  return family;
}

Result<std::vector<Power>> ReadReferencePvYear() {
  const auto rows = ReadRows(kPvFile);
  if (!rows) return Fail(rows.error());
  std::vector<Power> hourly;
  for (const auto& row : *rows) hourly.push_back(Watts(std::stod(row.back())));
  return hourly;
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

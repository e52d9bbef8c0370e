#include "bench/study_node.h"

#include "heliograd/base/file.h"
#include "heliograd/base/text.h"
#include "heliograd/plan/test_problems.h"

namespace heliograd::bench {
namespace {

constexpr auto kFamilyFile = "data/plans/family_pvgis_v8.csv";
constexpr auto kPvFile = "data/pv/turin_pvgis_tilt20_roof_v8.csv";

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

Result<StudyNode> StudyNode::Load() {
  StudyNode node;
  auto pv = ReadReferencePvYear();
  if (!pv) return Fail(pv.error());
  node.pv_of_one_kilowatt_ = std::move(*pv);
  return node;
}

Result<DispatchProblem> StudyNode::Problem(const CivilTime& start, int slots, double pv_dc_w) const {
  DispatchProblem problem = StudyProblem(start.hour, slots);
  problem.horizon.start = StampFromUtc(start) - std::chrono::hours(1);
  const int first = HourOfTypicalYear(start);
  for (int t = 0; t < slots; ++t) {
    const Power pv = pv_of_one_kilowatt_[static_cast<size_t>((first + t) % 8760)] * (pv_dc_w / 1000);
    problem.pv[static_cast<size_t>(t)] = pv * Hours(1);
  }
  return problem;
}

}  // namespace heliograd::bench

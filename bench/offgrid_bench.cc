// Training on PV alone: ten panel sizes, a start in each hour of the year, two modes; all through OffgridYear, and a
// sample of them through the plain simulation, slot after slot. Prints one JSON object.
#include <algorithm>
#include <iostream>

#include "bench/contender.h"
#include "bench/study_node.h"
#include "heliograd/optimize/offgrid.h"

namespace heliograd::bench {
namespace {

constexpr int kSizes = 10;          // 100 to 1000 W
constexpr int kRepetitions = 5;     // each told
constexpr size_t kSampleStep = 73;  // every 73rd start through the plain simulation: 120 of 8760, over the whole day
constexpr OffgridMode kModes[] = {OffgridMode::kMinimum, OffgridMode::kDynamic};

struct Tally {
  size_t runs = 0;
  double hours = 0;  // sum of the times to finish, so that nothing is optimised away and both ways can be compared

  void Add(const OffgridResult& result) {
    ++runs;
    hours += InHours(result.time_to_finish);
  }
};

std::vector<Power> Scaled(std::vector<Power> pv, double factor) {
  for (Power& power : pv) power = power * factor;
  return pv;
}

/// Calls `visit(pv, mode)` for each of the sizes and modes.
template <typename Visit>
void ForEachCase(const std::vector<Power>& pv_of_one_kilowatt, Visit visit) {
  for (int size = 1; size <= kSizes; ++size) {
    const std::vector<Power> pv = Scaled(pv_of_one_kilowatt, 0.1 * size);
    for (const OffgridMode mode : kModes) visit(pv, mode);
  }
}

Tally Prepared(const std::vector<Power>& pv_of_one_kilowatt, size_t step) {
  const std::vector<Level> levels = StudyLevels();
  Tally tally;
  ForEachCase(pv_of_one_kilowatt, [&](const std::vector<Power>& pv, OffgridMode mode) {
    const OffgridYear year(pv, Hours(1), levels, mode);
    for (size_t start = 0; start < pv.size(); start += step) tally.Add(year.From(start));
  });
  return tally;
}

Tally Simulated(const std::vector<Power>& pv_of_one_kilowatt, size_t step) {
  const std::vector<Level> levels = StudyLevels();
  Tally tally;
  ForEachCase(pv_of_one_kilowatt, [&](const std::vector<Power>& pv, OffgridMode mode) {
    for (size_t start = 0; start < pv.size(); start += step) {
      tally.Add(SimulateOffgrid(pv, Hours(1), start, levels, mode));
    }
  });
  return tally;
}

nlohmann::json Timed(const std::vector<Power>& pv, size_t step, Tally (*run)(const std::vector<Power>&, size_t)) {
  std::vector<double> times_ms;
  Tally tally;
  for (int i = 0; i < kRepetitions; ++i) {
    const Stopwatch watch;
    tally = run(pv, step);
    times_ms.push_back(watch.ElapsedMs());
  }
  return {{"times_ms", times_ms}, {"runs", tally.runs}, {"sum_of_hours", tally.hours}};
}

int Main() {
  const auto pv = ReadReferencePvYear();
  if (!pv) return Complain(pv.error());
  std::cout << nlohmann::json{{"prepared_all", Timed(*pv, 1, Prepared)},
                              {"prepared_sample", Timed(*pv, kSampleStep, Prepared)},
                              {"simulated_sample", Timed(*pv, kSampleStep, Simulated)}}
            << "\n";
  return 0;
}

}  // namespace
}  // namespace heliograd::bench

int main() { return heliograd::bench::Main(); }

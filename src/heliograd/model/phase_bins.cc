#include "heliograd/model/phase_bins.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "heliograd/model/statistics.h"

namespace heliograd {
namespace {

constexpr int kFewestParts = 20;  // with 8, runs of 600 s were covered in 84 % only where windows are long
constexpr int kMostParts = 60;
constexpr double kPartsPerWindow = 10;
constexpr double kOneBinS = 0.0003;   // shorter phases are one bin
constexpr double kTwoBinsS = 0.001;   // shorter phases are two
constexpr double kSettlingS = 0.005;  // first part of other and of sleep
constexpr double kNothingS = 1e-9;    // rounding of marks, no gap
constexpr double kUnusual = 2;        // times the usual length

int Parts(double usual_s, double window_s) {
  if (usual_s < kOneBinS) return 1;
  if (usual_s < kTwoBinsS) return 2;
  return std::clamp(static_cast<int>(std::ceil(kPartsPerWindow * usual_s / window_s)), kFewestParts, kMostParts);
}

/// Median length of each phase, of other and of sleep.
std::vector<double> UsualLengths(std::span<const PhaseMark> marks, int phase_count) {
  std::vector<std::vector<double>> lengths(static_cast<size_t>(phase_count) + 2);
  double end_s = marks.front().begin_s;
  for (const PhaseMark& mark : marks) {
    if (mark.begin_s - end_s > kNothingS) lengths[static_cast<size_t>(phase_count)].push_back(mark.begin_s - end_s);
    const int phase = mark.phase == kSleepMark ? phase_count + 1 : mark.phase;
    lengths[static_cast<size_t>(phase)].push_back(mark.end_s - mark.begin_s);
    end_s = mark.end_s;
  }
  std::vector<double> usual_s;
  for (std::vector<double>& of_phase : lengths) usual_s.push_back(Median(std::move(of_phase)));
  return usual_s;
}

}  // namespace

PhaseBins::PhaseBins(std::span<const PhaseMark> marks, int phase_count, double window_s)
    : usual_s_(UsualLengths(marks, phase_count)) {
  MakeBins(phase_count, window_s);
  edges_s_.push_back(marks.front().begin_s);
  for (const PhaseMark& mark : marks) {
    if (mark.begin_s - edges_s_.back() > kNothingS) CutRest(phase_count, edges_s_.back(), mark.begin_s);
    if (mark.end_s - edges_s_.back() <= kNothingS) continue;
    if (mark.phase == kSleepMark) {
      CutRest(phase_count + 1, edges_s_.back(), mark.end_s);
    } else {
      CutPhase(mark.phase, edges_s_.back(), mark.end_s);
    }
  }
  for (size_t i = 0; i < bin_of_.size(); ++i) {
    bins_[static_cast<size_t>(bin_of_[i])].run_s += edges_s_[i + 1] - edges_s_[i];
  }
}

void PhaseBins::MakeBins(int phase_count, double window_s) {
  for (int phase = 0; phase < phase_count + 2; ++phase) {
    first_bin_.push_back(static_cast<int>(bins_.size()));
    const bool rest = phase >= phase_count;
    const int parts = rest ? 2 : Parts(usual_s_[static_cast<size_t>(phase)], window_s);
    for (int part = 0; part < parts; ++part) bins_.push_back({phase, part, rest, 0});
    bins_.push_back({phase, parts, true, 0});
  }
  first_bin_.push_back(static_cast<int>(bins_.size()));
}

void PhaseBins::Append(int bin, double end_s) {
  bin_of_.push_back(bin);
  edges_s_.push_back(end_s);
}

void PhaseBins::CutPhase(int phase, double begin_s, double end_s) {
  const int first = FirstBin(phase), parts = BinCount(phase) - 1;
  if (end_s - begin_s > kUnusual * usual_s_[static_cast<size_t>(phase)]) return Append(first + parts, end_s);
  for (int part = 0; part < parts; ++part) {
    Append(first + part, part + 1 == parts ? end_s : begin_s + (end_s - begin_s) * (part + 1) / parts);
  }
}

void PhaseBins::CutRest(int phase, double begin_s, double end_s) {
  // A stall ends a gap's usual course where that usually ends; a bin that held both would be pulled to the stall's
  // power.
  const double usual_s = usual_s_[static_cast<size_t>(phase)];
  const double usual_end_s = end_s - begin_s > kUnusual * usual_s ? begin_s + usual_s : end_s;
  const double ends_s[] = {std::min(begin_s + kSettlingS, usual_end_s), usual_end_s, end_s};
  for (int part = 0; part < 3; ++part) {
    if (ends_s[part] > edges_s_.back()) Append(FirstBin(phase) + part, ends_s[part]);
  }
}

std::vector<BinStep> PhaseBins::StepsBetweenPhases() const {
  std::map<std::pair<int, int>, double> counts;
  for (size_t i = 1; i < bin_of_.size(); ++i) {
    if (Group(bin_of_[i - 1]) != Group(bin_of_[i])) counts[{bin_of_[i - 1], bin_of_[i]}] += 1;
  }
  std::vector<BinStep> steps;
  for (const auto& [bins, count] : counts) steps.push_back({bins.first, bins.second, count});
  return steps;
}

size_t PhaseBins::IntervalAt(double time_s) const {
  const auto after = std::upper_bound(edges_s_.begin(), edges_s_.end(), time_s);
  const auto i = static_cast<size_t>(std::max<std::ptrdiff_t>(0, after - edges_s_.begin() - 1));
  return std::min(i, bin_of_.size() - 1);
}

}  // namespace heliograd

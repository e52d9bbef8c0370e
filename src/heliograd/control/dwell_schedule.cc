#include "heliograd/control/dwell_schedule.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

namespace heliograd {
namespace {

using LevelOrOff = std::optional<size_t>;

/// A share of a slot this small is a solver's rounding.
constexpr double kNegligibleSeconds = 1e-3;

struct Part {
  LevelOrOff level;
  double seconds = 0;
};
using Parts = std::vector<Part>;

std::vector<Parts> PartsOf(const DispatchProblem& problem, const std::vector<SlotDecision>& decisions) {
  const double slot_s = InSeconds(problem.horizon.SlotDuration());
  std::vector<Parts> all;
  for (const SlotDecision& decision : decisions) {
    Parts parts;
    double off_s = slot_s;
    for (const LevelShare& share : decision.levels) {
      if (share.share * slot_s < kNegligibleSeconds) continue;
      parts.push_back({share.level, share.share * slot_s});
      off_s -= share.share * slot_s;
    }
    if (off_s >= kNegligibleSeconds || parts.empty()) parts.insert(parts.begin(), {std::nullopt, off_s});
    all.push_back(std::move(parts));
  }
  return all;
}

/// Puts each slot's parts into the order with the fewest changes over all slots: only the first and the last part
/// matter, so a table over "which part is last" finds it. Among equals the faster level comes first: work done early
/// leaves room for what goes wrong later.
class EdgeOrder {
 public:
  EdgeOrder(std::vector<Parts>& slots, LevelOrOff running) : slots_(slots), running_(running) {}

  void Arrange() {
    if (slots_.empty()) return;
    for (size_t t = 0; t < slots_.size(); ++t) Extend(t);
    const auto& last = table_.back();
    size_t end = static_cast<size_t>(
        std::min_element(last.begin(), last.end(), [](const Entry& a, const Entry& b) { return a.cost < b.cost; }) -
        last.begin());
    for (size_t t = slots_.size(); t-- > 0;) {
      const Entry entry = table_[t][end];
      Place(slots_[t], entry.first, end);
      end = entry.last_before;
    }
  }

 private:
  struct Entry {
    double cost = std::numeric_limits<double>::infinity();
    size_t first = 0;        // which part begins this slot
    size_t last_before = 0;  // which part ended the slot before
  };

  void Extend(size_t t) {
    const Parts& parts = slots_[t];
    std::vector<Entry> entries(parts.size());
    for (size_t last = 0; last < parts.size(); ++last) {
      for (size_t first = 0; first < parts.size(); ++first) {
        if (parts.size() > 1 && first == last) continue;
        // Parts ascend, so a late first part is a fast one.
        const double late = 1e-6 * static_cast<double>(parts.size() - first);
        const size_t ways = t == 0 ? 1 : slots_[t - 1].size();
        for (size_t before = 0; before < ways; ++before) {
          const LevelOrOff level_before = t == 0 ? running_ : slots_[t - 1][before].level;
          const double cost =
              (t == 0 ? 0 : table_[t - 1][before].cost) + (level_before == parts[first].level ? 0 : 1) + late;
          if (cost < entries[last].cost) entries[last] = {cost, first, before};
        }
      }
    }
    table_.push_back(std::move(entries));
  }

  static void Place(Parts& parts, size_t first, size_t last) {
    Parts ordered = {parts[first]};
    for (size_t i = parts.size(); i-- > 0;) {
      if (i != first && i != last) ordered.push_back(parts[i]);
    }
    if (parts.size() > 1) ordered.push_back(parts[last]);
    parts = std::move(ordered);
  }

  std::vector<Parts>& slots_;
  LevelOrOff running_;
  std::vector<std::vector<Entry>> table_;
};

/// Makes parts whole seconds and long enough, and keeps the books of work.
class Shaper {
 public:
  Shaper(const DispatchProblem& problem, double shortest_s) : problem_(problem), shortest_s_(shortest_s) {}

  double owed() const { return owed_; }

  /// `before_s`: how long the level of the first part has been on when the slot begins; `after_s`: how long that of the
  /// last part is wanted in the next slot.
  void Shape(Parts& parts, double before_s, double after_s) {
    const double wanted = WorkOf(parts);
    if (parts.size() > 1) {
      for (size_t i = 0; i < parts.size() && parts.size() > 1; ++i) {
        double joined = parts[i].seconds;
        if (i == 0) joined += before_s;
        if (i + 1 == parts.size()) joined += after_s;
        if (joined < shortest_s_) LengthenOrDrop(parts, i, shortest_s_ - joined, wanted);
      }
      std::erase_if(parts, [](const Part& part) { return part.seconds <= 0; });
      PayBack(parts, wanted);
      Round(parts);
    }
    owed_ += wanted - WorkOf(parts);
  }

 private:
  double RateOf(const LevelOrOff& level) const {
    return level ? 1 / InSeconds(problem_.gpu.levels[*level].job_time) : 0;
  }

  double WorkOf(const Parts& parts) const {
    double work = 0;
    for (const Part& part : parts) work += part.seconds * RateOf(part.level);
    return work;
  }

  void LengthenOrDrop(Parts& parts, size_t i, double missing_s, double wanted) {
    size_t other = i == 0 ? 1 : 0;
    for (size_t k = 0; k < parts.size(); ++k) {
      if (k != i && parts[k].seconds > parts[other].seconds) other = k;
    }
    Parts without = parts, longer = parts;
    without[other].seconds += without[i].seconds;
    without[i].seconds = 0;
    longer[i].seconds += missing_s;
    longer[other].seconds -= missing_s;
    const bool fits = longer[other].seconds >= shortest_s_;
    const auto miss = [&](const Parts& way) { return std::abs(owed_ + wanted - WorkOf(way)); };
    parts = fits && miss(longer) < miss(without) ? longer : without;
  }

  /// Time goes from the slower to the faster of the two longest parts, or back, until nothing is owed.
  void PayBack(Parts& parts, double wanted) {
    if (parts.size() < 2) return;
    const double owed = owed_ + wanted - WorkOf(parts);
    const auto [slow, fast] = std::minmax_element(
        parts.begin(), parts.end(), [&](const Part& a, const Part& b) { return RateOf(a.level) < RateOf(b.level); });
    const double gain = RateOf(fast->level) - RateOf(slow->level);
    if (!(gain > 0)) return;
    const double most = std::max(slow->seconds - shortest_s_, 0.0), least = -std::max(fast->seconds - shortest_s_, 0.0);
    const double moved = std::clamp(owed / gain, least, most);
    fast->seconds += moved;
    slow->seconds -= moved;
  }

  static void Round(Parts& parts) {
    double end = 0, rounded_before = 0;
    for (Part& part : parts) {
      end += part.seconds;
      const double rounded = std::round(end);
      part.seconds = rounded - rounded_before;
      rounded_before = rounded;
    }
    std::erase_if(parts, [](const Part& part) { return part.seconds <= 0; });
  }

  const DispatchProblem& problem_;
  double shortest_s_;
  double owed_ = 0;
};

}  // namespace

const Dwell* DwellSchedule::At(Stamp stamp) const {
  const auto after = std::upper_bound(dwells.begin(), dwells.end(), stamp,
                                      [](Stamp time, const Dwell& dwell) { return time < dwell.begin; });
  if (after == dwells.begin() || stamp >= std::prev(after)->end) return nullptr;
  return &*std::prev(after);
}

DwellSchedule MakeDwells(const DispatchProblem& problem, const std::vector<SlotDecision>& decisions, LevelOrOff running,
                         std::chrono::seconds shortest) {
  std::vector<Parts> slots = PartsOf(problem, decisions);
  EdgeOrder(slots, running).Arrange();
  DwellSchedule schedule;
  Shaper shaper(problem, static_cast<double>(shortest.count()));
  LevelOrOff level = running;
  double on_for_s = running ? std::numeric_limits<double>::infinity() : 0;
  for (size_t t = 0; t < slots.size(); ++t) {
    Parts& parts = slots[t];
    const bool goes_on = t + 1 < slots.size() && slots[t + 1].front().level == parts.back().level;
    shaper.Shape(parts, parts.front().level == level ? on_for_s : 0, goes_on ? slots[t + 1].front().seconds : 0);
    Stamp begin = problem.horizon.SlotStart(static_cast<int>(t));
    for (size_t i = 0; i < parts.size(); ++i) {
      const bool is_last = i + 1 == parts.size();
      const Stamp end = is_last ? problem.horizon.SlotStart(static_cast<int>(t) + 1)
                                : begin + std::chrono::seconds(std::llround(parts[i].seconds));
      schedule.dwells.push_back({begin, end, parts[i].level, static_cast<int>(t)});
      on_for_s = parts[i].level == level ? on_for_s + parts[i].seconds : parts[i].seconds;
      level = parts[i].level;
      begin = end;
    }
  }
  schedule.owed = shaper.owed();
  return schedule;
}

double WorkBetween(const DwellSchedule& schedule, const Gpu& gpu, Stamp from, Stamp to) {
  double work = 0;
  for (const Dwell& dwell : schedule.dwells) {
    const Stamp begin = std::max(dwell.begin, from), end = std::min(dwell.end, to);
    if (dwell.level && begin < end) work += Between(begin, end) / gpu.levels[*dwell.level].job_time;
  }
  return work;
}

std::vector<SlotDecision> SharesOf(const DwellSchedule& schedule, const Horizon& horizon, size_t levels) {
  std::vector<SlotDecision> decisions(static_cast<size_t>(horizon.slots));
  for (int t = 0; t < horizon.slots; ++t) {
    std::vector<double> shares(levels);
    for (const Dwell& dwell : schedule.dwells) {
      const Stamp begin = std::max(dwell.begin, horizon.SlotStart(t)),
                  end = std::min(dwell.end, horizon.SlotStart(t + 1));
      if (dwell.level && begin < end) shares[*dwell.level] += Between(begin, end) / horizon.SlotDuration();
    }
    for (size_t k = 0; k < levels; ++k) {
      if (shares[k] > 0) decisions[static_cast<size_t>(t)].levels.push_back({k, std::min(shares[k], 1.0)});
    }
  }
  return decisions;
}

}  // namespace heliograd

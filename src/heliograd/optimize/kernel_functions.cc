#include "heliograd/optimize/kernel_functions.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace heliograd::kernel {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

/// Places closer than this are one, kWh.
constexpr double kSamePlace = 1e-11;

bool SameSlope(double a, double b) { return std::abs(a - b) <= 1e-12 * (1 + std::abs(a)); }

/// Appends to a function, joining what is one line.
class FunctionWriter {
 public:
  FunctionWriter(std::vector<Segment>& out, double tie) : out_(out), first_(out.size()), tie_(tie) {}

  void Put(double low, double high, double cost, double slope) {
    if (out_.size() > first_) {
      Segment& last = out_.back();
      if (high <= low && low - last.high <= kSamePlace && last.CostHigh() <= cost + tie_) return;
      if (last.high <= last.low && low - last.high <= kSamePlace && cost <= last.cost + tie_) {
        last = {low, high, cost, slope};
        return;
      }
      const bool touches = low - last.high <= kSamePlace;
      if (touches && SameSlope(last.slope, slope) && last.high > last.low && std::abs(last.At(low) - cost) <= tie_) {
        last.high = high;
        return;
      }
    }
    out_.push_back({low, high, cost, slope});
  }
  void PutPart(const Segment& segment, double low, double high) {
    if (source_ == &segment && out_.back().high == low) {
      out_.back().high = high;
      return;
    }
    Put(low, high, segment.At(low), segment.slope);
    source_ = high > low ? &segment : nullptr;
  }

 private:
  std::vector<Segment>& out_;
  size_t first_;
  double tie_;
  const Segment* source_ = nullptr;  // of the last part, unless that is a point
};

/// Walks two functions over the places where either is defined.
template <typename Both, typename OnlyF, typename OnlyG>
void WalkTogether(FunctionView f, FunctionView g, const Both& both, const OnlyF& only_f, const OnlyG& only_g) {
  const Segment *a = f.data(), *b = g.data();
  const Segment *const a_end = a + f.size(), *const b_end = b + g.size();
  double x = -kInfinity;
  while (a != a_end && b != b_end) {
    const double a_low = std::max(a->low, x), b_low = std::max(b->low, x);
    if (a_low < b_low) {
      x = std::max(std::min(a->high, b_low), a_low);
      only_f(*a, a_low, x);
      if (a->high <= x) ++a;
    } else if (b_low < a_low) {
      x = std::max(std::min(b->high, a_low), b_low);
      only_g(*b, b_low, x);
      if (b->high <= x) ++b;
    } else {
      x = std::max(std::min(a->high, b->high), a_low);
      both(*a, *b, a_low, x);
      const bool a_ends = a->high <= x, b_ends = b->high <= x;
      a += a_ends;
      b += b_ends;
    }
  }
  for (; a != a_end; ++a) {
    const double low = std::max(a->low, x);
    x = std::max(a->high, low);
    only_f(*a, low, x);
  }
  for (; b != b_end; ++b) {
    const double low = std::max(b->low, x);
    x = std::max(b->high, low);
    only_g(*b, low, x);
  }
}

/// Lower of two functions.
void AppendLower(FunctionView f, FunctionView g, double tie, std::vector<Segment>& out) {
  FunctionWriter writer(out, tie);
  WalkTogether(
      f, g,
      [&](const Segment& a, const Segment& b, double low, double high) {
        const double at_low = b.At(low) - a.At(low), at_high = b.At(high) - a.At(high);
        if (at_low >= -tie && at_high >= -tie) {
          writer.PutPart(a, low, high);
        } else if (at_low <= tie && at_high <= tie) {
          writer.PutPart(b, low, high);
        } else {
          const double crossing = std::clamp(low + (high - low) * at_low / (at_low - at_high), low, high);
          writer.PutPart(at_low > 0 ? a : b, low, crossing);
          writer.PutPart(at_low > 0 ? b : a, crossing, high);
        }
      },
      [&](const Segment& a, double low, double high) { writer.PutPart(a, low, high); },
      [&](const Segment& b, double low, double high) { writer.PutPart(b, low, high); });
}

}  // namespace

size_t EndOfRun(FunctionView f, size_t first) {
  size_t i = first + 1;
  while (i < f.size() && f[i].low - f[i - 1].high <= kSamePlace &&
         f[i].slope >= f[i - 1].slope - 1e-13 * (1 + std::abs(f[i].slope)) &&
         std::abs(f[i].cost - f[i - 1].CostHigh()) <= 4e-12 * (1 + std::abs(f[i].cost))) {
    ++i;
  }
  return i;
}

double ValueAt(FunctionView f, double x) {
  double value = kInfinity;
  for (const Segment& segment : f) {
    if (x < segment.low - kSamePlace) break;
    if (x <= segment.high + kSamePlace) value = std::min(value, segment.At(std::clamp(x, segment.low, segment.high)));
  }
  return value;
}

namespace {

/// Calls `at` for pairs of segments over each end of what they share. Segments that touch but for rounding share a
/// place.
template <typename At>
void AtCommonEnds(FunctionView f, FunctionView g, const At& at) {
  const auto consider = [&](size_t i, size_t j) {
    if (i >= f.size() || j >= g.size()) return;
    const double low = std::max(f[i].low, g[j].low), high = std::min(f[i].high, g[j].high);
    if (low > high + kSamePlace) return;
    at(f[i].At(low), g[j].At(low));
    at(f[i].At(high), g[j].At(high));
  };
  size_t i = 0, j = 0;
  while (i < f.size() && j < g.size()) {
    consider(i, j);
    const bool f_ends = f[i].high <= g[j].high;
    if (std::abs(f[i].high - g[j].high) <= kSamePlace) f_ends ? consider(i, j + 1) : consider(i + 1, j);
    if (f_ends) {
      ++i;
    } else {
      ++j;
    }
  }
}

}  // namespace

double LeastSum(FunctionView f, FunctionView g) {
  double least = kInfinity;
  AtCommonEnds(f, g, [&](double a, double b) { least = std::min(least, a + b); });
  return least;
}

double BestRelease(FunctionView cost, FunctionView after, double stored, double rho, double least_z) {
  double best = 0, least = kInfinity;
  const auto consider = [&](size_t i, size_t j) {
    if (i >= cost.size() || j == 0) return;
    const Segment &c = cost[i], &v = after[j - 1];
    const double low = std::max({c.low, stored - v.high / rho, least_z}), high = std::min(c.high, stored - v.low / rho);
    if (low > high + kSamePlace) return;
    for (const double z : {low, high}) {
      if (z < least_z - 1e-12) continue;
      const double value = c.At(z) + v.At(rho * (stored - z));
      if (value < least) least = value, best = z;
    }
  };
  size_t i = 0, j = after.size();
  while (i < cost.size() && j > 0) {
    consider(i, j);
    const double beyond = cost[i].high - (stored - after[j - 1].low / rho);
    // Ends that are one place but for rounding: both neighbours may hold the best.
    if (std::abs(beyond) <= kSamePlace) beyond <= 0 ? consider(i, j - 1) : consider(i + 1, j);
    if (beyond <= 0) {
      ++i;
    } else {
      --j;
    }
  }
  return best;
}

double LeastDifference(FunctionView f, FunctionView g) {
  double least = kInfinity;
  // Where g jumps it is the lower of its two values: an end that only touches may not stand for it.
  size_t i = 0, j = 0;
  while (i < f.size() && j < g.size()) {
    const double low = std::max(f[i].low, g[j].low), high = std::min(f[i].high, g[j].high);
    if (high - low > kSamePlace) {
      least = std::min({least, f[i].At(low) - g[j].At(low), f[i].At(high) - g[j].At(high)});
    }
    if (f[i].high <= g[j].high) {
      ++i;
    } else {
      ++j;
    }
  }
  const auto at_point = [&](double x) {
    const double a = ValueAt(f, x), b = ValueAt(g, x);
    if (a < kInfinity && b < kInfinity) least = std::min(least, a - b);
  };
  for (const FunctionView one : {f, g}) {
    for (const Segment& segment : one) {
      if (segment.high - segment.low <= kSamePlace) at_point(segment.low);
    }
  }
  if (least == kInfinity) AtCommonEnds(f, g, [&](double a, double b) { least = std::min(least, a - b); });
  return least;
}

bool NowhereBelow(FunctionView f, FunctionView g, double tie) {
  bool below = false;
  WalkTogether(
      f, g,
      [&](const Segment& a, const Segment& b, double low, double high) {
        below = below || a.At(low) < b.At(low) - tie || a.At(high) < b.At(high) - tie;
      },
      [&](const Segment&, double low, double high) { below = below || high - low > kSamePlace; },
      [](const Segment&, double, double) {});
  if (below) return false;
  const double difference = LeastDifference(f, g);
  return difference >= -tie && difference < kInfinity;
}

void ClampSlopes(FunctionView f, double limit, double most, Function& clamped) {
  clamped.clear();
  const auto rising = std::find_if(f.begin(), f.end(), [](const Segment& segment) {
    return segment.slope > 0 && segment.high - segment.low > kSamePlace;
  });
  const bool rises = rising != f.end();
  clamped.push_back(
      {0, std::min(rises ? rising->low : f.back().high, limit), rises ? rising->cost : f.back().CostHigh(), 0});
  for (auto segment = rising; segment != f.end() && segment->slope < most; ++segment) {
    Segment& last = clamped.back();
    // A piece that is rounding goes with the one before it.
    const double high = std::min(segment->high, limit);
    if (high - last.high > kSamePlace) {
      clamped.push_back({last.high, high, last.CostHigh(), std::max(segment->slope, last.slope)});
    } else {
      last.high = std::max(high, last.high);
    }
  }
  const Segment last = clamped.back();
  if (limit > last.high) clamped.push_back({last.high, limit, last.CostHigh(), most});
  if (clamped.size() > 1 && clamped.front().high <= 0) clamped.erase(clamped.begin());
}

void Envelope::Clear() {
  lists_.clear();
  ends_.clear();
}

void Envelope::CloseList() {
  const size_t begin = ends_.empty() ? 0 : ends_.back();
  if (lists_.size() > begin) ends_.push_back(lists_.size());
}

void Envelope::Put(double low, double high, double cost, double slope) {
  if (high < 0 || low > limit_) {
    // A point that lies outside by rounding is the end itself.
    if (high < -kSamePlace || low > limit_ + kSamePlace) return;
    const double x = high < 0 ? 0 : limit_, cost_there = high < 0 ? cost + slope * (high - low) : cost;
    lists_.push_back({x, x, cost_there, 0});
    return;
  }
  if (low < 0) cost -= slope * low, low = 0;
  high = std::min(high, limit_);
  if (high <= low) {
    const size_t begin = ends_.empty() ? 0 : ends_.back();
    if (lists_.size() > begin) return;  // the list has this place already
  } else if (!lists_.empty() && lists_.size() > (ends_.empty() ? 0 : ends_.back()) &&
             lists_.back().low == lists_.back().high) {
    lists_.pop_back();  // a point at which the line begins
  }
  lists_.push_back({low, high, cost, slope});
}

void Envelope::Add(FunctionView f) {
  lists_.insert(lists_.end(), f.begin(), f.end());
  CloseList();
}

void Envelope::AddSplitsBackward(FunctionView f, FunctionView g, double limit, const FillRule& rule) {
  limit_ = limit;
  for (size_t i = 0; i < f.size();) {
    const size_t f_end = EndOfRun(f, i);
    for (size_t j = 0; j < g.size();) {
      const size_t g_end = EndOfRun(g, j);
      MergeRuns(f.subspan(i, f_end - i), g.subspan(j, g_end - j), limit, rule, true);
      j = g_end;
    }
    i = f_end;
  }
}

void Envelope::AddSplitsForward(FunctionView f, FunctionView g, double limit, const FillRule& rule) {
  limit_ = limit;
  for (size_t i = 0; i < f.size();) {
    const size_t f_end = EndOfRun(f, i);
    for (size_t j = 0; j < g.size();) {
      const size_t g_end = EndOfRun(g, j);
      MergeRuns(f.subspan(i, f_end - i), g.subspan(j, g_end - j), limit, rule, false);
      j = g_end;
    }
    i = f_end;
  }
}

void Envelope::MergeRuns(FunctionView f, FunctionView g, double limit, const FillRule& rule, bool backward) {
  if (f.front().low + g.front().low > limit + kSamePlace) return;
  if (f.back().high + g.back().high < -kSamePlace) return;
  if (rule.active) {
    if (backward) {
      MergeFilling(f, g, limit, rule);
    } else {
      MergeTakingUp(f, g, limit, rule);
    }
    CloseList();
    return;
  }
  double x = f.front().low + g.front().low, cost = f.front().cost + g.front().cost;
  Put(x, x, cost, 0);
  size_t i = 0, j = 0;
  while (x < limit && (i < f.size() || j < g.size())) {
    const bool take_f = j == g.size() || (i < f.size() && f[i].slope <= g[j].slope);
    const Segment& segment = take_f ? f[i++] : g[j++];
    const double length = segment.high - segment.low;
    Put(x, x + length, cost, segment.slope);
    x += length;
    cost += segment.slope * length;
  }
  CloseList();
}

namespace {

/// A place on a convex run, moved up or down along it.
class Cursor {
 public:
  explicit Cursor(FunctionView f) : f_(f), at_(f.front().low) {}

  bool CanRise() {
    while (i_ < f_.size() && at_ >= f_[i_].high) ++i_;
    return i_ < f_.size();
  }
  bool CanFall() {
    while (i_ > 0 && (i_ == f_.size() || at_ <= f_[i_].low)) --i_;
    return at_ > f_[i_].low;
  }
  /// Precondition: CanRise or CanFall was asked and is true.
  double slope() const { return f_[i_].slope; }
  double Above() const { return f_[i_].high - at_; }
  double Below() const { return at_ - f_[i_].low; }
  double at() const { return at_; }
  void Rise(double length) { at_ = length >= Above() ? f_[i_].high : at_ + length; }
  void Fall(double length) { at_ = length >= Below() ? f_[i_].low : at_ - length; }

 private:
  FunctionView f_;
  size_t i_ = 0;
  double at_;
};

}  // namespace

void Envelope::MergeFilling(FunctionView f, FunctionView g, double limit, const FillRule& rule) {
  // slack = b (1 - alpha) + alpha (capacity - a) must not be negative: kept energy a uses it up, released b adds.
  Cursor a(f), b(g);
  double cost = f.front().cost + g.front().cost;
  const auto slack = [&] { return b.at() * (1 - rule.alpha) + rule.alpha * (rule.capacity - a.at()); };
  while (slack() < -kSamePlace * rule.alpha) {
    if (rule.alpha >= 1 || !b.CanRise()) return;
    const double step = std::min(-slack() / (1 - rule.alpha), b.Above());
    cost += b.slope() * step;
    b.Rise(step);
  }
  Put(a.at() + b.at(), a.at() + b.at(), cost, 0);
  while (a.at() + b.at() < limit) {
    const bool a_rises = a.CanRise(), b_rises = b.CanRise();
    const double x = a.at() + b.at();
    double slope = 0, step = 0;
    if (a_rises && (!b_rises || a.slope() <= b.slope())) {
      const double room = slack() / rule.alpha;
      if (room > kSamePlace) {
        slope = a.slope();
        step = std::min(room, a.Above());
        a.Rise(step);
      } else if (b_rises && rule.alpha < 1) {  // both, along the rule
        slope = (1 - rule.alpha) * a.slope() + rule.alpha * b.slope();
        step = std::min(a.Above() / (1 - rule.alpha), b.Above() / rule.alpha);
        a.Rise((1 - rule.alpha) * step);
        b.Rise(rule.alpha * step);
      } else if (b_rises) {
        slope = b.slope();
        step = b.Above();
        b.Rise(step);
      } else {
        return;
      }
    } else if (b_rises) {
      slope = b.slope();
      step = b.Above();
      b.Rise(step);
    } else {
      return;
    }
    Put(x, x + step, cost, slope);
    cost += slope * step;
  }
}

void Envelope::MergeTakingUp(FunctionView f, FunctionView g, double limit, const FillRule& rule) {
  // slack = alpha (capacity - a) - b must not be negative: both use it up.
  Cursor a(f), b(g);
  double cost = f.front().cost + g.front().cost;
  const auto slack = [&] { return rule.alpha * (rule.capacity - a.at()) - b.at(); };
  if (slack() < -kSamePlace) return;
  Put(a.at() + b.at(), a.at() + b.at(), cost, 0);
  while (a.at() + b.at() < limit) {
    const bool a_rises = a.CanRise(), b_rises = b.CanRise();
    const double x = a.at() + b.at(), room = slack();
    double slope = 0, step = 0;
    if (room > kSamePlace) {
      if (a_rises && (!b_rises || a.slope() <= b.slope())) {
        slope = a.slope();
        step = std::min(room / rule.alpha, a.Above());
        a.Rise(step);
      } else if (b_rises) {
        slope = b.slope();
        step = std::min(room, b.Above());
        b.Rise(step);
      } else {
        return;
      }
    } else {  // along the rule: a rises by more than b falls
      if (rule.alpha >= 1 || !a_rises || !b.CanFall()) return;
      slope = (a.slope() - rule.alpha * b.slope()) / (1 - rule.alpha);
      const double rise = std::min(a.Above(), b.Below() / rule.alpha);
      step = rise * (1 - rule.alpha);
      a.Rise(rise);
      b.Fall(rule.alpha * rise);
    }
    Put(x, x + step, cost, slope);
    cost += slope * step;
  }
}

FunctionView Envelope::Lowest(double tie) {
  while (ends_.size() > 1) {
    merged_.clear();
    merged_ends_.clear();
    size_t begin = 0;
    for (size_t i = 0; i < ends_.size(); i += 2) {
      const FunctionView first(lists_.data() + begin, ends_[i] - begin);
      if (i + 1 == ends_.size()) {
        merged_.insert(merged_.end(), first.begin(), first.end());
      } else {
        AppendLower(first, {lists_.data() + ends_[i], ends_[i + 1] - ends_[i]}, tie, merged_);
        begin = ends_[i + 1];
      }
      merged_ends_.push_back(merged_.size());
    }
    lists_.swap(merged_);
    ends_.swap(merged_ends_);
  }
  return {lists_.data(), lists_.size()};
}

}  // namespace heliograd::kernel

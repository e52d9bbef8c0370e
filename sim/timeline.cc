#include "sim/timeline.h"

#include <algorithm>
#include <cmath>

#include "sim/shared_words.h"

namespace heliograd::sim {
namespace {

constexpr int64_t kPointSpacingNs = 1'000'000'000;

double SecondsInto(const Segment& segment, int64_t at_ns) {
  return static_cast<double>(at_ns - segment.start_ns) / kNanosecondsPerSecond;
}

}  // namespace

double Timeline::FilteredWattsIn(const Segment& segment, double seconds) const {
  if (low_pass_s_ <= 0 || seconds <= 0) return low_pass_s_ <= 0 ? segment.watts : segment.filtered_w;
  return segment.watts + (segment.filtered_w - segment.watts) * std::exp(-seconds / low_pass_s_);
}

void Timeline::Change(int64_t at_ns, double watts, double busy, double memory) {
  Segment& open = head_.open;
  const auto busy_share = static_cast<float>(busy);
  const auto memory_share = static_cast<float>(memory);
  if (watts == open.watts && busy_share == open.busy && memory_share == open.memory) return;
  const double seconds = SecondsInto(open, at_ns);
  const Segment next{at_ns,
                     watts,
                     open.joules + open.watts * seconds,
                     FilteredWattsIn(open, seconds),
                     open.busy_s + static_cast<double>(open.busy) * seconds,
                     open.memory_s + static_cast<double>(open.memory) * seconds,
                     busy_share,
                     memory_share};
  if (seconds > 0) {
    if (at_ns - head_.last_point.at_ns >= kPointSpacingNs) {
      if (at_ns - open.start_ns >= kPointSpacingNs) RememberPoint({open.start_ns, open.joules});
      RememberPoint({at_ns, next.joules});
    }
    segments_.push_back(open);
    ++head_.segments;
  }
  open = next;
}

void Timeline::RememberPoint(const Point& point) {
  if (head_.points > 0 && point.at_ns <= head_.last_point.at_ns) return;
  points_.push_back(point);
  ++head_.points;
  head_.last_point = point;
}

Segment Timeline::ClosedSegment(uint64_t index) const {
  const uint64_t committed = head_.segments - segments_.size();
  if (index >= committed) return segments_[index - committed];
  Segment segment;
  LoadShared(memory_->segments[index % kSegmentSlots], segment);
  return segment;
}

Point Timeline::PointAt(uint64_t index) const {
  const uint64_t committed = head_.points - points_.size();
  if (index >= committed) return points_[index - committed];
  Point point;
  LoadShared(memory_->points[index % kPointSlots], point);
  return point;
}

Segment Timeline::SegmentAt(int64_t at_ns) const {
  if (at_ns >= head_.open.start_ns || head_.segments == 0) return head_.open;
  uint64_t low = head_.segments > kRememberedSegments ? head_.segments - kRememberedSegments : 0;
  uint64_t high = head_.segments;
  while (high - low > 1) {  // the segment lies in [low, high)
    const uint64_t middle = low + (high - low) / 2;
    (ClosedSegment(middle).start_ns <= at_ns ? low : high) = middle;
  }
  return ClosedSegment(low);
}

std::optional<KnownEnergy> Timeline::JoulesAt(int64_t at_ns) const {
  const Segment segment = SegmentAt(at_ns);
  const bool remembered = at_ns >= segment.start_ns || head_.segments <= kRememberedSegments;
  if (!remembered) return BetweenPoints(at_ns);
  return KnownEnergy{segment.joules + segment.watts * SecondsInto(segment, at_ns), true};
}

std::optional<KnownEnergy> Timeline::BetweenPoints(int64_t at_ns) const {
  uint64_t low = head_.points > kRememberedPoints ? head_.points - kRememberedPoints : 0;
  uint64_t high = head_.points;
  if (high - low < 2 || PointAt(low).at_ns > at_ns || PointAt(high - 1).at_ns < at_ns) return std::nullopt;
  while (high - low > 1) {
    const uint64_t middle = low + (high - low) / 2;
    (PointAt(middle).at_ns <= at_ns ? low : high) = middle;
  }
  const Point before = PointAt(low);
  if (before.at_ns == at_ns) return KnownEnergy{before.joules, true};
  const Point after = PointAt(low + 1);
  const double share = static_cast<double>(at_ns - before.at_ns) / static_cast<double>(after.at_ns - before.at_ns);
  return KnownEnergy{before.joules + (after.joules - before.joules) * share, false};
}

double Timeline::FilteredJoulesAt(int64_t at_ns) const {
  const Segment segment = SegmentAt(at_ns);
  const double seconds = SecondsInto(segment, at_ns);
  return segment.joules + segment.watts * seconds - low_pass_s_ * FilteredWattsIn(segment, seconds);
}

double Timeline::BusySecondsAt(int64_t at_ns) const {
  const Segment segment = SegmentAt(at_ns);
  return segment.busy_s + static_cast<double>(segment.busy) * SecondsInto(segment, at_ns);
}

double Timeline::MemorySecondsAt(int64_t at_ns) const {
  const Segment segment = SegmentAt(at_ns);
  return segment.memory_s + static_cast<double>(segment.memory) * SecondsInto(segment, at_ns);
}

void Timeline::CommitTo(HistoryMemory& memory) {
  uint64_t index = head_.segments - segments_.size();
  for (const Segment& segment : segments_) StoreShared(segment, memory.segments[index++ % kSegmentSlots]);
  index = head_.points - points_.size();
  for (const Point& point : points_) StoreShared(point, memory.points[index++ % kPointSlots]);
  segments_.clear();
  points_.clear();
}

}  // namespace heliograd::sim

// The true power of one simulated GPU over simulated time: piecewise constant, with everything that is summed over it.
//
// Enters: changes of power, in order. Leaves: energy, low-passed energy and busy time up to any instant that is still
// remembered. The newest changes lie in this object, older ones in memory that all processes share; what is remembered:
// every change of the last kRememberedSegments, before them one point a second for the last kRememberedPoints seconds.
// Reads of shared memory may run beside a writer; the caller checks afterwards that what it read was still valid.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

namespace heliograd::sim {

inline constexpr double kNanosecondsPerSecond = 1e9;
inline constexpr int64_t kForever = INT64_MAX;

/// One stretch of constant power; it lasts until the next one starts. Sums are up to its start.
struct Segment {
  int64_t start_ns = 0;  // simulated, since the driver started
  double watts = 0;
  double joules = 0;
  double filtered_w = 0;  // power behind the sensor's low-pass
  double busy_s = 0;      // time with work on the GPU
  double memory_s = 0;    // time with memory traffic
  float busy = 0;         // share of time within the segment
  float memory = 0;
};
static_assert(sizeof(Segment) == 56);

/// Energy up to an instant; between two points the power is their mean.
struct Point {
  int64_t at_ns = 0;
  double joules = 0;
};

inline constexpr uint64_t kSegmentSlots = 1u << 17;
inline constexpr uint64_t kPointSlots = 1u << 17;
inline constexpr uint64_t kSlotsBeingWritten = 1u << 14;  // at the old end, which a writer may be overwriting
inline constexpr uint64_t kMostSegmentsPerCommit = 1u << 12;
inline constexpr uint64_t kRememberedSegments = kSegmentSlots - kSlotsBeingWritten;
inline constexpr uint64_t kRememberedPoints = kPointSlots - kSlotsBeingWritten;

/// Rings in shared memory.
struct HistoryMemory {
  Segment segments[kSegmentSlots];
  Point points[kPointSlots];
};

/// What is shared besides the rings: part of the GPU's state.
struct TimelineHead {
  Segment open;           // the newest segment
  uint64_t segments = 0;  // closed so far
  uint64_t points = 0;    // written so far
  Point last_point;
};

/// An energy with whether it is exact or lies between two points.
struct KnownEnergy {
  double joules = 0;
  bool exact = true;
};

class Timeline {
 public:
  /// `memory` outlives the object. `low_pass_s` is the sensor's time constant.
  Timeline(const HistoryMemory* memory, const TimelineHead& head, double low_pass_s)
      : memory_(memory), head_(head), low_pass_s_(low_pass_s) {}

  /// From `at_ns` on, not before the newest change, the GPU draws `watts`. Nothing happens where nothing changes.
  void Change(int64_t at_ns, double watts, double busy, double memory);

  /// True energy since the driver started. Nothing where it is forgotten.
  std::optional<KnownEnergy> JoulesAt(int64_t at_ns) const;
  /// Integral of the low-passed power. Instants older than the remembered segments count as the oldest one.
  double FilteredJoulesAt(int64_t at_ns) const;
  double BusySecondsAt(int64_t at_ns) const;
  double MemorySecondsAt(int64_t at_ns) const;

  const Segment& newest() const { return head_.open; }
  const TimelineHead& head() const { return head_; }
  /// Changes that are not in shared memory yet.
  size_t uncommitted() const { return segments_.size(); }
  /// Writes them there. Only the holder of the GPU's lock may call this.
  void CommitTo(HistoryMemory& memory);

 private:
  Segment SegmentAt(int64_t at_ns) const;
  Segment ClosedSegment(uint64_t index) const;
  Point PointAt(uint64_t index) const;
  std::optional<KnownEnergy> BetweenPoints(int64_t at_ns) const;
  double FilteredWattsIn(const Segment& segment, double seconds) const;
  void RememberPoint(const Point& point);

  const HistoryMemory* memory_;
  TimelineHead head_;
  double low_pass_s_;
  std::vector<Segment> segments_;  // closed, the last ones of head_.segments
  std::vector<Point> points_;      // the last ones of head_.points
};

}  // namespace heliograd::sim

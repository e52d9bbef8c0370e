// Which level's power limit is in force: sets limits, watches whether they stay, and knows when they are out of reach.
//
// Enters: levels that are wanted, and looks at the GPU. Leaves: the level that runs, as far as can be told, and events.
// It knows no plan, no job and no deadline. One thread.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "heliograd/base/time.h"
#include "heliograd/control/gpu_watch.h"
#include "heliograd/control/power_limits.h"
#include "heliograd/control/run_clock.h"
#include "heliograd/control/run_event.h"
#include "heliograd/plan/problem.h"

namespace heliograd {

/// "150 W".
std::string WattsText(Power power);

class LevelLimits {
 public:
  using LevelOrOff = std::optional<size_t>;
  using Tell = std::function<void(RunEvent event)>;
  /// Levels of ascending limits, at least one. All must outlive this.
  LevelLimits(const std::vector<Level>& levels, PowerLimits& limits, RunClock& clock, Tell tell);

  /// What the GPU says now.
  void Look(const GpuLook& look);
  /// Whether that is still the limit that was set. One that someone else set is left as it is: then limits are out of
  /// reach.
  void Watch();
  /// Sets that level's limit unless it is set, may not be set, or whoever holds the lease for us is away. `due`: when
  /// it was to be set, for the event.
  void Set(size_t level, std::optional<Stamp> due);
  /// The GPU answers again after an absence: whether the driver was loaded anew meanwhile.
  void AnswersAgain();
  /// A driver that was loaded anew has forgotten the limit: the lease begins again with what is in force, and the limit
  /// is set again.
  void DriverIsNew();

  /// The level whose limit is in force when `wanted` is wanted, as far as can be told.
  size_t Runs(size_t wanted) const;
  /// Whether it can be told now which limit is in force: one that we set, that is read, or that is out of our reach.
  bool IsKnown() const { return !look_.is_lost && (only_level_ || set_level_ || look_.limit); }
  /// Whether that is this level's. Precondition: IsKnown().
  bool IsAt(size_t level) const;
  /// Changes with every limit that is set or forgotten.
  LevelOrOff set_level() const { return set_level_; }
  /// The one level that runs once limits are out of reach.
  LevelOrOff only_level() const { return only_level_; }
  /// The level under a limit that is not of the plan's choosing: the highest that fits, or the lowest.
  size_t LevelAt(Power limit) const;

 private:
  void OutOfReach(const std::string& why, std::optional<Power> in_force);
  void TakeRefusal(const Error& error);

  const std::vector<Level>& levels_;
  PowerLimits& limits_;
  RunClock& clock_;
  const Tell tell_;
  GpuLook look_;
  LevelOrOff only_level_;  // with limits out of reach
  LevelOrOff set_level_;   // whose limit was set last
  std::optional<Power> set_limit_;
  std::optional<Power> last_limit_;  // in force, when it was last told
  int foreign_looks_ = 0;
  bool lower_told_ = false, refused_told_ = false;
  bool away_ = false;  // the lease, with whoever held it for us
  Stamp away_since_;   // real time
};

}  // namespace heliograd

// Where a run stands, in one line of a terminal.
#pragma once

#include <string>

#include "heliograd/control/plan_runner.h"
#include "heliograd/plan/plan_json.h"

namespace heliograd {

/// Draws on standard error, over what it drew before. One thread.
class RunLine {
 public:
  /// `plan` outlives the line; where it is not `shown`, nothing is drawn.
  RunLine(const PlanFile& plan, bool shown) : plan_(plan), shown_(shown) {}
  ~RunLine() { Clear(); }
  RunLine(const RunLine&) = delete;
  RunLine& operator=(const RunLine&) = delete;

  void Clear();
  void Draw(const RunState& state);

 private:
  const PlanFile& plan_;
  bool shown_;
  bool drawn_ = false;
};

}  // namespace heliograd

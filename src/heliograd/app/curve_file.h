// The power curve of a GPU as a file: time and energy per unit of work at each power limit.
//
//     [curve]
//     name = "ResNet18 on RTX 4070"
//     obtained = "measured"         # or "modelled"; measured when left out
//     unit = "progress"             # optional: units that the command told, or "run"
//     gpu = "NVIDIA GeForce RTX 4070"        # optional: the card it was measured on; `run` refuses another
//     gpu_uuid = "GPU-..."                   # optional
//     measured_at = "2026-01-02T10:00:00Z"   # optional
//     job_units = 90                # optional: units of the whole job, where the curve is of one job
//     coarse = true                 # optional: measured in the first minutes of a run, at a handful of limits
//     [[points]]
//     limit_w = 150
//     seconds_per_unit = 0.12
//     energy_j_per_unit = 17.4      # optional; without it the draw is assumed equal to the limit
//     sm_clock_mhz = 2100           # optional; said for people, no plan depends on it
//
// Each of the first three may have a _low and a _high beside it, the ends of its 95 % interval, and [curve] a
// gain_half_width_percent.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "heliograd/base/result.h"
#include "heliograd/plan/plan_json.h"
#include "heliograd/plan/problem.h"

namespace heliograd {

/// How well a level is known: half-widths of 95 % intervals, relative; 0 where the file gives none.
struct LevelSpread {
  double time = 0;
  double energy = 0;
};

struct PowerCurve {
  std::string name;
  std::vector<Level> levels;         // ascending limit; job_time is the time of one unit
  std::vector<LevelSpread> spreads;  // of each level
  double gain_half_width = 0;        // relative; one factor common to all energies, 0 where the file gives none
  std::string unit;                  // "run", "progress": what the command told; empty where the file does not say
  CurveGpu gpu;                      // the card it was measured on
  std::string measured_at;           // a stamp; empty where the file does not say
  std::optional<double> job_units;   // of the whole job, where the file is of one job and says so
  bool coarse = false;               // measured in the first minutes of a run
  bool modelled = false;             // by an energy law, not measured
  bool draw_is_assumed = false;      // at least one point had no energy: its draw is taken equal to its limit
};

/// The card of the built-in curve, as `PowerCurve::gpu` and plans have it: what was measured there is told of other
/// GPUs, not refused.
inline constexpr const char* kStudyGpu = "RTX 4070 of the study";

/// Reads a curve file's content; all mistakes at once. `name` appears in messages.
Result<PowerCurve> ParseCurve(std::string_view content, const std::string& name);
/// "builtin:paper" (Table IV of the study, one unit = the whole job) or a file.
Result<PowerCurve> ReadCurve(const std::string& source);

}  // namespace heliograd

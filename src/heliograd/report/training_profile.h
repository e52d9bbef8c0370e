// What a profile of training found, as text and figures: energy of the five steps of an iteration, as the study's Fig
// 4, and of each layer, as its Figs 5 and 6.
//
// Enters: plain values. Leaves: text and figures. Knows no device, no network and no torch.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "heliograd/base/quantity.h"
#include "heliograd/report/gnuplot.h"
#include "heliograd/report/terminal_style.h"

namespace heliograd {

/// Where the power comes from. The times are measured either way.
enum class PowerSource { kMeasured, kSimulated };
std::string PowerSourceName(PowerSource source);  // "measured", "simulated"

/// Limits belong to a 95 % interval with the sensor's gain in them.
struct ProfiledEnergy {
  Energy energy, low, high;
};

/// One of the five steps, or "other": what lies between them. All values are of one iteration.
struct ProfiledStep {
  std::string name;
  Duration duration;
  std::optional<ProfiledEnergy> energy;
  std::optional<Energy> truth;  // of simulated power, where it is known
  std::optional<double> share, share_half_width;
  int64_t macs = 0;
  bool identifiable = false;
  std::string why;  // why not, one sentence
};

/// One layer in one direction, alone in a loop; values of one pass over one batch.
struct ProfiledPass {
  Duration duration;
  ProfiledEnergy energy;  // gross
  ProfiledEnergy net;     // above idle
};

struct ProfiledLayer {
  std::string name, type;
  int64_t macs = 0;                               // of one pass forward over one batch
  std::optional<ProfiledPass> forward, backward;  // nothing where the layer does no work in that direction
  std::string why;                                // why there is no energy
};

/// One operator of PyTorch: the host's time with it over some iterations.
struct ProfiledOperator {
  std::string name;
  bool backward = false;
  int64_t calls = 0;
  Duration time;
};

/// The sum of all layers against the whole network in the same kind of loop: published, never used to rescale.
struct LayerSum {
  double ratio = 1, half_width = 0;
  bool isolated = false;  // more than 5 % apart: layers alone are not layers within an iteration
};

/// Mean power over a stretch of the run, at its middle.
struct TracePoint {
  Duration at;  // since the first iteration
  Power power;
};

struct TrainingProfile {
  std::string network, data_set, device, power_meter, torch_version;
  PowerSource power_source = PowerSource::kMeasured;
  int64_t parameters = 0;
  int64_t macs = 0;          // of one image forward
  double traffic_bytes = 0;  // of the same, estimated (profile/mac_count.h)
  int batch = 0;
  int64_t iterations = 0;
  std::optional<int64_t> iterations_asked;  // nothing: as many as take a minute
  bool interrupted = false;                 // before all that was asked for was measured; a note tells how far it was
  std::string mode;                         // "events", "sync"
  double dither = 0;
  std::optional<Power> limit;          // the GPU's power limit, where one was set
  std::optional<double> sm_clock_mhz;  // mean over the training, where it was read
  Duration duration;                   // of all iterations with rests
  int64_t samples = 0;                 // values that the power sensor put out meanwhile
  Duration iteration;                  // mean, without rests
  double images_per_second = 0;
  double loader_images_per_second = 0;  // what the loader alone gives
  double first_loss = 0, last_loss = 0, last_accuracy = 0;

  std::vector<ProfiledStep> steps;
  std::optional<ProfiledEnergy> iteration_energy;
  std::optional<double> closure;  // the steps' sum against the counter or the mean reading, relative
  bool closure_tells = false;     // false where both agree by construction
  std::optional<double> condition;
  std::string refusal;  // why the steps' energies are not to be relied on
  std::vector<std::string> pooled;

  std::vector<ProfiledOperator> operators;  // most time first
  int64_t operator_iterations = 0;          // over so many

  std::vector<ProfiledLayer> layers;
  std::optional<LayerSum> forward_sum, backward_sum;
  std::vector<TracePoint> trace;  // at most kTracePoints
  double gain_half_width = 0;
  std::vector<std::string> notes;
};

/// A trace is for a figure: finer would not be seen.
inline constexpr size_t kTracePoints = 1000;

std::string TrainingProfileText(const TrainingProfile& profile, const TerminalStyle& style);

/// Bars of the steps' energies with intervals, as Fig 4. Precondition: at least one step.
Figure StepFigure(const TrainingProfile& profile);
/// Bars of the layers' energies forward (and backward, beside), as Figs 5 and 6. Precondition: at least one layer.
Figure LayerFigure(const TrainingProfile& profile);

}  // namespace heliograd

// `heliograd profile NETWORK`: trains it, and finds what each step and each layer needs.
#pragma once

#include <optional>
#include <string>

#include "heliograd/base/result.h"
#include "heliograd/model/simulated_power.h"
#include "heliograd/report/training_profile.h"

namespace heliograd {

struct TrainingFlags {
  std::string model;
  std::string data = "fashion-mnist";
  std::string device = "cpu";
  std::string mode;  // "events", "sync", "loops"; empty: loops where the sensor averages over long, else events
  int batch = 128;
  int64_t iterations = 0;  // 0: as many as take a minute, 3 or more
  double dither_percent = 5;
  double learning_rate = 0.01;
  uint64_t seed = 1;
  int workers = 1;
  bool operators = false;
  bool layers = false, quick = false;
  std::optional<double> loop_s;                     // of a layer's or a step's loop; nothing: 5 s, shorter with `quick`
  std::optional<int> rounds;                        // nothing: 5, fewer with `quick`
  SimulatedSensor sensor = SimulatedSensor::kFast;  // of simulated power
  double limit_w = 0;                               // the GPU's power limit meanwhile, under a lease; 0: as it is
  /// Whose power is measured and limited, by number or start of UUID; empty: the device's own, and on the CPU none:
  /// its power is simulated.
  std::string gpu;
  std::string record;  // keep the recording
};

/// Trains and measures as the flags say, telling how it goes on standard error. Errors: no PyTorch, no such network,
/// data set or device; a data set that does not fit; no right to set the limit (kPermission). A limit is put back
/// whatever happens.
Result<TrainingProfile> ProfileTraining(const TrainingFlags& flags);

/// Whether such a training could begin: network, data set, PyTorch, device and, but for its limit, GPU. The data set is
/// read and PyTorch loaded; nothing is set or measured. Errors: those that ProfileTraining would give.
Result<void> CheckTraining(const TrainingFlags& flags);

}  // namespace heliograd

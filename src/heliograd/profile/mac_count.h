// Exact counts of the work that a network does for one sample, forward, from shapes alone.
//
// In: an architecture. Out: multiply-accumulates in parts that are never mixed, parameters, bytes moved, and what
// ptflops 0.7.5 prints for the same network, which other tools' figures can be compared with. A MAC is one
// multiplication with one addition: half of what is often called a FLOP. Nothing here is measured. All functions are
// pure.
#pragma once

#include <vector>

#include "heliograd/profile/architecture.h"

namespace heliograd {

/// Counts for one sample, forward.
struct MacCount {
  int64_t convolution_linear = 0;  // MACs of convolutions and linear layers, without bias
  int64_t attention = 0;           // MACs of products between activations (queries with keys, weights with values)
  int64_t bias = 0;                // additions of a bias
  /// Everything else, once each: 1 per output element of ReLU, GELU, softmax, additions and the scale of attention
  /// scores; 2 (factor, addend) per element of batch and layer norm; 1 per input element of pools.
  int64_t elementwise = 0;

  /// The MACs proper: convolution_linear + attention.
  int64_t Macs() const { return convolution_linear + attention; }
  MacCount& operator+=(const MacCount& other);
  friend bool operator==(const MacCount&, const MacCount&) = default;
};

/// What ptflops 0.7.5 counts, its double counts included: its `pytorch` backend counts ReLU, GELU and pools that are
/// modules twice, those that are functions once, layer norm once, additions by operators never.
struct PtflopsCount {
  int64_t pytorch = 0;             // backend `pytorch`, the default
  int64_t without_functional = 0;  // the same with count_functional = False
  int64_t aten = 0;                // backend `aten`

  PtflopsCount& operator+=(const PtflopsCount& other);
  friend bool operator==(const PtflopsCount&, const PtflopsCount&) = default;
};

MacCount CountMacs(const Architecture& network, const Layer& layer);
PtflopsCount CountAsPtflops(const Architecture& network, const Layer& layer);
int64_t CountParameters(const Layer& layer);

/// Bytes that a layer's forward pass moves for a batch, in 32-bit floats: every input element, every output element and
/// every parameter once; batch norm one and a half times as many, since it reads its input again after the mean. An
/// estimate without caches.
int64_t EstimateForwardBytes(const Architecture& network, const Layer& layer, int64_t batch);

/// The same of all layers together, of one image of the batch.
double EstimateForwardBytesPerImage(const Architecture& network, int64_t batch);

struct LayerCount {
  const Layer* layer = nullptr;
  MacCount macs;
  PtflopsCount ptflops;
  int64_t parameters = 0;
};

/// Layers in the order in which they run, and their sums.
struct NetworkCount {
  std::vector<LayerCount> layers;
  MacCount macs;           // as inference runs: without auxiliary heads
  MacCount training_macs;  // forward in training: with them
  PtflopsCount ptflops, training_ptflops;
  int64_t parameters = 0;  // with auxiliary heads
  int64_t parameters_without_auxiliary = 0;
};

/// The result points into `network`, which must outlive it.
NetworkCount CountNetwork(const Architecture& network);

}  // namespace heliograd

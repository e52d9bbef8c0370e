// Puts layers together and works out their shapes. Each family's file uses it; nothing else does.
#pragma once

#include <string>

#include "heliograd/profile/architecture.h"

namespace heliograd {

/// Adds layers one after the other; each call gives the new layer's index, to be named as input later. Shapes that do
/// not fit are a programming mistake and assert.
class ArchitectureBuilder {
 public:
  ArchitectureBuilder(std::string name, int64_t channels);

  int Convolve(const std::string& name, int input, Convolution convolution);
  int Connect(const std::string& name, int input, int64_t out_features);
  int NormalizeBatch(const std::string& name, int input, double epsilon = 1e-5);
  int NormalizeLayer(const std::string& name, int input);
  /// In place, as all these networks have it.
  int Rectify(const std::string& name, int input, CalledAs called_as = CalledAs::kModule);
  int ApplyGelu(const std::string& name, int input);
  int PoolMax(const std::string& name, int input, MaxPool pool);
  int PoolAverage(const std::string& name, int input, int64_t size, CalledAs called_as = CalledAs::kModule);
  int Drop(const std::string& name, int input, double probability);
  int Flatten(const std::string& name, int input);
  int AddTokensAndPositions(const std::string& name, int input);
  /// Attention between the tokens; `input` holds queries, keys and values side by side.
  int Attend(const std::string& name, int input, int64_t heads);
  int Sum(const std::string& name, int a, int b, bool in_place);
  int Join(const std::string& name, std::vector<int> inputs);
  int TakeFirstToken(const std::string& name, int input);

  /// Layers added from now on belong, or do not belong, to an auxiliary head.
  void OnlyTraining(bool only) { only_training_ = only; }
  void AddAuxiliary(int scores) { architecture_.auxiliary.push_back(scores); }
  int64_t ChannelsOf(int layer) const { return architecture_.OutputOf(layer)[0]; }

  Architecture Finish(int result);

 private:
  int Append(Layer layer);

  Architecture architecture_;
  bool only_training_ = false;
};

}  // namespace heliograd

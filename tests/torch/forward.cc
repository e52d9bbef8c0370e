// Runs a network with weights set by a rule that needs no random generator, and prints its parameters' names and
// shapes, its class scores and its gradients' sums as JSON: tests/torch/reference_test.py does the same with the
// PyTorch definition and compares.
//
//   torch_forward NETWORK CHANNELS CLASSES names|eval|train
#include <torch/torch.h>

#include <cmath>
#include <cstdint>
#include <iostream>
#include <nlohmann/json.hpp>
#include <string>

#include "heliograd/profile/networks.h"
#include "heliograd/profile/torch/network.h"

namespace {

using heliograd::TorchNetwork;
using Json = nlohmann::json;

/// 32-bit FNV-1a.
uint32_t HashOf(const std::string& text) {
  uint32_t hash = 2166136261u;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 16777619u;
  return hash;
}

/// Numbers in [-1/2, 1/2) that follow from the name and the position: ((i * 2654435761 + hash) mod 2^32) / 2^32 - 1/2.
torch::Tensor Spread(const std::string& name, c10::IntArrayRef sizes) {
  const int64_t count = c10::multiply_integers(sizes);
  const torch::Tensor position = torch::arange(count, torch::kInt64);
  const torch::Tensor hashed = (position * int64_t{2654435761} + int64_t{HashOf(name)}).bitwise_and(0xFFFFFFFF);
  return (hashed.to(torch::kFloat64) / 4294967296.0 - 0.5).to(torch::kFloat32).reshape(sizes);
}

bool EndsWith(const std::string& text, const std::string& end) { return text.ends_with(end); }

/// Weights keep the size of what passes; norms stay near one; running variances stay positive.
torch::Tensor ValueOf(const std::string& name, const torch::Tensor& tensor) {
  const torch::Tensor spread = Spread(name, tensor.sizes());
  if (EndsWith(name, "running_var")) return 1 + 0.2 * spread;
  if (tensor.dim() > 1) return spread * std::sqrt(24.0 / static_cast<double>(tensor[0].numel()));
  if (EndsWith(name, "weight")) return 1 + 0.2 * spread;
  return 0.1 * spread;
}

void SetByRule(TorchNetwork& network) {
  const torch::NoGradGuard no_gradients;
  for (auto& entry : network.named_parameters()) entry.value().copy_(ValueOf(entry.key(), entry.value()));
  for (auto& entry : network.named_buffers()) {
    if (entry.value().is_floating_point()) entry.value().copy_(ValueOf(entry.key(), entry.value()));
  }
}

std::vector<double> Numbers(const torch::Tensor& tensor) {
  const torch::Tensor flat = tensor.detach().to(torch::kFloat64).flatten().contiguous();
  return {flat.data_ptr<double>(), flat.data_ptr<double>() + flat.numel()};
}

Json Names(const TorchNetwork& network) {
  Json names = Json::object();
  for (const auto& entry : network.named_parameters()) names[entry.key()] = entry.value().sizes().vec();
  for (const auto& entry : network.named_buffers()) names[entry.key()] = entry.value().sizes().vec();
  return names;
}

Json Run(TorchNetwork& network, int64_t channels, bool training) {
  SetByRule(network);
  network.train(training);
  torch::manual_seed(7);  // dropout
  const TorchNetwork::Scores scores = network.Forward(2 * Spread("image", {2, channels, 224, 224}));
  Json json = {{"scores", Json::array({Numbers(scores.classes)})}};
  for (const torch::Tensor& auxiliary : scores.auxiliary) json["scores"].push_back(Numbers(auxiliary));
  if (!training) return json;
  torch::Tensor loss = scores.classes.square().sum();
  for (const torch::Tensor& auxiliary : scores.auxiliary) loss = loss + auxiliary.square().sum();
  loss.backward();
  for (const auto& entry : network.named_parameters()) {
    json["gradients"][entry.key()] = entry.value().grad().to(torch::kFloat64).abs().sum().item<double>();
  }
  return json;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 5) return 2;
  torch::set_num_threads(1);
  const int64_t channels = std::stoll(argv[2]);
  const auto architecture = heliograd::MakeNetwork(argv[1], {channels, std::stoll(argv[3])});
  if (!architecture) {
    std::cerr << architecture.error().Message() << "\n";
    return 1;
  }
  TorchNetwork network(*architecture);
  const std::string mode = argv[4];
  std::cout << (mode == "names" ? Names(network) : Run(network, channels, mode == "train")).dump() << "\n";
  return 0;
}

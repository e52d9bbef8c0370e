#include "heliograd/profile/torch/operator_times.h"

#include <ATen/record_function.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>

namespace heliograd {
namespace {

struct Sum {
  int64_t calls = 0;
  std::chrono::nanoseconds time{0};
};

/// One at a time: PyTorch's callbacks are plain functions.
struct Tally {
  std::mutex mutex;
  std::map<std::pair<std::string, bool>, Sum> sums;  // by name and whether it is backward
};
Tally* running = nullptr;

// Nested operators belong to the outermost one of their thread.
thread_local int depth = 0;
// Autograd names the node whose backward runs; its operators belong to it.
thread_local bool in_backward = false;

/// Autograd wraps what it runs: the engine's evaluation of a node, and the node.
bool IsAutograd(const at::RecordFunction& function) {
  return function.scope() == at::RecordScope::BACKWARD_FUNCTION ||
         std::string_view(function.name()).starts_with("autograd::");
}

struct Seen : at::ObserverContext {
  std::chrono::steady_clock::time_point begin;
  bool outermost = false, opens_backward = false;
};

std::unique_ptr<at::ObserverContext> Enter(const at::RecordFunction& function) {
  auto seen = std::make_unique<Seen>();
  if (IsAutograd(function)) {
    seen->opens_backward = !in_backward;
    in_backward = true;
    return seen;
  }
  seen->outermost = depth++ == 0;
  seen->begin = std::chrono::steady_clock::now();
  return seen;
}

void Leave(const at::RecordFunction& function, at::ObserverContext* context) {
  const auto* seen = static_cast<const Seen*>(context);
  if (IsAutograd(function)) {
    if (seen->opens_backward) in_backward = false;
    return;
  }
  --depth;
  if (!seen->outermost || running == nullptr) return;
  const auto time = std::chrono::steady_clock::now() - seen->begin;
  const std::lock_guard lock(running->mutex);
  Sum& sum = running->sums[{function.name(), in_backward}];
  ++sum.calls;
  sum.time += time;
}

}  // namespace

std::vector<OperatorTime> TimeOperators(const std::function<void()>& work) {
  Tally tally;
  running = &tally;
  const at::CallbackHandle handle = at::addGlobalCallback(
      at::RecordFunctionCallback(Enter, Leave).scopes({at::RecordScope::FUNCTION, at::RecordScope::BACKWARD_FUNCTION}));
  const auto end = [&] {
    at::removeCallback(handle);
    running = nullptr;
  };
  try {
    work();
  } catch (...) {
    end();
    throw;
  }
  end();
  std::vector<OperatorTime> times;
  for (const auto& [key, sum] : tally.sums) {
    times.push_back({key.first, key.second, sum.calls, std::chrono::duration<double>(sum.time).count()});
  }
  std::sort(times.begin(), times.end(), [](const auto& a, const auto& b) { return a.seconds > b.seconds; });
  return times;
}

}  // namespace heliograd

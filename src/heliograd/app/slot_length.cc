#include "heliograd/app/slot_length.h"

#include <fmt/format.h>

#include <algorithm>

#include "heliograd/app/moment_text.h"

namespace heliograd {
namespace {

constexpr int kMostSlots = 384;  // four days of quarter hours: whole levels in more take a planner long
constexpr std::chrono::seconds kMostUnused = std::chrono::minutes(5);

/// From the start to the deadline; nothing where that cannot be told, which ReadInputs() says why.
std::optional<std::chrono::seconds> TimeLeft(const Scenario& scenario, const Result<NodeInputs>& inputs,
                                             InputCache& cache) {
  // No whole slot of the length asked for may fit; of a minute there is one.
  const Result<NodeInputs> read = inputs ? *inputs : ReadInputs(scenario, 1, cache);
  if (!read) return std::nullopt;
  const auto deadline = ParseMoment(scenario.TextOf("job.deadline"), read->zone, read->start);
  if (!deadline) return std::nullopt;
  return std::chrono::duration_cast<std::chrono::seconds>(*deadline - read->start);
}

}  // namespace

int FittingSlotMinutes(std::chrono::seconds left, int asked) {
  const std::chrono::seconds allowed = std::min(kMostUnused, left / 100);
  int best = asked;
  auto least = left % std::chrono::minutes(asked);
  if (left < std::chrono::minutes(asked)) least = left;
  for (const int minutes : kSlotMinutes) {
    if (least <= allowed) return best;
    const std::chrono::minutes slot(minutes);
    if (minutes >= asked || slot > left || left / slot > kMostSlots) continue;
    if (left % slot < least) {
      least = left % slot;
      best = minutes;
    }
  }
  return best;
}

Result<NodeInputs> ReadFittingInputs(const Scenario& scenario, int asked, bool gave, InputCache& cache) {
  Result<NodeInputs> inputs = ReadInputs(scenario, asked, cache);
  if (gave || !scenario.Has("job.deadline")) return inputs;
  const auto left = TimeLeft(scenario, inputs, cache);
  if (!left) return inputs;
  const int fitting = FittingSlotMinutes(*left, asked);
  if (fitting == asked) return inputs;
  inputs = ReadInputs(scenario, fitting, cache);
  if (!inputs) return inputs;
  const auto unused = std::chrono::duration_cast<std::chrono::minutes>(*left % std::chrono::minutes(asked));
  const std::string remark =
      fmt::format("slots of {} minutes, because whole ones of {} would leave {} minutes before the deadline unused",
                  fitting, asked, unused.count());
  inputs->remarks.push_back(remark);
  inputs->notes.push_back(remark);
  return inputs;
}

}  // namespace heliograd

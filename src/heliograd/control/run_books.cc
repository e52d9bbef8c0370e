#include "heliograd/control/run_books.h"

#include <algorithm>

namespace heliograd {
namespace {

constexpr auto kFlows = {&SlotDecision::pv_used, &SlotDecision::grid_import, &SlotDecision::grid_export,
                         &SlotDecision::battery_charge, &SlotDecision::battery_discharge};

}  // namespace

double SlotActual::running_s() const {
  double sum = unknown_s;
  for (const double seconds : level_s) sum += seconds;
  return sum;
}

int SlotAt(const Horizon& horizon, Stamp stamp) {
  const auto slot = (stamp - horizon.start) / std::chrono::nanoseconds(horizon.step);
  return static_cast<int>(std::clamp<int64_t>(slot, 0, horizon.slots));
}

RunBooks::RunBooks(const Horizon& horizon, size_t levels, std::vector<SlotActual>& slots)
    : horizon_(horizon), slots_(slots) {
  slots_.resize(static_cast<size_t>(horizon_.slots) + 1);
  for (SlotActual& slot : slots_) {
    slot.level_s.resize(levels);
    // Of a slot that an earlier version began, the energy at its levels is not known.
    if (slot.running_s() == 0) slot.level_energy.resize(levels);
  }
}

void RunBooks::Add(Stamp from, Stamp to, const Passage& passage) {
  if (to <= from) return AddTo(SlotAt(horizon_, from), to, 1, passage);
  const Duration whole = Between(from, to);
  const int last = SlotAt(horizon_, to);
  for (int slot = SlotAt(horizon_, from); slot <= last; ++slot) {
    const bool is_after = slot == horizon_.slots;
    const Stamp begin = std::max(from, slot == 0 ? from : horizon_.SlotStart(slot));
    const Stamp end = is_after ? to : std::min(to, horizon_.SlotStart(slot + 1));
    if (begin < end) AddTo(slot, to, Between(begin, end) / whole, passage);
  }
}

void RunBooks::AddAt(Stamp at, const Passage& passage) { AddTo(SlotAt(horizon_, at), at, 1, passage); }

void RunBooks::AddTo(int slot, Stamp now, double part, const Passage& passage) {
  SlotActual& books = slots_[static_cast<size_t>(slot)];
  const bool has_begun = now >= horizon_.start;
  if (has_begun) books.entered = true;
  const double seconds = passage.elapsed_s * part;
  const Energy energy = passage.energy * part;
  if (passage.ran && passage.level) {
    books.level_s[*passage.level] += seconds;
    if (!books.level_energy.empty()) books.level_energy[*passage.level] += energy;
  } else if (passage.ran) {
    books.unknown_s += seconds;
  } else {
    if (has_begun) books.off_s += seconds;
    books.energy_off += energy;
  }
  books.energy += energy;
  books.unmeasured_s += std::max(passage.elapsed_s - passage.known_s, 0.0) * part;
  books.work += passage.work * part;
}

void RunBooks::Fill(int last_slot, double seconds) {
  for (auto slot = static_cast<size_t>(last_slot) + 1; slot-- > 0 && seconds > 0;) {
    double& unmeasured_s = slots_[slot].unmeasured_s;
    const double filled_s = std::min(seconds, unmeasured_s);
    unmeasured_s -= filled_s;
    seconds -= filled_s;
  }
}

void TakeFlows(const Horizon& fine, const std::vector<SlotDecision>& decisions, const Horizon& whole,
               std::vector<SlotDecision>& flows) {
  const int first = SlotAt(whole, fine.start);
  const double kept = std::clamp(Between(whole.SlotStart(first), fine.start) / whole.SlotDuration(), 0.0, 1.0);
  for (int t = first; t < whole.slots; ++t) {
    for (const auto flow : kFlows) flows[static_cast<size_t>(t)].*flow *= t == first ? kept : 0;
  }
  for (int i = 0; i < fine.slots; ++i) {
    SlotDecision& into = flows[static_cast<size_t>(SlotAt(whole, fine.SlotStart(i)))];
    for (const auto flow : kFlows) into.*flow += decisions[static_cast<size_t>(i)].*flow;
  }
}

}  // namespace heliograd

#include "heliograd/trace/step_series.h"

#include <fmt/format.h>

#include <algorithm>

namespace heliograd {

template <typename Q>
Result<std::vector<Q>> MeanPerSlot(const StepSeries<Q>& series, const Horizon& horizon, const TimeZone& clock) {
  const auto told = [&clock](Stamp stamp) {
    return clock.name() == "UTC" ? FormatStamp(stamp) : FormatLocal(stamp, clock);
  };
  std::vector<Q> means;
  means.reserve(static_cast<size_t>(horizon.slots));
  auto step = std::partition_point(series.steps.begin(), series.steps.end(),
                                   [&](const Step<Q>& s) { return s.end <= horizon.start; });
  for (int slot = 0; slot < horizon.slots; ++slot) {
    const Stamp end = horizon.SlotStart(slot + 1);
    Stamp known_until = horizon.SlotStart(slot);
    Q sum{};  // value weighted by the share of the slot
    while (known_until < end) {
      while (step != series.steps.end() && step->end <= known_until) ++step;
      if (step == series.steps.end() || step->start > known_until) {
        const Stamp gap_end = step == series.steps.end() ? horizon.end() : std::min(step->start, horizon.end());
        return Fail(fmt::format("{}: no value from {} to {}, which the plan needs: give a file that covers {} to {}.",
                                series.source, told(known_until), told(gap_end), told(horizon.start),
                                told(horizon.end())));
      }
      const Stamp until = std::min(step->end, end);
      sum += step->value * (Between(known_until, until) / horizon.SlotDuration());
      known_until = until;
    }
    means.push_back(sum);
  }
  return means;
}

template Result<std::vector<Power>> MeanPerSlot(const StepSeries<Power>&, const Horizon&, const TimeZone&);
template Result<std::vector<EnergyPrice>> MeanPerSlot(const StepSeries<EnergyPrice>&, const Horizon&, const TimeZone&);
template Result<std::vector<CarbonIntensity>> MeanPerSlot(const StepSeries<CarbonIntensity>&, const Horizon&,
                                                          const TimeZone&);

}  // namespace heliograd

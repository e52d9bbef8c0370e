#include "heliograd/trace/typical_year.h"

#include <algorithm>

namespace heliograd {

std::vector<Energy> PvEnergyPerSlot(const PvYearSeries& year, const Horizon& horizon) {
  using std::chrono::hours;
  std::vector<Energy> energy;
  energy.reserve(static_cast<size_t>(horizon.slots));
  for (int slot = 0; slot < horizon.slots; ++slot) {
    // A slot may straddle hours: offsets of half an hour exist, and slots need not start on the hour.
    const Stamp end = horizon.SlotStart(slot + 1) + year.utc_offset;
    Energy sum;
    for (Stamp from = horizon.SlotStart(slot) + year.utc_offset; from < end;) {
      const Stamp until = std::min(end, Stamp(std::chrono::floor<hours>(from) + hours(1)));
      const auto hour = static_cast<size_t>(HourOfTypicalYear(CivilInUtc(from)));
      sum += year.hourly[hour] * Between(from, until);
      from = until;
    }
    energy.push_back(sum);
  }
  return energy;
}

}  // namespace heliograd

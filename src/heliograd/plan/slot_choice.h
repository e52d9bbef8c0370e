// Which slot of a plan people mean: its number from 0, or a local time within it.
//
// Enters: what was typed, the horizon and the zone of the clock that people read. Leaves: the number of a slot, or a
// sentence with what would be understood.
#pragma once

#include <cstddef>
#include <string_view>

#include "heliograd/base/result.h"
#include "heliograd/base/time.h"

namespace heliograd {

/// Reads "14", "2025-01-02 14:00" (a time shown twice in autumn is its first), "Wed 14:00" or "14:00"; days of the week
/// in English, case and letters after the third ignored. A time that falls into several slots, as "14:00" of a plan of
/// some days, is an error that names the first of them. Pure.
Result<size_t> ChooseSlot(std::string_view text, const Horizon& horizon, const TimeZone& zone);

}  // namespace heliograd

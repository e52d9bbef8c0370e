// Moments as people write them: "tomorrow 08:00", "+14h", "Friday 18:00".
#pragma once

#include <string_view>

#include "heliograd/base/result.h"
#include "heliograd/base/time.h"

namespace heliograd {

/// A stamp as ParseStamp reads it, or one of
///   now                      the reference, rounded down to the minute
///   +14h, in 1d 6h, +90min   so long after the reference
///   18:00, noon              the next time that the zone's clock shows it
///   today 18:00, tomorrow 08:00, Friday 18:00, next Friday 18:00, fri noon
///                            that day of the zone's calendar as seen from the reference; a weekday is the next one on
///                            which the time is still to come
/// Errors: anything else, a time that the clock skips, a moment more than ten years away.
Result<Stamp> ParseMoment(std::string_view text, const TimeZone& zone, Stamp reference);

/// What may be written, for messages.
inline constexpr std::string_view kMomentExamples =
    "\"2025-01-01 20:00\", \"tomorrow 08:00\", \"Friday 18:00\", noon, \"in 14 hours\" or \"+14h\"";

}  // namespace heliograd

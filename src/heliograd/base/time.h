// Time: UTC stamps, civil (local) time with real zones, and the horizon of a plan.
//
// Everything inside the program uses UTC stamps. Local time exists in tariffs, in calendars and on screen only, and is
// reached through a TimeZone. A slot's value is a mean (power) or a sum (energy) over [start, end).
#pragma once

#include <chrono>
#include <compare>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "heliograd/base/quantity.h"
#include "heliograd/base/result.h"

namespace heliograd {

/// An instant, UTC. Covers the years 1678 to 2261.
using Stamp = std::chrono::sys_time<std::chrono::nanoseconds>;

/// A date and time of day on the clock of some place. Says nothing about which zone.
struct CivilTime {
  int year = 1970;
  int month = 1;   // 1..12
  int day = 1;     // 1..31
  int hour = 0;    // 0..23
  int minute = 0;  // 0..59
  int second = 0;  // 0..59

  friend constexpr auto operator<=>(const CivilTime&, const CivilTime&) = default;
};

/// True when the date exists in the Gregorian calendar and the time of day is in range.
bool IsValid(const CivilTime& civil);
/// 0 = Monday .. 6 = Sunday.
int Weekday(const CivilTime& civil);
/// Day of the year from 0 in a year of 365 days; 29 February reads as 28 February (typical years have no leap day).
int DayOfTypicalYear(int month, int day);
/// Hour of the typical year, 0..8759: hour 0 is 1 January 00:00 on the clock that `civil` shows.
int HourOfTypicalYear(const CivilTime& civil);
/// The stamp of a civil time read as UTC.
Stamp StampFromUtc(const CivilTime& civil);
/// The civil time in UTC, rounded down to the second.
CivilTime CivilInUtc(Stamp stamp);
/// Reads "2025-01-01 20:00", "2025-01-01T20:00", with optional seconds, or a bare date (00:00).
/// No zone suffix is accepted here: see ParseStamp.
Result<CivilTime> ParseCivil(std::string_view text);
/// Why a date and time that is written as it should be does not exist: "February 2025 has 28 days". Empty when it does
/// exist, or is written otherwise. What follows the minutes is not looked at.
std::string WhyImpossible(std::string_view text);
/// "2025-01-01 20:00" (seconds only when they are not zero).
std::string FormatCivil(const CivilTime& civil);
/// RFC 3339 in UTC: "2025-01-01T19:00:00Z".
std::string FormatStamp(Stamp stamp);

/// A zone of the IANA data base ("Europe/Rome") or a fixed offset ("+01:00", "UTC"). Cheap to copy, immutable, safe
/// from any thread. The data base of the system lists changes of the clock to the end of 2037; later years keep
/// standard time.
class TimeZone {
 public:
  /// UTC.
  TimeZone() = default;
  static TimeZone Fixed(std::chrono::seconds offset);
  /// An IANA name, "UTC", "Z", or a fixed offset "+HH:MM" / "-HH:MM".
  static Result<TimeZone> Find(std::string_view name);

  const std::string& name() const { return name_; }
  /// Local minus UTC at that instant, daylight saving included.
  std::chrono::seconds OffsetAt(Stamp stamp) const;
  /// Local minus UTC without daylight saving at that instant: the clock of weather files.
  std::chrono::seconds StandardOffsetAt(Stamp stamp) const;
  CivilTime ToCivil(Stamp stamp) const;
  /// The instant at which the local clock shows `civil`. A time that occurs twice (autumn) gives the first; one that is
  /// skipped (spring) is an error that names the next valid time.
  Result<Stamp> ToStamp(const CivilTime& civil) const;
  /// Every instant at which the local clock shows `civil`, ascending: none when it is skipped, two when it occurs
  /// twice.
  std::vector<Stamp> ToStamps(const CivilTime& civil) const;

 private:
  struct Rules;  // the zone's transitions; empty for a fixed offset
  std::string name_ = "UTC";
  std::chrono::seconds fixed_offset_{0};
  std::shared_ptr<const Rules> rules_;
};

/// An instant on a local clock, told apart from the same time on another: "2025-01-01 20:00 +01:00".
std::string FormatLocal(Stamp stamp, const TimeZone& zone);

/// Reads a stamp as people write it: civil time in `zone`, or with its own suffix "Z" / "+01:00".
Result<Stamp> ParseStamp(std::string_view text, const TimeZone& zone);

/// Equal slots laid end to end: slot i covers [start + i*step, start + (i+1)*step).
struct Horizon {
  Stamp start;
  std::chrono::seconds step{3600};
  int slots = 0;

  Stamp SlotStart(int slot) const { return start + step * slot; }
  Stamp end() const { return SlotStart(slots); }
  Duration SlotDuration() const { return Seconds(static_cast<double>(step.count())); }
  friend bool operator==(const Horizon&, const Horizon&) = default;
};

/// Time between two stamps.
inline Duration Between(Stamp from, Stamp to) { return Seconds(std::chrono::duration<double>(to - from).count()); }

}  // namespace heliograd

#include "heliograd/plan/slot_choice.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <vector>

#include "heliograd/base/text.h"

namespace heliograd {
namespace {

constexpr std::array<std::string_view, 7> kDays = {"mon", "tue", "wed", "thu", "fri", "sat", "sun"};

/// A time of day, on a day of the week where one is said.
struct ClockTime {
  std::optional<int> weekday;  // 0 = Monday
  int hour = 0, minute = 0;
};

std::optional<ClockTime> ParseClock(std::string_view text) {
  ClockTime time;
  if (const size_t space = text.find(' '); space != std::string_view::npos) {
    const std::string day = ToLower(text.substr(0, space));
    const auto known = std::find(kDays.begin(), kDays.end(), std::string_view(day).substr(0, 3));
    if (known == kDays.end()) return std::nullopt;
    time.weekday = static_cast<int>(known - kDays.begin());
    text = Trim(text.substr(space));
  }
  const size_t colon = text.find(':');
  if (colon == std::string_view::npos) return std::nullopt;
  const auto hour = ParseInteger(text.substr(0, colon)), minute = ParseInteger(text.substr(colon + 1));
  if (!hour || !minute || *hour < 0 || *hour > 23 || *minute < 0 || *minute > 59) return std::nullopt;
  time.hour = static_cast<int>(*hour);
  time.minute = static_cast<int>(*minute);
  return time;
}

std::string LocalText(Stamp stamp, const TimeZone& zone) { return FormatCivil(zone.ToCivil(stamp)); }

tl::unexpected<Error> Outside(std::string_view text, const Horizon& horizon, const TimeZone& zone) {
  return Fail(
      fmt::format("{} is in no slot of the plan: it goes from {} to {} local time, slots 0 to {}.", Quoted(text),
                  LocalText(horizon.start, zone), LocalText(horizon.end(), zone), horizon.slots - 1),
      ErrorKind::kUsage);
}

/// The slots during which the local clock shows that time.
std::vector<size_t> SlotsAt(const ClockTime& time, const Horizon& horizon, const TimeZone& zone) {
  std::vector<size_t> slots;
  const auto last_day = horizon.end() + std::chrono::hours(24);
  // A local time may be skipped, or occur twice.
  for (Stamp day = horizon.start - std::chrono::hours(24); day < last_day; day += std::chrono::hours(24)) {
    CivilTime civil = zone.ToCivil(day);
    if (time.weekday && Weekday(civil) != *time.weekday) continue;
    civil.hour = time.hour, civil.minute = time.minute, civil.second = 0;
    for (const Stamp stamp : zone.ToStamps(civil)) {
      if (stamp < horizon.start || stamp >= horizon.end()) continue;
      slots.push_back(static_cast<size_t>((stamp - horizon.start) / horizon.step));
    }
  }
  std::sort(slots.begin(), slots.end());
  slots.erase(std::unique(slots.begin(), slots.end()), slots.end());
  return slots;
}

}  // namespace

Result<size_t> ChooseSlot(std::string_view text, const Horizon& horizon, const TimeZone& zone) {
  const std::string_view typed = Trim(text);
  if (const auto number = ParseInteger(typed)) {
    if (*number >= 0 && *number < horizon.slots) return static_cast<size_t>(*number);
    return Outside(typed, horizon, zone);
  }
  if (const auto civil = ParseCivil(typed)) {
    const auto stamp = zone.ToStamp(*civil);
    if (!stamp) return Fail(stamp.error().Message(), ErrorKind::kUsage);
    if (*stamp < horizon.start || *stamp >= horizon.end()) return Outside(typed, horizon, zone);
    return static_cast<size_t>((*stamp - horizon.start) / horizon.step);
  }
  const auto time = ParseClock(typed);
  if (!time) {
    return Fail(fmt::format("{} names no slot: expected a number from 0 to {}, or a local time such as \"{}\", \"Wed "
                            "14:00\" or \"14:00\".",
                            Quoted(typed), horizon.slots - 1, LocalText(horizon.start, zone)),
                ErrorKind::kUsage);
  }
  const std::vector<size_t> slots = SlotsAt(*time, horizon, zone);
  if (slots.empty()) return Outside(typed, horizon, zone);
  if (slots.size() == 1) return slots.front();
  return Fail(
      fmt::format("{} is in {} slots of the plan: say which, such as \"{}\" (slot {}).", Quoted(typed), slots.size(),
                  LocalText(horizon.SlotStart(static_cast<int>(slots.front())), zone), slots.front()),
      ErrorKind::kUsage);
}

}  // namespace heliograd

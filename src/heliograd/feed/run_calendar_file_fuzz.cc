// Any bytes as a training calendar: runs of one year, one after the other, or a list of problems.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "heliograd/feed/run_calendar_file.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace heliograd;
  static const auto zone = TimeZone::Find("Europe/Rome");
  const std::string_view content(reinterpret_cast<const char*>(data), size);
  const auto year = ParseRunCalendar(content, "fuzz.csv", {*zone, std::chrono::minutes(30), 38});
  if (!year) {
    if (year.error().problems.empty() || year.error().problems.size() > 30) std::abort();
    return 0;
  }
  // An hour more or less where the clock was changed between the same dates of two years.
  if (year->slots < 365 * 48 - 2 || year->slots > 366 * 48 + 2) std::abort();
  if (year->runs.empty() || year->runs.front().first_slot != 0) std::abort();
  int free_from = 0;
  for (const CalendarRun& run : year->runs) {
    if (run.slots < 1 || run.first_slot < free_from) std::abort();
    free_from = run.first_slot + run.slots;
  }
  if (free_from > year->slots) std::abort();
  return 0;
}

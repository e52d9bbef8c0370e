#include "heliograd/app/duration_text.h"

#include <array>
#include <utility>

#include "heliograd/base/text.h"

namespace heliograd {

Result<Duration> ParseDuration(std::string_view text, const std::string& flag) {
  constexpr std::array<std::pair<std::string_view, double>, 8> kUnits = {
      {{"ms", 1e-3}, {"min", 60}, {"s", 1}, {"sec", 1}, {"m", 60}, {"h", 3600}, {"d", 86400}, {"", 1}}};
  const std::string_view trimmed = Trim(text);
  const size_t number_end = trimmed.find_first_not_of("0123456789.+-eE");
  const std::string_view unit = number_end == std::string_view::npos ? "" : Trim(trimmed.substr(number_end));
  const std::optional<double> number = ParseNumber(trimmed.substr(0, number_end));
  for (const auto& [name, seconds] : kUnits) {
    if (number && *number > 0 && unit == name) return Seconds(*number * seconds);
  }
  return Fail(flag + " " + Quoted(text) + ": expected a duration such as 60s, 5min or 2h", ErrorKind::kUsage);
}

}  // namespace heliograd

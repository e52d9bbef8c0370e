#include "heliograd/app/vary.h"

#include <fmt/format.h>

#include <cmath>
#include <optional>

#include "heliograd/app/scenario_schema.h"
#include "heliograd/base/text.h"
#include "heliograd/base/time.h"

namespace heliograd {
namespace {

tl::unexpected<Error> Refuse(std::string_view text, std::string_view expected) {
  return Fail(fmt::format("--vary {}: expected {}.", Quoted(text), expected), ErrorKind::kUsage);
}

std::optional<std::vector<std::string>> NumberRange(std::string_view from, std::string_view to, std::string_view step) {
  const auto a = ParseNumber(from), b = ParseNumber(to), s = ParseNumber(step);
  if (!a || !b || !s || *s == 0 || (*b - *a) / *s < 0) return std::nullopt;
  // The end counts although steps such as 0.1 do not add up exactly.
  const double count = std::floor((*b - *a) / *s + 1e-9) + 1;
  if (count > static_cast<double>(kMostPoints)) return std::nullopt;
  std::vector<std::string> values;
  for (size_t i = 0; i < static_cast<size_t>(count); ++i) {
    // Twelve digits hide the last bits of a + i*s without hiding anything that was typed.
    values.push_back(fmt::format("{:.12g}", *a + static_cast<double>(i) * *s));
  }
  return values;
}

std::optional<std::chrono::minutes> TimeStep(std::string_view text) {
  if (text.empty()) return std::nullopt;
  const char unit = text.back();
  const auto count = ParseInteger(text.substr(0, text.size() - 1));
  const int minutes = unit == 'm' ? 1 : unit == 'h' ? 60 : unit == 'd' ? 1440 : 0;
  if (!count || *count <= 0 || *count > 1'000'000 || minutes == 0) return std::nullopt;
  return std::chrono::minutes(*count * minutes);
}

std::optional<std::vector<std::string>> TimeRange(std::string_view from, std::string_view to, std::string_view step) {
  const auto a = ParseCivil(from), b = ParseCivil(to);
  const auto s = TimeStep(step);
  if (!a || !b || !s || *b < *a) return std::nullopt;
  std::vector<std::string> values;
  for (Stamp stamp = StampFromUtc(*a); stamp <= StampFromUtc(*b); stamp += *s) {
    if (values.size() == kMostPoints) return std::nullopt;
    values.push_back(FormatCivil(CivilInUtc(stamp)));
  }
  return values;
}

/// Values of "a:b:step". Times hold colons themselves, so every way to cut is tried.
std::optional<std::vector<std::string>> RangeValues(const KeySpec& spec, std::string_view range) {
  const size_t last = range.rfind(':');
  if (last == std::string_view::npos) return std::nullopt;
  const std::string_view step = range.substr(last + 1), ends = range.substr(0, last);
  for (size_t cut = ends.find(':'); cut != std::string_view::npos; cut = ends.find(':', cut + 1)) {
    const std::string_view from = ends.substr(0, cut), to = ends.substr(cut + 1);
    if (auto values = spec.kind == KeyKind::kTime ? TimeRange(from, to, step) : NumberRange(from, to, step))
      return values;
  }
  return std::nullopt;
}

}  // namespace

Result<Variation> ParseVariation(std::string_view text) {
  const size_t equals = text.find('=');
  if (equals == std::string_view::npos) return Refuse(text, "KEY=a:b:step, for example pv.dc_capacity_w=100:1000:100");
  Variation variation{std::string(Trim(text.substr(0, equals))), {}};
  const std::string_view values = Trim(text.substr(equals + 1));
  const KeySpec* spec = FindKey(variation.key);
  if (!spec) return Fail(fmt::format("--vary: {}", UnknownKey(variation.key)), ErrorKind::kUsage);
  const bool can_range = spec->kind == KeyKind::kNumber || spec->kind == KeyKind::kTime;
  if (auto range = can_range ? RangeValues(*spec, values) : std::nullopt) {
    variation.values = std::move(*range);
  } else {
    variation.values = SplitCsvLine(values);
  }
  for (const std::string& value : variation.values) {
    if (ParseValue(*spec, value)) continue;
    return Refuse(
        text,
        spec->kind == KeyKind::kTime
            ? "KEY=a:b:step with a step such as 1h or 1d, for example \"job.start=2025-01-01 00:00:2025-01-01 "
              "20:00:1h\", or KEY=v1,v2,..."
            : fmt::format("KEY=a:b:step with a step that leads from a to b, or KEY=v1,v2,..., where each value is {}",
                          ExpectedText(*spec)));
  }
  return variation;
}

size_t PointsIn(const std::vector<Variation>& variations) {
  size_t points = 1;
  for (const Variation& variation : variations) points *= variation.values.size();
  return points;
}

std::vector<std::string> AssignmentsAt(const std::vector<Variation>& variations, size_t point) {
  std::vector<std::string> assignments(variations.size());
  for (size_t v = variations.size(); v-- > 0;) {
    const auto& [key, values] = variations[v];
    assignments[v] = key + "=" + values[point % values.size()];
    point /= values.size();
  }
  return assignments;
}

}  // namespace heliograd

#include "heliograd/feed/weather_file.h"

#include <fmt/format.h>

#include <algorithm>

#include "heliograd/base/file.h"
#include "heliograd/base/text.h"
#include "heliograd/feed/csv_table.h"
#include "heliograd/feed/weather_formats.h"
#include "heliograd/feed/weather_rows.h"

namespace heliograd {
namespace {

using Parser = Result<WeatherFile> (*)(std::string_view, const std::string&, const WeatherOverrides&);

constexpr std::string_view kBuiltinPrefix = "builtin:";
constexpr std::string_view kTurin = "builtin:turin";

bool NamesASite(const std::vector<std::string_view>& header) {
  return FindColumn(header, {"latitude", "lat"}) && FindColumn(header, {"longitude", "lon", "long", "lng"});
}

/// The reader of the format that the first line shows, or nullptr.
Parser FindParser(CsvReader& first) {
  const std::string_view field = first.Field(0);
  if (first.line().front() == '#') return ParseCompact;
  if (StartsWithIgnoringCase(field, "latitude (decimal degrees)")) return ParsePvgis;
  if (StartsWithIgnoringCase(field, "location") && first.fields().size() >= 9) return ParseEpw;
  if (StartsWithIgnoringCase(field, "pvwatts")) return ParsePvwatts;
  if (NamesASite(first.fields())) return ParseNsrdb;
  return nullptr;
}

/// What a file that no reader takes seems to be.
std::string Guess(CsvReader& first, std::string_view content) {
  if (content.substr(0, 2) == "\xFF\xFE" || content.substr(0, 2) == "\xFE\xFF")
    return "text in UTF-16, save it as UTF-8";
  if (first.line().front() == '{') return "JSON, download the weather as CSV";
  if (first.fields().size() == 7) return "perhaps TMY3, convert it to SAM CSV";
  return "none of them";
}

tl::unexpected<Error> UnknownFormat(CsvReader& first, std::string_view content, const std::string& name) {
  return Fail(fmt::format(
      "{}:{}: the first line is {} ({}): expected a PVGIS typical year in CSV ('Latitude (decimal degrees): "
      "...'), EPW ('LOCATION,...'), NSRDB or SAM CSV (a line that names Latitude, Longitude, Time Zone), or "
      "hourly results of the PVWatts calculator ('PVWatts ...').",
      name, first.line_number(), Quoted(first.line()), Guess(first, content)));
}

}  // namespace

Result<WeatherFile> ParseWeather(std::string_view content, const std::string& name, const WeatherOverrides& overrides) {
  if (auto checked = CheckOverrides(overrides); !checked) return Fail(std::move(checked.error()));
  CsvReader first(content);
  if (!first.NextFilled()) {
    ProblemList problems(name);
    CheckLineLength(first, problems);
    if (problems.empty()) problems.AddForFile("the file is empty: expected a weather file.");
    return problems.Failure();
  }
  const Parser parser = FindParser(first);
  if (parser == nullptr) return UnknownFormat(first, content, name);
  return parser(content, name, overrides);
}

Result<WeatherFile> ReadWeather(const std::string& source, const WeatherOverrides& overrides) {
  if (source == kTurin) return ParseWeather(BuiltinTurinWeather(), source, overrides);
  if (StartsWithIgnoringCase(source, kBuiltinPrefix)) {
    return Fail(
        fmt::format("{} is no built-in weather: expected {} or the path of a weather file.", Quoted(source), kTurin));
  }
  return ReadFile(source).and_then(
      [&](const std::string& content) { return ParseWeather(content, source, overrides); });
}

}  // namespace heliograd

#include "heliograd/app/window_json.h"

#include <nlohmann/json.hpp>

namespace heliograd {
namespace {

using Json = nlohmann::ordered_json;

Json AsJson(const std::optional<double>& number) { return number ? Json(*number) : Json(); }

Json AsJson(const NameEnergy& energy, int64_t count) {
  const bool known = !energy.method.empty() && (energy.identifiable || energy.method == "repeated phases");
  const auto joules = [&](Energy value) { return known ? Json(InJoules(value)) : Json(); };
  Json json = {{"device", energy.device},
               {"method", energy.method.empty() ? Json() : Json(energy.method)},
               {"identifiable", energy.identifiable},
               {"energy_j", joules(energy.energy)},
               {"energy_low_j", joules(energy.low)},
               {"energy_high_j", joules(energy.high)},
               {"energy_j_each", joules(energy.energy / static_cast<double>(count))}};
  json["share"] = AsJson(energy.share);
  json["share_low"] = AsJson(energy.share_low);
  json["share_high"] = AsJson(energy.share_high);
  json["why"] = energy.why;
  return json;
}

Json AsJson(const LevelSummary& level) {
  return {{"device", level.device},
          {"depth", level.depth},
          {"iterations", level.iterations},
          {"iteration_j", InJoules(level.iteration)},
          {"iteration_low_j", InJoules(level.iteration_low)},
          {"iteration_high_j", InJoules(level.iteration_high)},
          {"other_j", InJoules(level.other.energy)},
          {"sleep_j", InJoules(level.rest)},
          {"closure_percent", 100 * level.closure},
          {"closure_tells", level.closure_tells},
          {"condition", level.condition},
          {"refusal", level.refusal}};
}

}  // namespace

std::string WindowsAsJson(const WindowSummary& summary) {
  Json json = {{"obtained", "measured"}};
  json["devices"] = Json::array();
  for (const DeviceRecord& device : summary.devices) {
    json["devices"].push_back({{"uuid", device.uuid}, {"name", device.name}, {"driver", device.driver}});
  }
  json["names"] = Json::array();
  for (const NameSummary& name : summary.names) {
    Json entry = {
        {"name", name.name}, {"depth", name.depth}, {"count", name.count}, {"duration_s", InSeconds(name.duration)}};
    entry["devices"] = Json::array();
    for (const NameEnergy& energy : name.devices) entry["devices"].push_back(AsJson(energy, name.count));
    json["names"].push_back(std::move(entry));
  }
  json["levels"] = Json::array();
  for (const LevelSummary& level : summary.levels) json["levels"].push_back(AsJson(level));
  json["notes"] = summary.notes;
  // Names come from outside: bytes that are no UTF-8 are replaced, not thrown over.
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace heliograd

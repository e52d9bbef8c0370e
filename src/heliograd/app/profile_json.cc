#include "heliograd/app/profile_json.h"

#include <nlohmann/json.hpp>
#include <optional>

#include "heliograd/base/text.h"

namespace heliograd {
namespace {

using Json = nlohmann::ordered_json;

Json OrNull(const std::optional<double>& value) { return value ? Json(*value) : Json(); }

void PutEnergy(Json& json, const std::string& prefix, const std::optional<ProfiledEnergy>& energy) {
  json[prefix + "energy_j"] = energy ? Json(InJoules(energy->energy)) : Json();
  json[prefix + "energy_low_j"] = energy ? Json(InJoules(energy->low)) : Json();
  json[prefix + "energy_high_j"] = energy ? Json(InJoules(energy->high)) : Json();
}

std::optional<ProfiledEnergy> TakeEnergy(const Json& json, const std::string& prefix) {
  if (json.at(prefix + "energy_j").is_null()) return std::nullopt;
  return ProfiledEnergy{Joules(json.at(prefix + "energy_j").get<double>()),
                        Joules(json.at(prefix + "energy_low_j").get<double>()),
                        Joules(json.at(prefix + "energy_high_j").get<double>())};
}

std::optional<double> TakeNumber(const Json& json, const char* key) {
  if (json.at(key).is_null()) return std::nullopt;
  return json.at(key).get<double>();
}

Json StepJson(const ProfiledStep& step) {
  Json json = {{"name", step.name}};
  PutEnergy(json, "", step.energy);
  json["seconds"] = InSeconds(step.duration);
  json["macs"] = step.macs;
  json["share"] = OrNull(step.share);
  json["share_half_width"] = OrNull(step.share_half_width);
  json["true_energy_j"] = step.truth ? Json(InJoules(*step.truth)) : Json();
  json["identifiable"] = step.identifiable;
  json["why"] = step.why;
  return json;
}

ProfiledStep StepOf(const Json& json) {
  ProfiledStep step;
  step.name = json.at("name").get<std::string>();
  step.energy = TakeEnergy(json, "");
  step.duration = Seconds(json.at("seconds").get<double>());
  step.macs = json.at("macs").get<int64_t>();
  step.share = TakeNumber(json, "share");
  step.share_half_width = TakeNumber(json, "share_half_width");
  if (json.contains("true_energy_j") && !json.at("true_energy_j").is_null()) {
    step.truth = Joules(json.at("true_energy_j").get<double>());
  }
  step.identifiable = json.at("identifiable").get<bool>();
  step.why = json.at("why").get<std::string>();
  return step;
}

void PutPass(Json& json, const std::string& prefix, const std::optional<ProfiledPass>& pass) {
  PutEnergy(json, prefix, pass ? std::optional(pass->energy) : std::nullopt);
  PutEnergy(json, prefix + "net_", pass ? std::optional(pass->net) : std::nullopt);
  json[prefix + "seconds"] = pass ? Json(InSeconds(pass->duration)) : Json();
}

std::optional<ProfiledPass> TakePass(const Json& json, const std::string& prefix) {
  const std::optional<ProfiledEnergy> energy = TakeEnergy(json, prefix);
  if (!energy) return std::nullopt;
  return ProfiledPass{Seconds(json.at(prefix + "seconds").get<double>()), *energy,
                      TakeEnergy(json, prefix + "net_").value_or(ProfiledEnergy{})};
}

Json LayerJson(const ProfiledLayer& layer) {
  Json json = {{"name", layer.name}, {"type", layer.type}, {"macs", layer.macs}};
  PutPass(json, "", layer.forward);
  PutPass(json, "backward_", layer.backward);
  json["joules_per_mac"] = layer.forward && layer.macs > 0
                               ? Json(InJoules(layer.forward->energy.energy) / static_cast<double>(layer.macs))
                               : Json();
  json["identifiable"] = layer.forward.has_value();
  json["why"] = layer.why;
  return json;
}

ProfiledLayer LayerOf(const Json& json) {
  ProfiledLayer layer;
  layer.name = json.at("name").get<std::string>();
  layer.type = json.at("type").get<std::string>();
  layer.macs = json.at("macs").get<int64_t>();
  layer.forward = TakePass(json, "");
  layer.backward = TakePass(json, "backward_");
  layer.why = json.at("why").get<std::string>();
  return layer;
}

Json SumJson(const std::optional<LayerSum>& sum) {
  if (!sum) return Json();
  return {{"ratio", sum->ratio}, {"half_width", sum->half_width}, {"isolated", sum->isolated}};
}

std::optional<LayerSum> SumOf(const Json& json) {
  if (json.is_null()) return std::nullopt;
  return LayerSum{json.at("ratio").get<double>(), json.at("half_width").get<double>(), json.at("isolated").get<bool>()};
}

}  // namespace

std::string ProfileToJson(const TrainingProfile& profile) {
  Json json;
  json["network"] = profile.network;
  json["data"] = profile.data_set;
  json["device"] = profile.device;
  json["power_source"] = PowerSourceName(profile.power_source);
  json["power_meter"] = profile.power_meter;
  json["torch"] = profile.torch_version;
  json["parameters"] = profile.parameters;
  json["macs"] = profile.macs;
  json["traffic_bytes"] = profile.traffic_bytes;
  json["batch"] = profile.batch;
  json["iterations"] = profile.iterations;
  json["iterations_asked"] = profile.iterations_asked ? Json(*profile.iterations_asked) : Json();
  json["interrupted"] = profile.interrupted;
  json["mode"] = profile.mode;
  json["dither_percent"] = 100 * profile.dither;
  json["limit_w"] = profile.limit ? Json(InWatts(*profile.limit)) : Json();
  json["sm_clock_mhz"] = OrNull(profile.sm_clock_mhz);
  json["duration_s"] = InSeconds(profile.duration);
  json["samples"] = profile.samples;
  json["iteration_s"] = InSeconds(profile.iteration);
  json["images_per_s"] = profile.images_per_second;
  json["loader_images_per_s"] = profile.loader_images_per_second;
  json["first_loss"] = profile.first_loss;
  json["last_loss"] = profile.last_loss;
  json["last_accuracy"] = profile.last_accuracy;
  json["steps"] = Json::array();
  for (const ProfiledStep& step : profile.steps) json["steps"].push_back(StepJson(step));
  PutEnergy(json, "iteration_", profile.iteration_energy);
  json["closure_percent"] = profile.closure ? Json(100 * *profile.closure) : Json();
  json["closure_tells"] = profile.closure_tells;
  json["condition"] = OrNull(profile.condition);
  json["refusal"] = profile.refusal;
  json["pooled"] = profile.pooled;
  json["operators"] = Json::array();
  for (const ProfiledOperator& one : profile.operators) {
    json["operators"].push_back(
        {{"name", one.name}, {"backward", one.backward}, {"calls", one.calls}, {"seconds", InSeconds(one.time)}});
  }
  json["operator_iterations"] = profile.operator_iterations;
  json["layers"] = Json::array();
  for (const ProfiledLayer& layer : profile.layers) json["layers"].push_back(LayerJson(layer));
  json["layer_sum"] = {{"forward", SumJson(profile.forward_sum)}, {"backward", SumJson(profile.backward_sum)}};
  json["power_trace"] = Json::array();
  for (const TracePoint& point : profile.trace) {
    json["power_trace"].push_back({InSeconds(point.at), InWatts(point.power)});
  }
  json["gain_half_width_percent"] = 100 * profile.gain_half_width;
  json["notes"] = profile.notes;
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

Result<TrainingProfile> ProfileFromJson(std::string_view text, const std::string& name) {
  try {
    const Json json = Json::parse(text);
    TrainingProfile profile;
    profile.network = json.at("network").get<std::string>();
    profile.data_set = json.at("data").get<std::string>();
    profile.device = json.at("device").get<std::string>();
    const auto source = json.at("power_source").get<std::string>();
    if (source != "measured" && source != "simulated") {
      return Fail(name + ": power_source is " + Quoted(source) + ": expected measured or simulated");
    }
    profile.power_source = source == "measured" ? PowerSource::kMeasured : PowerSource::kSimulated;
    profile.power_meter = json.at("power_meter").get<std::string>();
    profile.torch_version = json.at("torch").get<std::string>();
    profile.parameters = json.at("parameters").get<int64_t>();
    profile.macs = json.at("macs").get<int64_t>();
    profile.traffic_bytes = json.at("traffic_bytes").get<double>();
    profile.batch = json.at("batch").get<int>();
    profile.iterations = json.at("iterations").get<int64_t>();
    // Those of before did not tell whether they were interrupted.
    if (json.contains("interrupted")) {
      profile.interrupted = json.at("interrupted").get<bool>();
      const Json& asked = json.at("iterations_asked");
      if (!asked.is_null()) profile.iterations_asked = asked.get<int64_t>();
    }
    profile.mode = json.at("mode").get<std::string>();
    profile.dither = json.at("dither_percent").get<double>() / 100;
    // Campaigns of before limits hold neither.
    if (json.contains("limit_w")) {
      if (const auto limit = TakeNumber(json, "limit_w")) profile.limit = Watts(*limit);
      profile.sm_clock_mhz = TakeNumber(json, "sm_clock_mhz");
    }
    profile.duration = Seconds(json.at("duration_s").get<double>());
    profile.samples = json.at("samples").get<int64_t>();
    profile.iteration = Seconds(json.at("iteration_s").get<double>());
    profile.images_per_second = json.at("images_per_s").get<double>();
    profile.loader_images_per_second = json.at("loader_images_per_s").get<double>();
    profile.first_loss = json.at("first_loss").get<double>();
    profile.last_loss = json.at("last_loss").get<double>();
    profile.last_accuracy = json.at("last_accuracy").get<double>();
    for (const Json& step : json.at("steps")) profile.steps.push_back(StepOf(step));
    profile.iteration_energy = TakeEnergy(json, "iteration_");
    if (const auto closure = TakeNumber(json, "closure_percent")) profile.closure = *closure / 100;
    profile.closure_tells = json.at("closure_tells").get<bool>();
    profile.condition = TakeNumber(json, "condition");
    profile.refusal = json.at("refusal").get<std::string>();
    profile.pooled = json.at("pooled").get<std::vector<std::string>>();
    for (const Json& one : json.at("operators")) {
      profile.operators.push_back({one.at("name").get<std::string>(), one.at("backward").get<bool>(),
                                   one.at("calls").get<int64_t>(), Seconds(one.at("seconds").get<double>())});
    }
    profile.operator_iterations = json.at("operator_iterations").get<int64_t>();
    for (const Json& layer : json.at("layers")) profile.layers.push_back(LayerOf(layer));
    profile.forward_sum = SumOf(json.at("layer_sum").at("forward"));
    profile.backward_sum = SumOf(json.at("layer_sum").at("backward"));
    for (const Json& point : json.at("power_trace")) {
      profile.trace.push_back({Seconds(point.at(0).get<double>()), Watts(point.at(1).get<double>())});
    }
    profile.gain_half_width = json.at("gain_half_width_percent").get<double>() / 100;
    profile.notes = json.at("notes").get<std::vector<std::string>>();
    return profile;
  } catch (const Json::exception& error) {
    return Fail(name + ": is no profile that `heliograd profile --json` wrote: " + error.what());
  }
}

}  // namespace heliograd

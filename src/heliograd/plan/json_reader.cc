#include "heliograd/plan/json_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <set>

#include "heliograd/base/text.h"

namespace heliograd::internal {
namespace {

using Json = nlohmann::json;

constexpr size_t kMostMistakes = 20;
constexpr size_t kDeepest = 16;

/// The value as an error message shows it; never long.
std::string Shown(const Json& value) {
  if (value.is_object()) return "an object";
  if (value.is_array()) return "a list";
  if (value.is_string()) return Quoted(value.get_ref<const std::string&>());
  return value.dump();
}

/// How deep brackets nest outside strings. Found before parsing, so that a hostile file costs nothing.
size_t Nesting(std::string_view text) {
  size_t depth = 0, deepest = 0;
  bool in_string = false;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_string) {
      if (c == '\\') ++i;
      if (c == '"') in_string = false;
    } else if (c == '"') {
      in_string = true;
    } else if (c == '[' || c == '{') {
      deepest = std::max(deepest, ++depth);
    } else if ((c == ']' || c == '}') && depth > 0) {
      --depth;
    }
  }
  return deepest;
}

std::string LineAndColumn(std::string_view text, size_t byte) {
  const std::string_view before = text.substr(0, std::min(byte > 0 ? byte - 1 : 0, text.size()));
  const size_t line_start = before.rfind('\n') == std::string_view::npos ? 0 : before.rfind('\n') + 1;
  return fmt::format("line {}, column {}", std::count(before.begin(), before.end(), '\n') + 1,
                     before.size() - line_start + 1);
}

}  // namespace

void JsonMistakes::Add(std::string_view place, std::string_view mistake) {
  if (sentences_.size() < kMostMistakes) sentences_.push_back(fmt::format("{}: {} {}", file_, place, mistake));
}

std::string JsonObject::PlaceOf(std::string_view key) const {
  return place_.empty() ? std::string(key) : fmt::format("{}.{}", place_, key);
}

void JsonObject::Reject(std::string_view key, std::string_view expected) const {
  if (value_ == nullptr) return;
  const auto found = value_->find(key);
  const std::string shown = found == value_->end() ? "missing" : Shown(*found);
  mistakes_->Add(PlaceOf(key), fmt::format("is {}: expected {}.", shown, expected));
}

const Json* JsonObject::Find(std::string_view key) const {
  if (value_ == nullptr) return nullptr;
  const auto found = value_->find(key);
  if (found != value_->end()) return &*found;
  std::vector<std::string> present;
  for (const auto& [name, value] : value_->items()) {
    if (present.size() < 64) present.push_back(name);
  }
  mistakes_->Add(PlaceOf(key), fmt::format("is missing.{}", DidYouMean(key, present)));
  return nullptr;
}

double JsonObject::Number(std::string_view key) const {
  const Json* value = Find(key);
  if (value == nullptr) return 0;
  if (!value->is_number()) Reject(key, "a number");
  return value->is_number() ? value->get<double>() : 0;
}

std::optional<double> JsonObject::NumberOrNull(std::string_view key) const {
  const Json* value = Find(key);
  if (value == nullptr || value->is_null()) return std::nullopt;
  if (!value->is_number()) Reject(key, "a number or null");
  return value->is_number() ? std::optional(value->get<double>()) : std::nullopt;
}

std::optional<double> JsonObject::NumberIfAny(std::string_view key) const {
  return value_ != nullptr && value_->contains(key) ? NumberOrNull(key) : std::nullopt;
}

bool JsonObject::Has(std::string_view key) const { return value_ != nullptr && value_->contains(key); }

int64_t JsonObject::Integer(std::string_view key, int64_t least, int64_t most) const {
  const Json* value = Find(key);
  if (value == nullptr) return least;
  // A number too large for int64_t is stored unsigned and would wrap.
  const bool whole =
      value->is_number_integer() && (!value->is_number_unsigned() || value->get<uint64_t>() <= INT64_MAX);
  if (whole && value->get<int64_t>() >= least && value->get<int64_t>() <= most) return value->get<int64_t>();
  Reject(key, fmt::format("a whole number from {} to {}", least, most));
  return least;
}

std::string JsonObject::Text(std::string_view key) const {
  const Json* value = Find(key);
  if (value == nullptr) return {};
  if (!value->is_string()) Reject(key, "a text in quotes");
  return value->is_string() ? value->get<std::string>() : std::string();
}

const Json* JsonObject::Array(std::string_view key) const {
  const Json* value = Find(key);
  if (value == nullptr || value->is_array()) return value;
  Reject(key, "a list");
  return nullptr;
}

std::vector<std::string> JsonObject::Texts(std::string_view key) const {
  std::vector<std::string> texts;
  const Json* list = Array(key);
  if (list == nullptr) return texts;
  for (const Json& value : *list) {
    if (value.is_string()) {
      texts.push_back(value.get<std::string>());
    } else {
      mistakes_->Add(fmt::format("{}[{}]", PlaceOf(key), texts.size()),
                     fmt::format("is {}: expected a text in quotes.", Shown(value)));
      return texts;
    }
  }
  return texts;
}

std::vector<double> JsonObject::Numbers(std::string_view key) const {
  std::vector<double> numbers;
  const Json* list = Array(key);
  if (list == nullptr) return numbers;
  numbers.reserve(list->size());
  for (const Json& value : *list) {
    if (!value.is_number()) {
      mistakes_->Add(fmt::format("{}[{}]", PlaceOf(key), numbers.size()),
                     fmt::format("is {}: expected a number.", Shown(value)));
    }
    numbers.push_back(value.is_number() ? value.get<double>() : 0);
  }
  return numbers;
}

JsonObject JsonObject::Child(std::string_view key) const {
  const Json* value = Find(key);
  if (value != nullptr && !value->is_object()) {
    Reject(key, "an object");
    value = nullptr;
  }
  return JsonObject(value, PlaceOf(key), *mistakes_);
}

std::vector<JsonObject> JsonObject::Children(std::string_view key) const {
  std::vector<JsonObject> children;
  const Json* list = Array(key);
  if (list == nullptr) return children;
  children.reserve(list->size());
  for (const Json& value : *list) {
    std::string place = fmt::format("{}[{}]", PlaceOf(key), children.size());
    if (!value.is_object()) mistakes_->Add(place, fmt::format("is {}: expected an object.", Shown(value)));
    children.emplace_back(value.is_object() ? &value : nullptr, std::move(place), *mistakes_);
  }
  return children;
}

Result<Json> ParseJson(std::string_view text, const std::string& file, std::string_view expected) {
  if (Nesting(text) > kDeepest)
    return Fail(fmt::format("{}: nested deeper than {} levels: expected {}.", file, kDeepest, expected));
  std::vector<std::set<std::string>> keys;  // of the objects that are open
  std::vector<std::string> repeated;
  const auto watch_keys = [&](int, Json::parse_event_t event, Json& parsed) {
    if (event == Json::parse_event_t::object_start) keys.emplace_back();
    if (event == Json::parse_event_t::object_end) keys.pop_back();
    if (event == Json::parse_event_t::key && !keys.back().insert(parsed.get<std::string>()).second &&
        repeated.size() < kMostMistakes) {
      repeated.push_back(fmt::format("{}: the key {} stands twice in one object.", file,
                                     Quoted(parsed.get_ref<const std::string&>())));
    }
    return true;
  };
  try {
    Json json = Json::parse(text.begin(), text.end(), watch_keys);
    if (!repeated.empty()) return Fail(std::move(repeated));
    if (!json.is_object()) return Fail(fmt::format("{}: holds {}: expected {}.", file, Shown(json), expected));
    return json;
  } catch (const Json::parse_error& error) {
    const size_t at = std::min(error.byte > 0 ? error.byte - 1 : 0, text.size());
    const std::string_view found = text.substr(at, 20);
    return Fail(fmt::format("{}: {}: {} is not JSON here: expected {}.", file, LineAndColumn(text, error.byte),
                            found.empty() ? "the end of the file" : Quoted(found), expected));
  } catch (const Json::out_of_range&) {
    return Fail(fmt::format("{}: a number is too large for a double: expected {}.", file, expected));
  }
}

}  // namespace heliograd::internal

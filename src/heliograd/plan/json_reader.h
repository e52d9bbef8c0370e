// Reads values out of a JSON document and notes every mistake with its place. Private to the room.
//
// A reader that meets a mistake notes it and goes on with an empty value, so that one pass lists all mistakes; the
// caller must look at JsonMistakes before it uses what was read.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "heliograd/base/result.h"

namespace heliograd::internal {

/// The mistakes of one file. Keeps the first 20.
class JsonMistakes {
 public:
  explicit JsonMistakes(std::string file) : file_(std::move(file)) {}

  void Add(std::string_view place, std::string_view mistake);
  bool any() const { return !sentences_.empty(); }
  const std::string& file() const { return file_; }
  const std::vector<std::string>& sentences() const { return sentences_; }

 private:
  std::string file_;
  std::vector<std::string> sentences_;
};

/// An object in the document. Copies are cheap; the document and the mistakes must outlive it.
class JsonObject {
 public:
  /// `value` may be null: the mistake has been noted already and nothing more is said.
  JsonObject(const nlohmann::json* value, std::string place, JsonMistakes& mistakes)
      : value_(value), place_(std::move(place)), mistakes_(&mistakes) {}

  double Number(std::string_view key) const;
  std::optional<double> NumberOrNull(std::string_view key) const;
  /// Nothing as well where the key is missing: for what earlier versions did not write.
  std::optional<double> NumberIfAny(std::string_view key) const;
  bool Has(std::string_view key) const;
  int64_t Integer(std::string_view key, int64_t least, int64_t most) const;
  std::string Text(std::string_view key) const;
  std::vector<std::string> Texts(std::string_view key) const;
  std::vector<double> Numbers(std::string_view key) const;
  JsonObject Child(std::string_view key) const;
  std::vector<JsonObject> Children(std::string_view key) const;

  /// Notes that the value at `key` is wrong: "<file>: <place>.<key> is <value>: expected <expected>."
  void Reject(std::string_view key, std::string_view expected) const;

 private:
  const nlohmann::json* Find(std::string_view key) const;
  std::string PlaceOf(std::string_view key) const;
  const nlohmann::json* Array(std::string_view key) const;

  const nlohmann::json* value_;
  std::string place_;
  JsonMistakes* mistakes_;
};

/// Parses a text whose nesting is at most 16 deep and in which no object has a key twice; `expected` says what the file
/// should be when it is no JSON at all.
Result<nlohmann::json> ParseJson(std::string_view text, const std::string& file, std::string_view expected);

}  // namespace heliograd::internal

// TOML as people write it: what can be read of a text, and a sentence for each line that cannot, with what to write.
//
// A line that is no TOML does not hide the mistakes that follow: it is passed over and the rest is read.
#pragma once

#include <toml++/toml.h>

#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace heliograd {

struct TomlText {
  toml::table root;                   // what could be read; a refused value stands in it as `true`
  std::vector<std::string> problems;  // "my.toml:3: job.start is 2025-01-01 20:00 without quotes: write ..."
  std::set<size_t> refused_lines;     // of those problems, from 1
  bool whole = false;                 // true when the text was read to its end, refused lines apart

  bool IsRefused(const toml::node& node) const { return refused_lines.count(node.source().begin.line) > 0; }
};

/// `name` appears in messages. Pure; safe from any thread.
TomlText ReadTomlText(std::string_view content, const std::string& name);

/// Text as a basic string of TOML, in one line; what cannot stand in one becomes a blank.
std::string TomlString(std::string text);

}  // namespace heliograd

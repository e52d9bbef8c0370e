// Something that a run did or met, worth a line in its journal.
#pragma once

#include <optional>
#include <string>

#include "heliograd/base/quantity.h"
#include "heliograd/base/time.h"

namespace heliograd {

struct RunEvent {
  Stamp at = {};
  std::string kind;       // "pause", "resume", "limit", ...: docs/run.md lists them
  std::string text = {};  // one sentence
  std::optional<Power> set = {}, found = {};
  bool matters = false;                    // is told to the user at once
  std::optional<Stamp> due = {};           // when a limit was to be set: the begin of its dwell
  std::optional<Stamp> read_back_at = {};  // when `found` was read
};

}  // namespace heliograd

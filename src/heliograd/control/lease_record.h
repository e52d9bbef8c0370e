// What a lease on a GPU's power limit writes down before it touches the limit, so that the limit can be put back by
// whoever finds the record.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "heliograd/base/result.h"

namespace heliograd {

struct LeaseRecord {
  std::string uuid;
  int64_t prior_mw = 0;   // the limit that is put back
  int64_t set_mw = 0;     // the limit that is about to be set, or was; the one found in force before the first
  int64_t before_mw = 0;  // the limit before that: one of the two is in force, unless someone else changed it
  int64_t pid = 0;        // the holder
  std::string command;    // the holder's, in one line
  std::string boot;       // of the machine: limits do not outlive it
  std::string since;      // RFC 3339

  /// True when the limit in force is one that this lease set or was about to set.
  bool IsOurs(int64_t limit_mw) const { return limit_mw == set_mw || limit_mw == before_mw || limit_mw == prior_mw; }
};

/// The record as text, "key=value" a line.
std::string WriteLease(const LeaseRecord& record);
/// The record back; an error that names the file `name` when it is damaged.
Result<LeaseRecord> ParseLease(std::string_view content, const std::string& name);

/// Changes with each start of the machine.
std::string BootId();

}  // namespace heliograd

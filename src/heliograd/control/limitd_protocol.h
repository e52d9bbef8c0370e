// The language between heliograd-limitd, which alone has the right to set power limits, and its clients.
//
// Enters: lines of at most 512 bytes. Leaves: requests and replies with their fields checked. Knows no socket and no
// GPU. A frame is one line of printable ASCII that ends with a line feed; fields are parted by one space, limits are
// whole milliwatts. A client sends one request and reads lines until `ok` or `error`:
//
//     hello 1                       ok 1 HEARTBEAT_MS
//     list                          gpu UUID LOWEST HIGHEST DEFAULT LIMIT NAME ...     then ok
//     show                          lease UUID PRIOR SET PID UID STATE SINCE COMMAND   then ok
//     take UUID COMMAND ...         ok PRIOR
//     set UUID LIMIT                ok ASKED SET (SET is ASKED within the GPU's range)
//     beat UUID                     ok
//     release UUID                  ok put_back | nothing_to_do | machine_restarted | changed_by_other
//     (any)                         error KIND SENTENCE (KIND as exit codes: 1, 2, 4, 5)
//
// A lease belongs to the connection that took it. All functions are pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "heliograd/base/result.h"
#include "heliograd/control/limit_lease.h"

namespace heliograd::limitd {

inline constexpr size_t kLongestFrame = 512;  // with its line feed
inline constexpr int64_t kVersion = 1;
inline constexpr int64_t kHighestLimitMw = 100'000'000;  // no GPU draws 100 kW: a larger number is a mistake

enum class Verb { kHello, kList, kShow, kTake, kSet, kBeat, kRelease };

struct Request {
  Verb verb = Verb::kHello;
  std::string uuid = {};     // take, set, beat, release
  int64_t limit_mw = 0;      // set
  std::string command = {};  // take: as the client tells it
};

/// True for 1 to 512 - 1 bytes of printable ASCII: what a frame may hold before its line feed.
bool IsFrame(std::string_view line);
/// A request from a line without its line feed. Errors: kUsage, one sentence.
Result<Request> ParseRequest(std::string_view line);
/// The request as a line with its line feed. A command is cut to what fits, other bytes than printable ones become '?'.
std::string WriteRequest(const Request& request);

/// One GPU of `list`.
struct GpuLine {
  std::string uuid;
  int64_t lowest_mw = 0, highest_mw = 0, default_mw = 0, limit_mw = 0;
  std::string name;
};
/// One lease of `show`.
struct LeaseLine {
  std::string uuid;
  int64_t prior_mw = 0, set_mw = 0, pid = 0, uid = 0;
  bool restoring = false;  // its holder is gone, and the GPU does not answer yet
  std::string since;       // RFC 3339
  std::string command;
};

std::string WriteGpuLine(const GpuLine& gpu);
std::string WriteLeaseLine(const LeaseLine& lease);
std::optional<GpuLine> ParseGpuLine(std::string_view line);
std::optional<LeaseLine> ParseLeaseLine(std::string_view line);

/// "ok 1 2".
std::string WriteOk(std::string_view values = "");
/// "error 4 SENTENCE"; several problems in one line.
std::string WriteError(const Error& error);

/// What a request came to: its lines without the last, and the last one's values, or the error.
struct Reply {
  std::vector<std::string> items;
  std::vector<std::string> values;
};
/// True when a line ends a reply.
bool EndsReply(std::string_view line);
/// The reply whose lines are given, the last of which ends it.
Result<Reply> ParseReply(const std::vector<std::string>& lines);

std::string_view RestoredWord(Restored restored);
std::optional<Restored> RestoredFromWord(std::string_view word);

/// A number of a reply or request: digits alone, at most `highest`.
std::optional<int64_t> ParseCount(std::string_view word, int64_t highest);

}  // namespace heliograd::limitd

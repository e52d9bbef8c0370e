#include "heliograd/control/limitd_protocol.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>

#include "heliograd/base/text.h"

namespace heliograd::limitd {
namespace {

struct VerbName {
  std::string_view name;
  Verb verb;
  bool names_gpu;
};
constexpr std::array<VerbName, 7> kVerbs = {{{"hello", Verb::kHello, false},
                                             {"list", Verb::kList, false},
                                             {"show", Verb::kShow, false},
                                             {"take", Verb::kTake, true},
                                             {"set", Verb::kSet, true},
                                             {"beat", Verb::kBeat, true},
                                             {"release", Verb::kRelease, true}}};

constexpr std::array<std::string_view, 4> kRestoredWords = {"put_back", "nothing_to_do", "machine_restarted",
                                                            "changed_by_other"};
constexpr size_t kLongestUuid = 96;
constexpr int64_t kAnyNumber = std::numeric_limits<int64_t>::max();

bool IsPrintable(char c) { return c >= 0x20 && c <= 0x7e; }

bool IsUuid(std::string_view word) {
  const auto fits = [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-';
  };
  return !word.empty() && word.size() <= kLongestUuid && std::all_of(word.begin(), word.end(), fits);
}

/// Takes the text before the next space off the front of `rest`.
std::string_view TakeWord(std::string_view& rest) {
  const size_t end = std::min(rest.find(' '), rest.size());
  const std::string_view word = rest.substr(0, end);
  rest.remove_prefix(std::min(end + 1, rest.size()));
  return word;
}

std::string Frame(std::string line) {
  if (line.size() > kLongestFrame - 1) line.resize(kLongestFrame - 1);
  for (char& c : line) {
    if (!IsPrintable(c)) c = '?';
  }
  return line + "\n";
}

tl::unexpected<Error> Malformed(std::string_view expected) {
  return Fail("heliograd-limitd: a request that it does not know: expected " + std::string(expected),
              ErrorKind::kUsage);
}

/// The numbers that follow in `rest`, each checked; false when one is none.
template <size_t N>
bool TakeNumbers(std::string_view& rest, const std::array<int64_t*, N>& fields) {
  for (int64_t* field : fields) {
    const std::optional<int64_t> number = ParseCount(TakeWord(rest), kAnyNumber);
    if (!number) return false;
    *field = *number;
  }
  return true;
}

ErrorKind KindOf(int64_t code) {
  for (ErrorKind kind : {ErrorKind::kUsage, ErrorKind::kPermission, ErrorKind::kDevice}) {
    if (static_cast<int64_t>(kind) == code) return kind;
  }
  return ErrorKind::kFailure;
}

}  // namespace

bool IsFrame(std::string_view line) {
  return !line.empty() && line.size() < kLongestFrame && std::all_of(line.begin(), line.end(), IsPrintable);
}

std::optional<int64_t> ParseCount(std::string_view word, int64_t highest) {
  int64_t number = 0;
  const char* end = word.data() + word.size();
  const auto [stopped, problem] = std::from_chars(word.data(), end, number);
  if (word.empty() || problem != std::errc() || stopped != end || number < 0 || number > highest) return std::nullopt;
  if (word.size() > 1 && word.front() == '0') return std::nullopt;  // one way to write each number
  return number;
}

Result<Request> ParseRequest(std::string_view line) {
  if (!IsFrame(line)) return Malformed("1 to 511 printable bytes");
  std::string_view rest = line;
  const std::string_view word = TakeWord(rest);
  const auto* found =
      std::find_if(kVerbs.begin(), kVerbs.end(), [&](const VerbName& verb) { return verb.name == word; });
  if (found == kVerbs.end()) return Malformed("hello, list, show, take, set, beat or release");
  Request request{found->verb, "", 0, ""};
  if (found->names_gpu) {
    request.uuid = TakeWord(rest);
    if (!IsUuid(request.uuid)) return Malformed("the GPU's UUID");
  }
  switch (request.verb) {
    case Verb::kHello:
      if (rest != "1") return Malformed("hello 1: client and heliograd-limitd are of different versions");
      return request;
    case Verb::kTake:
      if (rest.empty()) return Malformed("take UUID COMMAND");
      request.command = rest;
      return request;
    case Verb::kSet: {
      const std::optional<int64_t> limit = ParseCount(rest, kHighestLimitMw);
      if (!limit || *limit == 0) return Malformed("set UUID LIMIT, the limit in milliwatts, 1 to 100000000");
      request.limit_mw = *limit;
      return request;
    }
    default:
      if (!rest.empty() || line.back() == ' ') return Malformed("nothing after " + std::string(word));
      return request;
  }
}

std::string WriteRequest(const Request& request) {
  const auto* found =
      std::find_if(kVerbs.begin(), kVerbs.end(), [&](const VerbName& verb) { return verb.verb == request.verb; });
  switch (request.verb) {
    case Verb::kHello:
      return Frame(fmt::format("hello {}", kVersion));
    case Verb::kTake:
      return Frame(fmt::format("take {} {}", request.uuid, request.command.empty() ? "heliograd" : request.command));
    case Verb::kSet:
      return Frame(fmt::format("set {} {}", request.uuid, request.limit_mw));
    default:
      return Frame(found->names_gpu ? fmt::format("{} {}", found->name, request.uuid) : std::string(found->name));
  }
}

std::string WriteGpuLine(const GpuLine& gpu) {
  return Frame(fmt::format("gpu {} {} {} {} {} {}", gpu.uuid, gpu.lowest_mw, gpu.highest_mw, gpu.default_mw,
                           gpu.limit_mw, gpu.name));
}

std::string WriteLeaseLine(const LeaseLine& lease) {
  return Frame(fmt::format("lease {} {} {} {} {} {} {} {}", lease.uuid, lease.prior_mw, lease.set_mw, lease.pid,
                           lease.uid, lease.restoring ? "restoring" : "held", lease.since, lease.command));
}

std::optional<GpuLine> ParseGpuLine(std::string_view line) {
  if (!IsFrame(line) || TakeWord(line) != "gpu") return std::nullopt;
  GpuLine gpu;
  gpu.uuid = TakeWord(line);
  if (!IsUuid(gpu.uuid)) return std::nullopt;
  if (!TakeNumbers<4>(line, {&gpu.lowest_mw, &gpu.highest_mw, &gpu.default_mw, &gpu.limit_mw})) return std::nullopt;
  gpu.name = line;
  return gpu;
}

std::optional<LeaseLine> ParseLeaseLine(std::string_view line) {
  if (!IsFrame(line) || TakeWord(line) != "lease") return std::nullopt;
  LeaseLine lease;
  lease.uuid = TakeWord(line);
  if (!IsUuid(lease.uuid)) return std::nullopt;
  if (!TakeNumbers<4>(line, {&lease.prior_mw, &lease.set_mw, &lease.pid, &lease.uid})) return std::nullopt;
  const std::string_view state = TakeWord(line);
  if (state != "held" && state != "restoring") return std::nullopt;
  lease.restoring = state == "restoring";
  lease.since = TakeWord(line);
  lease.command = line;
  return lease;
}

std::string WriteOk(std::string_view values) {
  return Frame(values.empty() ? std::string("ok") : fmt::format("ok {}", values));
}

std::string WriteError(const Error& error) {
  std::string text;
  for (const std::string& problem : error.problems) text += (text.empty() ? "" : "; ") + problem;
  return Frame(fmt::format("error {} {}", static_cast<int>(error.kind), text));
}

bool EndsReply(std::string_view line) {
  const std::string_view word = line.substr(0, line.find(' '));
  return word == "ok" || word == "error";
}

Result<Reply> ParseReply(const std::vector<std::string>& lines) {
  const bool whole = !lines.empty() && std::all_of(lines.begin(), lines.end(), IsFrame) && EndsReply(lines.back());
  if (!whole)
    return Fail("heliograd-limitd gave an answer that this heliograd does not know: are both of one version?");
  std::string_view rest = lines.back();
  if (TakeWord(rest) == "error") {
    const std::optional<int64_t> code = ParseCount(TakeWord(rest), 255);
    return Fail(std::string(rest), KindOf(code.value_or(1)));
  }
  Reply reply;
  reply.items.assign(lines.begin(), lines.end() - 1);
  while (!rest.empty()) reply.values.emplace_back(TakeWord(rest));
  return reply;
}

std::string_view RestoredWord(Restored restored) { return kRestoredWords[static_cast<size_t>(restored)]; }

std::optional<Restored> RestoredFromWord(std::string_view word) {
  const auto* found = std::find(kRestoredWords.begin(), kRestoredWords.end(), word);
  if (found == kRestoredWords.end()) return std::nullopt;
  return static_cast<Restored>(found - kRestoredWords.begin());
}

}  // namespace heliograd::limitd

#include "heliograd/app/run_folder.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <csignal>
#include <cstring>
#include <nlohmann/json.hpp>

#include "heliograd/app/command_line.h"
#include "heliograd/app/run_job.h"
#include "heliograd/base/clock.h"
#include "heliograd/base/file.h"
#include "heliograd/base/path.h"
#include "heliograd/base/text.h"

namespace heliograd {
namespace {

using Json = nlohmann::ordered_json;

constexpr size_t kMostPending = 4 << 20;  // some hours of lines while the disk is full

template <typename T, typename Convert>
Json OrNull(const std::optional<T>& value, const Convert& convert) {
  return value ? Json(convert(*value)) : Json();
}

Json LimitOf(const PlanFile& plan, const std::optional<size_t>& level) {
  return OrNull(level, [&](size_t k) { return InWatts(plan.problem.gpu.levels[k].limit); });
}

Json BooksJson(const SlotActual& slot) {
  Json level_wh = Json::array();
  for (const Energy energy : slot.level_energy) level_wh.push_back(InWattHours(energy));
  return {{"level_s", slot.level_s},
          {"unknown_s", slot.unknown_s},
          {"off_s", slot.off_s},
          {"energy_wh", InWattHours(slot.energy)},
          {"energy_off_wh", InWattHours(slot.energy_off)},
          {"level_wh", level_wh},
          {"unmeasured_s", slot.unmeasured_s},
          {"work", slot.work},
          {"entered", slot.entered}};
}

double SecondsOf(Stamp stamp) { return static_cast<double>(stamp.time_since_epoch().count()) * 1e-9; }

Json Line(Stamp at, std::string_view kind) {
  return {{"at", FormatStamp(at)}, {"unix_s", SecondsOf(at)}, {"kind", kind}};
}

/// A number that must be finite, else nothing.
std::optional<double> NumberIn(const nlohmann::json& object, const char* key) {
  const auto found = object.find(key);
  if (found == object.end() || !found->is_number()) return std::nullopt;
  const auto number = found->get<double>();
  return std::isfinite(number) ? std::optional(number) : std::nullopt;
}

std::optional<std::string> TextIn(const nlohmann::json& object, const char* key) {
  const auto found = object.find(key);
  if (found == object.end() || !found->is_string()) return std::nullopt;
  return found->get<std::string>();
}

std::optional<SlotActual> BooksIn(const nlohmann::json& line, size_t levels) {
  const auto found = line.find("books");
  if (found == line.end() || !found->is_object()) return std::nullopt;
  SlotActual books;
  const auto entered = found->find("entered");  // not in older journals
  books.entered = entered == found->end() || !entered->is_boolean() || entered->get<bool>();
  const auto seconds = found->find("level_s");
  if (seconds == found->end() || !seconds->is_array() || seconds->size() != levels) return std::nullopt;
  for (const auto& value : *seconds) {
    if (!value.is_number() || !std::isfinite(value.get<double>())) return std::nullopt;
    books.level_s.push_back(value.get<double>());
  }
  const auto energies = found->find("level_wh");  // not in older journals
  if (energies != found->end() && energies->is_array() && energies->size() == levels) {
    for (const auto& value : *energies) {
      if (!value.is_number() || !std::isfinite(value.get<double>())) return std::nullopt;
      books.level_energy.push_back(WattHours(value.get<double>()));
    }
  }
  const auto off = NumberIn(*found, "off_s"), energy = NumberIn(*found, "energy_wh"),
             energy_off = NumberIn(*found, "energy_off_wh"), unmeasured = NumberIn(*found, "unmeasured_s"),
             work = NumberIn(*found, "work");
  if (!off || !energy || !energy_off || !unmeasured || !work) return std::nullopt;
  books.unknown_s = NumberIn(*found, "unknown_s").value_or(0);  // not in older journals
  books.off_s = *off;
  books.energy = WattHours(*energy);
  books.energy_off = WattHours(*energy_off);
  books.unmeasured_s = *unmeasured;
  books.work = *work;
  return books;
}

/// Takes one line into account; a sentence where it is no line of a journal.
std::string Take(const nlohmann::json& line, int slots, size_t levels, ReadJournal& read) {
  const auto kind = TextIn(line, "kind");
  const auto at = NumberIn(line, "unix_s");
  if (!kind || !at || std::abs(*at) > 9e9) return "no \"kind\" and \"unix_s\"";
  const bool is_event = *kind != "state" && *kind != "slot" && *kind != "job";
  const Stamp stamp(std::chrono::nanoseconds(std::llround(*at * 1e9)));
  if (!read.left_over.begin) read.left_over.begin = read.left_over.at = stamp;
  read.last = std::max(read.last, stamp);
  if (is_event) {
    const auto limit = [&line](const char* key) {
      const auto number = NumberIn(line, key);
      return number ? std::optional(Watts(*number)) : std::nullopt;
    };
    read.events.push_back({stamp,
                           *kind,
                           TextIn(line, "text").value_or(""),
                           limit("set_w"),
                           limit("read_back_w"),
                           line.contains("matters"),
                           {},
                           {}});
    read.left_over.plans += *kind == "replan" ? 1 : 0;
    read.left_over.pauses += *kind == "pause" ? 1 : 0;
  }
  if (*kind == "state" || *kind == "slot") {
    const auto slot = NumberIn(line, "slot");
    const auto books = BooksIn(line, levels);
    if (!slot || *slot < 0 || *slot > slots || *slot != std::floor(*slot)) return "no \"slot\" of the plan";
    if (!books) return "no \"books\" for the plan's levels";
    read.left_over.slots[static_cast<size_t>(*slot)] = *books;
  }
  if (*kind == "state") {
    const auto work = NumberIn(line, "work_done"), units = NumberIn(line, "units_done");
    if (!work || !units) return "no \"work_done\" and \"units_done\"";
    const auto energy = NumberIn(line, "energy_wh"), limit = NumberIn(line, "limit_in_force_w");
    read.trail.push_back(
        {stamp, *work, WattHours(energy.value_or(0)), limit ? std::optional(Watts(*limit)) : std::nullopt});
    read.left_over.at = stamp;
    read.left_over.work_done = *work;
    read.left_over.units_done = *units;
    const auto counter = NumberIn(line, "counter_uj");
    read.left_over.counter_uj.reset();
    if (counter && std::abs(*counter) < 9e18) read.left_over.counter_uj = static_cast<int64_t>(*counter);
  }
  if (*kind == "end") {
    read.has_ended = true;
    read.end = TextIn(line, "text").value_or("");
  }
  if (*kind == "resumed_run") {
    read.has_ended = false;
    ++read.resumes;
  }
  return "";
}

std::optional<std::vector<std::string>> TextsIn(const nlohmann::json& object, const char* key) {
  const auto found = object.find(key);
  if (found == object.end() || !found->is_array()) return std::nullopt;
  std::vector<std::string> texts;
  for (const auto& text : *found) {
    if (!text.is_string()) return std::nullopt;
    texts.push_back(text.get<std::string>());
  }
  return texts;
}

std::optional<Stamp> StampIn(const nlohmann::json& object, const char* key) {
  const auto found = object.find(key);
  if (found == object.end() || !found->is_number_integer()) return std::nullopt;
  return Stamp(std::chrono::nanoseconds(found->get<int64_t>()));
}

std::optional<CurvePart> CurvePartIn(const nlohmann::json& object) {
  const auto begin = StampIn(object, "begin_unix_ns"), end = StampIn(object, "end_unix_ns");
  const auto duration = NumberIn(object, "duration_s"), units = NumberIn(object, "units"),
             work = NumberIn(object, "work"), windows = NumberIn(object, "windows"),
             energy = NumberIn(object, "gpu_energy_j"), unmeasured = NumberIn(object, "unmeasured_s"),
             cost = NumberIn(object, "cost_eur");
  const auto file = TextIn(object, "curve");
  if (!begin || !end || !duration || !units || !work || !windows || !energy || !unmeasured || !file || *units < 0 ||
      std::abs(*windows) > 1e9) {
    return std::nullopt;
  }
  return CurvePart{*begin,
                   *end,
                   *duration,
                   *units,
                   *work,
                   static_cast<int>(*windows),
                   Joules(*energy),
                   *unmeasured,
                   cost ? std::optional(Euros(*cost)) : std::nullopt,
                   *file};
}

}  // namespace

Result<RunFolderLock> RunFolderLock::Take(const std::string& folder, bool make) {
  Result<std::optional<FileLock>> lock =
      FileLock::Take(folder + "/journal.jsonl", make, "do not go on with this run (--resume) while it runs");
  if (!lock) return Fail(lock.error());
  if (*lock) return RunFolderLock(std::move(**lock));
  const Result<std::string> text = ReadFile(folder + "/run.json");
  const Result<RunFacts> facts = text ? RunFactsFromJson(*text, folder + "/run.json") : Fail(text.error());
  const bool is_known = facts && facts->process > 0;
  return Fail(fmt::format("{}: this run goes on in {}: wait for its end, or end it first (kill -INT {})", folder,
                          is_known ? fmt::format("process {}", facts->process) : "another process",
                          is_known ? fmt::format("{}", facts->process) : "PROCESS"),
              ErrorKind::kUsage);
}

std::string RunFactsToJson(const RunFacts& facts) {
  Json json = {{"format", "heliograd-run-1"},
               {"command", facts.command},
               {"gpu_uuid", facts.gpu_uuid},
               {"gpu_name", facts.gpu_name},
               {"progress", facts.progress},
               {"units", facts.units},
               {"simulated_clock", facts.simulated_clock},
               {"clock_origin_us", facts.clock_origin_us},
               {"boot", facts.boot},
               {"process", facts.process}};
  if (facts.curve) {
    const CurvePart& part = *facts.curve;
    json["units_planned"] = facts.units_planned;
    json["curve_measured"] = {{"begin_unix_ns", part.begin.time_since_epoch().count()},
                              {"end_unix_ns", part.end.time_since_epoch().count()},
                              {"duration_s", part.duration_s},
                              {"units", part.units},
                              {"work", part.work},
                              {"windows", part.windows},
                              {"gpu_energy_j", InJoules(part.energy)},
                              {"unmeasured_s", part.unmeasured_s},
                              {"cost_eur", part.cost ? Json(InEuros(*part.cost)) : Json()},
                              {"curve", part.file}};
    json["pending_scenario"] = facts.pending_scenario;
  }
  return json.dump(2) + "\n";
}

Result<RunFacts> RunFactsFromJson(std::string_view text, const std::string& name) {
  const nlohmann::json json = nlohmann::json::parse(text, nullptr, false);
  const auto wrong = [&name](const std::string& what) {
    return Fail(name + ": " + what + ": expected a file that `heliograd run` wrote");
  };
  if (!json.is_object() || TextIn(json, "format") != "heliograd-run-1") return wrong("is no run");
  RunFacts facts;
  const auto command = TextsIn(json, "command");
  if (!command || command->empty()) return wrong("has no \"command\" that is a list of texts");
  facts.command = *command;
  const auto text_of = [&](const char* key, std::string& into) {
    const auto found = TextIn(json, key);
    if (found) into = *found;
    return found.has_value();
  };
  for (const auto& [key, into] : {std::pair{"gpu_uuid", &facts.gpu_uuid},
                                  {"gpu_name", &facts.gpu_name},
                                  {"progress", &facts.progress},
                                  {"boot", &facts.boot}}) {
    if (!text_of(key, *into)) return wrong(fmt::format("has no text \"{}\"", key));
  }
  const auto units = NumberIn(json, "units"), origin = NumberIn(json, "clock_origin_us");
  const auto simulated = json.find("simulated_clock");
  if (!units || *units < 0 || !origin || std::abs(*origin) > 9e18 || simulated == json.end() ||
      !simulated->is_boolean()) {
    return wrong("has no \"units\", \"clock_origin_us\" and \"simulated_clock\"");
  }
  facts.units = *units;
  facts.clock_origin_us = static_cast<int64_t>(*origin);
  facts.simulated_clock = simulated->get<bool>();
  facts.process = std::llround(std::clamp(NumberIn(json, "process").value_or(0), 0.0, 1e15));  // not in older files
  const auto part = json.find("curve_measured");
  if (part == json.end()) return facts;
  const auto planned = NumberIn(json, "units_planned");
  facts.curve = part->is_object() ? CurvePartIn(*part) : std::nullopt;
  if (!facts.curve || !planned || *planned < 0) {
    return wrong("has a \"curve_measured\" or \"units_planned\" that cannot be read");
  }
  facts.units_planned = *planned;
  const auto scenario = TextsIn(json, "pending_scenario");
  if (!scenario) return wrong("has no \"pending_scenario\" that is a list of texts");
  facts.pending_scenario = *scenario;
  return facts;
}

Result<ReadJournal> ParseJournal(std::string_view text, const std::string& name, int slots, size_t levels) {
  ReadJournal read;
  read.left_over.slots.resize(static_cast<size_t>(slots) + 1);
  size_t number = 0, cut_off = 0;
  std::string trouble;
  while (!text.empty()) {
    const size_t end = text.find('\n');
    const std::string_view line = text.substr(0, end);
    const bool is_whole = end != std::string_view::npos;
    text.remove_prefix(is_whole ? end + 1 : text.size());
    ++number;
    if (line.empty()) continue;
    const nlohmann::json json = nlohmann::json::parse(line, nullptr, false);
    if (!json.is_object()) {
      // A kill or a power cut leaves one such line at the end of each part of the run.
      ++cut_off;
      if (trouble.empty()) trouble = fmt::format("{}:{}: is no line of a journal: {}", name, number, Quoted(line));
      continue;
    }
    const std::string mistake = Take(json, slots, levels, read);
    if (!mistake.empty()) return Fail(fmt::format("{}:{}: {}: expected a journal of this plan", name, number, mistake));
  }
  if (cut_off > static_cast<size_t>(read.resumes) + 1) return Fail(trouble);
  if (cut_off > 0) {
    read.left_out = cut_off == 1 ? trouble + ": it is left out"
                                 : fmt::format("{}: it and {} more such line{} are left out", trouble, cut_off - 1,
                                               cut_off == 2 ? "" : "s");
  }
  for (SlotActual& slot : read.left_over.slots) slot.level_s.resize(levels);
  return read;
}

RunJournal::RunJournal(int file, std::string path, const PlanFile& plan)
    : file_(file), path_(std::move(path)), plan_(plan) {}

RunJournal::~RunJournal() { close(file_); }

Result<std::unique_ptr<RunJournal>> RunJournal::Open(const std::string& path, const PlanFile& plan,
                                                     std::vector<RunEvent> events) {
  const int file = open(path.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
  if (file < 0) return Fail(path + ": cannot be written: " + std::strerror(errno));
  std::unique_ptr<RunJournal> journal(new RunJournal(file, path, plan));
  journal->events_ = std::move(events);
  journal->size_ = lseek(file, 0, SEEK_END);
  char last = '\n';
  if (journal->size_ > 0 && pread(file, &last, 1, journal->size_ - 1) == 1 && last != '\n') {
    journal->Append("\n");  // after a line that was cut off
  }
  return journal;
}

/// On the disk when it returns. What a full disk does not take is held and tried again with the next line.
void RunJournal::Append(std::string line) {
  pending_ += line;
  size_t done = 0;
  while (done < pending_.size()) {
    const ssize_t written = write(file_, pending_.data() + done, pending_.size() - done);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) break;
    done += static_cast<size_t>(written);
  }
  if (done == pending_.size() && fdatasync(file_) == 0) {
    size_ += static_cast<int64_t>(pending_.size());
    pending_.clear();
    if (std::exchange(troubled_, false)) PrintMessage(path_ + " can be written again");
    return;
  }
  const std::string reason = std::strerror(errno);
  static_cast<void>(!ftruncate(file_, size_));  // no half a line
  if (!std::exchange(troubled_, true)) {
    PrintMessage(path_ + ": cannot be written: " + reason +
                 ": make room, the run goes on and holds its journal in memory");
  }
  if (pending_.size() > kMostPending) pending_.erase(0, pending_.find('\n', pending_.size() / 2) + 1);
}

void RunJournal::OnEvent(const RunEvent& event) {
  Json line = Line(event.at, event.kind);
  line["text"] = event.text;
  if (event.set) line["set_w"] = InWatts(*event.set);
  if (event.found) line["read_back_w"] = InWatts(*event.found);
  if (event.due) line["due_unix_s"] = SecondsOf(*event.due);
  if (event.read_back_at) line["read_back_unix_s"] = SecondsOf(*event.read_back_at);
  if (event.matters) line["matters"] = true;
  Append(line.dump() + "\n");
  events_.push_back(event);
  if (on_event) on_event(event);
}

void RunJournal::OnState(const RunState& state, const SlotActual& slot) {
  Json line = Line(state.at, "state");
  line["slot"] = state.slot;
  line["level_limit_w"] = LimitOf(plan_, state.level);
  if (state.limit_unknown) line["limit_unknown"] = true;
  line["work_done"] = state.work_done;
  line["work_planned"] = state.work_planned;
  line["units_done"] = state.units_done;
  line["energy_wh"] = InWattHours(state.energy);
  line["power_w"] = OrNull(state.power, InWatts);
  line["limit_in_force_w"] = OrNull(state.limit, InWatts);
  line["counter_uj"] = OrNull(state.counter_uj, [](int64_t value) { return value; });
  line["books"] = BooksJson(slot);
  Append(line.dump() + "\n");
  if (on_state) on_state(state);
}

void RunJournal::OnSlotEnd(int slot, const SlotActual& actual) {
  const bool is_after = slot >= plan_.problem.horizon.slots;
  Json line = Line(plan_.problem.horizon.SlotStart(slot), "slot");
  line["slot"] = slot;
  if (!is_after) {
    const PlanSlot& planned = plan_.plan.slots[static_cast<size_t>(slot)];
    Json levels = Json::array();
    for (const LevelShare& share : planned.decision.levels) {
      levels.push_back({{"limit_w", InWatts(plan_.problem.gpu.levels[share.level].limit)}, {"share", share.share}});
    }
    line["planned_levels"] = levels;
    line["planned_progress"] = planned.progress;
  }
  line["books"] = BooksJson(actual);
  Append(line.dump() + "\n");
  if (on_slot_end) on_slot_end();
}

void RunJournal::NoteJob(Stamp at, int64_t pid) {
  Json line = Line(at, "job");
  line["pid"] = pid;
  Append(line.dump() + "\n");
}

int EndLeftProcesses(const std::string& control_file) {
  const std::string entry = fmt::format("{}={}", kControlVariable, control_file);
  const auto find = [&entry] {
    std::vector<pid_t> found;
    for (const std::string& folder : ListFolder("/proc").value_or(std::vector<std::string>())) {
      const auto pid = ParseInteger(std::string_view(folder).substr(std::string_view("/proc/").size()));
      if (!pid || *pid == getpid()) continue;
      const Result<std::string> environment = ReadFile(folder + "/environ", 1 << 22);
      if (!environment) continue;
      // Entries end with a zero byte, so that a folder "run1" is none of "run".
      const std::string whole = std::string("\0", 1) + *environment;
      if (whole.find(std::string("\0", 1) + entry + std::string("\0", 1)) != std::string::npos) {
        found.push_back(static_cast<pid_t>(*pid));
      }
    }
    return found;
  };
  const std::vector<pid_t> left = find();
  for (const int signal : {SIGTERM, SIGKILL}) {
    const Stamp give_up = SteadyClock().Now() + std::chrono::seconds(10);
    for (std::vector<pid_t> still = find(); !still.empty() && SteadyClock().Now() < give_up; still = find()) {
      for (const pid_t pid : still) {
        kill(pid, signal);
        kill(pid, SIGCONT);
      }
      SteadyClock().SleepUntil(SteadyClock().Now() + std::chrono::milliseconds(50));
    }
  }
  return static_cast<int>(left.size());
}

}  // namespace heliograd

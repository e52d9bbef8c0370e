// A run's folder: the plan, the journal, the books. What a kill, a full disk or a power cut leaves of it is enough to
// go on, or to make a report of.
//
//   plan.json       the plan as it was begun
//   run.json        command, GPU, options: what --resume needs
//   journal.jsonl   one JSON object a line, on the disk when written: docs/run.md
//   power.helio     the GPU's readings (power-2.helio after the first --resume, and so on)
//   summary.json    plan against actual per slot, money, events: written anew at the end of each slot
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "heliograd/app/file_lock.h"
#include "heliograd/base/result.h"
#include "heliograd/control/plan_runner.h"
#include "heliograd/plan/plan_json.h"
#include "heliograd/report/plan_and_actual.h"

namespace heliograd {

/// Held by a run for as long as it writes into its folder. It ends with the process, by signal 9 too.
class RunFolderLock {
 public:
  /// Takes the lock of the journal in `folder`, which exists or, with `make`, is made. Errors: no journal; kUsage where
  /// another process has it.
  static Result<RunFolderLock> Take(const std::string& folder, bool make);

 private:
  explicit RunFolderLock(FileLock lock) : lock_(std::move(lock)) {}
  FileLock lock_;
};

/// What a run was begun with.
struct RunFacts {
  std::vector<std::string> command;
  std::string gpu_uuid, gpu_name;
  std::string progress;  // --progress
  double units = 0;      // --steps
  bool simulated_clock = false;
  int64_t clock_origin_us = 0;                    // driver's stamp at the plan's start
  std::string boot;                               // of the machine
  std::optional<CurvePart> curve = std::nullopt;  // where the run had to measure its own
  double units_planned = 0;  // of `units`, those of the plan's work, where a part was done before it; 0 = all
  /// Flags that name the scenario again while the curve is measured and there is no plan. Empty once there is one.
  std::vector<std::string> pending_scenario = {};
  int64_t process = 0;  // that carries it out, or did last; 0 = not known

  bool has_plan() const { return pending_scenario.empty(); }
  double plan_units() const { return units_planned > 0 ? units_planned : units; }
  double units_before() const { return curve ? curve->units : 0; }
  friend bool operator==(const RunFacts&, const RunFacts&) = default;
};
std::string RunFactsToJson(const RunFacts& facts);
/// Errors: every mistake, with the file's name.
Result<RunFacts> RunFactsFromJson(std::string_view text, const std::string& name);

/// What a journal says of a run that was cut off.
struct ReadJournal {
  RunLeftOver left_over;
  std::vector<RunEvent> events;
  bool has_ended = false;  // by itself: there is nothing to go on with
  std::string end;         // how
  int resumes = 0;
  std::string left_out;  // a sentence that names the lines that are none, the first of them with its place; or empty
  Stamp last = {};       // of all lines
  std::vector<RunPoint> trail;  // its states
};
/// Reads the lines of a journal for a plan of `slots` slots and `levels` levels. A line that is none, as the
/// last one of each part may be cut off, is left out and named; more of them than parts, and anything else that is no
/// journal, are an error with file and line. Bounded by the size of the text.
Result<ReadJournal> ParseJournal(std::string_view text, const std::string& name, int slots, size_t levels);

/// Appends to the journal. One thread.
class RunJournal : public RunObserver {
 public:
  /// Errors: the file cannot be opened.
  /// `events` are those of the parts before.
  static Result<std::unique_ptr<RunJournal>> Open(const std::string& path, const PlanFile& plan,
                                                  std::vector<RunEvent> events = {});
  ~RunJournal() override;

  void OnEvent(const RunEvent& event) override;
  void OnState(const RunState& state, const SlotActual& slot) override;
  void OnSlotEnd(int slot, const SlotActual& actual) override;
  /// The command's process, so that a later --resume knows it.
  void NoteJob(Stamp at, int64_t pid);

  /// Everything that happened so far.
  const std::vector<RunEvent>& events() const { return events_; }
  /// Called after each event that matters, each state, and each end of a slot.
  std::function<void(const RunEvent&)> on_event;
  std::function<void(const RunState&)> on_state;
  std::function<void()> on_slot_end;

 private:
  RunJournal(int file, std::string path, const PlanFile& plan);
  void Append(std::string line);

  int file_;
  std::string path_;
  const PlanFile& plan_;
  std::string pending_;  // what the disk did not take yet
  bool troubled_ = false;
  int64_t size_ = 0;  // whole lines on the disk
  std::vector<RunEvent> events_;
};

/// Ends whatever still runs with this control file in its environment: what a killed run left. The number of processes.
int EndLeftProcesses(const std::string& control_file);

}  // namespace heliograd

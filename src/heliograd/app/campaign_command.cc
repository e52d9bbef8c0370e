// `heliograd campaign FILE`: the study's measurements, one training after the other, resumable.
//
// Each cell is a `heliograd profile` of its own, so that one that fails, or crashes, takes no other with it. A finished
// cell is on the disk before the next begins; a second run of the same file goes on where the first ended.
#include <fmt/format.h>
#include <poll.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>

#include "heliograd/app/campaign_energy.h"
#include "heliograd/app/campaign_file.h"
#include "heliograd/app/campaign_page.h"
#include "heliograd/app/campaign_store.h"
#include "heliograd/app/command_line.h"
#include "heliograd/app/file_lock.h"
#include "heliograd/app/held_limits.h"
#include "heliograd/app/output_check.h"
#include "heliograd/app/profile_json.h"
#include "heliograd/app/profile_training.h"
#include "heliograd/app/sources.h"
#include "heliograd/base/file.h"
#include "heliograd/base/path.h"
#include "heliograd/base/text.h"
#include "heliograd/control/child_process.h"
#include "heliograd/model/simulated_power.h"
#include "heliograd/profile/mac_count.h"
#include "heliograd/profile/networks.h"
#include "heliograd/report/number_text.h"

namespace heliograd {
namespace {

using Json = nlohmann::ordered_json;

constexpr int kExitInterrupted = static_cast<int>(ErrorKind::kInterrupted);

struct CampaignFlags {
  std::string path, folder = "results";
  bool template_only = false, again = false, json = false;
};

std::vector<std::string> CommandOf(const Campaign& campaign, const CampaignCell& cell) {
  std::vector<std::string> words = {"/proc/self/exe", "profile",
                                    cell.network,     "--json",
                                    "--data",         cell.data,
                                    "--device",       campaign.device,
                                    "--batch",        std::to_string(campaign.batch),
                                    "--dither",       fmt::format("{:g}", campaign.dither_percent),
                                    "--workers",      std::to_string(campaign.workers)};
  if (!campaign.mode.empty()) words.insert(words.end(), {"--mode", campaign.mode});
  if (campaign.iterations > 0) words.insert(words.end(), {"--iterations", std::to_string(campaign.iterations)});
  if (!campaign.gpu.empty()) words.insert(words.end(), {"--gpu", campaign.gpu});
  if (cell.IsOfSweep()) words.insert(words.end(), {"--limit-w", fmt::format("{:g}", cell.limit_w)});
  if (cell.with_layers) words.push_back("--layers");
  if (cell.with_layers && campaign.quick_layers) words.push_back("--quick");
  return words;
}

/// All that a cell's numbers depend on, in words; the first is the program itself.
std::string SettingsOf(const Campaign& campaign, const CampaignCell& cell) {
  std::vector<std::string> words = CommandOf(campaign, cell);
  words.erase(words.begin());
  return fmt::format("{}", fmt::join(words, " "));
}

/// A file in memory that a child writes to.
class MemoryFile {
 public:
  MemoryFile() : file_(memfd_create("heliograd", MFD_CLOEXEC)) {}
  ~MemoryFile() { close(file_); }
  MemoryFile(const MemoryFile&) = delete;
  MemoryFile& operator=(const MemoryFile&) = delete;
  int number() const { return file_; }
  std::string Content() const {
    std::string content;
    char part[4096];
    ssize_t length = 0;
    off_t at = 0;
    while ((length = pread(file_, part, sizeof part, at)) > 0) {
      content.append(part, static_cast<size_t>(length));
      at += length;
    }
    return content;
  }

 private:
  int file_;
};

/// What the child writes until it ends. Signals that come meanwhile are passed on to it.
ExitStatus ReadUntilEnd(ChildProcess& child, std::string& output) {
  constexpr std::chrono::milliseconds kLook(100);
  bool is_open = true;
  while (true) {
    pollfd waiting = {child.output(), POLLIN, 0};
    if (is_open && poll(&waiting, 1, static_cast<int>(kLook.count())) > 0) {
      char part[65536];
      const ssize_t length = read(child.output(), part, sizeof part);
      if (length > 0) output.append(part, static_cast<size_t>(length));
      is_open = length > 0 || (length < 0 && errno == EINTR);
    }
    if (const auto ended = child.Wait(is_open ? std::chrono::milliseconds(1) : kLook); ended && !is_open) return *ended;
  }
}

std::string LastLine(const std::string& text) {
  const std::string_view trimmed = Trim(text);
  const size_t end = trimmed.rfind('\n');
  return std::string(end == std::string_view::npos ? trimmed : trimmed.substr(end + 1));
}

struct CellEnd {
  FinishedCell finished;
  bool interrupted = false;
};

Result<CellEnd> RunCell(const Campaign& campaign, const CampaignCell& cell, const WaitedSignalsBlocked& signals) {
  const auto begin = std::chrono::steady_clock::now();
  const MemoryFile errors;
  Result<ChildProcess> child = ChildProcess::Start(
      CommandOf(campaign, cell), {.pipe_output = true, .ends_with_us = true, .errors = errors.number()}, signals);
  if (!child) return Fail(child.error());
  std::string output;
  const ExitStatus ended = ReadUntilEnd(*child, output);
  CellEnd end;
  const bool is_asked_to_end =
      ended.signal && (*ended.signal == SIGTERM || *ended.signal == SIGHUP || *ended.signal == SIGQUIT);
  end.interrupted = ended.AsShell() == kExitInterrupted || is_asked_to_end;
  FinishedCell& finished = end.finished;
  finished.cell = cell;
  finished.hardware = campaign.hardware;
  finished.settings = SettingsOf(campaign, cell);
  finished.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  finished.ok = ended.AsShell() == 0;
  if (finished.ok) {
    const auto profile = ProfileFromJson(output, cell.Name());
    finished.ok = profile.has_value();
    if (!profile) finished.error = profile.error().Message();
    finished.json = std::move(output);
  } else {
    finished.error = ended.signal ? fmt::format("ended by signal {}", *ended.signal) : LastLine(errors.Content());
  }
  return end;
}

/// Finished well, with these settings and an energy.
bool IsDone(const std::vector<FinishedCell>& cells, const Campaign& campaign, const CampaignCell& cell) {
  return std::any_of(cells.begin(), cells.end(), [&](const FinishedCell& finished) {
    return finished.ok && finished.hardware == campaign.hardware && finished.cell.Name() == cell.Name() &&
           finished.settings == SettingsOf(campaign, cell) && WhyNoEnergy(finished).empty();
  });
}

double MacsOf(const CampaignCell& cell) {
  const auto network = MakeNetwork(cell.network);
  return network ? static_cast<double>(CountNetwork(*network).macs.Macs()) : 0;
}

/// From the cells that this run has finished: alike where each takes a minute, by MACs where each has as many
/// iterations.
std::string TimeLeft(const Campaign& campaign, const std::vector<FinishedCell>& done,
                     std::span<const CampaignCell> left) {
  double seconds = 0, weight = 0, left_weight = 0;
  const auto weigh = [&](const CampaignCell& cell) { return campaign.iterations > 0 ? MacsOf(cell) : 1.0; };
  for (const FinishedCell& cell : done) {
    if (!cell.ok) continue;
    seconds += cell.seconds;
    weight += weigh(cell.cell);
  }
  if (weight <= 0) return "";
  for (const CampaignCell& cell : left) left_weight += weigh(cell);
  return ", about " + DurationText(Seconds(seconds / weight * left_weight)) + " left";
}

std::string EndText(const FinishedCell& cell) {
  if (!cell.ok) return "failed: " + cell.error;
  if (const std::string why = WhyNoEnergy(cell); !why.empty()) return "done, no energy: " + why;
  const auto profile = ProfileFromJson(cell.json, cell.cell.Name());
  if (!profile) return "done";
  return fmt::format("{:.4g} J {} an iteration of {:.4g} ms, {:.0f} s", InJoules(profile->iteration_energy->energy),
                     IntervalText(*profile->iteration_energy), 1e3 * InSeconds(profile->iteration), cell.seconds);
}

/// A sweep whose limits may not be set is refused before anything is measured.
Result<void> CheckSweep(const Campaign& campaign) {
  std::vector<Power> limits;
  for (const double limit_w : campaign.sweep->limits_w) limits.push_back(Watts(limit_w));
  if (campaign.device == "cpu" && campaign.gpu.empty()) {
    if (campaign.sweep->limits_w.front() >= kStudyGpuLowestLimitW &&
        campaign.sweep->limits_w.back() <= kStudyGpuHighestLimitW) {
      return {};
    }
    return Fail(fmt::format("[sweep]: the simulated GPU takes limits of {:g} to {:g} W", kStudyGpuLowestLimitW,
                            kStudyGpuHighestLimitW),
                ErrorKind::kUsage);
  }
  const auto gpu = campaign.gpu.empty() ? GpuOfDevice(campaign.device) : Result<std::string>(campaign.gpu);
  if (!gpu) return Fail(gpu.error());
  Result<void> possible = CheckLimits(*gpu, limits, "heliograd campaign");
  if (possible) return {};
  Error error = possible.error();
  error.problems.back() = "[sweep] cannot run here: " + error.problems.back() + "; without [sweep] the rest does";
  return Fail(std::move(error));
}

/// What would fail for every cell, or for all of a data set, is found before the first: each problem once.
Result<void> CheckTrainings(const Campaign& campaign, std::span<const CampaignCell> cells) {
  std::vector<std::string> seen;
  Error found;
  for (const CampaignCell& cell : cells) {
    if (std::find(seen.begin(), seen.end(), cell.data) != seen.end()) continue;
    seen.push_back(cell.data);
    TrainingFlags flags;
    flags.model = cell.network;
    flags.data = cell.data;
    flags.device = campaign.device;
    flags.batch = static_cast<int>(campaign.batch);
    flags.workers = static_cast<int>(campaign.workers);
    flags.gpu = campaign.gpu;
    const Result<void> possible = CheckTraining(flags);
    if (possible) continue;
    if (found.problems.empty()) found.kind = possible.error().kind;
    for (const std::string& problem : possible.error().problems) {
      if (std::find(found.problems.begin(), found.problems.end(), problem) == found.problems.end()) {
        found.problems.push_back(problem);
      }
    }
  }
  return found.problems.empty() ? Result<void>() : Fail(std::move(found));
}

struct CampaignOutcome {
  int failed = 0, done_before = 0, done = 0;
  int without_energy = 0;  // of those done
  bool interrupted = false;
};

Result<CampaignOutcome> RunCells(const Campaign& campaign, CampaignStore& store, bool again) {
  const std::vector<CampaignCell> cells = CellsOf(campaign);
  const auto before = store.Cells();
  if (!before) return Fail(before.error());
  std::vector<CampaignCell> missing;
  std::copy_if(cells.begin(), cells.end(), std::back_inserter(missing),
               [&](const CampaignCell& cell) { return again || !IsDone(*before, campaign, cell); });
  const WaitedSignalsBlocked signals;  // before PyTorch is loaded, whose threads are to leave them to us
  if (Result<void> sound = CheckTrainings(campaign, missing); !sound) return Fail(sound.error());
  const bool sweeps = std::any_of(missing.begin(), missing.end(), [](const auto& cell) { return cell.IsOfSweep(); });
  if (Result<void> sound = sweeps ? CheckSweep(campaign) : Result<void>(); !sound) return Fail(sound.error());
  std::vector<FinishedCell> finished;
  CampaignOutcome outcome;
  for (size_t i = 0; i < cells.size(); ++i) {
    if (!again && IsDone(*before, campaign, cells[i])) {
      ++outcome.done_before;
      continue;
    }
    const std::span<const CampaignCell> left(cells.begin() + static_cast<long>(i), cells.end());
    PrintMessage(
        fmt::format("{} of {}: {}{}", i + 1, cells.size(), cells[i].Name(), TimeLeft(campaign, finished, left)));
    const auto end = RunCell(campaign, cells[i], signals);
    if (!end) return Fail(end.error());
    if (end->interrupted) {
      outcome.interrupted = true;
      return outcome;
    }
    if (Result<void> kept = store.Put(end->finished); !kept) return Fail(kept.error());
    PrintMessage("  " + EndText(end->finished));
    finished.push_back(end->finished);
    ++(end->finished.ok ? outcome.done : outcome.failed);
    if (end->finished.ok && !WhyNoEnergy(end->finished).empty()) ++outcome.without_energy;
  }
  return outcome;
}

/// Cells that have left the file stay in the database alone; those of other hardware are of another file.
std::vector<FinishedCell> CellsOfPage(const Campaign& campaign, const std::vector<FinishedCell>& all) {
  const std::vector<CampaignCell> asked = CellsOf(campaign);
  std::vector<FinishedCell> shown;
  std::copy_if(all.begin(), all.end(), std::back_inserter(shown), [&](const FinishedCell& finished) {
    return finished.hardware != campaign.hardware ||
           std::any_of(asked.begin(), asked.end(),
                       [&](const CampaignCell& cell) { return cell.Name() == finished.cell.Name(); });
  });
  return shown;
}

std::string OutcomeJson(const CampaignOutcome& outcome, const std::string& folder, const CampaignPage& page) {
  const Json json = {{"done", outcome.done},
                     {"without_energy", outcome.without_energy},
                     {"done_before", outcome.done_before},
                     {"failed", outcome.failed},
                     {"folder", folder},
                     {"files", page.files},
                     {"notes", page.notes}};
  return json.dump(2) + "\n";
}

std::string OutcomeText(const CampaignOutcome& outcome, const std::string& folder) {
  const bool is_short = outcome.without_energy + outcome.failed > 0;
  return fmt::format(
      "{} cells done{}, {} done before, {} failed. {}/index.html shows them beside the study's numbers.{}\n",
      outcome.done,
      outcome.without_energy > 0 ? fmt::format(", {} of them without an energy", outcome.without_energy) : "",
      outcome.done_before, outcome.failed, folder,
      is_short ? " The same command measures again what failed or has no energy." : "");
}

Result<int> RunCampaign(const CampaignFlags& flags) {
  if (flags.template_only) return Print(CampaignTemplate()).map([] { return kExitOk; });
  if (flags.path.empty()) {
    return Fail("which campaign? Give a file; `heliograd campaign --template > campaign.toml` makes one",
                ErrorKind::kUsage);
  }
  const auto content = ReadFile(flags.path);
  if (!content) return Fail(content.error());
  const auto campaign = ParseCampaign(*content, flags.path);
  if (!campaign) return Fail(campaign.error());
  std::error_code failed;
  std::filesystem::create_directories(flags.folder, failed);
  if (failed) return FailAt(flags.folder, "cannot be made", failed);
  if (auto sound = CheckPageOutput(flags.folder + "/index.html", "A training campaign beside the study"); !sound)
    return Fail(sound.error());
  const auto lock =
      FileLock::TakeForProcess(flags.folder + "/campaign.lock", flags.folder + ": another campaign fills this folder");
  if (!lock) return Fail(lock.error());
  auto store = CampaignStore::Open(flags.folder + "/campaign.sqlite");
  if (!store) return Fail(store.error());
  const auto outcome = RunCells(*campaign, *store, flags.again);
  if (!outcome) return Fail(outcome.error());
  const auto cells = store->Cells();
  if (!cells) return Fail(cells.error());
  const auto page = WriteCampaignPage(CellsOfPage(*campaign, *cells), flags.folder);
  if (!page) return Fail(page.error());
  for (const std::string& note : page->notes) PrintMessage("note: " + note);
  if (outcome->interrupted) {
    return Fail(fmt::format("interrupted: {} cells are kept in {}; the same command goes on with the rest",
                            outcome->done + outcome->done_before, flags.folder),
                ErrorKind::kInterrupted);
  }
  const Result<void> done =
      Print(flags.json ? OutcomeJson(*outcome, flags.folder, *page) : OutcomeText(*outcome, flags.folder));
  if (!done) return Fail(done.error());
  return outcome->failed > 0 ? 1 : kExitOk;
}

}  // namespace

void AddCampaignCommand(CLI::App& program, Commands& commands) {
  CLI::App* app =
      AddCommand(program, "campaign", "Trains many networks on many data sets, resumably, as the study did",
                 {"heliograd campaign --template > campaign.toml", "heliograd campaign campaign.toml -o results",
                  "heliograd campaign campaign.toml -o results   # again: goes on with what is missing"});
  auto flags = std::make_shared<CampaignFlags>();
  app->add_option("FILE", flags->path, "the campaign's file");
  app->add_flag("--template", flags->template_only, "print a commented file to start from");
  app->add_option("-o,--output", flags->folder, "folder for campaign.sqlite, figures and index.html (default results)");
  app->add_flag("--again", flags->again,
                "measure finished cells again (those that failed or have no energy are at every start)");
  app->add_flag("--json", flags->json, "one JSON object on standard output");
  commands.push_back({app, [flags] { return RunCampaign(*flags); }});
}

}  // namespace heliograd

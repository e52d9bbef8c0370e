#include "heliograd/app/curve_store.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <filesystem>
#include <vector>

#include "heliograd/app/curve_file.h"
#include "heliograd/base/file.h"
#include "heliograd/base/path.h"

namespace heliograd {
namespace {

/// A UUID is a file's name only where it is made of letters, digits and dashes.
bool IsPlain(const std::string& uuid) {
  return !uuid.empty() && uuid.size() < 100 &&
         std::all_of(uuid.begin(), uuid.end(), [](unsigned char c) { return std::isalnum(c) || c == '-'; });
}

Result<std::vector<std::string>> StoredCurves(const std::string& folder) {
  return ListFolder(folder).map([](std::vector<std::string> paths) {
    std::erase_if(paths, [](const std::string& path) { return !path.ends_with(".toml"); });
    return paths;
  });
}

constexpr const char* kWhatToDo =
    "measure it with `heliograd curve --progress REGEX -- COMMAND` (or give --curve FILE; --curve builtin:paper takes "
    "the study's RTX 4070)";

Result<std::string> ChooseCurve(const std::optional<std::string>& uuid) {
  const Result<std::string> folder = CurveFolder();
  if (!folder) return Fail(folder.error());
  if (uuid) {
    const std::string path = *folder + "/" + *uuid + ".toml";
    const Result<bool> is_stored = HasStoredCurve(*uuid);
    if (!is_stored) return Fail(is_stored.error());
    if (*is_stored) return path;
    return Fail(fmt::format("no power curve of this GPU ({}) is stored in {}, and the scenario has no gpu.curve: {}",
                            *uuid, *folder, kWhatToDo),
                ErrorKind::kUsage);
  }
  const Result<std::vector<std::string>> paths = StoredCurves(*folder);
  if (!paths) return Fail(paths.error());
  if (paths->size() == 1) return paths->front();
  const std::string found = paths->empty()
                                ? fmt::format("none is stored in {}", *folder)
                                : fmt::format("several are stored ({}): give --curve FILE", fmt::join(*paths, ", "));
  return Fail(fmt::format("the scenario has no gpu.curve, and {}: {}", found, kWhatToDo), ErrorKind::kUsage);
}

Result<void> CountUnits(Scenario& scenario, const PowerCurve& curve, const std::string& path, double steps) {
  if (curve.unit != "progress" || scenario.IsGiven("job.units")) return {};
  // The steps are those of the work that is left, job.units those of the whole job.
  const double work = scenario.NumberOf("job.work");
  if (steps > 0 && work > 0) return scenario.Set(fmt::format("job.units={}", steps / work), "--steps");
  return Fail(
      path +
          ": counts the units that its command told: say how many the whole job has, with --steps N of `run` or "
          "--set job.units=N",
      ErrorKind::kUsage);
}

}  // namespace

Result<std::string> CurveFolder() {
  const char* state = std::getenv("XDG_STATE_HOME");
  const char* home = std::getenv("HOME");
  if (state != nullptr && *state == '/') return std::string(state) + "/heliograd/curves";
  if (state == nullptr && geteuid() == 0) return std::string("/var/lib/heliograd/curves");
  if (home != nullptr && *home == '/') return std::string(home) + "/.local/state/heliograd/curves";
  return Fail("curves have no place: neither HOME nor XDG_STATE_HOME is set");
}

Result<std::string> StoreCurve(const std::string& uuid, std::string_view toml) {
  if (!IsPlain(uuid)) return Fail(uuid + ": a UUID of other characters than letters, digits and dashes names no file");
  const Result<std::string> folder = CurveFolder();
  if (!folder) return Fail(folder.error());
  std::error_code failed;
  std::filesystem::create_directories(*folder, failed);
  if (failed) {
    return Fail(
        *folder + ": curves cannot be kept there: " + failed.message() + ": name another place with XDG_STATE_HOME",
        ErrorKind::kPermission);
  }
  std::string path = *folder + "/" + uuid + ".toml";
  if (Result<void> written = WriteFile(path, toml); !written) return Fail(written.error());
  return path;
}

Result<bool> HasStoredCurve(const std::string& uuid) {
  const Result<std::string> folder = CurveFolder();
  if (!folder) return Fail(folder.error());
  return IsPlain(uuid) ? IsThere(*folder + "/" + uuid + ".toml") : Result<bool>(false);
}

Result<std::string> TakeStoredCurve(Scenario& scenario, const std::optional<std::string>& uuid, double steps) {
  if (scenario.Has("gpu.curve")) {
    // Its own curve counts as it always did; only what run knows of the job is added.
    if (steps <= 0 || scenario.IsGiven("job.units")) return std::string();
    const std::string path = scenario.PathOf("gpu.curve");
    const Result<PowerCurve> curve = ReadCurve(path);
    if (!curve) return std::string();  // said where the scenario is read
    if (Result<void> counted = CountUnits(scenario, *curve, path, steps); !counted) return Fail(counted.error());
    return std::string();
  }
  if (scenario.IsRefused("gpu.curve")) return std::string();
  const Result<std::string> path = ChooseCurve(uuid);
  if (!path) return Fail(path.error());
  const Result<PowerCurve> curve = ReadCurve(*path);
  if (!curve) return Fail(curve.error());
  if (Result<void> set = scenario.Set("gpu.curve=" + *path, "stored curve"); !set) return Fail(set.error());
  if (Result<void> counted = CountUnits(scenario, *curve, *path, steps); !counted) return Fail(counted.error());
  const std::string when = curve->measured_at.empty() ? "at an unknown time" : curve->measured_at;
  if (!curve->coarse) return fmt::format("power curve: {}, measured {} ({})", curve->name, when, *path);
  return fmt::format(
      "power curve: {}, coarse, measured in the first minutes of a run {} ({}); `heliograd curve` replaces it with a "
      "finer one",
      curve->name, when, *path);
}

}  // namespace heliograd

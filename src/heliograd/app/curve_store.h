// Power curves that `heliograd curve` measured here: the last one of each GPU, so that `run` and `plan` find it.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "heliograd/app/scenario.h"
#include "heliograd/base/result.h"

namespace heliograd {

/// Where they are kept: $XDG_STATE_HOME/heliograd/curves; without the variable /var/lib/heliograd/curves for root, else
/// ~/.local/state/heliograd/curves.
Result<std::string> CurveFolder();

/// Keeps a curve file's text in place of an earlier one of this GPU, whole or not at all. Gives the path.
Result<std::string> StoreCurve(const std::string& uuid, std::string_view toml);

/// True where a curve of this GPU is stored.
Result<bool> HasStoredCurve(const std::string& uuid);

/// Gives a scenario without gpu.curve the stored curve of a GPU; without `uuid` the only one that is stored. `steps`
/// (0 = not given), those of job.work, make job.units where the curve counts the units that its command told and the
/// scenario has none.
/// Gives a sentence that says which curve it is, and of when; empty when the scenario has its own.
/// Errors: kUsage with what to do: none is stored, several are, units are missing.
Result<std::string> TakeStoredCurve(Scenario& scenario, const std::optional<std::string>& uuid, double steps);

}  // namespace heliograd

// A campaign's cells as the study shows its own: Table I, Figs 1 to 8, and the energy law, on one page.
#pragma once

#include <string>
#include <vector>

#include "heliograd/app/campaign_store.h"
#include "heliograd/base/result.h"

namespace heliograd {

/// Writes index.html, an SVG and a CSV of each figure and table, an energy_law of each hardware and data set with
/// enough networks, and a curve of each sweep, into the folder; gives their names. Without gnuplot the page has no
/// figures and says so. Errors: a file cannot be written.
Result<std::vector<std::string>> WriteCampaignPage(const std::vector<FinishedCell>& cells, const std::string& folder);

}  // namespace heliograd

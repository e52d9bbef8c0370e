// A campaign's cells as the study shows its own: Table I, Figs 1 to 8, and the energy law, on one page.
#pragma once

#include <string>
#include <vector>

#include "heliograd/app/campaign_store.h"
#include "heliograd/base/result.h"

namespace heliograd {

/// What was written.
struct CampaignPage {
  std::vector<std::string> files;
  std::vector<std::string> notes;  // what is not, and why: one sentence each
};

/// Writes index.html, an SVG and a CSV of each figure and table, an energy_law of each hardware and data set with
/// enough networks, and a curve of each sweep with enough energies, into the folder; lists of what failed or has no
/// energy that lie there from before go where nothing is in them any more. Without gnuplot the page has no figures and
/// says so. Errors: a file cannot be written.
Result<CampaignPage> WriteCampaignPage(const std::vector<FinishedCell>& cells, const std::string& folder);

}  // namespace heliograd

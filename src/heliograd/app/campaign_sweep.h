// A campaign's trainings under several power limits, as the study's Figs 7 and 8, and as a power curve for plans.
//
// Enters: finished cells. Leaves: plain values for the page, and a curve file's text.
#pragma once

#include <string>
#include <vector>

#include "heliograd/app/campaign_store.h"
#include "heliograd/report/step_sweep_figure.h"

namespace heliograd {

/// One network on one data set and hardware, over all of its limits.
struct SweepReport {
  std::string title;  // "resnet18 on fashion-mnist, RTX 4090"
  StepSweepChart chart;
  std::vector<std::string> columns;  // a row for each limit: means over the rounds that have an energy
  std::vector<std::vector<std::string>> rows;
  std::vector<std::vector<std::string>> claims;  // claim, the study, here
  std::string curve_toml;                        // empty where fewer than two limits have energies
  std::string why_no_curve;                      // where it is empty
  std::vector<std::string> notes;                // one sentence each
};

/// In order of first appearance; cells that are of no sweep, or failed, are passed over.
std::vector<SweepReport> ReportSweeps(const std::vector<FinishedCell>& cells);

}  // namespace heliograd

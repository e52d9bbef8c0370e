// The study repeated: what is computed, drawn and held against its claims.
//
// Source of every figure, table and claim: Yin, Chen, Vallero, Meo, "Energy Sustainability Analysis of Deep Neural
// Network", MSWiM 2025, pp. 340-349, doi 10.1109/MSWiM67937.2025.11309062.
#pragma once

#include <array>
#include <string>
#include <vector>

#include "heliograd/app/inputs.h"
#include "heliograd/app/planning.h"
#include "heliograd/base/result.h"
#include "heliograd/optimize/offgrid.h"
#include "heliograd/report/study_figure.h"

namespace heliograd {

inline constexpr size_t kMonths = 12;
/// The study's ten panel sizes, W DC.
inline constexpr std::array<int, 10> kPanelSizes = {100, 200, 300, 400, 500, 600, 700, 800, 900, 1000};

/// Time to finish over every start of a month, hours; not finite where a run does not finish in three years.
struct Spread {
  double low = 0, median = 0, high = 0;  // 10th, 50th, 90th percentile
};

/// One mode of the off-grid study: panel size by month of the start.
struct OffgridMonths {
  std::array<std::array<OffgridResult, kMonths>, kPanelSizes.size()> first_start;  // 1st of the month, 00:00
  std::array<std::array<Spread, kMonths>, kPanelSizes.size()> every_start;
};

struct OffgridStudy {
  OffgridMonths minimum, dynamic;
};

/// Off-grid runs of the built-in scenario for every size, month and mode.
Result<OffgridStudy> RunOffgridStudy(InputCache& cache);

/// The three formulations of one case, in the order of kFormulations.
inline constexpr std::array<Formulation, 3> kFormulations = {Formulation::kPaper, Formulation::kLevels,
                                                             Formulation::kBlend};
using ThreePlans = std::array<PlannedJob, 3>;

/// Energy and cost of a constant load.
struct ConstantLoad {
  Energy energy;
  Money cost;
};

/// On-grid plans of the built-in scenario: 1000 W, 1 January 20:00, 19 h, and one value varied at a time.
struct OngridStudy {
  std::vector<int> hours;  // Fig 13
  std::vector<ThreePlans> by_hours;
  std::vector<int> start_hours;  // Fig 14
  std::vector<ThreePlans> by_start;
  std::vector<ThreePlans> by_size;  // Fig 15, kPanelSizes
  ThreePlans without_pv;            // the Table VI case with the panel taken away
  ConstantLoad grid_only_at_20;     // 230 W for 14 h from the grid
  ConstantLoad grid_only_at_10;     // the same load begun at 10:00
};

Result<OngridStudy> RunOngridStudy(InputCache& cache, bool on_terminal);

/// PV power over the first 48 hours of the year, per size (Fig 16), W.
Result<std::vector<std::vector<double>>> FirstDaysOfPv(InputCache& cache);

/// Does a claim of the study hold in our numbers?
enum class Verdict { kYes, kInPart, kNo };

struct Claim {
  std::string claim;
  std::string study;  // its number
  std::string ours;   // ours, modelled
  Verdict verdict = Verdict::kNo;
  std::string why;  // how the verdict is found, or why the numbers differ
};

std::string_view VerdictText(Verdict verdict);
std::vector<Claim> OffgridClaims(const OffgridStudy& study);
std::vector<Claim> OngridClaims(const OngridStudy& study);
/// The claim on energy at 230 W and 150 W that follows from Table IV alone.
Claim TableFourClaim();

/// A figure of the study with its file name and what it shows.
struct StudyFigure {
  std::string name;  // "fig10"
  LineChart chart;
  std::string caption;
};

std::vector<StudyFigure> OffgridFigures(const OffgridStudy& study);
std::vector<StudyFigure> OngridFigures(const OngridStudy& study);
StudyFigure PvFigure(const std::vector<std::vector<double>>& power_w);

/// A table of the study with its file name.
struct StudyTable {
  std::string name;  // "table4"
  std::string title;
  std::vector<std::string> columns;
  std::vector<std::vector<std::string>> rows;
  std::string note;
};

/// Parameters, levels and tariff of the model: Tables III to V.
std::vector<StudyTable> DataTables();
StudyTable TableSix(const OngridStudy& study);

/// The contradictions of the study that matter for these figures, one paragraph each.
std::vector<std::string> Contradictions();

}  // namespace heliograd

// Draws docs/figures/attribution.svg: true shares of the phases of one simulated load, and what five sensors tell of
// them.
#include <fmt/format.h>

#include <array>
#include <cstdlib>
#include <iostream>
#include <string>

#include "heliograd/model/truth_trials.h"
#include "heliograd/report/gnuplot.h"
#include "heliograd/report/palette.h"

namespace heliograd::bench {
namespace {

constexpr uint64_t kSeed = 1;
constexpr size_t kSensors = 5;
constexpr std::array<const char*, 6> kPhaseNames = {"copy", "forward", "loss", "backward", "optimizer", "other"};
constexpr std::array<int, kSensors> kPointTypes = {7, 5, 9, 13, 11};
constexpr TrainingLoad kLoad{.iteration_s = 0.1};
constexpr TrialOptions kOptions{.length_s = 120};

/// Lines of place, share less the true one, low and high of the same, all in percent of the iteration's energy.
std::string SensorBlock(size_t sensor, const PhaseTrial& trial) {
  std::string block = fmt::format("$sensor{} << EOD\n", sensor);
  for (size_t phase = 0; phase < trial.found.phases.size(); ++phase) {
    const PhaseEstimate& estimate = trial.found.phases[phase];
    const double place = static_cast<double>(phase) + 0.15 * (static_cast<double>(sensor) - 2);
    const double error = estimate.share - trial.truth.Share(phase);
    block += fmt::format("{} {} {} {}\n", place, 100 * error, 100 * (error - estimate.share_half_width),
                         100 * (error + estimate.share_half_width));
  }
  return block + "EOD\n";
}

std::string Settings(const SimulatedTraining& truth) {
  std::string ticks;
  for (size_t phase = 0; phase < kPhaseNames.size(); ++phase) {
    ticks += fmt::format("{}\"{}\\n{:.2g} %%\" {}", phase == 0 ? "" : ", ", kPhaseNames[phase],
                         100 * truth.Share(phase), phase);
  }
  return fmt::format(
      "set border 3 lc rgb '{0}'\nset tics nomirror out scale 0.5 textcolor rgb '{0}'\n"
      "set grid ytics lc rgb '{1}' lw 0.5\nset xtics ({2})\nset xrange [-0.6:5.6]\nset yrange [*:*]\n"
      "set xlabel 'phase and its true share of the energy' offset 0,-1\n"
      "set ylabel 'estimated less true share, % of the energy'\n"
      "set key outside top center horizontal Left reverse samplen 2 textcolor rgb '{0}'\n",
      kTextColour, kGuideColour, ticks);
}

Figure Draw() {
  const std::vector<SensorKind> kinds = TruthSensors();
  Figure figure;
  std::string settings, plot = fmt::format("plot 0 with lines lw 3 lc rgb '{}' title 'truth'", kTextColour);
  for (size_t sensor = 0; sensor < kSensors; ++sensor) {
    const PhaseTrial trial = MakePhaseTrial(kinds[sensor], kLoad, kOptions, kSeed);
    settings = Settings(trial.truth);  // the same load for all
    figure.script += SensorBlock(sensor, trial);
    plot += fmt::format(", $sensor{0} using 1:2:3:4 with yerrorbars pt {1} ps 0.7 lw 1.5 lc rgb '{2}' title {3}",
                        sensor, kPointTypes[sensor], kSeriesColours[sensor], GnuplotQuoted(kinds[sensor].name));
  }
  figure.script += settings + plot + '\n';
  figure.height_px = 520;
  return figure;
}

}  // namespace
}  // namespace heliograd::bench

int main(int count, char** arguments) {
  if (count != 2) {
    std::cerr << "usage: attribution_figure FILE.svg\n";
    return 2;
  }
  const auto written = heliograd::WriteFigure(heliograd::bench::Draw(), arguments[1]);
  if (written) return 0;
  std::cerr << "attribution_figure: " << written.error().Message() << '\n';
  return 1;
}

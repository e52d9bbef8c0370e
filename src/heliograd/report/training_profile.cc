#include "heliograd/report/training_profile.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "heliograd/report/number_text.h"
#include "heliograd/report/palette.h"
#include "heliograd/report/text_table.h"

namespace heliograd {
namespace {

constexpr int kWidth = 1000;

/// "12.3 J", "4.56 mJ": steps and layers run over six orders of magnitude.
std::string JouleText(Energy energy) {
  const double joules = InJoules(energy);
  const double size = std::abs(joules);
  if (size >= 1 || size == 0) return fmt::format("{:.3g} J", joules);
  if (size >= 1e-3) return fmt::format("{:.3g} mJ", 1e3 * joules);
  return fmt::format("{:.3g} uJ", 1e6 * joules);
}

std::string MillisecondText(Duration duration) { return fmt::format("{:.4g} ms", 1e3 * InSeconds(duration)); }

std::string MacText(int64_t macs) {
  if (macs == 0) return "";
  const double count = static_cast<double>(macs);
  if (count >= 1e9) return fmt::format("{:.4g} G", count / 1e9);
  return fmt::format("{:.4g} M", count / 1e6);
}

double RelativeHalf(const ProfiledEnergy& energy) {
  const double middle = std::abs(InJoules(energy.energy));
  return middle > 0 ? InJoules(energy.high - energy.low) / 2 / middle : 0;
}

std::string HalfText(const ProfiledEnergy& energy) {
  const double half = RelativeHalf(energy);
  return half > 1 ? "over 100 %" : fmt::format("+-{:.1f} %", 100 * half);
}

std::string Headline(const TrainingProfile& profile) {
  return fmt::format("{} ({:.1f} M parameters, {} MAC an image) on {}, batch {}, {} {}, {} mode, torch {}",
                     profile.network, static_cast<double>(profile.parameters) / 1e6, MacText(profile.macs),
                     profile.data_set, profile.batch, profile.iterations,
                     profile.iterations == 1 ? "iteration" : "iterations", profile.mode, profile.torch_version);
}

std::string LimitText(const TrainingProfile& profile) {
  return fmt::format("power limit {:g} W{}", InWatts(*profile.limit),
                     profile.sm_clock_mhz ? fmt::format(", mean SM clock {:.0f} MHz", *profile.sm_clock_mhz) : "");
}

std::string Learning(const TrainingProfile& profile) {
  return fmt::format(
      "loss {:.3f} at first, {:.3f} at last, accuracy {} of the last batches; {:.4g} images/s (the loader alone gives "
      "{:.4g})",
      profile.first_loss, profile.last_loss, PercentText(profile.last_accuracy), profile.images_per_second,
      profile.loader_images_per_second);
}

std::string StepsText(const TrainingProfile& profile, const TerminalStyle& style) {
  TextTable table(
      {{"step", Align::kLeft}, {"time"}, {"energy"}, {"interval"}, {"share"}, {"", Align::kLeft, true, true}});
  for (const ProfiledStep& step : profile.steps) {
    const bool known = step.energy && step.identifiable;
    table.AddRow({step.name, MillisecondText(step.duration), step.energy ? JouleText(step.energy->energy) : "-",
                  step.energy ? HalfText(*step.energy) : "-",
                  step.share ? fmt::format("{:.1f} +-{:.1f} %", 100 * *step.share, 100 * *step.share_half_width) : "-",
                  known ? "" : step.why},
                 known ? Ink::kPlain : Ink::kDim);
  }
  std::string text = fmt::format("Energy per step, {} power, one iteration of {}{}\n",
                                 PowerSourceName(profile.power_source), MillisecondText(profile.iteration),
                                 profile.iteration_energy ? " and " + JouleText(profile.iteration_energy->energy) +
                                                                " " + HalfText(*profile.iteration_energy)
                                                          : "");
  text += table.Draw(style);
  for (const std::string& pooled : profile.pooled) text += Paragraph("together: " + pooled, style, 2);
  if (!profile.refusal.empty()) text += Paragraph("not to be relied on: " + profile.refusal, style, 2);
  if (profile.closure) {
    text += Paragraph(
        fmt::format("the steps' sum is {:+.2f} % off {}", 100 * *profile.closure,
                    profile.closure_tells ? "the sensor's own mean"
                                          : "the sensor's own mean, with which it agrees by construction: no proof"),
        style, 2);
  }
  return text;
}

std::string OperatorsText(const TrainingProfile& profile, const TerminalStyle& style) {
  constexpr size_t kShown = 12;
  double all_s = 0;
  for (const ProfiledOperator& one : profile.operators) all_s += InSeconds(one.time);
  TextTable table({{"operator", Align::kLeft}, {"", Align::kLeft}, {"calls"}, {"time"}, {"share"}});
  for (size_t i = 0; i < std::min(kShown, profile.operators.size()); ++i) {
    const ProfiledOperator& one = profile.operators[i];
    const double iterations = static_cast<double>(profile.operator_iterations);
    table.AddRow({one.name, one.backward ? "backward" : "",
                  fmt::format("{:g}", static_cast<double>(one.calls) / iterations),
                  MillisecondText(one.time / iterations), PercentText(InSeconds(one.time) / all_s)});
  }
  return "Time of operators as they ran in training, on the host, of one iteration\n" + table.Draw(style);
}

std::string SumText(const char* direction, const LayerSum& sum) {
  return fmt::format(
      "{}: the layers' sum is {:.3f} +-{:.3f} of the whole network's{}", direction, sum.ratio, sum.half_width,
      sum.isolated ? "; more than 5 % apart: these are layers in isolation, not within an iteration" : "");
}

std::string LayersText(const TrainingProfile& profile, const TerminalStyle& style) {
  TextTable table({{"layer", Align::kLeft},
                   {"type", Align::kLeft},
                   {"MAC"},
                   {"forward"},
                   {"net"},
                   {"interval"},
                   {"pJ/MAC"},
                   {"backward"},
                   {"", Align::kLeft, true, true}});
  for (const ProfiledLayer& layer : profile.layers) {
    const bool has_macs = layer.forward && layer.macs > 0;
    table.AddRow(
        {layer.name, layer.type, MacText(layer.macs), layer.forward ? JouleText(layer.forward->energy.energy) : "-",
         layer.forward ? JouleText(layer.forward->net.energy) : "-",
         layer.forward ? HalfText(layer.forward->energy) : "-",
         has_macs
             ? fmt::format("{:.3g}", 1e12 * InJoules(layer.forward->energy.energy) / static_cast<double>(layer.macs))
             : "",
         layer.backward ? JouleText(layer.backward->energy.energy) : "-", layer.why});
  }
  std::string text = fmt::format("Energy per layer, {} power, each alone in a loop, one batch of {}\n",
                                 PowerSourceName(profile.power_source), profile.batch);
  text += table.Draw(style);
  if (profile.forward_sum) text += Paragraph(SumText("forward", *profile.forward_sum), style, 2);
  if (profile.backward_sum) text += Paragraph(SumText("backward", *profile.backward_sum), style, 2);
  return text;
}

std::string TitleOf(const TrainingProfile& profile, const char* what) {
  return fmt::format("{} of {} on {}, batch {}, {} ({} power)", what, profile.network, profile.data_set, profile.batch,
                     profile.device, PowerSourceName(profile.power_source));
}

/// Where no bar is known the axis is fixed, for gnuplot refuses to find a range for nothing.
std::string BarSetup(std::string title, size_t bars, const char* ylabel, bool any_known) {
  if (!any_known) title += "\nno energy was resolved: measure for longer";
  return fmt::format(
      "set title {} textcolor rgb '{}' font ',15'\nset border 3 lc rgb '{}'\nset tics nomirror out scale 0.5 textcolor "
      "rgb "
      "'{}'\nset grid ytics lc rgb '{}' lw 0.5\nset style fill solid 1.0 noborder\nset ylabel '{}'\nset yrange [0:{}]\n"
      "set xrange [-0.6:{}]\nset key outside bottom center horizontal Left reverse samplen 2 textcolor rgb '{}'\n",
      GnuplotQuoted(title), kTextColour, kTextColour, kTextColour, kGuideColour, ylabel, any_known ? "*" : "1",
      static_cast<double>(bars) - 0.4, kTextColour);
}

std::string Row(size_t index, const std::string& name, const std::optional<ProfiledEnergy>& first,
                const std::optional<ProfiledEnergy>& second) {
  const auto columns = [](const std::optional<ProfiledEnergy>& energy) {
    return energy ? fmt::format("{:.9g} {:.9g} {:.9g}", InJoules(energy->energy), InJoules(energy->low),
                                InJoules(energy->high))
                  : std::string("NaN NaN NaN");
  };
  std::string safe = name;
  std::replace(safe.begin(), safe.end(), '"', '\'');
  return fmt::format("{} \"{}\" {} {}\n", index, safe, columns(first), columns(second));
}

}  // namespace

std::string PowerSourceName(PowerSource source) { return source == PowerSource::kMeasured ? "measured" : "simulated"; }

std::string TrainingProfileText(const TrainingProfile& profile, const TerminalStyle& style) {
  std::string text = Paragraph(Headline(profile), style, 2);
  text += Paragraph("on " + profile.device + "; power: " + profile.power_meter, style, 2);
  if (profile.limit) text += Paragraph(LimitText(profile), style, 2);
  if (profile.iterations > 0) text += Paragraph(Learning(profile), style, 2);
  if (!profile.steps.empty()) text += "\n" + StepsText(profile, style);
  if (!profile.operators.empty()) text += "\n" + OperatorsText(profile, style);
  if (!profile.layers.empty()) text += "\n" + LayersText(profile, style);
  std::string honesty = fmt::format("Times are measured, power is {}.", PowerSourceName(profile.power_source));
  if (profile.gain_half_width > 0) {
    honesty += fmt::format(
        " Intervals hold the truth in 95 of 100 runs and include the sensor's gain, +-{:.1f} %, which "
        "all energies share: shares are free of it.",
        100 * profile.gain_half_width);
  }
  text += "\n" + Paragraph(honesty, style);
  for (const std::string& note : profile.notes) text += Paragraph("note: " + note, style, 2);
  return text;
}

Figure StepFigure(const TrainingProfile& profile) {
  std::string data = "$steps << EOD\n";
  for (size_t i = 0; i < profile.steps.size(); ++i) {
    data += Row(i, profile.steps[i].name, profile.steps[i].energy, std::nullopt);
  }
  data += "EOD\n";
  const bool any_known =
      std::any_of(profile.steps.begin(), profile.steps.end(), [](const auto& step) { return step.energy.has_value(); });
  return {
      data + BarSetup(TitleOf(profile, "Energy per step"), profile.steps.size(), "energy, J per iteration", any_known) +
          fmt::format("plot $steps using 1:3:(0.7):xtic(2) with boxes lc rgb '{}' title 'energy', \\\n"
                      "  $steps using 1:4:(0):($5-$4) with vectors nohead lw 2 lc rgb '{}' title '95 % interval'\n",
                      kGridColour, kTextColour),
      kWidth, 560};
}

Figure LayerFigure(const TrainingProfile& profile) {
  std::string data = "$layers << EOD\n";
  for (size_t i = 0; i < profile.layers.size(); ++i) {
    const ProfiledLayer& layer = profile.layers[i];
    data += Row(i, layer.name, layer.forward ? std::optional(layer.forward->energy) : std::nullopt,
                layer.backward ? std::optional(layer.backward->energy) : std::nullopt);
  }
  data += "EOD\n";
  const bool any_known = std::any_of(profile.layers.begin(), profile.layers.end(),
                                     [](const ProfiledLayer& layer) { return layer.forward || layer.backward; });
  return {
      data + BarSetup(TitleOf(profile, "Energy per layer"), profile.layers.size(), "energy, J per batch", any_known) +
          fmt::format(
              "set xtics rotate by -60 left font ',9'\nset bmargin 11\n"
              "plot $layers using ($1-0.2):3:(0.38) with boxes lc rgb '{0}' title 'forward', \\\n"
              "  $layers using ($1+0.2):6:(0.38):xtic(2) with boxes lc rgb '{1}' title 'backward', \\\n"
              "  $layers using ($1-0.2):4:(0):($5-$4) with vectors nohead lw 1.5 lc rgb '{2}' title '95 % interval', "
              "\\\n  $layers using ($1+0.2):7:(0):($8-$7) with vectors nohead lw 1.5 lc rgb '{2}' notitle\n",
              kGridColour, kPvColour, kTextColour),
      kWidth, 640};
}

}  // namespace heliograd

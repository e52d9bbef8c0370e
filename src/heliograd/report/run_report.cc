#include "heliograd/report/run_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <tuple>

#include "heliograd/base/time.h"
#include "heliograd/report/channel_ticks.h"
#include "heliograd/report/number_text.h"
#include "heliograd/report/palette.h"
#include "heliograd/report/text_table.h"

namespace heliograd {
namespace {

constexpr char kWholeRun[] = "run";  // the window that `measure` sets around a command

double Seconds(int64_t from_ns, int64_t until_ns) { return static_cast<double>(until_ns - from_ns) * 1e-9; }

std::string Joules(Energy energy) { return fmt::format("{:.4g} J", InJoules(energy)); }

/// "+- 5.1 %" of the energy.
std::string HalfWidth(Energy low, Energy high, Energy energy) {
  if (high - low >= energy * 2) return "over 100 %";
  return fmt::format("+- {:.1f} %", 50 * (InJoules(high) - InJoules(low)) / InJoules(energy));
}

std::string Heading(const RunReport& report) {
  std::string command = "a program that marked windows";
  for (const auto& [key, value] : report.facts) {
    if (key == "command" && !value.empty() && value != "libheliograd") command = value;
  }
  return fmt::format("{}\n{} from {}\n\n", command,
                     DurationText(heliograd::Seconds(std::round(10 * Seconds(report.begin_ns, report.end_ns)) / 10)),
                     FormatStamp(Stamp(std::chrono::nanoseconds(report.begin_ns))));
}

std::string DevicesText(const RunReport& report, const TerminalStyle& style) {
  TextTable table(
      {{"device", Align::kLeft, true}, {"energy"}, {"95 %"}, {"mean"}, {"peak"}, {"by", Align::kLeft, true}});
  for (const DeviceEnergy& energy : report.energies) {
    table.AddRow({energy.device.name, Joules(energy.energy), HalfWidth(energy.low, energy.high, energy.energy),
                  PowerText(energy.mean), PowerText(energy.peak), energy.method});
  }
  return table.Draw(style);
}

std::string WindowsText(const WindowSummary& windows, const TerminalStyle& style) {
  if (windows.names.empty()) return "";
  TextTable table({{"window", Align::kLeft, true},
                   {"times"},
                   {"each"},
                   {"energy"},
                   {"95 %"},
                   {"share"},
                   {"", Align::kLeft, true, true}});
  for (const NameSummary& name : windows.names) {
    for (const NameEnergy& energy : name.devices) {
      std::string label;
      for (int depth = 0; depth < name.depth; ++depth) label += "- ";
      label += name.name;
      if (name.devices.size() > 1) label += fmt::format(" (device {})", energy.device);
      const double each_s = InSeconds(name.duration) / static_cast<double>(name.count);
      const bool known = energy.identifiable;
      table.AddRow({label, std::to_string(name.count), fmt::format("{:.4g} s", each_s),
                    known ? Joules(energy.energy) : "?", known ? HalfWidth(energy.low, energy.high, energy.energy) : "",
                    known && energy.share ? PercentText(*energy.share) : "", energy.why});
    }
  }
  return fmt::format("\n{}", table.Draw(style));
}

std::string NotesText(const RunReport& report, const TerminalStyle& style) {
  std::string text;
  const auto add = [&](const std::string& sentence) { text += Paragraph(fmt::format("- {}", sentence), style, 2); };
  for (const DeviceEnergy& energy : report.energies) {
    for (const std::string& remark : energy.remarks) add(energy.device.name + ": " + remark);
  }
  for (const LevelSummary& level : report.windows.levels) {
    if (level.closure_tells) {
      add(fmt::format("windows of level {} and what lies between add up to {:+.2f} % of what the device needed",
                      level.depth, 100 * level.closure));
    }
  }
  for (const Gap& gap : report.gaps) {
    const ChannelRecord& channel = report.channels[static_cast<size_t>(gap.channel)];
    add(fmt::format("nothing is known of {} of device {} for {:.2f} s from {}: {}", ChannelName(channel.kind),
                    channel.device, Seconds(gap.begin_ns, gap.end_ns),
                    FormatStamp(Stamp(std::chrono::nanoseconds(gap.begin_ns))), gap.reason));
  }
  for (const Remark& remark : report.remarks) {
    add(FormatStamp(Stamp(std::chrono::nanoseconds(remark.at_ns))) + ": " + remark.text);
  }
  for (const std::vector<std::string>* notes : {&report.windows.notes, &report.notes}) {
    for (const std::string& note : *notes) add(note);
  }
  return text.empty() ? "" : "\n" + text;
}

/// Takes `measure`'s own window out, which is no part of the program.
std::optional<WindowMark> TakeWholeRun(WindowSummary& summary, const std::vector<WindowMark>& windows) {
  for (const WindowMark& window : windows) {
    if (window.name != kWholeRun || window.thread != 0) continue;
    std::erase_if(summary.names,
                  [](const NameSummary& name) { return name.name == kWholeRun && name.count == 1 && name.depth == 0; });
    return window;
  }
  return std::nullopt;
}

/// From the first begin to the last end.
std::pair<int64_t, int64_t> SpanOf(const std::vector<WindowMark>& windows) {
  std::pair<int64_t, int64_t> span = {windows.front().begin_ns, windows.front().end_ns};
  for (const WindowMark& window : windows) {
    span = {std::min(span.first, window.begin_ns), std::max(span.second, window.end_ns)};
  }
  return span;
}

/// Lowest, mean and highest power over each column of time.
struct PowerColumns {
  std::vector<double> low, sum, high, seconds;

  explicit PowerColumns(size_t count) : low(count, 1e300), sum(count, 0), high(count, 0), seconds(count, 0) {}

  /// A reading that holds from begin to end, both in columns.
  void Add(double begin, double end, double power_w) {
    const double last = static_cast<double>(low.size());
    begin = std::clamp(begin, 0.0, last);
    end = std::clamp(end, 0.0, last);
    for (auto c = static_cast<size_t>(begin); c < low.size() && static_cast<double>(c) < end; ++c) {
      const double part = std::min(end, static_cast<double>(c + 1)) - std::max(begin, static_cast<double>(c));
      sum[c] += part * power_w;
      seconds[c] += part;
      low[c] = std::min(low[c], power_w);
      high[c] = std::max(high[c], power_w);
    }
  }
};

std::string PowerBlock(int number, const ChannelSeries& series, const RunReport& report) {
  constexpr size_t kColumns = 500;
  const double length_s = Seconds(report.begin_ns, report.end_ns);
  const double column_s = length_s / kColumns;
  PowerColumns columns(kColumns);
  for (size_t i = 0; i < series.samples.size(); ++i) {
    const Sample& sample = series.samples[i];
    const bool goes_on = i + 1 < series.samples.size() && series.samples[i + 1].changed;
    const int64_t until_ns = goes_on ? series.samples[i + 1].first_ns : sample.last_ns;
    columns.Add(Seconds(report.begin_ns, sample.first_ns) / column_s, Seconds(report.begin_ns, until_ns) / column_s,
                InSiUnits(series.kind, sample.value));
  }
  std::string block = fmt::format("$power{} << EOD\n", number);
  for (size_t c = 0; c < kColumns; ++c) {
    if (columns.seconds[c] <= 0) {
      block += "\n";  // an empty line breaks the curve where nothing is known
      continue;
    }
    block += fmt::format("{:.6g} {:.5g} {:.5g} {:.5g}\n", (static_cast<double>(c) + 0.5) * column_s, columns.low[c],
                         columns.sum[c] / columns.seconds[c], columns.high[c]);
  }
  return block + "EOD\n";
}

const ChannelSeries* PowerOf(const std::vector<ChannelSeries>& all) {
  for (const ChannelKind kind : {ChannelKind::kPowerInstant, ChannelKind::kPowerAverage}) {
    for (const ChannelSeries& series : all) {
      if (series.kind == kind && !series.samples.empty()) return &series;
    }
  }
  return nullptr;
}

}  // namespace

Result<RunReport> MakeRunReport(const RunReader& run, std::span<const DeviceCalibration> calibrations) {
  const auto facts = run.Facts();
  const auto extent = run.Extent();
  const auto gaps = run.Gaps();
  const auto windows = run.Windows();
  const auto remarks = run.Remarks();
  const auto channels = run.Channels();
  auto summary = SummariseWindows(run, calibrations);
  if (!facts) return Fail(facts.error());
  if (!extent) return Fail(extent.error());
  if (!gaps) return Fail(gaps.error());
  if (!windows) return Fail(windows.error());
  if (!remarks) return Fail(remarks.error());
  if (!channels) return Fail(channels.error());
  if (!summary) return Fail(summary.error());
  if (!*extent) return Fail("the run holds no sample: it ended before its sensors gave a value");
  RunReport report;
  report.facts = *facts;
  report.windows = std::move(*summary);
  const std::optional<WindowMark> whole = TakeWholeRun(report.windows, *windows);
  std::tie(report.begin_ns, report.end_ns) = **extent;
  if (!windows->empty()) std::tie(report.begin_ns, report.end_ns) = SpanOf(*windows);
  if (whole) std::tie(report.begin_ns, report.end_ns) = std::pair(whole->begin_ns, whole->end_ns);
  report.gaps = *gaps;
  report.channels = *channels;
  report.remarks = *remarks;
  auto energies =
      EnergyBetween(run, report.begin_ns, report.end_ns, report.notes, {calibrations.begin(), calibrations.end()});
  if (!energies) return Fail(energies.error());
  report.energies = std::move(*energies);
  return report;
}

std::string RunReportText(const RunReport& report, const TerminalStyle& style) {
  return Heading(report) + DevicesText(report, style) + WindowsText(report.windows, style) + NotesText(report, style) +
         "\n" +
         Paragraph(
             "Measured. Intervals hold the truth in 95 of 100 runs; the sensor's gain, the same factor in every energy "
             "of a device, is in them.",
             style);
}

Result<Figure> PowerFigure(const RunReader& run, const RunReport& report) {
  const auto facts = run.Facts();
  const auto devices = run.Devices();
  if (!facts) return Fail(facts.error());
  if (!devices) return Fail(devices.error());
  const RecordedInterval interval = {report.begin_ns, report.end_ns, PollSeconds(*facts)};
  std::string blocks, plots;
  for (size_t device = 0; device < devices->size(); ++device) {
    const auto all = ReadDevice(run, report.channels, static_cast<int>(device), interval);
    if (!all) return Fail(all.error());
    const ChannelSeries* power = PowerOf(*all);
    if (power == nullptr) continue;
    const char* colour = kSeriesColours[device % kSeriesColours.size()];
    blocks += PowerBlock(static_cast<int>(device), *power, report);
    plots += fmt::format(
        "{}$power{} using 1:2:4 with filledcurves fs transparent solid 0.25 noborder lc rgb '{}' notitle, "
        "'' using 1:3 with lines lw 1.5 lc rgb '{}' title {}",
        plots.empty() ? "plot " : ", ", device, colour, colour, GnuplotQuoted((*devices)[device].name));
  }
  if (plots.empty()) return Fail("no device of this run gives power readings: there is nothing to draw");
  const double length_s = Seconds(report.begin_ns, report.end_ns);
  return Figure{
      fmt::format("{}set xlabel 'seconds from the start'\nset ylabel 'power, W (band: lowest to highest "
                  "reading)'\nset border 3 lc rgb '{}'\nset tics nomirror out scale 0.5 textcolor rgb "
                  "'{}'\nset grid ytics lc rgb '{}' lw 0.5\nset key outside above right\nset yrange [0:*]\nset xrange "
                  "[0:{}]\n{}\n",
                  blocks, kTextColour, kTextColour, kGuideColour, length_s, plots),
      1000, 420};
}

}  // namespace heliograd

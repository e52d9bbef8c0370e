// `heliograd calibrate`: finds how a card's power sensor looks at time, and keeps it for later measurements.
#include <fmt/format.h>
#include <unistd.h>

#include <memory>
#include <nlohmann/json.hpp>

#include "heliograd/app/calibration_run.h"
#include "heliograd/app/calibration_store.h"
#include "heliograd/app/command_line.h"
#include "heliograd/app/interrupt.h"
#include "heliograd/app/sources.h"
#include "heliograd/meter/nvml_meter.h"
#include "heliograd/model/statistics.h"
#include "heliograd/report/terminal_style.h"
#include "heliograd/report/text_table.h"

namespace heliograd {
namespace {

using Json = nlohmann::ordered_json;

constexpr double kDisagreement = 0.05;  // between counter and readings, beyond which one of them is wrong

struct CalibrateFlags {
  std::string gpus;
  double seconds = 60;
  bool json = false;
};

/// A card that was calibrated, and where that is kept.
struct Kept {
  DeviceCalibration calibration;
  std::string file;
};

/// One line on a terminal's standard error that is drawn over and goes away.
class ProgressLine {
 public:
  ~ProgressLine() {
    if (drawn_) Write("\r\x1b[K");
  }
  void Show(const std::string& device, const std::string& stage, double share) {
    if (isatty(STDERR_FILENO) == 0) return;
    Write(fmt::format("\r\x1b[K{}: {}, {:.0f} %", device, stage, 100 * std::min(share, 1.0)));
    drawn_ = true;
  }

 private:
  static void Write(const std::string& text) { static_cast<void>(!write(STDERR_FILENO, text.data(), text.size())); }
  bool drawn_ = false;
};

/// What the figures mean for use, a sentence each, the most important first.
std::vector<std::string> Advice(const DeviceCalibration& calibration) {
  std::vector<std::string> advice;
  const double duty = calibration.power.timing.Duty();
  const bool counter_sees_all = calibration.counter_sight == CounterSight::kSeesAll;
  if (calibration.power.long_average) {
    advice.push_back(
        "the sensor averages over many of its updates, so phases within a step cannot be timed in place: measure each "
        "in a loop of 5 s");
  }
  if (calibration.counter_sight == CounterSight::kBlind) {
    advice.push_back(
        fmt::format("the counter is no better than the readings it adds up: it misses {:.0f} % of the time, so a load "
                    "that repeats in step with the sensor is measured wrong; give it random pauses of some percent",
                    100 * (1 - duty)));
  }
  if (calibration.counter_sight == CounterSight::kNoDifference && duty < 1 && calibration.counter) {
    advice.push_back(
        "whether the counter sees all is undecided, so it counts as blind: calibrate for longer (--seconds "
        "180), with nothing else on the card");
  }
  if (counter_sees_all) {
    advice.push_back("the counter sees all energy: it is what `measure` goes by");
  }
  if (duty < 1 && !counter_sees_all && !calibration.counter) {
    advice.push_back(
        fmt::format("there is no usable counter and the sensor sees {:.0f} % of the time: measure for "
                    "minutes, with random pauses between repetitions",
                    100 * duty));
  }
  if (duty >= 1 && !calibration.power.long_average) {
    advice.push_back("the sensor looks all the time: counter and integral are worth the same");
  }
  const auto ratio = calibration.counter_over_readings;
  if (ratio && std::abs(*ratio - 1) > kDisagreement) {
    advice.push_back(
        fmt::format("counter and readings disagree by {:+.1f} %: one of the two is wrong, and only an "
                    "external meter tells which",
                    100 * (*ratio - 1)));
  }
  advice.push_back(
      "gain and offset stay uncalibrated (+-5 % of every energy of this card): they take an external meter");
  return advice;
}

std::string Milliseconds(double seconds, double sd_s) {
  return fmt::format("{:.2f} +- {:.2f} ms", 1e3 * seconds, 1e3 * kNormal975 * sd_s);
}

std::string AsText(const Kept& kept, const TerminalStyle& style) {
  const DeviceCalibration& found = kept.calibration;
  const SensorTiming& timing = found.power.timing;
  const auto line = [&](std::string_view name, const std::string& value) {
    return "  " + Paragraph(fmt::format("{}: {}", name, value), style, 6);
  };
  std::string text = fmt::format("{} ({}), {}\n", found.device.name, found.device.uuid, found.device.driver);
  text += line("period", fmt::format("{:.2f} ms between two updates of its power sensor", 1e3 * timing.period_s));
  text += line("window",
               timing.contiguous
                   ? "the whole period: each reading begins where the last one ended"
                   : fmt::format("{}, {}", Milliseconds(timing.window_s, timing.window_sd_s),
                                 timing.Duty() < 1 ? fmt::format("{:.0f} % of the time is seen", 100 * timing.Duty())
                                                   : "longer than the period: a running average"));
  text += line("lag", fmt::format("{} from the end of the window until the value appears",
                                  Milliseconds(timing.lag_s, timing.lag_sd_s)));
  text += line("low pass", Milliseconds(timing.low_pass_s, timing.low_pass_sd_s) + " before the window");
  text += line("delay", fmt::format("{}: lag and low pass together; any step of power is known in time to {:.1f} ms at "
                                    "best, for power ramps up within about 1 ms",
                                    Milliseconds(timing.lag_s + timing.low_pass_s, found.power.delay_sd_s),
                                    1e3 * kNormal975 * timing.step_sd_s));
  text += line("load", fmt::format("{:.1f} +- {:.1f} W busy, {:.1f} +- {:.1f} W between bursts, as the sensor shows "
                                   "them; the fit explains {:.1f} % of {} readings",
                                   InWatts(found.power.busy), kNormal975 * InWatts(found.power.busy_sd),
                                   InWatts(found.power.idle), kNormal975 * InWatts(found.power.idle_sd),
                                   100 * found.power.explained, found.power.readings));
  if (!found.counter_evidence.empty()) {
    text += line("counter", found.counter_sight == CounterSight::kSeesAll ? "sees all: " + found.counter_evidence
                            : found.counter_sight == CounterSight::kBlind ? "blind: " + found.counter_evidence
                                                                          : found.counter_evidence);
  }
  for (const std::string& sentence : Advice(found)) text += "  " + Paragraph("- " + sentence, style, 4);
  return text + "  " + Paragraph("kept in " + kept.file, style, 4);
}

Json WithHalfWidth(double seconds, double sd_s) {
  return {{"ms", 1e3 * seconds}, {"half_width_ms", 1e3 * kNormal975 * sd_s}};
}

Json AsJson(const Kept& kept) {
  const DeviceCalibration& found = kept.calibration;
  const SensorTiming& timing = found.power.timing;
  const auto watts = [](Power power, Power sd) {
    return Json{{"w", InWatts(power)}, {"half_width_w", kNormal975 * InWatts(sd)}};
  };
  Json json = {{"uuid", found.device.uuid},
               {"name", found.device.name},
               {"driver", found.device.driver},
               {"made", FormatStamp(found.made)},
               {"obtained", "measured"},
               {"power_channel", ChannelName(found.power_channel)},
               {"period_ms", 1e3 * timing.period_s},
               {"window", WithHalfWidth(timing.window_s, timing.window_sd_s)},
               {"contiguous", timing.contiguous},
               {"duty_percent", 100 * timing.Duty()},
               {"long_average", found.power.long_average},
               {"lag", WithHalfWidth(timing.lag_s, timing.lag_sd_s)},
               {"low_pass", WithHalfWidth(timing.low_pass_s, timing.low_pass_sd_s)},
               {"delay", WithHalfWidth(timing.lag_s + timing.low_pass_s, found.power.delay_sd_s)},
               {"step_half_width_ms", 1e3 * kNormal975 * timing.step_sd_s},
               {"busy", watts(found.power.busy, found.power.busy_sd)},
               {"idle", watts(found.power.idle, found.power.idle_sd)},
               {"readings", found.power.readings},
               {"explained", found.power.explained}};
  json["counter"] = {
      {"sight", CounterSightName(found.counter_sight)},
      {"evidence", found.counter_evidence},
      {"over_readings", found.counter_over_readings ? Json(*found.counter_over_readings) : Json()},
      {"period_ms", found.counter ? Json(1e3 * found.counter->period_s) : Json()},
      {"delay_ms", found.counter ? Json(1e3 * (found.counter->lag_s + found.counter->low_pass_s)) : Json()}};
  json["gain_calibrated"] = false;
  json["advice"] = Advice(found);
  json["file"] = kept.file;
  return json;
}

Result<Kept> CalibrateCard(const std::shared_ptr<NvmlLibrary>& library, nvml::Device device, double seconds) {
  Result<std::unique_ptr<PowerMeter>> meter = OpenNvmlMeter(library, device);
  if (!meter) return Fail(meter.error());
  const DeviceRecord record = (*meter)->Device();
  Result<std::unique_ptr<BurstLoad>> load = BurstLoad::Open(record.uuid);
  if (!load) return Fail(load.error());
  PrintMessage(fmt::format("{}: bursts for {:.0f} s, then up to 20 s locked to its sensor; let nothing else run on it",
                           record.name, seconds));
  ProgressLine line;
  CalibrationOptions options;
  options.bursts = Seconds(seconds);
  options.progress = [&](const std::string& stage, double share) { line.Show(record.name, stage, share); };
  Result<DeviceCalibration> found = Calibrate(std::move(*meter), **load, options);
  if (!found) return Fail(found.error());
  const Result<std::string> file = SaveCalibration(*found);
  if (!file) return Fail(file.error());
  return Kept{*std::move(found), *file};
}

Result<int> CalibrateCards(const CalibrateFlags& flags) {
  const Result<SelectedGpus> gpus = SelectGpus(flags.gpus);
  if (!gpus) return Fail(gpus.error());
  if (Result<void> prepared = PrepareCalibrationFolder(); !prepared) return Fail(prepared.error());
  CatchInterrupts();
  std::vector<Kept> all;
  std::optional<Error> first_failure;
  Json failures = Json::array();
  for (nvml::Device device : gpus->devices) {
    Result<Kept> kept = CalibrateCard(gpus->library, device, flags.seconds);
    if (kept) {
      all.push_back(*std::move(kept));
      continue;
    }
    PrintMessage(kept.error().Message());
    failures.push_back(kept.error().Message());
    if (!first_failure) first_failure = kept.error();
    if (Interrupted()) break;
  }
  std::string text;
  if (flags.json) {
    Json cards = Json::array();
    for (const Kept& kept : all) cards.push_back(AsJson(kept));
    text = Json{{"cards", cards}, {"failures", failures}}.dump(2) + "\n";
  } else {
    const TerminalStyle style = DetectTerminal(1);
    for (const Kept& kept : all) text += AsText(kept, style);
    if (!all.empty()) {
      text +=
          "Intervals hold the truth in 95 of 100 calibrations. Next: `heliograd measure -- COMMAND`, which uses this\n"
          "from now on, as `heliograd report` and windows do.\n";
    }
  }
  if (!text.empty()) {
    if (Result<void> printed = Print(text); !printed) return Fail(printed.error());
  }
  return first_failure ? static_cast<int>(first_failure->kind) : kExitOk;
}

}  // namespace

void AddCalibrateCommand(CLI::App& program, Commands& commands) {
  CLI::App* app = AddCommand(program, "calibrate",
                             "Finds how a GPU's power sensor looks at time, and keeps it for later measurements",
                             {"heliograd calibrate", "heliograd calibrate --gpu 0 --json"});
  auto flags = std::make_shared<CalibrateFlags>();
  app->add_option("--gpu", flags->gpus,
                  "GPUs by number or start of UUID, comma-separated (default: all visible to CUDA), one after another");
  app->add_option("--seconds", flags->seconds, "time of bursts on each GPU")
      ->check(CLI::Range(10.0, 3600.0))
      ->capture_default_str();
  app->add_flag("--json", flags->json, "machine-readable output");
  commands.push_back({app, [flags] { return CalibrateCards(*flags); }});
}

}  // namespace heliograd

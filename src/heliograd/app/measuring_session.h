// Measuring from within a program: what libheliograd.so does behind its C interface.
//
// Enters: windows that the program opens and closes. Leaves: their energies. Marking a window costs a lock that is held
// for some tens of nanoseconds and never waits for the disk or the device; energies are worked out when asked for.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "heliograd/app/calibration_store.h"
#include "heliograd/app/recording.h"
#include "heliograd/base/result.h"
#include "heliograd/report/device_ticks.h"
#include "heliograd/report/run_energy.h"
#include "heliograd/report/window_summary.h"

namespace heliograd {

struct SessionOptions {
  SourceSelection sources;
  RecordingOptions recording;
};

/// Every function may be called from any thread; none while Close runs.
class MeasuringSession {
 public:
  static Result<std::unique_ptr<MeasuringSession>> Open(SessionOptions options);

  /// Ends measuring. Errors: the last part of the recording could not be kept.
  Result<void> Close();

  /// Nanoseconds of UNIX time, never jumping.
  int64_t NowNs() const { return recording_->NowNs(); }

  /// The window's number. Errors (kUsage): a name that is empty, longer than 200 bytes, or kRestName.
  Result<int64_t> Begin(std::string_view name);
  /// Errors (kUsage): no such window, or it is closed already.
  Result<void> End(int64_t window);
  /// A window with stamps known otherwise. Errors (kUsage): as Begin, and an end that is not after the begin.
  Result<int64_t> Add(std::string_view name, int64_t begin_ns, int64_t end_ns, int depth);
  /// The calling thread's open windows.
  int Depth();
  /// Sleeps at random for 0 to 2 x `fraction` of the time since the thread's last rest ended; gives the time slept.
  /// Errors (kUsage): a fraction that is not within 0 to 0.5.
  Result<std::chrono::nanoseconds> Rest(double fraction);

  const std::vector<DeviceRecord>& Devices() const { return devices_; }
  /// Errors (kUsage): no such window or device, or the window is still open; (kDevice): the device gave too little.
  Result<DeviceEnergy> WindowEnergy(int64_t window, int device);
  Result<WindowSummary> Summary();
  /// The readings of a calibrated device between two stamps. Errors: no such device, no usable calibration of it (then
  /// `heliograd calibrate` is named), or too few readings.
  Result<DeviceTicks> Ticks(int device, int64_t begin_ns, int64_t end_ns);
  /// How the sensor of a calibrated device looks by which short windows are told apart; nothing without a usable
  /// calibration.
  std::optional<SensorTiming> Timing(int device) const;
  /// The mean SM clock of a device between two stamps, in MHz; nothing where it is not recorded (SourceSelection).
  /// Errors: no such device, the recording cannot be read.
  Result<std::optional<double>> MeanSmClock(int device, int64_t begin_ns, int64_t end_ns);

 private:
  struct Window {
    uint32_t name;
    int depth;
    int64_t thread;
    int64_t begin_ns;
    int64_t end_ns;  // 0 while it is open
  };
  struct Rested {
    int64_t until_ns;
  };
  struct TextHash {
    using is_transparent = void;
    size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
  };

  explicit MeasuringSession(std::vector<std::string> absent) : absent_(std::move(absent)) {}
  uint32_t NameNumber(std::string_view name);
  WindowMark Mark(const Window& window) const;
  Result<Window> ClosedWindow(int64_t window);
  /// That may be used at this stamp, or nullptr.
  const DeviceCalibration* Calibration(int device, int64_t stamp_ns) const;
  Result<void> CatchUpTo(int64_t stamp_ns);

  std::unique_ptr<Recording> recording_;
  std::vector<DeviceRecord> devices_;
  LoadedCalibrations calibrations_;
  std::vector<std::string> absent_;  // why sources or calibrations are missing

  std::mutex mutex_;  // guards what follows
  std::deque<Window> windows_;
  std::vector<std::string> names_;
  std::unordered_map<std::string, uint32_t, TextHash, std::equal_to<>> name_numbers_;
  std::unordered_map<int64_t, int> open_windows_;  // of each thread
  std::unordered_map<int64_t, Rested> rests_;      // of each thread

  std::mutex reading_mutex_;  // one reader of the store at a time
  int64_t caught_up_ns_ = 0;  // what had happened by then is in the store, and resolved
};

}  // namespace heliograd

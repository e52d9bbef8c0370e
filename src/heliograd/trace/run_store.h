// The run store: one SQLite file per run, readable while it is written.
//
// Enters: devices, channels, blocks of samples, gaps, windows, remarks. Leaves: the same, of any interval. It knows no
// device and no estimator. A block is on the disk when Append returns (write-ahead log, synced), so a killed program or
// a power cut loses only what the caller still holds.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "heliograd/base/result.h"
#include "heliograd/trace/samples.h"

namespace heliograd {

/// Something that happened, for people to read: a limit that changed, a sensor that went silent.
struct Remark {
  int64_t at_ns = 0;
  std::string text;

  friend bool operator==(const Remark&, const Remark&) = default;
};

/// What is written at once, as one transaction: all of it or nothing.
struct RunBatch {
  std::vector<std::pair<int, std::vector<Sample>>> samples;  // channel, its new samples in order
  std::vector<Gap> gaps;
  std::vector<WindowMark> windows;
  std::vector<Remark> remarks;

  bool empty() const { return samples.empty() && gaps.empty() && windows.empty() && remarks.empty(); }
};

/// Writes a run. One thread at a time.
class RunWriter {
 public:
  /// A new file; one that exists is refused. `facts` are kept as they are: command, host, version, sampling period.
  static Result<RunWriter> Create(const std::string& path, const std::vector<DeviceRecord>& devices,
                                  const std::vector<ChannelRecord>& channels,
                                  const std::vector<std::pair<std::string, std::string>>& facts);
  RunWriter(RunWriter&&) noexcept;
  RunWriter& operator=(RunWriter&&) noexcept;
  ~RunWriter();

  /// Adds a batch and waits until it is on the disk. On failure (disk full) the file keeps all earlier batches and the
  /// same batch may be tried again.
  Result<void> Append(const RunBatch& batch);
  /// Adds or replaces a fact.
  Result<void> SetFact(const std::string& key, const std::string& value);
  /// Folds the log into the one file. Without it the file is whole too, with its log beside it.
  Result<void> Close();

 private:
  struct State;
  explicit RunWriter(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

/// Reads a run, finished or still being written. One thread at a time.
class RunReader {
 public:
  /// An error when the file is absent, no run store, of a later version, or damaged.
  static Result<RunReader> Open(const std::string& path);
  RunReader(RunReader&&) noexcept;
  RunReader& operator=(RunReader&&) noexcept;
  ~RunReader();

  Result<std::vector<DeviceRecord>> Devices() const;
  Result<std::vector<ChannelRecord>> Channels() const;
  /// In order of key.
  Result<std::vector<std::pair<std::string, std::string>>> Facts() const;
  /// First and last stamp of any sample; nothing while there is none.
  Result<std::optional<std::pair<int64_t, int64_t>>> Extent() const;
  /// Every sample of a channel that polls saw in [begin_ns, end_ns], in order of time. A value that went on over the
  /// end of a block comes back as one sample; the first and the last may be longer in the file than they come back.
  Result<std::vector<Sample>> Samples(int channel, int64_t begin_ns, int64_t end_ns) const;
  Result<std::vector<Gap>> Gaps() const;
  Result<std::vector<WindowMark>> Windows() const;
  Result<std::vector<Remark>> Remarks() const;

 private:
  struct State;
  explicit RunReader(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace heliograd

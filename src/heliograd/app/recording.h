// A recording in progress: the sampler's samples flow into a run store, once every half second or as asked for.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "heliograd/app/sources.h"
#include "heliograd/base/result.h"
#include "heliograd/meter/sampler.h"
#include "heliograd/trace/run_store.h"

namespace heliograd {

struct RecordingOptions {
  SamplerOptions sampler;
  std::chrono::milliseconds flush_every{500};  // a kill loses no more
  std::string path;                            // empty = a temporary file that goes with the recording
  std::vector<std::pair<std::string, std::string>> facts;
  /// Told when the disk fails and when it recovers; called from the recording's thread.
  std::function<void(std::string_view)> tell;
};

/// Samples until Finish. Marks may be added from any thread; the rest from one.
class Recording {
 public:
  /// Returns when every energy or power channel has been seen to change, or after 1.2 s: from then on intervals can be
  /// resolved.
  static Result<std::unique_ptr<Recording>> Start(OpenedSources sources, const RecordingOptions& options);
  ~Recording();
  Recording(const Recording&) = delete;
  Recording& operator=(const Recording&) = delete;

  void AddWindow(WindowMark window);
  void AddRemark(std::string text);
  /// What is known is on the disk when it returns; waits for one more value of every channel (at most 1.2 s), so that
  /// what has just ended can be resolved.
  Result<void> CatchUp();
  /// CatchUp, then the end of sampling; the store is one file then.
  Result<void> Finish();

  const std::string& path() const { return path_; }
  Sampler& sampler() { return *sampler_; }
  /// Now, as the samples' stamps count.
  int64_t NowNs() const;

 private:
  Recording(std::unique_ptr<Sampler> sampler, RunWriter writer, std::string path, const RecordingOptions& options);
  void WriteLoop();
  void Collect(bool everything);
  void Write();
  void HoldWithinBound();
  /// Until each power has changed once and each counter so often: the second change after a window's end tells whether
  /// power stepped in the update that the end cuts.
  void WaitForChanges(int of_counters);

  std::unique_ptr<Sampler> sampler_;
  RunWriter writer_;
  std::string path_;
  bool temporary_;
  std::function<void(std::string_view)> tell_;
  std::chrono::milliseconds flush_every_;
  std::mutex marks_mutex_;  // guards marks_ alone, so that marking never waits for the disk
  RunBatch marks_;
  std::mutex mutex_;  // guards what follows, and the writer
  std::condition_variable wake_;
  RunBatch pending_;              // not yet on the disk
  std::string trouble_;           // why the last write failed; empty when it did not
  std::vector<int64_t> changes_;  // samples so far, of each channel
  bool stop_ = false;
  std::thread thread_;
};

}  // namespace heliograd

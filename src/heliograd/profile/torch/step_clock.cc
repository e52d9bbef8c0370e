#include "heliograd/profile/torch/step_clock.h"

#include <limits>

namespace heliograd {
namespace {

class HostClock final : public StepClock {
 public:
  HostClock(HostNow now, std::function<void()> synchronise)
      : now_(std::move(now)), synchronise_(std::move(synchronise)) {}

  void Mark() override {
    Wait();
    stamps_.push_back(now_());
  }
  std::vector<int64_t> Take() override { return std::exchange(stamps_, {}); }
  void Wait() override {
    if (synchronise_) synchronise_();
  }
  int TakeEvery() const override { return 1; }

 private:
  HostNow now_;
  std::function<void()> synchronise_;
  std::vector<int64_t> stamps_;
};

/// As `heliograd.torch.CudaClock` of the Python package.
class EventClock final : public StepClock {
 public:
  EventClock(HostNow now, c10::Device device) : now_(std::move(now)), device_(device) { Refer(); }

  void Mark() override {
    marks_.push_back(NewEvent());
    marks_.back().record(Stream());
  }

  std::vector<int64_t> Take() override {
    std::vector<int64_t> stamps;
    if (marks_.empty()) return stamps;
    marks_.back().synchronize();
    stamps.reserve(marks_.size());
    for (const c10::Event& mark : marks_) stamps.push_back(StampOf(mark));
    for (c10::Event& mark : marks_) spare_.push_back(std::move(mark));
    marks_.clear();
    // Float milliseconds, which events give, are 2 us fine at 30 s.
    if (now_() - reference_ns_ > kReferenceLastsNs) Refer();
    return stamps;
  }

  void Wait() override { Impl()->synchronizeDevice(device_.index()); }
  // A rest is one only when the device has nothing left to do, so it costs a wait for the device.
  int TakeEvery() const override { return 8; }

 private:
  static constexpr int64_t kReferenceLastsNs = 30'000'000'000;
  static constexpr int kTries = 5;

  const c10::impl::DeviceGuardImplInterface* Impl() const { return c10::impl::getDeviceGuardImpl(device_.type()); }
  c10::Stream Stream() const { return Impl()->getStream(device_); }

  c10::Event NewEvent() {
    if (spare_.empty()) return c10::Event(device_.type(), c10::EventFlag::BACKEND_DEFAULT);
    c10::Event event = std::move(spare_.back());
    spare_.pop_back();
    return event;
  }

  int64_t StampOf(const c10::Event& mark) const {
    return reference_ns_ + static_cast<int64_t>(1e6 * reference_->elapsedTime(mark) * rate_);
  }

  /// The host sees an event's end some microseconds late; half of the shortest of a few such waits is taken off.
  void Refer() {
    Wait();
    std::optional<c10::Event> best;
    int64_t best_ns = 0, shortest_ns = std::numeric_limits<int64_t>::max();
    for (int i = 0; i < kTries; ++i) {
      c10::Event event(device_.type(), c10::EventFlag::BACKEND_DEFAULT);
      const int64_t begin_ns = now_();
      event.record(Stream());
      event.synchronize();
      const int64_t end_ns = now_();
      if (end_ns - begin_ns >= shortest_ns) continue;
      shortest_ns = end_ns - begin_ns;
      best_ns = begin_ns + shortest_ns / 2;
      best.emplace(std::move(event));
    }
    if (reference_) {
      const double device_ns = 1e6 * reference_->elapsedTime(*best);
      if (device_ns > 1e9) rate_ = static_cast<double>(best_ns - reference_ns_) / device_ns;
    }
    reference_ = std::move(best);
    reference_ns_ = best_ns;
  }

  HostNow now_;
  c10::Device device_;
  std::vector<c10::Event> marks_, spare_;
  std::optional<c10::Event> reference_;
  int64_t reference_ns_ = 0;
  double rate_ = 1;  // host ns in a device ns
};

}  // namespace

std::unique_ptr<StepClock> HostStepClock(HostNow now, std::function<void()> synchronise) {
  return std::make_unique<HostClock>(std::move(now), std::move(synchronise));
}

std::unique_ptr<StepClock> EventStepClock(HostNow now, c10::Device device) {
  return std::make_unique<EventClock>(std::move(now), device);
}

}  // namespace heliograd

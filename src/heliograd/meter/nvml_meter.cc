#include "heliograd/meter/nvml_meter.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

namespace heliograd {
namespace {

using nvml::Return;

ReadingState StateOf(Return code) {
  switch (code) {
    case Return::kSuccess:
      return ReadingState::kValue;
    case Return::kNotSupported:
    case Return::kFunctionNotFound:
    case Return::kArgumentVersionMismatch:
    case Return::kDeprecated:
    case Return::kInvalidArgument:
    case Return::kNoPermission:
    case Return::kVgpuEccNotSupported:
    case Return::kFreqNotSupported:
    case Return::kResetTypeNotSupported:
      return ReadingState::kNotSupported;
    case Return::kUninitialized:
    case Return::kDriverNotLoaded:
    case Return::kGpuIsLost:
    case Return::kResetRequired:
    case Return::kLibRmVersionMismatch:
    case Return::kOperatingSystem:
    case Return::kGpuNotFound:
    case Return::kLibraryNotFound:
    case Return::kUnknown:
      return ReadingState::kLost;
    case Return::kAlreadyInitialized:
    case Return::kNotFound:
    case Return::kInsufficientSize:
    case Return::kInsufficientPower:
    case Return::kTimeout:
    case Return::kIrqIssue:
    case Return::kCorruptedInforom:
    case Return::kInUse:
    case Return::kMemory:
    case Return::kNoData:
    case Return::kInsufficientResources:
    case Return::kNotReady:
    case Return::kInvalidState:
      return ReadingState::kNothingYet;
  }
  return ReadingState::kNothingYet;
}

constexpr int64_t kMicrojoulesPerMillijoule = 1000;

int64_t Number(const nvml::FieldValue& field) {
  switch (field.value_type) {
    case nvml::ValueType::kDouble:
      return static_cast<int64_t>(field.value.d);
    case nvml::ValueType::kUnsignedInt:
      return field.value.ui;
    case nvml::ValueType::kUnsignedLong:
      return static_cast<int64_t>(field.value.ul);
    case nvml::ValueType::kUnsignedLongLong:
      return static_cast<int64_t>(field.value.ull);
    case nvml::ValueType::kSignedLongLong:
      return field.value.sll;
    case nvml::ValueType::kSignedInt:
      return field.value.si;
    case nvml::ValueType::kUnsignedShort:
      return field.value.us;
  }
  return 0;
}

struct Field {
  uint32_t id;
  ChannelKind kind;
};

constexpr std::array<Field, 5> kFields = {{{nvml::kFieldTotalEnergyConsumption, ChannelKind::kEnergy},
                                           {nvml::kFieldPowerInstant, ChannelKind::kPowerInstant},
                                           {nvml::kFieldPowerAverage, ChannelKind::kPowerAverage},
                                           {nvml::kFieldPowerCurrentLimit, ChannelKind::kPowerLimit},
                                           {nvml::kFieldPerfPolicyPower, ChannelKind::kCappedTime}}};

/// How a channel is asked.
struct Route {
  ChannelKind kind;
  uint32_t field = 0;  // of the batch; 0 = by a function of its own
};

ChannelReading Answer(Return code, int64_t value, int64_t driver_us = 0) {
  return {StateOf(code), value, driver_us, static_cast<int>(code)};
}

class NvmlMeter : public PowerMeter {
 public:
  NvmlMeter(std::shared_ptr<NvmlLibrary> library, nvml::Device handle, DeviceRecord device)
      : library_(std::move(library)), handle_(handle), device_(std::move(device)), restarts_(library_->restarts()) {}

  /// Keeps the channels that answer. A channel that answers later than the first few polls is not found; drivers say
  /// NOT_SUPPORTED now and then without meaning it, so each is asked up to three times.
  void Probe(bool with_clocks) {
    for (const Field& field : kFields) AddIfItAnswers({field.kind, field.id});
    if (!Has(ChannelKind::kEnergy)) AddIfItAnswers({ChannelKind::kEnergy});
    // Older drivers have one power reading, whose window depends on the architecture; it stands as the instant one.
    if (!Has(ChannelKind::kPowerInstant)) AddIfItAnswers({ChannelKind::kPowerInstant});
    if (!Has(ChannelKind::kPowerLimit)) AddIfItAnswers({ChannelKind::kPowerLimit});
    if (with_clocks) {
      AddIfItAnswers({ChannelKind::kSmClock});
      AddIfItAnswers({ChannelKind::kTemperature});
    }
  }

  bool Measures() const {
    return Has(ChannelKind::kEnergy) || Has(ChannelKind::kPowerInstant) || Has(ChannelKind::kPowerAverage);
  }

  const DeviceRecord& Device() const override { return device_; }
  const std::vector<ChannelKind>& Channels() const override { return kinds_; }
  std::string CodeName(int code) const override { return NvmlCodeName(static_cast<Return>(code)); }

  void Read(std::span<ChannelReading> readings) override {
    if (restarts_ != library_->restarts() && !FindHandle()) {
      for (ChannelReading& reading : readings) reading = Answer(Return::kGpuIsLost, 0);
      return;
    }
    ReadBatch(readings);
    for (size_t i = 0; i < routes_.size(); ++i) {
      if (routes_[i].field == 0) readings[i] = ReadAlone(routes_[i].kind);
    }
    for (size_t i = 0; i < routes_.size(); ++i) DropWrongZero(kinds_[i], readings[i]);
  }

  bool Reopen() override { return library_->Restart() == Return::kSuccess && FindHandle(); }

 private:
  bool FindHandle() {
    if (library_->handle_by_uuid == nullptr) return false;
    if (library_->handle_by_uuid(device_.uuid.c_str(), &handle_) != Return::kSuccess) return false;
    restarts_ = library_->restarts();
    return true;
  }

  bool Has(ChannelKind kind) const { return std::find(kinds_.begin(), kinds_.end(), kind) != kinds_.end(); }

  void AddIfItAnswers(Route route) {
    constexpr int kAttempts = 3;
    for (int attempt = 0; attempt < kAttempts; ++attempt) {
      ChannelReading reading = route.field != 0 ? ReadField(route.field) : ReadAlone(route.kind);
      DropWrongZero(route.kind, reading);
      if (reading.state != ReadingState::kValue) continue;
      routes_.push_back(route);
      kinds_.push_back(route.kind);
      if (route.field != 0) batch_.push_back(EmptyField(route.field));
      return;
    }
  }

  static nvml::FieldValue EmptyField(uint32_t id) {
    nvml::FieldValue field{};
    field.field_id = id;
    field.scope_id = nvml::kScopeGpu;
    field.code = Return::kNoData;
    return field;
  }

  ChannelReading ReadField(uint32_t id) {
    if (library_->field_values == nullptr) return Answer(Return::kFunctionNotFound, 0);
    nvml::FieldValue field = EmptyField(id);
    const Return code = library_->field_values(handle_, 1, &field);
    return code == Return::kSuccess ? FromField(field) : Answer(code, 0);
  }

  /// The call's own code says only that it ran; each field has its own.
  void ReadBatch(std::span<ChannelReading> readings) {
    if (batch_.empty()) return;
    const Return code = library_->field_values(handle_, static_cast<int>(batch_.size()), batch_.data());
    size_t next = 0;
    for (size_t i = 0; i < routes_.size(); ++i) {
      if (routes_[i].field == 0) continue;
      const nvml::FieldValue& field = batch_[next++];
      readings[i] = code == Return::kSuccess ? FromField(field) : Answer(code, 0);
    }
  }

  static ChannelReading FromField(const nvml::FieldValue& field) {
    const bool is_energy = field.field_id == nvml::kFieldTotalEnergyConsumption;
    const int64_t value = Number(field) * (is_energy ? kMicrojoulesPerMillijoule : 1);
    return Answer(field.code, value, field.timestamp_us);
  }

  ChannelReading ReadAlone(ChannelKind kind) {
    switch (kind) {
      case ChannelKind::kEnergy: {
        if (library_->total_energy == nullptr) return Answer(Return::kFunctionNotFound, 0);
        unsigned long long energy_mj = 0;
        const Return code = library_->total_energy(handle_, &energy_mj);
        return Answer(code, static_cast<int64_t>(energy_mj) * kMicrojoulesPerMillijoule);
      }
      case ChannelKind::kPowerInstant:
        return AskNumber(library_->power_usage);
      case ChannelKind::kPowerLimit:
        return AskNumber(library_->enforced_limit);
      case ChannelKind::kSmClock:
        return AskNumber(library_->clock, nvml::kClockSm);
      case ChannelKind::kTemperature:
        return AskNumber(library_->temperature, nvml::kTemperatureGpu);
      case ChannelKind::kPowerAverage:
      case ChannelKind::kCappedTime:
        return Answer(Return::kFunctionNotFound, 0);  // there is no other way than the batch
    }
    return Answer(Return::kFunctionNotFound, 0);
  }

  ChannelReading AskNumber(nvml::DeviceNumberFunction* function) {
    if (function == nullptr) return Answer(Return::kFunctionNotFound, 0);
    uint32_t value = 0;
    const Return code = function(handle_, &value);
    return Answer(code, value);
  }

  ChannelReading AskNumber(nvml::DeviceSelectedNumberFunction* function, uint32_t which) {
    if (function == nullptr) return Answer(Return::kFunctionNotFound, 0);
    uint32_t value = 0;
    const Return code = function(handle_, which, &value);
    return Answer(code, value);
  }

  /// A GPU that answers draws power: 0 mW is what some drivers say when they are polled faster than every 50 ms (Zeus,
  /// pull request 186).
  static void DropWrongZero(ChannelKind kind, ChannelReading& reading) {
    const bool is_power = kind == ChannelKind::kPowerInstant || kind == ChannelKind::kPowerAverage;
    if (is_power && reading.state == ReadingState::kValue && reading.value == 0) {
      reading.state = ReadingState::kNothingYet;
    }
  }

  std::shared_ptr<NvmlLibrary> library_;
  nvml::Device handle_;
  DeviceRecord device_;
  int restarts_;
  std::vector<Route> routes_;
  std::vector<ChannelKind> kinds_;
  std::vector<nvml::FieldValue> batch_;
};

class NvmlCapper : public PowerCapper {
 public:
  NvmlCapper(std::shared_ptr<NvmlLibrary> library, nvml::Device handle, DeviceRecord device)
      : library_(std::move(library)), handle_(handle), device_(std::move(device)), restarts_(library_->restarts()) {}

  const DeviceRecord& Device() const override { return device_; }

  Result<PowerLimitRange> Range() override {
    FindHandleAgain();
    uint32_t lowest = 0, highest = 0, standard = 0;
    const Return range = library_->limit_range == nullptr ? Return::kFunctionNotFound
                                                          : library_->limit_range(handle_, &lowest, &highest);
    if (range != Return::kSuccess) return Fail(NvmlError(device_.uuid + ": its power limit cannot be set", range));
    const Return code =
        library_->default_limit == nullptr ? Return::kFunctionNotFound : library_->default_limit(handle_, &standard);
    if (code != Return::kSuccess) return Fail(NvmlError(device_.uuid + ": its default limit is not told", code));
    return PowerLimitRange{FromMilliwatts(lowest), FromMilliwatts(highest), FromMilliwatts(standard)};
  }

  Result<Power> Limit() override { return Ask(library_->limit, "its power limit cannot be read"); }
  Result<Power> EnforcedLimit() override {
    return Ask(library_->enforced_limit, "the power limit in force cannot be read");
  }

  Result<void> SetLimit(Power limit) override {
    FindHandleAgain();
    const auto limit_mw = static_cast<uint32_t>(std::lround(InWatts(limit) * 1000));
    const Return code =
        library_->set_limit == nullptr ? Return::kFunctionNotFound : library_->set_limit(handle_, limit_mw);
    if (code == Return::kSuccess) return {};
    std::string what = device_.uuid + ": the power limit " + std::to_string(limit_mw / 1000) + " W was not set";
    if (code == Return::kInvalidArgument) what += RangeText();
    return Fail(NvmlError(what, code));
  }

 private:
  std::string RangeText() {
    const Result<PowerLimitRange> range = Range();
    if (!range) return "";
    return fmt::format(": it takes {:.0f} to {:.0f} W", InWatts(range->lowest), InWatts(range->highest));
  }

  static Power FromMilliwatts(uint32_t milliwatts) { return Watts(milliwatts / 1000.0); }

  /// A meter of the same library may have restarted it to get a lost device back, which makes handles void. Where the
  /// device is still gone the old handle stays, and the driver's code for it is what the caller is told.
  void FindHandleAgain() {
    if (restarts_ == library_->restarts() || library_->handle_by_uuid == nullptr) return;
    nvml::Device handle = nullptr;
    if (library_->handle_by_uuid(device_.uuid.c_str(), &handle) != Return::kSuccess) return;
    handle_ = handle;
    restarts_ = library_->restarts();
  }

  Result<Power> Ask(nvml::DeviceNumberFunction* function, const char* what) {
    FindHandleAgain();
    uint32_t milliwatts = 0;
    const Return code = function == nullptr ? Return::kFunctionNotFound : function(handle_, &milliwatts);
    if (code != Return::kSuccess) return Fail(NvmlError(device_.uuid + ": " + what, code));
    return FromMilliwatts(milliwatts);
  }

  std::shared_ptr<NvmlLibrary> library_;
  nvml::Device handle_;
  DeviceRecord device_;
  int restarts_;
};

}  // namespace

Result<DeviceRecord> DescribeNvmlDevice(const NvmlLibrary& library, nvml::Device device) {
  char uuid[nvml::kUuidLength] = "", name[nvml::kNameLength] = "";
  const Return code = library.uuid == nullptr ? Return::kFunctionNotFound : library.uuid(device, uuid, sizeof uuid);
  if (code != Return::kSuccess) return Fail(NvmlError("a GPU does not tell its UUID", code));
  if (library.name == nullptr || library.name(device, name, sizeof name) != Return::kSuccess) name[0] = '\0';
  return DeviceRecord{uuid, name[0] == '\0' ? "NVIDIA GPU" : name, "NVIDIA " + library.DriverVersion(), "nvml"};
}

Result<std::unique_ptr<PowerMeter>> OpenNvmlMeter(std::shared_ptr<NvmlLibrary> library, nvml::Device device,
                                                  bool with_clocks) {
  Result<DeviceRecord> record = DescribeNvmlDevice(*library, device);
  if (!record) return Fail(record.error());
  auto meter = std::make_unique<NvmlMeter>(std::move(library), device, *record);
  meter->Probe(with_clocks);
  if (!meter->Measures()) {
    return Fail(record->name + " (" + record->uuid + "): gives neither power nor energy, as some laptops' GPUs do",
                ErrorKind::kDevice);
  }
  return std::unique_ptr<PowerMeter>(std::move(meter));
}

Result<std::unique_ptr<PowerCapper>> OpenNvmlCapper(std::shared_ptr<NvmlLibrary> library, nvml::Device device) {
  Result<DeviceRecord> record = DescribeNvmlDevice(*library, device);
  if (!record) return Fail(record.error());
  return std::unique_ptr<PowerCapper>(std::make_unique<NvmlCapper>(std::move(library), device, *record));
}

}  // namespace heliograd

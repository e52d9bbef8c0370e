// The binary interface of NVML (libnvidia-ml.so.1): return codes, constants, struct layouts and function types.
//
// Facts of the public interface, as NVIDIA's NVML API Reference Guide and the nvidia-ml-py bindings state them, so that
// heliograd needs no vendor header to build. The reader and the simulated library both use this one description.
// Knows nothing of how the library is found, loaded or simulated. Names here are ours; each says which NVML name it is.
#pragma once

#include <cstddef>
#include <cstdint>

namespace heliograd::nvml {

/// nvmlDevice_t: opaque.
struct DeviceObject;
using Device = DeviceObject*;

/// nvmlReturn_t.
enum class Return : uint32_t {
  kSuccess = 0,
  kUninitialized = 1,
  kInvalidArgument = 2,
  kNotSupported = 3,
  kNoPermission = 4,
  kAlreadyInitialized = 5,
  kNotFound = 6,
  kInsufficientSize = 7,
  kInsufficientPower = 8,
  kDriverNotLoaded = 9,
  kTimeout = 10,
  kIrqIssue = 11,
  kLibraryNotFound = 12,
  kFunctionNotFound = 13,
  kCorruptedInforom = 14,
  kGpuIsLost = 15,
  kResetRequired = 16,
  kOperatingSystem = 17,
  kLibRmVersionMismatch = 18,
  kInUse = 19,
  kMemory = 20,
  kNoData = 21,
  kVgpuEccNotSupported = 22,
  kInsufficientResources = 23,
  kFreqNotSupported = 24,
  kArgumentVersionMismatch = 25,
  kDeprecated = 26,
  kNotReady = 27,
  kGpuNotFound = 28,
  kInvalidState = 29,
  kResetTypeNotSupported = 30,
  kUnknown = 999
};

/// "NVML_ERROR_GPU_IS_LOST"; "an NVML code this program does not know" for any other value.
constexpr const char* ReturnName(Return code) {
  switch (code) {
    case Return::kSuccess:
      return "NVML_SUCCESS";
    case Return::kUninitialized:
      return "NVML_ERROR_UNINITIALIZED";
    case Return::kInvalidArgument:
      return "NVML_ERROR_INVALID_ARGUMENT";
    case Return::kNotSupported:
      return "NVML_ERROR_NOT_SUPPORTED";
    case Return::kNoPermission:
      return "NVML_ERROR_NO_PERMISSION";
    case Return::kAlreadyInitialized:
      return "NVML_ERROR_ALREADY_INITIALIZED";
    case Return::kNotFound:
      return "NVML_ERROR_NOT_FOUND";
    case Return::kInsufficientSize:
      return "NVML_ERROR_INSUFFICIENT_SIZE";
    case Return::kInsufficientPower:
      return "NVML_ERROR_INSUFFICIENT_POWER";
    case Return::kDriverNotLoaded:
      return "NVML_ERROR_DRIVER_NOT_LOADED";
    case Return::kTimeout:
      return "NVML_ERROR_TIMEOUT";
    case Return::kIrqIssue:
      return "NVML_ERROR_IRQ_ISSUE";
    case Return::kLibraryNotFound:
      return "NVML_ERROR_LIBRARY_NOT_FOUND";
    case Return::kFunctionNotFound:
      return "NVML_ERROR_FUNCTION_NOT_FOUND";
    case Return::kCorruptedInforom:
      return "NVML_ERROR_CORRUPTED_INFOROM";
    case Return::kGpuIsLost:
      return "NVML_ERROR_GPU_IS_LOST";
    case Return::kResetRequired:
      return "NVML_ERROR_RESET_REQUIRED";
    case Return::kOperatingSystem:
      return "NVML_ERROR_OPERATING_SYSTEM";
    case Return::kLibRmVersionMismatch:
      return "NVML_ERROR_LIB_RM_VERSION_MISMATCH";
    case Return::kInUse:
      return "NVML_ERROR_IN_USE";
    case Return::kMemory:
      return "NVML_ERROR_MEMORY";
    case Return::kNoData:
      return "NVML_ERROR_NO_DATA";
    case Return::kVgpuEccNotSupported:
      return "NVML_ERROR_VGPU_ECC_NOT_SUPPORTED";
    case Return::kInsufficientResources:
      return "NVML_ERROR_INSUFFICIENT_RESOURCES";
    case Return::kFreqNotSupported:
      return "NVML_ERROR_FREQ_NOT_SUPPORTED";
    case Return::kArgumentVersionMismatch:
      return "NVML_ERROR_ARGUMENT_VERSION_MISMATCH";
    case Return::kDeprecated:
      return "NVML_ERROR_DEPRECATED";
    case Return::kNotReady:
      return "NVML_ERROR_NOT_READY";
    case Return::kGpuNotFound:
      return "NVML_ERROR_GPU_NOT_FOUND";
    case Return::kInvalidState:
      return "NVML_ERROR_INVALID_STATE";
    case Return::kResetTypeNotSupported:
      return "NVML_ERROR_RESET_TYPE_NOT_SUPPORTED";
    case Return::kUnknown:
      return "NVML_ERROR_UNKNOWN";
  }
  return "an NVML code this program does not know";
}

/// nvmlValueType_t.
enum class ValueType : uint32_t {
  kDouble = 0,
  kUnsignedInt = 1,
  kUnsignedLong = 2,
  kUnsignedLongLong = 3,
  kSignedLongLong = 4,
  kSignedInt = 5,
  kUnsignedShort = 6
};

/// nvmlValue_t.
union Value {
  double d;
  uint32_t ui;
  unsigned long ul;
  unsigned long long ull;
  long long sll;
  int32_t si;
  uint16_t us;
};
static_assert(sizeof(Value) == 8);

/// nvmlFieldValue_t: one entry of nvmlDeviceGetFieldValues. `code` holds for this entry alone.
struct FieldValue {
  uint32_t field_id;
  uint32_t scope_id;
  int64_t timestamp_us;  // CPU time in microseconds since 1970
  int64_t latency_us;
  ValueType value_type;
  Return code;
  Value value;
};
static_assert(sizeof(FieldValue) == 40 && offsetof(FieldValue, timestamp_us) == 8 && offsetof(FieldValue, code) == 28 &&
              offsetof(FieldValue, value) == 32);

// Field ids, NVML_FI_DEV_...
constexpr uint32_t kFieldPerfPolicyPower = 74;         // ns throttled by the power cap
constexpr uint32_t kFieldPerfPolicyThermal = 75;       // ns throttled by temperature
constexpr uint32_t kFieldTotalEnergyConsumption = 83;  // mJ since the driver was loaded
constexpr uint32_t kFieldPowerAverage = 185;           // mW, 1 s average
constexpr uint32_t kFieldPowerInstant = 186;           // mW
constexpr uint32_t kFieldPowerMinLimit = 187;          // mW
constexpr uint32_t kFieldPowerMaxLimit = 188;          // mW
constexpr uint32_t kFieldPowerDefaultLimit = 189;      // mW
constexpr uint32_t kFieldPowerCurrentLimit = 190;      // mW, enforced: includes what is set out of band
constexpr uint32_t kFieldEnergy = 191;                 // mJ
constexpr uint32_t kFieldPowerRequestedLimit = 192;    // mW, asked for by software

// nvmlPowerScopeType_t, also the scope of a power or energy field.
constexpr uint32_t kScopeGpu = 0;
constexpr uint32_t kScopeModule = 1;
constexpr uint32_t kScopeMemory = 2;

// nvmlClocksEventReason..., bits of the mask.
constexpr uint64_t kReasonGpuIdle = 0x1;
constexpr uint64_t kReasonApplicationsClocksSetting = 0x2;
constexpr uint64_t kReasonSwPowerCap = 0x4;
constexpr uint64_t kReasonHwSlowdown = 0x8;
constexpr uint64_t kReasonSyncBoost = 0x10;
constexpr uint64_t kReasonSwThermalSlowdown = 0x20;
constexpr uint64_t kReasonHwThermalSlowdown = 0x40;
constexpr uint64_t kReasonHwPowerBrakeSlowdown = 0x80;
constexpr uint64_t kReasonDisplayClockSetting = 0x100;

// nvmlSamplingType_t.
constexpr uint32_t kSamplesTotalPower = 0;
constexpr uint32_t kSamplesGpuUtilization = 1;
constexpr uint32_t kSamplesMemoryUtilization = 2;
constexpr uint32_t kSamplesProcessorClock = 5;
constexpr uint32_t kSamplesMemoryClock = 6;
constexpr uint32_t kSamplesModulePower = 7;

// nvmlClockType_t.
constexpr uint32_t kClockGraphics = 0;
constexpr uint32_t kClockSm = 1;
constexpr uint32_t kClockMemory = 2;
constexpr uint32_t kClockVideo = 3;

// nvmlTemperatureSensors_t and nvmlTemperatureThresholds_t.
constexpr uint32_t kTemperatureGpu = 0;
constexpr uint32_t kThresholdShutdown = 0;
constexpr uint32_t kThresholdSlowdown = 1;
constexpr uint32_t kThresholdMemoryMax = 2;
constexpr uint32_t kThresholdGpuMax = 3;

// nvmlEnableState_t.
constexpr uint32_t kDisabled = 0;
constexpr uint32_t kEnabled = 1;

// Bits of nvmlInitWithFlags.
constexpr uint32_t kInitNoGpus = 1;
constexpr uint32_t kInitNoAttach = 2;

// Lengths of text buffers, with the closing zero.
constexpr uint32_t kNameLength = 96;     // NVML_DEVICE_NAME_V2_BUFFER_SIZE
constexpr uint32_t kUuidLength = 96;     // NVML_DEVICE_UUID_V2_BUFFER_SIZE
constexpr uint32_t kVersionLength = 80;  // NVML_SYSTEM_DRIVER_VERSION_BUFFER_SIZE

/// Value of a struct's `version` member: its number above its size.
template <typename T>
constexpr uint32_t VersionOf(uint32_t number) {
  return static_cast<uint32_t>(sizeof(T)) | number << 24;
}

/// nvmlSample_t.
struct Sample {
  unsigned long long timestamp_us;  // CPU time in microseconds since 1970
  Value value;
};
static_assert(sizeof(Sample) == 16);

/// nvmlPowerValue_v2_t, of nvmlDeviceSetPowerManagementLimit_v2.
struct PowerValueV2 {
  uint32_t version;
  uint32_t scope;
  uint32_t power_mw;
};
constexpr uint32_t kPowerValueV2Version = 0x0200000C;
static_assert(sizeof(PowerValueV2) == 12 && VersionOf<PowerValueV2>(2) == kPowerValueV2Version);

/// nvmlTemperature_v1_t, of nvmlDeviceGetTemperatureV.
struct TemperatureV1 {
  uint32_t version;
  uint32_t sensor;
  int32_t temperature_c;
};
static_assert(sizeof(TemperatureV1) == 12 && VersionOf<TemperatureV1>(1) == 0x0100000C);

/// nvmlPciInfo_t.
struct PciInfo {
  char bus_id_legacy[16];
  uint32_t domain;
  uint32_t bus;
  uint32_t device;
  uint32_t device_id;
  uint32_t subsystem_id;
  char bus_id[32];
};
static_assert(sizeof(PciInfo) == 68 && offsetof(PciInfo, domain) == 16 && offsetof(PciInfo, bus_id) == 36);

/// nvmlUtilization_t: percent of the last sample period.
struct Utilization {
  uint32_t gpu;
  uint32_t memory;
};
static_assert(sizeof(Utilization) == 8);

/// nvmlMemory_t: bytes.
struct Memory {
  unsigned long long total;
  unsigned long long free;
  unsigned long long used;
};
static_assert(sizeof(Memory) == 24);

/// nvmlMemory_v2_t: bytes.
struct MemoryV2 {
  uint32_t version;
  unsigned long long total;
  unsigned long long reserved;
  unsigned long long free;
  unsigned long long used;
};
static_assert(sizeof(MemoryV2) == 40 && VersionOf<MemoryV2>(2) == 0x02000028);

/// nvmlBAR1Memory_t: bytes.
struct Bar1Memory {
  unsigned long long total;
  unsigned long long free;
  unsigned long long used;
};
static_assert(sizeof(Bar1Memory) == 24);

/// nvmlProcessInfo_v1_t, of the calls without a version suffix.
struct ProcessInfoV1 {
  uint32_t pid;
  unsigned long long used_gpu_memory;  // bytes; all ones = not available
};
static_assert(sizeof(ProcessInfoV1) == 16);

/// nvmlProcessInfo_v2_t, which the _v2 and _v3 calls use.
struct ProcessInfo {
  uint32_t pid;
  unsigned long long used_gpu_memory;  // bytes; all ones = not available
  uint32_t gpu_instance_id;            // all ones without MIG
  uint32_t compute_instance_id;        // all ones without MIG
};
static_assert(sizeof(ProcessInfo) == 24);

/// nvmlProcessUtilizationSample_t.
struct ProcessUtilizationSample {
  uint32_t pid;
  unsigned long long timestamp_us;
  uint32_t sm;
  uint32_t memory;
  uint32_t encoder;
  uint32_t decoder;
};
static_assert(sizeof(ProcessUtilizationSample) == 32);

/// nvmlViolationTime_t.
struct ViolationTime {
  unsigned long long reference_us;
  unsigned long long violation_ns;
};
static_assert(sizeof(ViolationTime) == 16);

// Function types, under their NVML names without the prefix "nvml".
using InitFunction = Return();
using InitWithFlagsFunction = Return(uint32_t flags);
using ErrorStringFunction = const char*(Return code);
using SystemTextFunction = Return(char* text, uint32_t length);                      // driver version, NVML version
using SystemNumberFunction = Return(int* number);                                    // CUDA driver version
using CountFunction = Return(uint32_t* count);                                       // DeviceGetCount_v2
using HandleByIndexFunction = Return(uint32_t index, Device* device);                // DeviceGetHandleByIndex_v2
using HandleByTextFunction = Return(const char* text, Device* device);               // ByUUID, ByPciBusId_v2
using DeviceTextFunction = Return(Device device, char* text, uint32_t length);       // Name, UUID, Serial, ...
using DeviceNumberFunction = Return(Device device, uint32_t* number);                // PowerUsage, limits, Index, ...
using DeviceLongNumberFunction = Return(Device device, unsigned long long* number);  // energy, clocks event reasons
using DeviceTwoNumbersFunction = Return(Device device, uint32_t* first, uint32_t* second);     // limit range, MIG mode
using DeviceSelectedNumberFunction = Return(Device device, uint32_t which, uint32_t* number);  // clock, temperature
using PciInfoFunction = Return(Device device, PciInfo* info);
using FieldValuesFunction = Return(Device device, int count, FieldValue* values);
using SamplesFunction = Return(Device device, uint32_t type, unsigned long long last_seen_us, ValueType* value_type,
                               uint32_t* count, Sample* samples);
using SetPowerLimitFunction = Return(Device device, uint32_t limit_mw);
using SetPowerLimitV2Function = Return(Device device, PowerValueV2* value);
using MemoryInfoFunction = Return(Device device, Memory* memory);
using UtilizationFunction = Return(Device device, Utilization* utilization);
using ProcessesFunction = Return(Device device, uint32_t* count, ProcessInfo* processes);  // _v2 and _v3

}  // namespace heliograd::nvml

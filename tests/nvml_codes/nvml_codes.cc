// A libnvidia-ml.so.1 of one GPU that answers what a test tells it to: every return code at every call. The simulated
// GPU behaves like a card; this one only proves that no code is swallowed.
#include <cstring>

#include "heliograd/meter/nvml_abi.h"

namespace {

using heliograd::nvml::Device;
using heliograd::nvml::FieldValue;
using heliograd::nvml::Return;

char device_object;

Return CopyText(const char* text, char* to, uint32_t length) {
  std::strncpy(to, text, length);
  return Return::kSuccess;
}

}  // namespace

extern "C" {

// Set by the test: what the calls return.
Return codes_init = Return::kSuccess;
Return codes_call = Return::kSuccess;   // of every call that reads or sets a device
Return codes_field = Return::kSuccess;  // of each field in a batch
uint32_t codes_absent_field = 0;        // this field the device has not got, nor a call in its place
uint32_t codes_power_mw = 150'000;
unsigned long long codes_energy_mj = 1'000'000;
uint32_t codes_limit_mw = 200'000;

/// Of a call that tells the same as a field.
static Return CodeInPlaceOf(uint32_t field) { return field == codes_absent_field ? Return::kNotSupported : codes_call; }

Return nvmlInit_v2() { return codes_init; }
Return nvmlShutdown() { return Return::kSuccess; }
Return nvmlSystemGetDriverVersion(char* text, uint32_t length) { return CopyText("580.00", text, length); }
Return nvmlDeviceGetCount_v2(uint32_t* count) {
  *count = 1;
  return codes_call == Return::kUninitialized ? codes_call : Return::kSuccess;
}
Return nvmlDeviceGetHandleByIndex_v2(uint32_t, Device* device) {
  *device = reinterpret_cast<Device>(&device_object);
  return Return::kSuccess;
}
Return nvmlDeviceGetHandleByUUID(const char*, Device* device) { return nvmlDeviceGetHandleByIndex_v2(0, device); }
Return nvmlDeviceGetName(Device, char* text, uint32_t length) { return CopyText("Codes", text, length); }
Return nvmlDeviceGetUUID(Device, char* text, uint32_t length) { return CopyText("GPU-codes", text, length); }

Return nvmlDeviceGetFieldValues(Device, int count, FieldValue* values) {
  for (int i = 0; i < count; ++i) {
    FieldValue& field = values[i];
    field.code = field.field_id == codes_absent_field ? Return::kNotSupported : codes_field;
    field.timestamp_us = 1'764'000'000'000'000;
    field.value_type = heliograd::nvml::ValueType::kUnsignedInt;
    switch (field.field_id) {
      case heliograd::nvml::kFieldTotalEnergyConsumption:
        field.value_type = heliograd::nvml::ValueType::kUnsignedLongLong;
        field.value.ull = codes_energy_mj;
        break;
      case heliograd::nvml::kFieldPowerCurrentLimit:
        field.value.ui = codes_limit_mw;
        break;
      case heliograd::nvml::kFieldPerfPolicyPower:
        field.value_type = heliograd::nvml::ValueType::kUnsignedLongLong;
        field.value.ull = 5;
        break;
      default:
        field.value.ui = codes_power_mw;
    }
  }
  return codes_call;
}

Return nvmlDeviceGetPowerUsage(Device, uint32_t* power) {
  return *power = codes_power_mw, CodeInPlaceOf(heliograd::nvml::kFieldPowerInstant);
}
Return nvmlDeviceGetTotalEnergyConsumption(Device, unsigned long long* energy) {
  return *energy = codes_energy_mj, CodeInPlaceOf(heliograd::nvml::kFieldTotalEnergyConsumption);
}
Return nvmlDeviceGetEnforcedPowerLimit(Device, uint32_t* limit) {
  return *limit = codes_limit_mw, CodeInPlaceOf(heliograd::nvml::kFieldPowerCurrentLimit);
}
Return nvmlDeviceGetPowerManagementLimit(Device, uint32_t* limit) { return *limit = codes_limit_mw, codes_call; }
Return nvmlDeviceGetPowerManagementDefaultLimit(Device, uint32_t* limit) { return *limit = 320'000, codes_call; }
Return nvmlDeviceGetPowerManagementLimitConstraints(Device, uint32_t* lowest, uint32_t* highest) {
  *lowest = 100'000;
  *highest = 320'000;
  return codes_call;
}
Return nvmlDeviceSetPowerManagementLimit(Device, uint32_t limit) {
  if (codes_call == Return::kSuccess) codes_limit_mw = limit;
  return codes_call;
}

}  // extern "C"

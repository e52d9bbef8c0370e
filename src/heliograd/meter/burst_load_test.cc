#include "heliograd/meter/burst_load.h"

#include <dlfcn.h>
#include <gtest/gtest.h>

namespace heliograd {
namespace {

using cuda::Status;
using std::chrono::milliseconds;

constexpr char kUuid[] = "GPU-00112233-4455-6677-8899-AABBCCDDEEFF";
constexpr int kCalls = 13;  // that can fail, in the order of tests/cuda_codes
constexpr int kCreateEvent = 10;
/// Whether a call belongs to opening; the others belong to a burst.
constexpr bool IsOfOpening(int call) { return call < 8 || call == kCreateEvent; }
constexpr int kDeviceGet = 2, kDeviceGetUuid = 3;

/// The library that answers what it is told to, and the hand that tells it.
class CudaCodes : public testing::Test {
 protected:
  void SetUp() override {
    self_ = dlopen(HELIOGRAD_CUDA_CODES, RTLD_NOW);
    ASSERT_NE(self_, nullptr) << dlerror();
    Known<int>("codes_failing_call") = -1;
    Known<double>("codes_loops_per_s") = 1e6;
  }
  void TearDown() override {
    EXPECT_EQ(Known<int>("codes_open_contexts"), 0) << "a context was left open";
    dlclose(self_);
  }

  template <typename T>
  T& Known(const char* name) {
    return *static_cast<T*>(dlsym(self_, name));
  }
  /// The failure of the first call that fails when `call` gives `code`.
  Error FailureOf(int call, Status code) {
    Known<int>("codes_failing_call") = call;
    Known<Status>("codes_code") = code;
    auto load = BurstLoad::Open(kUuid, HELIOGRAD_CUDA_CODES);
    EXPECT_EQ(load.has_value(), !IsOfOpening(call)) << call;
    if (!load) return load.error();
    const Result<Burst> burst = (*load)->Run(milliseconds(1));
    EXPECT_FALSE(burst) << call;
    return burst ? Error{} : burst.error();
  }

  void* self_ = nullptr;
};

TEST_F(CudaCodes, EveryCodeOfEveryCallIsAnErrorWithItsNameAndAMend) {
  for (int call = 0; call < kCalls; ++call) {
    if (call == kDeviceGet || call == kDeviceGetUuid) continue;  // such a device is passed over
    for (const cuda::StatusWithName& status : cuda::kStatusNames) {
      if (status.code == 0) continue;
      const std::string message = FailureOf(call, static_cast<Status>(status.code)).Message();
      EXPECT_NE(message.find(std::string(status.name) + " " + std::to_string(status.code) + "): "), std::string::npos)
          << message;
      EXPECT_GT(message.size(), message.find("): ") + 20) << message;
    }
  }
  EXPECT_NE(FailureOf(0, static_cast<Status>(12345)).Message().find("does not know 12345"), std::string::npos);
}

TEST_F(CudaCodes, ADeviceThatCudaDoesNotShowIsNamedWithTheMend) {
  const std::string message = FailureOf(kDeviceGetUuid, Status::kInvalidDevice).Message();
  EXPECT_NE(message.find("CUDA_VISIBLE_DEVICES=" + std::string(kUuid)), std::string::npos) << message;
  const auto no_uuid = BurstLoad::Open("GPU-codes", HELIOGRAD_CUDA_CODES);
  ASSERT_FALSE(no_uuid);
  EXPECT_NE(no_uuid.error().Message().find("'GPU-codes'"), std::string::npos);
}

TEST_F(CudaCodes, PermissionIsToldApart) {
  EXPECT_EQ(FailureOf(0, static_cast<Status>(800)).kind, ErrorKind::kPermission);
  EXPECT_EQ(FailureOf(0, Status::kNoDevice).kind, ErrorKind::kDevice);
}

TEST_F(CudaCodes, BurstsLastAsLongAsAskedForOnceTheSpeedIsKnown) {
  const auto load = BurstLoad::Open(kUuid, HELIOGRAD_CUDA_CODES);
  ASSERT_TRUE(load) << load.error().Message();
  for (const double loops_per_s : {1e6, 3e6}) {
    Known<double>("codes_loops_per_s") = loops_per_s;
    for (int warm_up = 0; warm_up < 6; ++warm_up) ASSERT_TRUE((*load)->Run(milliseconds(10)));
    const Result<Burst> burst = (*load)->Run(milliseconds(50));
    ASSERT_TRUE(burst);
    // After six bursts the speed is known within 1/64 of its last change of 200 %.
    EXPECT_NEAR(Known<unsigned>("codes_last_loops") / loops_per_s, 0.050, 0.050 * 2.0 / 64);
    // The GPU's own time counts, not when the host came round to look.
    EXPECT_NEAR(static_cast<double>(burst->end_ns - burst->begin_ns) * 1e-9,
                Known<unsigned>("codes_last_loops") / loops_per_s, 1e-6);
  }
}

TEST(BurstLoad, AMachineWithoutTheLibraryIsToldWhatIsMissing) {
  const auto load = BurstLoad::Open(kUuid, "libno-such-cuda.so.1");
  ASSERT_FALSE(load);
  EXPECT_EQ(load.error().kind, ErrorKind::kDevice);
  EXPECT_NE(load.error().Message().find("docker run --gpus all"), std::string::npos);
  EXPECT_FALSE(BurstLoad::Open(kUuid, HELIOGRAD_NVML_CODES)) << "a library that is no CUDA";
}

TEST(CudaUuid, IsReadAsNvmlWritesIt) {
  cuda::Uuid uuid{};
  ASSERT_TRUE(cuda::ParseUuid(kUuid, uuid));
  EXPECT_EQ(uuid.bytes[0], 0x00);
  EXPECT_EQ(uuid.bytes[15], 0xff);
  for (const char* wrong : {"", "GPU-", "GPU-0011", "MIG-00112233-4455-6677-8899-aabbccddeeff",
                            "GPU-00112233-4455-6677-8899-aabbccddeeff0", "GPU-00112233-4455-6677-8899-aabbccddeefg"}) {
    EXPECT_FALSE(cuda::ParseUuid(wrong, uuid)) << wrong;
  }
}

}  // namespace
}  // namespace heliograd

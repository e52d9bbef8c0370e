#include "heliograd/meter/nvml_meter.h"

#include <dlfcn.h>
#include <gtest/gtest.h>

#include "heliograd/meter/meter_contract_test.h"

namespace heliograd {
namespace {

using nvml::Return;

constexpr Return kEveryCode[] = {Return::kUninitialized,
                                 Return::kInvalidArgument,
                                 Return::kNotSupported,
                                 Return::kNoPermission,
                                 Return::kAlreadyInitialized,
                                 Return::kNotFound,
                                 Return::kInsufficientSize,
                                 Return::kInsufficientPower,
                                 Return::kDriverNotLoaded,
                                 Return::kTimeout,
                                 Return::kIrqIssue,
                                 Return::kLibraryNotFound,
                                 Return::kFunctionNotFound,
                                 Return::kCorruptedInforom,
                                 Return::kGpuIsLost,
                                 Return::kResetRequired,
                                 Return::kOperatingSystem,
                                 Return::kLibRmVersionMismatch,
                                 Return::kInUse,
                                 Return::kMemory,
                                 Return::kNoData,
                                 Return::kVgpuEccNotSupported,
                                 Return::kInsufficientResources,
                                 Return::kFreqNotSupported,
                                 Return::kArgumentVersionMismatch,
                                 Return::kDeprecated,
                                 Return::kNotReady,
                                 Return::kGpuNotFound,
                                 Return::kInvalidState,
                                 Return::kResetTypeNotSupported,
                                 Return::kUnknown};

/// The library that answers what it is told to, and the hand that tells it.
class NvmlCodes : public testing::Test {
 protected:
  void SetUp() override {
    self_ = dlopen(HELIOGRAD_NVML_CODES, RTLD_NOW);
    ASSERT_NE(self_, nullptr) << dlerror();
    Tell("codes_init", Return::kSuccess);
    Tell("codes_call", Return::kSuccess);
    Tell("codes_field", Return::kSuccess);
    Tell("codes_power_mw", uint32_t{150'000});
    Tell("codes_limit_mw", uint32_t{200'000});
    auto library = NvmlLibrary::Load(HELIOGRAD_NVML_CODES);
    ASSERT_TRUE(library) << library.error().Message();
    library_ = *library;
    device_ = library_->Devices()->front();
  }
  void TearDown() override { dlclose(self_); }

  template <typename T>
  void Tell(const char* name, T value) {
    *static_cast<T*>(dlsym(self_, name)) = value;
  }

  void* self_ = nullptr;
  std::shared_ptr<NvmlLibrary> library_;
  nvml::Device device_ = nullptr;
};

TEST_F(NvmlCodes, ReadsEveryChannelOfTheBatchWithTheDriversStamp) {
  const auto meter = OpenNvmlMeter(library_, device_);
  ASSERT_TRUE(meter) << meter.error().Message();
  ASSERT_EQ((*meter)->Channels().size(), 5u);
  EXPECT_EQ((*meter)->Device(), (DeviceRecord{"GPU-codes", "Codes", "NVIDIA 580.00", "nvml"}));
  std::vector<ChannelReading> readings(5);
  (*meter)->Read(readings);
  for (const ChannelReading& reading : readings) {
    EXPECT_EQ(reading.state, ReadingState::kValue);
    EXPECT_EQ(reading.driver_us, 1'764'000'000'000'000);
  }
  EXPECT_EQ(readings[0].value, 1'000'000'000);  // mJ of the driver in uJ
  EXPECT_EQ(readings[1].value, 150'000);
}

TEST_F(NvmlCodes, NoCodeOfAnyCallOrFieldPassesForAValue) {
  const auto meter = OpenNvmlMeter(library_, device_);
  ASSERT_TRUE(meter);
  std::vector<ChannelReading> readings((*meter)->Channels().size());
  for (const char* place : {"codes_call", "codes_field"}) {
    for (const Return code : kEveryCode) {
      Tell(place, code);
      (*meter)->Read(readings);
      for (const ChannelReading& reading : readings) {
        EXPECT_NE(reading.state, ReadingState::kValue) << place << " " << nvml::ReturnName(code);
        EXPECT_EQ(reading.code, static_cast<int>(code));
      }
      EXPECT_NE((*meter)->CodeName(static_cast<int>(code)), "an NVML code this program does not know");
    }
    Tell(place, Return::kSuccess);
  }
}

TEST_F(NvmlCodes, ALostDeviceIsToldFromOneThatIsNotReady) {
  const auto meter = OpenNvmlMeter(library_, device_);
  std::vector<ChannelReading> readings((*meter)->Channels().size());
  for (const Return code : {Return::kGpuIsLost, Return::kResetRequired, Return::kDriverNotLoaded, Return::kUnknown}) {
    Tell("codes_call", code);
    (*meter)->Read(readings);
    EXPECT_EQ(readings[0].state, ReadingState::kLost) << nvml::ReturnName(code);
  }
  for (const Return code : {Return::kNoData, Return::kNotReady, Return::kTimeout}) {
    Tell("codes_call", code);
    (*meter)->Read(readings);
    EXPECT_EQ(readings[0].state, ReadingState::kNothingYet) << nvml::ReturnName(code);
  }
}

TEST_F(NvmlCodes, ZeroMilliwattsAreNoReading) {
  const auto meter = OpenNvmlMeter(library_, device_);
  Tell("codes_power_mw", uint32_t{0});
  std::vector<ChannelReading> readings((*meter)->Channels().size());
  (*meter)->Read(readings);
  EXPECT_EQ(readings[1].state, ReadingState::kNothingYet);
  EXPECT_EQ(readings[0].state, ReadingState::kValue);  // the counter is not in doubt
}

TEST_F(NvmlCodes, ADriverWithoutFieldsIsReadByItsOlderCalls) {
  Tell("codes_field", Return::kNotSupported);
  const auto meter = OpenNvmlMeter(library_, device_);
  ASSERT_TRUE(meter) << meter.error().Message();
  EXPECT_EQ((*meter)->Channels(),
            (std::vector{ChannelKind::kEnergy, ChannelKind::kPowerInstant, ChannelKind::kPowerLimit}));
}

TEST_F(NvmlCodes, ADeviceThatMeasuresNothingIsRefused) {
  Tell("codes_call", Return::kNotSupported);
  const auto meter = OpenNvmlMeter(library_, device_);
  ASSERT_FALSE(meter);
  EXPECT_EQ(meter.error().kind, ErrorKind::kDevice);
}

TEST_F(NvmlCodes, EveryCodeOfSettingALimitIsAnErrorThatNamesIt) {
  const auto capper = OpenNvmlCapper(library_, device_);
  ASSERT_TRUE(capper);
  for (const Return code : kEveryCode) {
    Tell("codes_call", code);
    const Result<void> set = (*capper)->SetLimit(Watts(150));
    ASSERT_FALSE(set) << nvml::ReturnName(code);
    EXPECT_NE(set.error().Message().find(nvml::ReturnName(code)), std::string::npos) << set.error().Message();
    EXPECT_FALSE((*capper)->Range());
    EXPECT_FALSE((*capper)->Limit());
  }
  Tell("codes_call", Return::kNoPermission);
  EXPECT_EQ((*capper)->SetLimit(Watts(150)).error().kind, ErrorKind::kPermission);
  Tell("codes_call", Return::kSuccess);
  ASSERT_TRUE((*capper)->SetLimit(Watts(150)));
  EXPECT_EQ(*(*capper)->Limit(), Watts(150));
  EXPECT_EQ((*capper)->Range()->lowest, Watts(100));
  EXPECT_EQ((*capper)->Range()->standard, Watts(320));
}

TEST_F(NvmlCodes, EveryCodeOfTheStartIsAnErrorThatSaysWhatToDo) {
  for (const Return code : kEveryCode) {
    Tell("codes_init", code);
    const auto library = NvmlLibrary::Load(HELIOGRAD_NVML_CODES);
    ASSERT_FALSE(library) << nvml::ReturnName(code);
    EXPECT_NE(library.error().Message().find(nvml::ReturnName(code)), std::string::npos);
  }
  Tell("codes_init", Return::kDriverNotLoaded);
  EXPECT_NE(NvmlLibrary::Load(HELIOGRAD_NVML_CODES).error().Message().find("modprobe nvidia"), std::string::npos);
}

/// The library that answers what it is told to, as a source of moments.
class ToldNvml : public MeterWorld {
 public:
  explicit ToldNvml(std::vector<Moment> moments)
      : moments_(std::move(moments)), self_(dlopen(HELIOGRAD_NVML_CODES, RTLD_NOW)) {
    Tell("codes_absent_field", uint32_t{0});
  }
  ~ToldNvml() override {
    GoTo(0);
    Tell("codes_absent_field", uint32_t{0});
    dlclose(self_);
  }
  ToldNvml(const ToldNvml&) = delete;
  ToldNvml& operator=(const ToldNvml&) = delete;

  void GoTo(size_t moment) override {
    const Moment& now = moments_[moment];
    Tell("codes_field", now.state == Moment::State::kSilent ? Return::kNoData : Return::kSuccess);
    Tell("codes_call", now.state == Moment::State::kGone ? Return::kGpuIsLost : Return::kSuccess);
    Tell("codes_init", now.state == Moment::State::kGone ? Return::kDriverNotLoaded : Return::kSuccess);
    if (now.state != Moment::State::kShows) return;
    Tell("codes_power_mw", static_cast<uint32_t>(now.power_mw));
    Tell("codes_energy_mj", static_cast<unsigned long long>(now.energy_uj / 1000));
  }
  void Withhold(ChannelKind kind) override {
    const std::pair<ChannelKind, uint32_t> fields[] = {{ChannelKind::kEnergy, nvml::kFieldTotalEnergyConsumption},
                                                       {ChannelKind::kPowerInstant, nvml::kFieldPowerInstant},
                                                       {ChannelKind::kPowerAverage, nvml::kFieldPowerAverage},
                                                       {ChannelKind::kPowerLimit, nvml::kFieldPowerCurrentLimit},
                                                       {ChannelKind::kCappedTime, nvml::kFieldPerfPolicyPower}};
    for (const auto& [known, field] : fields) {
      if (known == kind) Tell("codes_absent_field", field);
    }
  }
  Result<std::unique_ptr<PowerMeter>> Open() override {
    const auto library = NvmlLibrary::Load(HELIOGRAD_NVML_CODES);
    if (!library) return Fail(library.error());
    return OpenNvmlMeter(*library, (*library)->Devices()->front());
  }

 private:
  template <typename T>
  void Tell(const char* name, T value) {
    *static_cast<T*>(dlsym(self_, name)) = value;
  }

  std::vector<Moment> moments_;
  void* self_;
};

std::vector<int> EveryCodeAsNumber() {
  std::vector<int> codes;
  for (const Return code : kEveryCode) codes.push_back(static_cast<int>(code));
  return codes;
}

INSTANTIATE_TEST_SUITE_P(Nvml, MeterContract,
                         testing::Values(MeterUnderTest{
                             .name = "nvml",
                             .make =
                                 [](const std::vector<Moment>& moments) { return std::make_unique<ToldNvml>(moments); },
                             .channels = {ChannelKind::kEnergy, ChannelKind::kPowerInstant, ChannelKind::kPowerAverage,
                                          ChannelKind::kPowerLimit, ChannelKind::kCappedTime},
                             .source = "nvml",
                             .has_stamps = true,
                             .codes = EveryCodeAsNumber()}),
                         MeterName);

TEST(NvmlLibrary, AMachineWithoutTheLibraryIsToldWhatIsMissing) {
  const auto library = NvmlLibrary::Load("libno-such-driver.so.1");
  ASSERT_FALSE(library);
  EXPECT_EQ(library.error().kind, ErrorKind::kDevice);
  EXPECT_NE(library.error().Message().find("install NVIDIA's driver"), std::string::npos);
}

}  // namespace
}  // namespace heliograd

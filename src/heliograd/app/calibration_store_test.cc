#include "heliograd/app/calibration_store.h"

#include <gtest/gtest.h>

namespace heliograd {
namespace {

DeviceCalibration Example() {
  DeviceCalibration calibration;
  calibration.device = {"GPU-1", "Card", "NVIDIA 580.00", "nvml"};
  calibration.made = *ParseStamp("2026-11-24T19:00:00Z", TimeZone());
  calibration.power.timing = {.period_s = 0.1, .window_s = 0.025, .contiguous = false, .lag_s = -0.0001};
  calibration.power.readings = 500;
  calibration.counter_sight = CounterSight::kBlind;
  calibration.counter = calibration.power.timing;
  calibration.counter_over_readings = 1.01;
  return calibration;
}

TEST(CalibrationStore, ComesBackAsItWasWritten) {
  const DeviceCalibration written = Example();
  const auto read = ParseCalibration(WriteCalibration(written), "file");
  ASSERT_TRUE(read) << read.error().Message();
  EXPECT_EQ(read->device, written.device);
  EXPECT_EQ(read->made, written.made);
  EXPECT_EQ(read->power.timing.lag_s, written.power.timing.lag_s);
  EXPECT_EQ(read->power.timing.window_s, written.power.timing.window_s);
  EXPECT_EQ(read->counter_sight, CounterSight::kBlind);
  EXPECT_EQ(read->counter_over_readings, written.counter_over_readings);
  EXPECT_EQ(WriteCalibration(*read), WriteCalibration(written));
}

TEST(CalibrationStore, ACutFileIsNeverACalibration) {
  const std::string whole = WriteCalibration(Example());
  // The last two characters are the closing brace and the line's end.
  for (size_t length = 0; length + 2 < whole.size(); ++length) {
    EXPECT_FALSE(ParseCalibration(whole.substr(0, length), "file")) << length;
  }
}

TEST(CalibrationStore, EveryMistakeIsNamed) {
  const auto read = ParseCalibration(R"({"format": "heliograd-calibration 1", "uuid": "", "power": 3})", "file.json");
  ASSERT_FALSE(read);
  const std::string message = read.error().Message();
  for (const char* key : {"uuid", "name", "driver", "made", "power", "counter.sight"}) {
    EXPECT_NE(message.find(std::string("file.json: ") + key), std::string::npos) << key << "\n" << message;
  }
}

}  // namespace
}  // namespace heliograd

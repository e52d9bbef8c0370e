#include "sim/config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>

namespace heliograd::sim {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(ConfigTest, AnEmptyFileIsOneGpuWithTheDocumentedDefaults) {
  const auto config = ParseConfig("", "/tmp/gpu.toml");
  ASSERT_TRUE(config) << config.error().Message();
  EXPECT_EQ(config->speed, 1);
  EXPECT_EQ(config->state, "/tmp/gpu.toml.state");
  ASSERT_EQ(config->gpus.size(), 1u);
  const GpuConfig& gpu = config->gpus[0];
  EXPECT_EQ(gpu.driver, "580.00");
  EXPECT_EQ(gpu.idle_w, 15);
  EXPECT_EQ(gpu.limit_min_w, 100);
  EXPECT_EQ(gpu.limit_max_w, 320);
  EXPECT_EQ(gpu.limit_default_w, 320);
  EXPECT_EQ(gpu.sensor.period_ms, 100);
  EXPECT_EQ(gpu.sensor.window_ms, 25);
  EXPECT_EQ(gpu.sensor.quantum_mw, 1);
  EXPECT_EQ(gpu.counter, CounterKind::kTrue);
  EXPECT_EQ(gpu.counter_period_ms, 100);
  EXPECT_EQ(gpu.call_latency_us, 20);
  EXPECT_TRUE(gpu.privileged);
}

TEST(ConfigTest, EveryKeyIsRead) {
  const auto config = ParseConfig(R"(speed = 50
state = "there/s"
[[gpu]]
name = "A"
uuid = "GPU-a"
driver = "550.1"
idle_w = 20
limit_min_w = 50
limit_max_w = 400
limit_default_w = 300
sensor_period_ms = 20
sensor_window_ms = 10
sensor_phase_ms = 3
sensor_jitter_ms = 0.2
sensor_lag_ms = 5
sensor_low_pass_ms = 2
sensor_gain = 0.95
sensor_offset_w = -1
sensor_noise_w = 0.3
sensor_quantum_mw = 1000
sensor_seed = 7
counter = "sensor"
counter_period_ms = 40
call_latency_us = 0
privileged = false
[[gpu.fault]]
at_s = 9
kind = "hang"
[[gpu.fault]]
at_s = 5.0
lasts_s = 2
kind = "lost"
[[gpu]]
driver = "550.1"
)",
                                  "/run/gpu.toml");
  ASSERT_TRUE(config) << config.error().Message();
  EXPECT_EQ(config->state, "/run/there/s");
  ASSERT_EQ(config->gpus.size(), 2u);
  const GpuConfig& gpu = config->gpus[0];
  EXPECT_EQ(gpu.name, "A");
  EXPECT_EQ(gpu.uuid, "GPU-a");
  EXPECT_EQ(gpu.limit_default_w, 300);
  EXPECT_EQ(gpu.sensor.phase_ms, 3);
  EXPECT_EQ(gpu.sensor.jitter_ms, 0.2);
  EXPECT_EQ(gpu.sensor.lag_ms, 5);
  EXPECT_EQ(gpu.sensor.low_pass_ms, 2);
  EXPECT_EQ(gpu.sensor.gain, 0.95);
  EXPECT_EQ(gpu.sensor.offset_w, -1);
  EXPECT_EQ(gpu.sensor.noise_w, 0.3);
  EXPECT_EQ(gpu.sensor.quantum_mw, 1000);
  EXPECT_EQ(gpu.sensor.seed, 7);
  EXPECT_EQ(gpu.counter, CounterKind::kSensor);
  EXPECT_EQ(gpu.counter_period_ms, 40);
  EXPECT_FALSE(gpu.privileged);
  ASSERT_EQ(gpu.faults.size(), 2u);
  EXPECT_EQ(gpu.faults[0].kind, FaultKind::kLost);
  EXPECT_EQ(gpu.faults[0].lasts_s, 2);
  EXPECT_EQ(gpu.faults[1].kind, FaultKind::kHang);
  EXPECT_NE(config->gpus[1].uuid, gpu.uuid);
}

TEST(ConfigTest, AllMistakesAreNamedAtOnceWithTheirLines) {
  const auto config = ParseConfig(R"(speed = -1
stat = "x"
[[gpu]]
idle_w = "warm"
counter = "tru"
privileged = 1
limit_min_w = 330
uuid = "a"
[[gpu.fault]]
at_s = nan
)",
                                  "g.toml");
  ASSERT_FALSE(config);
  EXPECT_THAT(config.error().problems,
              ::testing::UnorderedElementsAre(
                  "g.toml:1: speed is -1: expected a number from 0.001 to 100000.",
                  "g.toml:2: there is no key 'stat'. Did you mean 'state'?",
                  "g.toml:4: gpu.idle_w is not a number: expected a number from 0 to 1000.",
                  "g.toml:5: gpu.counter is 'tru': expected one of true, sensor, absent. Did you mean 'true'?",
                  "g.toml:6: gpu.privileged: expected true or false.",
                  HasSubstr("g.toml:3: the limits are 330 <= 320 <= 320 W"),
                  "g.toml:8: gpu.uuid is 'a': expected a text that begins with 'GPU-'.",
                  HasSubstr("g.toml:10: gpu.fault.at_s is nan"), HasSubstr("g.toml:9: gpu.fault.kind is missing")));
}

TEST(ConfigTest, GpusOfOneMachineDifferInUuidAndShareTheDriver) {
  const auto config = ParseConfig("[[gpu]]\nuuid='GPU-1'\n[[gpu]]\nuuid='GPU-1'\ndriver='570'\n", "g.toml");
  ASSERT_FALSE(config);
  EXPECT_THAT(config.error().problems, ElementsAre(HasSubstr("'GPU-1' stands twice"), HasSubstr("'580.00' and '570'")));
}

TEST(ConfigTest, WhatIsNoTomlIsSaidWithItsLine) {
  const auto config = ParseConfig("speed = 1\n[[gpu\n", "g.toml");
  ASSERT_FALSE(config);
  EXPECT_THAT(config.error().Message(), HasSubstr("g.toml:2: not TOML"));
}

TEST(ConfigTest, AMissingFileIsNamed) {
  setenv("HELIOGRAD_SIM_GPU", "/nonexistent/gpu.toml", 1);
  const auto config = ReadConfig();
  unsetenv("HELIOGRAD_SIM_GPU");
  ASSERT_FALSE(config);
  EXPECT_THAT(config.error().Message(), HasSubstr("/nonexistent/gpu.toml"));
}

}  // namespace
}  // namespace heliograd::sim

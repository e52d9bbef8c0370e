#include "sim/driver.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <random>
#include <thread>

#include "sim/load.h"
#include "sim/sensor.h"

namespace heliograd::sim {
namespace {

class DriverTest : public ::testing::Test {
 protected:
  DriverTest() {
    char folder[] = "/tmp/heliograd_driver_test_XXXXXX";
    folder_ = mkdtemp(folder);
  }
  ~DriverTest() override { std::filesystem::remove_all(folder_); }

  std::unique_ptr<Driver> Open(const std::string& text = "") {
    auto config = ParseConfig(text, folder_ + "/gpu.toml");
    EXPECT_TRUE(config);
    auto driver = Driver::Open(*config);
    EXPECT_TRUE(driver) << (driver ? "" : driver.error().Message());
    return driver ? std::move(*driver) : nullptr;
  }

  static double LimitOf(const Driver& driver, size_t gpu = 0) {
    double limit_w = 0;
    driver.Look(gpu, [&](const GpuView& view) { limit_w = view.state.limit_w; });
    return limit_w;
  }

  std::string folder_;
};

void SetLimit(Driver& driver, double limit_w) {
  driver.Change(0, [&](GpuView& view) { view.state.limit_w = limit_w; });
}

/// Runs `work` in a process of its own.
template <typename Work>
pid_t Fork(const Work& work) {
  const pid_t child = fork();
  if (child == 0) {
    work();
    _exit(0);
  }
  return child;
}

TEST_F(DriverTest, AllWhoNameTheSameFileShareOneState) {
  const auto first = Open();
  const auto second = Open();
  SetLimit(*first, 170);
  EXPECT_EQ(LimitOf(*second), 170);
  first->Change(0, [](GpuView& view) { StartLoad({7, StudyPhases(), 100, 0}, 100, view.state); });
  second->Look(0, [](const GpuView& view) { EXPECT_EQ(view.state.loads[0].pid, 7u); });
  EXPECT_EQ(LimitOf(*Open()), 170);
}

TEST_F(DriverTest, TheStateOutlivesItsProcesses) {
  SetLimit(*Open(), 150);
  EXPECT_EQ(LimitOf(*Open()), 150);
}

TEST_F(DriverTest, AnotherContentOfTheFileIsAnotherMachine) {
  const auto before = Open("speed = 1\n");
  SetLimit(*before, 150);
  EXPECT_EQ(LimitOf(*Open("speed = 2\n")), 320);
  EXPECT_EQ(LimitOf(*before), 150);  // who was there keeps what it had
}

TEST_F(DriverTest, WhatIsNoStateOfOursIsReplaced) {
  for (const std::string& junk : {std::string("x"), std::string(9'476'096, 'j')}) {
    std::ofstream(folder_ + "/gpu.toml.state") << junk;
    EXPECT_EQ(LimitOf(*Open()), 320);
    std::filesystem::remove(folder_ + "/gpu.toml.state");
  }
}

TEST_F(DriverTest, APlaceThatCannotBeWrittenIsNamed) {
  auto config = ParseConfig("state = '/nonexistent/state'", folder_ + "/gpu.toml");
  ASSERT_TRUE(config);
  const auto driver = Driver::Open(*config);
  ASSERT_FALSE(driver);
  EXPECT_THAT(driver.error().Message(), ::testing::HasSubstr("/nonexistent/state: the simulated driver's state"));
}

TEST_F(DriverTest, SimulatedTimePassesAsFastAsAskedFor) {
  const auto driver = Open("speed = 1000\n");
  const auto begin = std::chrono::steady_clock::now();
  const int64_t begin_ns = driver->Now();
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  const double simulated_s = static_cast<double>(driver->Now() - begin_ns) / 1e9;
  const double real_s = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  EXPECT_LE(simulated_s, real_s * 1000 + 1e-3);
  EXPECT_GE(simulated_s, 50);
  EXPECT_EQ(driver->SimTimeOf(driver->RealUnixTimeOf(5'000'000'000)), 5'000'000'000);
}

TEST_F(DriverTest, ManyProcessesAtOnceLoseNoChange) {
  constexpr int kProcesses = 6;
  constexpr int kChanges = 500;
  const auto driver = Open();
  std::vector<pid_t> children;
  for (int k = 0; k < kProcesses; ++k) {
    children.push_back(Fork([&] {
      const auto mine = Open();
      for (int change = 0; change < kChanges; ++change) {
        mine->Change(0, [](GpuView& view) { ++view.state.last_load_id; });
        mine->Look(0, [](const GpuView&) {});
      }
    }));
  }
  for (const pid_t child : children) {
    int status = 0;
    waitpid(child, &status, 0);
    EXPECT_EQ(status, 0);
  }
  driver->Look(0, [](const GpuView& view) { EXPECT_EQ(view.state.last_load_id, kProcesses * kChanges); });
}

/// Changes two fields together, for ever, under a load that fills the history.
void ChangeForEver(Driver& driver) {
  uint64_t id = 0;
  for (int k = 0;; ++k) {
    driver.Change(0, [&](GpuView& view) {
      view.state.limit_w = k % 2 ? 100 : 200;
      view.state.highest_clock_mhz = k % 2 ? 1000 : 2000;
      Load* load = FindLoad(view.state, id);
      if (load) KeepAlive(*load, 1e5, false, view.state.now_ns);
      if (!load || k % 100 == 0) id = StartLoad({1, StudyPhases(), INT64_MAX, 0}, 0, view.state).value_or(id);
    });
  }
}

TEST_F(DriverTest, AProcessKilledAtAnyInstructionLeavesTheStateSound) {
  constexpr int kKills = 200;
  const auto driver = Open("speed = 20000\n[[gpu]]\ncounter = 'sensor'\n");
  std::mt19937 random(1);
  std::uniform_int_distribution<int> microseconds(0, 8000);
  double joules_before = 0;
  int64_t now_before_ns = 0;
  for (int kill_number = 0; kill_number < kKills; ++kill_number) {
    const pid_t child = Fork([&] { ChangeForEver(*driver); });
    std::this_thread::sleep_for(std::chrono::microseconds(microseconds(random)));
    kill(child, SIGKILL);
    waitpid(child, nullptr, 0);
    driver->Change(0, [&](GpuView& view) {
      const GpuState& state = view.state;
      if (state.limit_w != 320) {
        EXPECT_EQ(state.limit_w == 100, state.highest_clock_mhz == 1000);
      }
      const double joules = view.timeline.JoulesAt(state.now_ns)->joules;
      const double seconds = static_cast<double>(state.now_ns - now_before_ns) / 1e9;
      EXPECT_GE(joules - joules_before, 15 * seconds * (1 - 1e-9));
      EXPECT_LE(joules - joules_before, 240 * seconds * (1 + 1e-9));
      // The history agrees with the sums: no segment was left half written.
      for (int64_t back_ns = 0; back_ns < 50'000'000'000; back_ns += 500'000'000) {
        const double later = view.timeline.JoulesAt(state.now_ns - back_ns)->joules;
        const double earlier = view.timeline.JoulesAt(state.now_ns - back_ns - 500'000'000)->joules;
        EXPECT_GE(later - earlier, 15 * 0.5 - 1e-6);
        EXPECT_LE(later - earlier, 240 * 0.5 + 1e-6);
      }
      joules_before = joules;
      now_before_ns = state.now_ns;
    });
  }
}

TEST_F(DriverTest, AReaderStoppedAnywhereHoldsNobodyUp) {
  const auto driver = Open();
  const pid_t reader = Fork([&] {
    while (true) driver->Look(0, [](const GpuView&) {});
  });
  for (int k = 0; k < 50; ++k) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
    kill(reader, SIGSTOP);
    SetLimit(*driver, 100 + k);
    EXPECT_EQ(LimitOf(*driver), 100 + k);
    kill(reader, SIGCONT);
  }
  kill(reader, SIGKILL);
  waitpid(reader, nullptr, 0);
}

TEST_F(DriverTest, AFirstProcessKilledWhileItBeginsLeavesNothingInTheWay) {
  for (int kills = 0; kills < 50; ++kills) {
    const pid_t child = Fork([&] { Open(); });
    std::this_thread::sleep_for(std::chrono::microseconds(100 * kills));
    kill(child, SIGKILL);
    waitpid(child, nullptr, 0);
    EXPECT_EQ(LimitOf(*Open()), 320);
    std::filesystem::remove(folder_ + "/gpu.toml.state");
  }
}

}  // namespace
}  // namespace heliograd::sim

#include "heliograd/trace/run_store.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>

namespace heliograd {
namespace {

constexpr int64_t kStart = 1764000000000000000;
constexpr int64_t kMillisecond = 1'000'000;

class RunStoreTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = std::filesystem::temp_directory_path() / ("run_store_" + std::to_string(getpid()));
    std::filesystem::create_directories(folder_);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::string Path(const std::string& name) const { return (folder_ / name).string(); }
  Result<RunWriter> Create(const std::string& name) const {
    return RunWriter::Create(Path(name), {{"GPU-1", "Card", "580.00", "nvml"}},
                             {{0, ChannelKind::kPowerInstant}, {0, ChannelKind::kEnergy}}, {{"command", "train"}});
  }

  std::filesystem::path folder_;
};

Sample At(int64_t first_ms, int64_t last_ms, int64_t value, bool changed = true) {
  return {kStart + first_ms * kMillisecond, kStart + last_ms * kMillisecond, 0, value, changed};
}

TEST_F(RunStoreTest, GivesBackWhatWasWritten) {
  Result<RunWriter> writer = Create("run");
  ASSERT_TRUE(writer) << writer.error().Message();
  RunBatch batch;
  batch.samples = {{0, {At(0, 98, 150'000, false), At(100, 198, 151'000)}}, {1, {At(0, 98, 7'000'000, false)}}};
  batch.gaps = {{0, kStart, kStart + 5, "the driver was loaded again"}};
  batch.windows = {{"epoch", kStart, kStart + 100, 42, 0}, {"step", kStart + 1, kStart + 9, 42, 1}};
  batch.remarks = {{kStart, "limit 200 W"}};
  ASSERT_TRUE(writer->Append(batch));
  ASSERT_TRUE(writer->SetFact("exit_code", "0"));
  ASSERT_TRUE(writer->Close());
  EXPECT_FALSE(std::filesystem::exists(Path("run-wal")));  // one file is left

  const Result<RunReader> reader = RunReader::Open(Path("run"));
  ASSERT_TRUE(reader) << reader.error().Message();
  EXPECT_EQ(reader->Devices()->front(), (DeviceRecord{"GPU-1", "Card", "580.00", "nvml"}));
  EXPECT_EQ(reader->Channels()->at(1), (ChannelRecord{0, ChannelKind::kEnergy}));
  EXPECT_EQ(*reader->Samples(0, kStart, kStart + 1000 * kMillisecond), batch.samples[0].second);
  EXPECT_EQ(*reader->Gaps(), batch.gaps);
  EXPECT_EQ(*reader->Windows(), batch.windows);
  EXPECT_EQ(*reader->Remarks(), batch.remarks);
  EXPECT_EQ(reader->Facts()->size(), 2u);
  EXPECT_EQ((*reader->Extent())->second, kStart + 198 * kMillisecond);
}

TEST_F(RunStoreTest, ReadsAnIntervalAndJoinsWhatABlockCut) {
  Result<RunWriter> writer = Create("run");
  ASSERT_TRUE(writer->Append({{{0, {At(0, 98, 1, false), At(100, 150, 2)}}}, {}, {}, {}}));
  ASSERT_TRUE(writer->Append({{{0, {At(150, 198, 2, false), At(200, 298, 3)}}}, {}, {}, {}}));
  const Result<RunReader> reader = RunReader::Open(Path("run"));  // while it is still being written
  ASSERT_TRUE(reader);
  const std::vector<Sample> all = {At(0, 98, 1, false), At(100, 198, 2), At(200, 298, 3)};
  EXPECT_EQ(*reader->Samples(0, kStart, kStart + 1000 * kMillisecond), all);
  EXPECT_EQ(*reader->Samples(0, kStart + 120 * kMillisecond, kStart + 130 * kMillisecond),
            std::vector{At(100, 150, 2)});
}

TEST_F(RunStoreTest, RefusesAFileThatExistsAndFilesThatAreNoRuns) {
  std::ofstream(Path("notes")) << "my notes, long enough to be taken for a database if only its size were looked at";
  const Result<RunWriter> writer = Create("notes");
  ASSERT_FALSE(writer);
  EXPECT_NE(writer.error().Message().find("exists already"), std::string::npos);
  const Result<RunReader> reader = RunReader::Open(Path("notes"));
  ASSERT_FALSE(reader);
  EXPECT_NE(reader.error().Message().find("no SQLite file"), std::string::npos) << reader.error().Message();
  EXPECT_FALSE(RunReader::Open(Path("absent")));
  EXPECT_FALSE(RunReader::Open(folder_.string()));
}

TEST_F(RunStoreTest, AWriterKilledAtAnyTimeLeavesEveryBatchThatItHadReported) {
  for (int trial = 0; trial < 20; ++trial) {
    const std::string name = "killed" + std::to_string(trial);
    int reported[2];
    ASSERT_EQ(pipe(reported), 0);
    const pid_t child = fork();
    if (child == 0) {
      Result<RunWriter> writer = Create(name);
      for (int64_t i = 0; writer; ++i) {
        if (!writer->Append({{{0, {At(i, i, i)}}}, {}, {}, {}})) _exit(1);
        if (write(reported[1], &i, sizeof i) != sizeof i) _exit(1);
      }
      _exit(1);
    }
    int64_t last = -1;
    for (int i = 0; i <= trial; ++i)
      ASSERT_EQ(read(reported[0], &last, sizeof last), static_cast<ssize_t>(sizeof last));
    usleep(static_cast<useconds_t>(trial * 137));  // another point within a write each time
    kill(child, SIGKILL);
    waitpid(child, nullptr, 0);
    close(reported[1]);
    for (int64_t value; read(reported[0], &value, sizeof value) == sizeof value;) last = value;
    close(reported[0]);

    const Result<RunReader> reader = RunReader::Open(Path(name));
    ASSERT_TRUE(reader) << reader.error().Message();
    const Result<std::vector<Sample>> samples = reader->Samples(0, kStart, kStart + 1'000'000 * kMillisecond);
    ASSERT_TRUE(samples) << samples.error().Message();
    // The batch in flight may or may not be there; everything before it is.
    EXPECT_GE(static_cast<int64_t>(samples->size()), last + 1);
    EXPECT_LE(static_cast<int64_t>(samples->size()), last + 2);
    for (size_t i = 0; i < samples->size(); ++i) EXPECT_EQ((*samples)[i].value, static_cast<int64_t>(i));
  }
}

TEST_F(RunStoreTest, AFullDiskRefusesABatchAndKeepsTheEarlierOnes) {
  Result<RunWriter> writer = Create("full");
  ASSERT_TRUE(writer);
  ASSERT_TRUE(writer->Append({{{0, {At(0, 0, 1)}}}, {}, {}, {}}));
  // A limit on the size of files stands in for the full disk: the write itself fails in both cases.
  struct Limit {
    rlimit before;
    Limit() {
      getrlimit(RLIMIT_FSIZE, &before);
      std::signal(SIGXFSZ, SIG_IGN);
      const rlimit small = {200'000, before.rlim_max};
      setrlimit(RLIMIT_FSIZE, &small);
    }
    ~Limit() { setrlimit(RLIMIT_FSIZE, &before); }
  };
  std::vector<Sample> many;
  for (int64_t i = 1; i < 100'000; ++i) many.push_back(At(i * 100, i * 100 + 98, i * 7919 % 100'003));
  const RunBatch large = {{{0, many}}, {}, {}, {}};
  {
    const Limit limit;
    EXPECT_FALSE(writer->Append(large));
  }
  EXPECT_EQ(RunReader::Open(Path("full"))->Samples(0, kStart, kStart + kMillisecond)->size(), 1u);
  EXPECT_TRUE(writer->Append(large));  // the same batch again, once there is room
  EXPECT_EQ(RunReader::Open(Path("full"))->Samples(0, kStart, INT64_MAX)->size(), 100'000u);
}

}  // namespace
}  // namespace heliograd

#include "heliograd/app/run_news.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include "heliograd/base/file.h"
#include "heliograd/plan/test_problems.h"

namespace heliograd {
namespace {

TEST(Stored, ReadsWhatBatteriesSay) {
  const Energy capacity = WattHours(2000);
  EXPECT_EQ(*ParseStored("1234\n", capacity, "f"), WattHours(1234));
  EXPECT_EQ(*ParseStored(" 1.2 kWh", capacity, "f"), WattHours(1200));
  EXPECT_EQ(*ParseStored("45 %", capacity, "f"), WattHours(900));
  for (const char* text : {"", "full", "-1", "2500 Wh", "45 W", "nan"})
    EXPECT_FALSE(ParseStored(text, capacity, "f")) << text;
}

class News : public testing::Test {
 protected:
  News() : path_(testing::TempDir() + "/pv-" + std::to_string(getpid()) + ".csv"), problem_(StudyProblem(8, 4, 200)) {}
  ~News() override { std::filesystem::remove(path_); }
  NewsSources Sources() const {
    NewsSources sources;
    sources.pv_forecast = path_;
    return sources;
  }
  std::string path_;
  DispatchProblem problem_;  // from 07:00 UTC; 200 W from 08:00 UTC on
};

TEST_F(News, ForecastReplacesWhatLiesAheadAndGapsKeepTheLastGoodValue) {
  ASSERT_TRUE(WriteFile(
      path_, "start,pv_w\n2025-01-01T07:00Z,999\n2025-01-01T08:00Z,50\n2025-01-01T09:00Z,\n2025-01-01T10:00Z,70\n"));
  RunNewsReader reader(Sources());
  const auto news = reader.Look(problem_.horizon.SlotStart(1), problem_);
  ASSERT_TRUE(news);
  EXPECT_TRUE(news->changes);
  EXPECT_NE(news->text.find("1 slots ahead"), std::string::npos) << news->text;
  EXPECT_EQ(problem_.pv[0], WattHours(0));  // is over: not touched
  EXPECT_EQ(problem_.pv[1], WattHours(50));
  EXPECT_EQ(problem_.pv[2], WattHours(200));  // a gap is no zero
  EXPECT_EQ(problem_.pv[3], WattHours(70));
}

TEST_F(News, FirstLookReadsAndLaterOnesSayWhatHasChanged) {
  const auto rows = [](const std::string& watts) {
    std::string text = "start,pv_w\n";
    for (const char* hour : {"07", "08", "09", "10", "11"}) {
      text += "2025-01-01T" + std::string(hour) + ":00Z," + watts + "\n";
    }
    return text;
  };
  ASSERT_TRUE(WriteFile(path_, rows("50")));
  RunNewsReader reader(Sources());
  const auto first = reader.Look(problem_.horizon.start, problem_);
  ASSERT_TRUE(first);
  EXPECT_TRUE(first->changes);  // the plan knew other sun
  EXPECT_EQ(first->text.find("has changed"), std::string::npos) << first->text;
  EXPECT_EQ(first->text.find("the PV forecast was read"), 0u) << first->text;
  ASSERT_TRUE(WriteFile(path_, rows("70")));
  // As if written a second later: stamps of files may be as coarse as the kernel's clock.
  std::filesystem::last_write_time(path_, std::filesystem::last_write_time(path_) + std::chrono::seconds(1));
  std::optional<RunNews> second;
  for (int i = 0; i < 100 && !second; ++i) {  // it looks once a second
    usleep(50'000);
    second = reader.Look(problem_.horizon.start, problem_);
  }
  ASSERT_TRUE(second);
  EXPECT_EQ(second->text.find("the PV forecast has changed"), 0u) << second->text;
}

TEST_F(News, PipeInTheFilesPlaceIsNoFileAndIsNotWaitedFor) {
  ASSERT_EQ(mkfifo(path_.c_str(), 0600), 0);
  RunNewsReader reader(Sources());
  const auto news = reader.Look(problem_.horizon.start, problem_);
  ASSERT_TRUE(news);
  EXPECT_FALSE(news->changes);
  EXPECT_NE(news->text.find("is no file any more; the last good values are kept"), std::string::npos) << news->text;
}

TEST_F(News, MissingOrBrokenFileIsFlaggedAndChangesNothing) {
  const DispatchProblem before = problem_;
  RunNewsReader missing(Sources());
  const auto news = missing.Look(problem_.horizon.start, problem_);
  ASSERT_TRUE(news);
  EXPECT_FALSE(news->changes);
  EXPECT_NE(news->text.find("last good values are kept"), std::string::npos);
  EXPECT_NE(news->text.find("is not there"), std::string::npos) << news->text;
  ASSERT_EQ(symlink(path_.c_str(), path_.c_str()), 0);  // stands for all that is there and cannot be read
  RunNewsReader unreadable(Sources());
  const auto refused = unreadable.Look(problem_.horizon.start, problem_);
  ASSERT_TRUE(refused);
  EXPECT_NE(refused->text.find("cannot be read: "), std::string::npos) << refused->text;
  std::filesystem::remove(path_);
  ASSERT_TRUE(WriteFile(path_, ""));
  RunNewsReader empty(Sources());
  const auto nothing = empty.Look(problem_.horizon.start, problem_);
  ASSERT_TRUE(nothing);
  EXPECT_NE(nothing->text.find("is empty"), std::string::npos) << nothing->text;
  ASSERT_TRUE(WriteFile(path_, "start,pv_w\nsoon,1\n"));
  RunNewsReader broken(Sources());
  const auto told = broken.Look(problem_.horizon.start, problem_);
  ASSERT_TRUE(told);
  EXPECT_FALSE(told->changes);
  EXPECT_EQ(problem_.pv, before.pv);
}

}  // namespace
}  // namespace heliograd

#include "heliograd/app/file_lock.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>

#include "heliograd/base/file.h"

namespace heliograd {
namespace {

using ::testing::HasSubstr;

std::string FreshFolder(const char* name) {
  const std::string folder = ::testing::TempDir() + name;
  std::filesystem::remove_all(folder);
  std::filesystem::create_directories(folder);
  return folder;
}

TEST(FileLock, IsHadOnceAndHadAgainAfterwards) {
  const std::string file = FreshFolder("file_lock_once") + "/lock";
  EXPECT_FALSE(FileLock::Take(file, false, ""));  // there is no file, and none is made
  EXPECT_FALSE(std::filesystem::exists(file));
  {
    const auto first = FileLock::Take(file, true, "");
    ASSERT_TRUE(first && *first);
    const auto second = FileLock::Take(file, false, "");
    ASSERT_TRUE(second);
    EXPECT_FALSE(*second);
  }
  const auto third = FileLock::Take(file, false, "");
  EXPECT_TRUE(third && *third);
}

TEST(FileLock, NamesTheProcessThatHasIt) {
  const std::string file = FreshFolder("file_lock_process") + "/lock";
  ASSERT_TRUE(WriteFile(file, "a longer text of before"));
  {
    const auto first = FileLock::TakeForProcess(file, "out: taken");
    ASSERT_TRUE(first);
    EXPECT_EQ(ReadFile(file).value(), fmt::format("{}\n", getpid()));
    const auto second = FileLock::TakeForProcess(file, "out: taken");
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().kind, ErrorKind::kUsage);
    EXPECT_THAT(second.error().Message(), HasSubstr(fmt::format("out: taken, process {}", getpid())));
  }
  // The name of one that is gone keeps nobody out.
  EXPECT_TRUE(FileLock::TakeForProcess(file, "out: taken"));
}

TEST(FileLock, IsFreeOnceItsProcessWasKilled) {
  const std::string file = FreshFolder("file_lock_killed") + "/lock";
  int told[2];
  ASSERT_EQ(pipe(told), 0);
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    const auto lock = FileLock::TakeForProcess(file, "");
    static_cast<void>(!write(told[1], lock ? "y" : "n", 1));
    pause();
    _exit(0);
  }
  char had = 0;
  ASSERT_EQ(read(told[0], &had, 1), 1);
  EXPECT_EQ(had, 'y');
  const auto meanwhile = FileLock::TakeForProcess(file, "taken");
  ASSERT_FALSE(meanwhile);
  EXPECT_THAT(meanwhile.error().Message(), HasSubstr(fmt::format("process {}", child)));
  kill(child, SIGKILL);
  int status = 0;
  waitpid(child, &status, 0);
  EXPECT_TRUE(FileLock::TakeForProcess(file, "taken"));
  close(told[0]);
  close(told[1]);
}

}  // namespace
}  // namespace heliograd

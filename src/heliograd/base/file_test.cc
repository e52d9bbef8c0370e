#include "heliograd/base/file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>

namespace heliograd {
namespace {

using ::testing::HasSubstr;
namespace fs = std::filesystem;

class File : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string name = (fs::temp_directory_path() / "heliograd_file_XXXXXX").string();
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    folder_ = name;
  }
  void TearDown() override { fs::remove_all(folder_); }

  std::string Path(const std::string& name) const { return (folder_ / name).string(); }
  auto FilesInFolder() const { return std::distance(fs::directory_iterator(folder_), fs::directory_iterator()); }

  fs::path folder_;
};

TEST_F(File, ReadsBackWhatItWrote) {
  const std::string content("line\n\0\xFF end", 11);
  ASSERT_TRUE(WriteFile(Path("a"), content));
  EXPECT_EQ(ReadFile(Path("a")).value(), content);
  ASSERT_TRUE(WriteFile(Path("a"), ""));
  EXPECT_EQ(ReadFile(Path("a")).value(), "");
  EXPECT_EQ(FilesInFolder(), 1);
}

TEST_F(File, AbsentFileAndFolderAreNamed) {
  EXPECT_EQ(ReadFile(Path("none")).error().Message(), Path("none") + ": cannot read: No such file or directory.");
  EXPECT_EQ(ReadFile(folder_.string()).error().Message(), folder_.string() + ": cannot read: Is a directory.");
}

TEST_F(File, TooLargeIsRefusedEvenWithoutAnEnd) {
  constexpr size_t kMebibyte = size_t{1} << 20;
  ASSERT_TRUE(WriteFile(Path("exact"), std::string(kMebibyte, 'x')));
  EXPECT_TRUE(ReadFile(Path("exact"), kMebibyte));
  EXPECT_FALSE(ReadFile(Path("exact"), kMebibyte - 1));
  EXPECT_THAT(ReadFile("/dev/zero", kMebibyte).error().Message(), HasSubstr("/dev/zero: larger than 1 MiB"));
}

TEST_F(File, UnreadableFileIsAPermissionProblem) {
  if (geteuid() == 0) GTEST_SKIP() << "root may read everything";
  ASSERT_TRUE(WriteFile(Path("secret"), "x"));
  fs::permissions(Path("secret"), fs::perms::none);
  EXPECT_EQ(ReadFile(Path("secret")).error().kind, ErrorKind::kPermission);
}

TEST_F(File, FailedWriteKeepsTheOldContent) {
  ASSERT_TRUE(WriteFile(Path("plan.json"), "old"));
  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &before), 0);
  std::signal(SIGXFSZ, SIG_IGN);
  const rlimit small{1000, before.rlim_max};  // as on a full disk: the write fails half way
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &small), 0);
  const auto written = WriteFile(Path("plan.json"), std::string(5000, 'n'));
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &before), 0);
  ASSERT_FALSE(written);
  EXPECT_THAT(written.error().Message(), HasSubstr("plan.json: cannot write: File too large."));
  EXPECT_EQ(ReadFile(Path("plan.json")).value(), "old");
  EXPECT_EQ(FilesInFolder(), 1);
}

TEST_F(File, FolderThatDoesNotExistIsNamed) {
  EXPECT_EQ(WriteFile(Path("none/a"), "x").error().Message(),
            Path("none/a") + ": cannot write: No such file or directory.");
  EXPECT_EQ(WriteFile(folder_.string(), "x").error().Message(), folder_.string() + ": cannot write: Is a directory.");
}

TEST_F(File, LinkIsKeptAndItsTargetReplaced) {
  ASSERT_TRUE(WriteFile(Path("target"), "old"));
  fs::create_symlink("target", Path("link"));
  ASSERT_TRUE(WriteFile(Path("link"), "new"));
  EXPECT_TRUE(fs::is_symlink(Path("link")));
  EXPECT_EQ(ReadFile(Path("target")).value(), "new");
}

TEST_F(File, PermissionsOfAnExistingFileStay) {
  ASSERT_TRUE(WriteFile(Path("a"), "old"));
  fs::permissions(Path("a"), fs::perms::owner_read | fs::perms::owner_write);
  ASSERT_TRUE(WriteFile(Path("a"), "new"));
  EXPECT_EQ(fs::status(Path("a")).permissions(), fs::perms::owner_read | fs::perms::owner_write);
}

TEST_F(File, DeviceIsWrittenNotReplaced) {
  ASSERT_TRUE(WriteFile("/dev/null", "x"));
  EXPECT_TRUE(fs::is_character_file("/dev/null"));
}

}  // namespace
}  // namespace heliograd

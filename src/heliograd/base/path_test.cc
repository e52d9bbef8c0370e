#include "heliograd/base/path.h"

#include <gmock/gmock.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace heliograd {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class PathTest : public testing::Test {
 protected:
  PathTest() {
    std::string name = testing::TempDir() + "heliograd-path-XXXXXX";
    folder_ = mkdtemp(name.data());
    std::ofstream(folder_ + "/b.txt") << "b";
    std::ofstream(folder_ + "/a.txt") << "a";
  }
  ~PathTest() override { std::filesystem::remove_all(folder_); }

  std::string folder_;
};

TEST_F(PathTest, TellsWhatIsThere) {
  EXPECT_TRUE(*IsThere(folder_));
  EXPECT_TRUE(*IsThere(folder_ + "/a.txt"));
  EXPECT_FALSE(*IsThere(folder_ + "/c.txt"));
  EXPECT_FALSE(*IsThere(folder_ + "/a.txt/below a file"));
}

TEST_F(PathTest, ALinkThatLeadsNowhereIsNotThere) {
  ASSERT_EQ(symlink("nowhere", (folder_ + "/link").c_str()), 0);
  EXPECT_FALSE(*IsThere(folder_ + "/link"));
}

TEST_F(PathTest, WhatCannotBeLookedAtIsAnErrorAndNoException) {
  ASSERT_EQ(symlink("loop", (folder_ + "/loop").c_str()), 0);
  const Result<bool> looped = IsThere(folder_ + "/loop");
  ASSERT_FALSE(looped);
  EXPECT_THAT(looped.error().Message(), HasSubstr("/loop: cannot be looked at"));
  EXPECT_FALSE(IsThere(folder_ + "/" + std::string(5000, 'x')));
}

TEST_F(PathTest, ARefusalIsOfPermission) {
  const auto refused = FailAt("x", "cannot be made", std::make_error_code(std::errc::permission_denied));
  EXPECT_EQ(refused.value().kind, ErrorKind::kPermission);
  EXPECT_EQ(refused.value().Message(), "x: cannot be made: Permission denied.");
  const auto absent = std::make_error_code(std::errc::no_such_file_or_directory);
  EXPECT_EQ(FailAt("x", "cannot be made", absent).value().kind, ErrorKind::kFailure);
  EXPECT_EQ(FailAt("x", "cannot be made", absent, ErrorKind::kUsage).value().kind, ErrorKind::kUsage);
}

TEST_F(PathTest, ListsAFolderSorted) {
  EXPECT_THAT(*ListFolder(folder_), ElementsAre(folder_ + "/a.txt", folder_ + "/b.txt"));
}

TEST_F(PathTest, AFolderThatIsNotThereHoldsNothing) {
  EXPECT_TRUE(ListFolder(folder_ + "/absent")->empty());
  EXPECT_TRUE(ListFolder(folder_ + "/a.txt")->empty());
}

TEST_F(PathTest, AFolderThatCannotBeReadIsAnError) {
  ASSERT_EQ(symlink("loop", (folder_ + "/loop").c_str()), 0);
  const auto looped = ListFolder(folder_ + "/loop");
  ASSERT_FALSE(looped);
  EXPECT_THAT(looped.error().Message(), HasSubstr("/loop: the folder cannot be read"));
}

TEST_F(PathTest, PathsFromTheRoot) {
  EXPECT_EQ(AbsolutePath("/a/b"), "/a/b");
  EXPECT_EQ(AbsolutePath("b"), std::filesystem::current_path() / "b");
}

TEST_F(PathTest, InAFolderThatWasRemovedARelativePathStaysOne) {
  const std::string before = std::filesystem::current_path(), gone = folder_ + "/gone";
  ASSERT_EQ(mkdir(gone.c_str(), 0700), 0);
  ASSERT_EQ(chdir(gone.c_str()), 0);
  ASSERT_EQ(rmdir(gone.c_str()), 0);
  const std::string path = AbsolutePath("b");
  ASSERT_EQ(chdir(before.c_str()), 0);
  EXPECT_EQ(path, "b");
}

}  // namespace
}  // namespace heliograd

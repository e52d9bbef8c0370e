#include "heliograd/profile/torch_backend.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace heliograd {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;

class TorchLoader : public ::testing::Test {
 protected:
  void SetUp() override {
    if (const char* before = std::getenv("HELIOGRAD_TORCH_BACKEND")) before_ = before;
    folder_ = std::filesystem::temp_directory_path() / ("torch_loader_" + std::to_string(getpid()));
    std::filesystem::create_directories(folder_);
  }
  void TearDown() override {
    std::filesystem::remove_all(folder_);
    if (before_.empty()) unsetenv("HELIOGRAD_TORCH_BACKEND");
    if (!before_.empty()) setenv("HELIOGRAD_TORCH_BACKEND", before_.c_str(), 1);
  }
  static void LookAt(const std::string& file) { setenv("HELIOGRAD_TORCH_BACKEND", file.c_str(), 1); }

  std::filesystem::path folder_;
  std::string before_;
};

TEST_F(TorchLoader, TheVariableAloneCountsWhereItIsSet) {
  LookAt("/some/where.so");
  EXPECT_THAT(TorchBackendFiles(), ::testing::ElementsAre("/some/where.so"));
}

TEST_F(TorchLoader, ElseItLooksBesideTheProgramAndInItsLibraries) {
  unsetenv("HELIOGRAD_TORCH_BACKEND");
  const auto files = TorchBackendFiles();
  ASSERT_GE(files.size(), 2u);
  EXPECT_EQ(std::filesystem::path(files[0]).parent_path(),
            std::filesystem::read_symlink("/proc/self/exe").parent_path());
  EXPECT_THAT(files[1], EndsWith("/lib/heliograd/libheliograd_torch.so"));
}

TEST_F(TorchLoader, AMissingLibraryNamesTheMend) {
  LookAt(folder_ / "missing.so");
  const auto backend = OpenTorchBackend();
  ASSERT_FALSE(backend);
  EXPECT_THAT(backend.error().Message(), HasSubstr("missing.so"));
  EXPECT_THAT(backend.error().Message(), HasSubstr("`make profile`"));
}

TEST_F(TorchLoader, WhatIsNoLibraryIsRefused) {
  std::ofstream(folder_ / "text.so") << "no library";
  LookAt(folder_ / "text.so");
  const auto backend = OpenTorchBackend();
  ASSERT_FALSE(backend);
  EXPECT_THAT(backend.error().Message(), HasSubstr("text.so"));
}

TEST_F(TorchLoader, AnotherLibraryIsRefused) {
  LookAt("/lib/x86_64-linux-gnu/libm.so.6");
  if (!std::filesystem::exists("/lib/x86_64-linux-gnu/libm.so.6")) GTEST_SKIP() << "libm lies elsewhere";
  const auto backend = OpenTorchBackend();
  ASSERT_FALSE(backend);
  EXPECT_THAT(backend.error().Message(), HasSubstr("not heliograd's library for PyTorch"));
}

}  // namespace
}  // namespace heliograd

#include "heliograd/control/child_process.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include "heliograd/base/file.h"

namespace heliograd {
namespace {

TEST(FaultOfCommand, LooksWhereExecWouldAndGivesTheCodesOfShells) {
  const std::string folder = testing::TempDir() + "/commands-" + std::to_string(getpid());
  std::filesystem::create_directories(folder);
  const std::string script = folder + "/script";
  ASSERT_TRUE(WriteFile(script, "#!/bin/sh\n"));
  chmod(script.c_str(), 0644);
  EXPECT_FALSE(FaultOfCommand("sh"));
  EXPECT_FALSE(FaultOfCommand("/bin/sh"));
  const std::pair<std::string, int> wrong[] = {{"there-is-no-such-program", 127}, {"", 127},     {"./sh", 127},
                                               {folder + "/nothing", 127},        {script, 126}, {folder, 126}};
  for (const auto& [command, code] : wrong) {
    const auto fault = FaultOfCommand(command);
    ASSERT_TRUE(fault) << command;
    EXPECT_EQ(fault->exit_code, code) << fault->sentence;
    EXPECT_NE(fault->sentence.find(command), std::string::npos) << fault->sentence;
  }
  chmod(script.c_str(), 0755);
  EXPECT_FALSE(FaultOfCommand(script));
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace heliograd

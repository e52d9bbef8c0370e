#include "heliograd/control/child_process.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
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

using std::chrono::milliseconds;

TEST(ChildProcess, PassesSignalsOnAndAStoppedChildGetsThemWhenItGoesOn) {
  const WaitedSignalsBlocked signals;
  ChildOptions options;
  options.own_group = options.pipe_output = true;
  auto child =
      ChildProcess::Start({"sh", "-c", "trap 'exit 5' USR1; echo r; while :; do sleep 0.01; done"}, options, signals);
  ASSERT_TRUE(child);
  char word = 0;
  ASSERT_EQ(read(child->output(), &word, 1), 1);  // the trap is set
  child->Stop();
  kill(getpid(), SIGUSR1);
  kill(getpid(), SIGCONT);  // to us: the child is stopped for a reason that holds
  EXPECT_FALSE(child->Wait(milliseconds(300)));
  EXPECT_TRUE(child->stopped());
  child->Continue();
  const auto exit = child->Wait(milliseconds(20'000));
  ASSERT_TRUE(exit);
  EXPECT_EQ(exit->AsShell(), 5);
}

TEST(ChildProcess, HelperTakesNoSignalsAndLeavesThemToWhoeverWaitsNext) {
  const WaitedSignalsBlocked signals;
  ChildOptions options;
  options.own_group = options.takes_no_signals = true;
  auto helper = ChildProcess::Start({"sleep", "0.2"}, options, signals);
  ASSERT_TRUE(helper);
  kill(getpid(), SIGTERM);
  kill(getpid(), SIGUSR2);
  const auto exit = helper->Wait(milliseconds(20'000));
  ASSERT_TRUE(exit);
  EXPECT_EQ(exit->AsShell(), 0);
  int ignored = 0;
  std::optional<int> ending;
  for (int look = 0; look < 4 && !(ending && ignored); ++look) {
    const auto signal = WaitForEndingSignal(milliseconds(10), [&](int which) { ignored = which; });
    if (signal) ending = signal;
  }
  EXPECT_EQ(ending, SIGTERM);
  EXPECT_EQ(ignored, SIGUSR2);
}

}  // namespace
}  // namespace heliograd

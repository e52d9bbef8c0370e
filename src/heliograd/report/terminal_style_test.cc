#include "heliograd/report/terminal_style.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <map>
#include <optional>

namespace heliograd {
namespace {

/// Sets the environment that DetectTerminal reads and puts the old one back.
class TerminalStyleTest : public testing::Test {
 protected:
  void SetUp() override {
    for (const char* name :
         {"NO_COLOR", "CLICOLOR_FORCE", "TERM", "COLORTERM", "LC_ALL", "LC_CTYPE", "LANG", "COLUMNS"}) {
      const char* value = std::getenv(name);
      saved_[name] = value == nullptr ? std::nullopt : std::optional<std::string>(value);
      unsetenv(name);
    }
    file_ = open("/dev/null", O_RDWR);
    terminal_ = posix_openpt(O_RDWR | O_NOCTTY);
  }
  void TearDown() override {
    for (const auto& [name, value] : saved_) value ? setenv(name.c_str(), value->c_str(), 1) : unsetenv(name.c_str());
    close(file_);
    close(terminal_);
  }

  std::map<std::string, std::optional<std::string>> saved_;
  int file_ = -1;
  int terminal_ = -1;
};

TEST_F(TerminalStyleTest, AFileGetsNoColour) {
  setenv("TERM", "xterm-256color", 1);
  EXPECT_FALSE(DetectTerminal(file_).colour);
}

TEST_F(TerminalStyleTest, ATerminalGetsColourUnlessItIsRefused) {
  if (isatty(terminal_) != 1) GTEST_SKIP() << "no pseudo terminal here";
  setenv("TERM", "xterm-256color", 1);
  EXPECT_TRUE(DetectTerminal(terminal_).colour);
  EXPECT_TRUE(DetectTerminal(terminal_).rich);
  setenv("TERM", "dumb", 1);
  EXPECT_FALSE(DetectTerminal(terminal_).colour);
  setenv("TERM", "xterm", 1);
  EXPECT_FALSE(DetectTerminal(terminal_).rich);
  setenv("NO_COLOR", "1", 1);
  EXPECT_FALSE(DetectTerminal(terminal_).colour);
}

TEST_F(TerminalStyleTest, ColourCanBeForcedButNoColourWins) {
  setenv("CLICOLOR_FORCE", "1", 1);
  EXPECT_TRUE(DetectTerminal(file_).colour);
  setenv("NO_COLOR", "1", 1);
  EXPECT_FALSE(DetectTerminal(file_).colour);
}

TEST_F(TerminalStyleTest, TheFirstLocaleThatIsSetDecidesOnUtf8) {
  EXPECT_FALSE(DetectTerminal(file_).utf8);
  setenv("LANG", "it_IT.UTF-8", 1);
  EXPECT_TRUE(DetectTerminal(file_).utf8);
  setenv("LC_ALL", "C", 1);
  EXPECT_FALSE(DetectTerminal(file_).utf8);
  setenv("LC_ALL", "C.utf8", 1);
  EXPECT_TRUE(DetectTerminal(file_).utf8);
}

TEST_F(TerminalStyleTest, WidthComesFromColumnsWithinBounds) {
  EXPECT_EQ(DetectTerminal(file_).width, 80);
  setenv("COLUMNS", "132", 1);
  EXPECT_EQ(DetectTerminal(file_).width, 132);
  setenv("COLUMNS", "7", 1);
  EXPECT_EQ(DetectTerminal(file_).width, kLeastWidth);
  setenv("COLUMNS", "wide", 1);
  EXPECT_EQ(DetectTerminal(file_).width, 80);
}

TEST(Paint, AddsNothingWithoutColour) {
  EXPECT_EQ(Paint({.colour = false}, Ink::kPv, "PV"), "PV");
  EXPECT_EQ(Paint({.colour = true}, Ink::kPv, "PV"), "\x1b[33mPV\x1b[0m");
  EXPECT_EQ(Paint({.colour = true, .rich = true}, Ink::kPv, "PV"), "\x1b[38;5;214mPV\x1b[0m");
  EXPECT_EQ(Paint({.colour = true}, Ink::kPlain, "PV"), "PV");
}

}  // namespace
}  // namespace heliograd

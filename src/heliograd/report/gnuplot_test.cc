#include "heliograd/report/gnuplot.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>

#include "heliograd/base/file.h"
#include "heliograd/report/svg_check.h"

namespace heliograd {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

class GnuplotTest : public testing::Test {
 protected:
  void SetUp() override {
    if (!GnuplotIsInstalled()) GTEST_SKIP() << "gnuplot is not installed (Debian package gnuplot-nox)";
  }
};

TEST(FigureFormatOf, GoesByTheExtension) {
  EXPECT_EQ(FigureFormatOf("out/a.svg").value(), FigureFormat::kSvg);
  EXPECT_EQ(FigureFormatOf("A.PNG").value(), FigureFormat::kPng);
  EXPECT_EQ(FigureFormatOf("a.b.pdf").value(), FigureFormat::kPdf);
}

TEST(FigureFormatOf, NamesTheKnownExtensions) {
  for (const char* path : {"plan.jpg", "plan", "dir.svg/plan", ""}) {
    const auto format = FigureFormatOf(path);
    ASSERT_FALSE(format) << path;
    EXPECT_EQ(format.error().kind, ErrorKind::kUsage);
    EXPECT_THAT(format.error().Message(), HasSubstr(".svg, .png or .pdf"));
  }
}

TEST(GnuplotQuoted, LeavesNothingToExpand) {
  EXPECT_EQ(GnuplotQuoted("plain"), "'plain'");
  EXPECT_EQ(GnuplotQuoted("it's"), "'it’s'");
  EXPECT_EQ(GnuplotQuoted("a\nsystem('rm')"), "'a system(’rm’)'");
  EXPECT_EQ(GnuplotQuoted("\\"), "'\\'");
}

TEST_F(GnuplotTest, DrawsEveryFormat) {
  const Figure figure{.script = "plot [0:1] x title 'line'"};
  EXPECT_EQ(SvgDefect(RenderFigure(figure, FigureFormat::kSvg).value()), "");
  EXPECT_THAT(RenderFigure(figure, FigureFormat::kPng).value(), StartsWith("\x89PNG"));
  EXPECT_THAT(RenderFigure(figure, FigureFormat::kPdf).value(), StartsWith("%PDF"));
}

TEST_F(GnuplotTest, PassesOnWhatGnuplotSays) {
  const auto drawn = RenderFigure({.script = "plot nonsense(x)"}, FigureFormat::kSvg);
  ASSERT_FALSE(drawn);
  EXPECT_THAT(drawn.error().Message(), HasSubstr("gnuplot could not draw the figure: line"));
  EXPECT_THAT(drawn.error().Message(), HasSubstr("undefined function: nonsense"));
}

TEST_F(GnuplotTest, ATitleIsShownAndNeverRun) {
  const std::string trace = testing::TempDir() + "heliograd_injection";
  std::filesystem::remove(trace);
  const std::vector<std::string> attempts{"`touch " + trace + "`",
                                          "'; system('touch " + trace + "'); '",
                                          "\"\nsystem(\"touch " + trace + "\")\n",
                                          "@touch",
                                          "\\'; !touch " + trace,
                                          "$(touch " + trace + ")",
                                          "EOD\nsystem 'touch " + trace + "'"};
  for (const std::string& attempt : attempts) {
    const Figure figure{.script =
                            "set title " + GnuplotQuoted(attempt) + "\nplot [0:1] x title " + GnuplotQuoted(attempt)};
    const auto drawn = RenderFigure(figure, FigureFormat::kSvg);
    ASSERT_TRUE(drawn) << attempt << ": " << drawn.error().Message();
    EXPECT_EQ(SvgDefect(*drawn), "") << attempt;
    EXPECT_THAT(*drawn, HasSubstr("touch")) << attempt;
    EXPECT_FALSE(std::filesystem::exists(trace)) << attempt;
  }
}

TEST_F(GnuplotTest, MarkupCharactersAreText) {
  const auto drawn = RenderFigure({.script = "plot [0:1] x title " + GnuplotQuoted("a_b^{c} <&>")}, FigureFormat::kSvg);
  EXPECT_THAT(drawn.value(), HasSubstr("a_b^{c} &lt;&amp;>"));
}

TEST_F(GnuplotTest, WritesTheFileWhateverItsName) {
  const std::string path = testing::TempDir() + "it's a 'plot' `x`.svg";
  ASSERT_TRUE(WriteFigure({.script = "plot [0:1] x"}, path));
  EXPECT_EQ(SvgDefect(ReadFile(path).value()), "");
  std::filesystem::remove(path);
}

TEST_F(GnuplotTest, AFailureLeavesTheOldFile) {
  const std::string path = testing::TempDir() + "heliograd_old.svg";
  ASSERT_TRUE(WriteFile(path, "old"));
  EXPECT_FALSE(WriteFigure({.script = "plot nonsense(x)"}, path));
  EXPECT_EQ(ReadFile(path).value(), "old");
  std::filesystem::remove(path);
}

TEST(RenderFigure, NamesThePackageWhenGnuplotIsAbsent) {
  const char* path = std::getenv("PATH");
  const std::optional<std::string> saved = path == nullptr ? std::nullopt : std::optional<std::string>(path);
  setenv("PATH", "/nonexistent", 1);
  const auto drawn = RenderFigure({.script = "plot x"}, FigureFormat::kSvg);
  saved ? setenv("PATH", saved->c_str(), 1) : unsetenv("PATH");
  ASSERT_FALSE(drawn);
  EXPECT_THAT(drawn.error().Message(), HasSubstr("install the Debian package gnuplot-nox"));
}

}  // namespace
}  // namespace heliograd

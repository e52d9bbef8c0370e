#include "heliograd/report/page.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace heliograd {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(HtmlEscaped, LeavesNoMarkup) {
  EXPECT_EQ(HtmlEscaped("<a href=\"x\">'&'</a>"), "&lt;a href=&quot;x&quot;&gt;&#39;&amp;&#39;&lt;/a&gt;");
  EXPECT_EQ(HtmlEscaped("a\x1b\xff"), "a ?");
}

TEST(Page, KeepsTheOrderOfItsParts) {
  const std::string html = Page("Ours").AddHeading("First").AddParagraph("text").AddPreformatted("a\n b").Html();
  EXPECT_THAT(html, HasSubstr("<h1>Ours</h1>"));
  EXPECT_THAT(html, HasSubstr("<h2 id=\"s1\">First</h2>\n<p>text</p>\n<pre>a\n b\n</pre>"));
}

TEST(Page, SetsNumbersToTheRight) {
  const std::string html =
      Page("t").AddTable({"claim", "ours", "holds"}, {{"cost", "0.471 EUR", "yes"}, {"12 of 13 hold"}}).Html();
  EXPECT_THAT(html, HasSubstr("<td>cost</td><td class=\"number\">0.471 EUR</td><td>yes</td>"));
  EXPECT_THAT(html, HasSubstr("<td>12 of 13 hold</td><td></td><td></td>"));
}

TEST(Page, HoldsFiguresInItself) {
  // RFC 4648, section 10: "foobar" is Zm9vYmFy, "fooba" is Zm9vYmE=, "foob" is Zm9vYg==.
  EXPECT_THAT(Page("t").AddFigure("foobar", "c", "d").Html(), HasSubstr("base64,Zm9vYmFy\" alt=\"d\""));
  EXPECT_THAT(Page("t").AddFigure("fooba", "c", "d").Html(), HasSubstr("base64,Zm9vYmE=\""));
  EXPECT_THAT(Page("t").AddFigure("foob", "c", "d").Html(), HasSubstr("base64,Zm9vYg==\""));
}

TEST(Page, NothingGetsOutOfItsPlace) {
  const std::string evil = "\"><script>alert(1)</script>";
  const std::string html = Page(evil)
                               .AddHeading(evil)
                               .AddParagraph(evil)
                               .AddPreformatted(evil)
                               .AddTable({evil}, {{evil}})
                               .AddFigure("<svg/>", evil, evil)
                               .AddLink(evil, evil)
                               .Html();
  EXPECT_THAT(html, Not(HasSubstr("<script")));
  EXPECT_THAT(html, Not(HasSubstr("\"><s")));
}

TEST(Page, ALinkIsARelativePath) {
  EXPECT_THAT(Page("t").AddLink("fig 10.csv", "data").Html(), HasSubstr("<a href=\"./fig%2010.csv\">data</a>"));
  EXPECT_THAT(Page("t").AddLink("javascript:alert(1)", "data").Html(),
              HasSubstr("href=\"./javascript%3Aalert%281%29\""));
}

TEST(Page, NeedsNoNetwork) {
  const std::string html = Page("t").AddHeading("h").Html();
  EXPECT_THAT(html, HasSubstr("default-src 'none'"));
  EXPECT_THAT(html, HasSubstr("prefers-color-scheme: dark"));
  EXPECT_THAT(html, Not(HasSubstr("http://")));
  EXPECT_THAT(html, Not(HasSubstr("https://")));
}

}  // namespace
}  // namespace heliograd

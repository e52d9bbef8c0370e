// One HTML page that needs nothing else: no network, no script, figures inside, light or dark as the reader's system
// is.
#pragma once

#include <string>
#include <vector>

namespace heliograd {

/// Text for the body of an HTML page or an attribute in double quotes: & < > " ' and control characters made harmless.
std::string HtmlEscaped(const std::string& text);

/// Builds a page from top to bottom. All text is escaped; order of calls is order on the page. Not for use from several
/// threads.
class Page {
 public:
  explicit Page(std::string title) : title_(std::move(title)) {}

  /// A new section; it also appears in the list of contents.
  Page& AddHeading(const std::string& text);
  Page& AddParagraph(const std::string& text);
  /// Text in fixed width with its line ends kept, such as a plan drawn for the terminal without colour.
  Page& AddPreformatted(const std::string& text);
  /// A table with titles, for example claim, study, ours, holds. Numbers are set to the right. Rows shorter than the
  /// titles are filled.
  Page& AddTable(const std::vector<std::string>& titles, const std::vector<std::vector<std::string>>& rows);
  /// The same, folded behind a line that opens it: data behind a figure.
  Page& AddFoldedTable(const std::string& summary, const std::vector<std::string>& titles,
                       const std::vector<std::vector<std::string>>& rows);
  /// A figure as SVG, kept apart from the page as an image; `description` is read out to those who do not see it.
  Page& AddFigure(const std::string& svg, const std::string& caption, const std::string& description);
  /// A link to a file beside the page. `target` is a relative path.
  Page& AddLink(const std::string& target, const std::string& text);

  /// The whole page.
  std::string Html() const;

 private:
  std::string title_;
  std::string contents_;
  std::string body_;
  int headings_ = 0;
};

}  // namespace heliograd

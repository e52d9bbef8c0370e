#include "heliograd/report/page.h"

#include <fmt/format.h>

#include <string_view>

#include "heliograd/base/text.h"
#include "heliograd/report/text_table.h"

namespace heliograd {
namespace {

constexpr std::string_view kStyle = R"(
:root { color-scheme: light dark; --ink: #222; --paper: #fff; --faint: #666; --line: #ddd; --stripe: #f6f6f6; --link: #0072b2; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e6e6e6; --paper: #16181c; --faint: #a0a0a0; --line: #3a3d44; --stripe: #1e2127; --link: #56b4e9; }
}
body { font: 16px/1.55 system-ui, sans-serif; color: var(--ink); background: var(--paper); max-width: 66rem; margin: 2rem auto;
  padding: 0 1.2rem; }
h1 { line-height: 1.2; } h2 { margin-top: 2.6rem; border-bottom: 1px solid var(--line); padding-bottom: .2rem; }
a { color: var(--link); } nav ul { columns: 2 20rem; padding-left: 1.2rem; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; margin: 1rem 0; }
th, td { padding: .35rem .8rem; text-align: left; vertical-align: top; border-bottom: 1px solid var(--line); }
tbody tr:nth-child(even) { background: var(--stripe); }
td.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
figure { margin: 1.4rem 0; } figure img { width: 100%; height: auto; background: #fff; border-radius: 6px; }
@media (prefers-color-scheme: dark) { figure img { filter: invert(.9) hue-rotate(180deg); } }
details { margin: 1rem 0; } summary { cursor: pointer; color: var(--link); }
figcaption { color: var(--faint); font-size: .92rem; }
pre { overflow-x: auto; background: var(--stripe); padding: .9rem; line-height: 1.2; border-radius: 6px; }
)";

/// True for "0.741", "-3 %", "2304 Wh", "0.741 EUR": a number with at most one word behind it.
bool IsNumeric(const std::string& text) {
  const std::string_view trimmed = Trim(text);
  const size_t space = trimmed.find(' ');
  if (!ParseNumber(trimmed.substr(0, space))) return false;
  return space == std::string_view::npos || trimmed.find(' ', space + 1) == std::string_view::npos;
}

std::string Base64(std::string_view bytes) {
  static constexpr std::string_view kDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  for (size_t i = 0; i < bytes.size(); i += 3) {
    unsigned long group = 0;
    for (size_t k = 0; k < 3; ++k)
      group = group << 8 | (i + k < bytes.size() ? static_cast<unsigned char>(bytes[i + k]) : 0);
    for (size_t k = 0; k < 4; ++k) {
      text += i + k <= bytes.size() ? kDigits[group >> (18 - 6 * k) & 63] : '=';
    }
  }
  return text;
}

/// A relative path as a link's target: bytes other than plain ones are percent-encoded, so that it cannot name a
/// scheme.
std::string LinkTarget(const std::string& path) {
  std::string target = "./";
  for (const char c : path) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       std::string_view("-_./~").find(c) != std::string_view::npos;
    target += plain ? std::string(1, c) : fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  return target;
}

}  // namespace

std::string HtmlEscaped(const std::string& text) {
  std::string escaped;
  for (const char c : Printable(text, true)) {
    switch (c) {
      case '&':
        escaped += "&amp;";
        break;
      case '<':
        escaped += "&lt;";
        break;
      case '>':
        escaped += "&gt;";
        break;
      case '"':
        escaped += "&quot;";
        break;
      case '\'':
        escaped += "&#39;";
        break;
      default:
        escaped += c;
    }
  }
  return escaped;
}

Page& Page::AddHeading(const std::string& text) {
  ++headings_;
  contents_ += fmt::format("<li><a href=\"#s{}\">{}</a></li>\n", headings_, HtmlEscaped(text));
  body_ += fmt::format("<h2 id=\"s{}\">{}</h2>\n", headings_, HtmlEscaped(text));
  return *this;
}

Page& Page::AddParagraph(const std::string& text) {
  body_ += fmt::format("<p>{}</p>\n", HtmlEscaped(text));
  return *this;
}

Page& Page::AddPreformatted(const std::string& text) {
  body_ += "<pre>";
  for (std::string_view rest = text; !rest.empty();) {
    const size_t end = std::min(rest.find('\n'), rest.size());
    body_ += HtmlEscaped(std::string(rest.substr(0, end))) + '\n';
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  body_ += "</pre>\n";
  return *this;
}

Page& Page::AddTable(const std::vector<std::string>& titles, const std::vector<std::vector<std::string>>& rows) {
  body_ += "<div class=\"scroll\"><table>\n<thead><tr>";
  for (const std::string& title : titles) body_ += fmt::format("<th scope=\"col\">{}</th>", HtmlEscaped(title));
  body_ += "</tr></thead>\n<tbody>\n";
  for (const std::vector<std::string>& row : rows) {
    body_ += "<tr>";
    for (size_t i = 0; i < titles.size(); ++i) {
      const std::string cell = i < row.size() ? row[i] : "";
      body_ += fmt::format("<td{}>{}</td>", IsNumeric(cell) ? " class=\"number\"" : "", HtmlEscaped(cell));
    }
    body_ += "</tr>\n";
  }
  body_ += "</tbody></table></div>\n";
  return *this;
}

Page& Page::AddFoldedTable(const std::string& summary, const std::vector<std::string>& titles,
                           const std::vector<std::vector<std::string>>& rows) {
  body_ += fmt::format("<details><summary>{}</summary>\n", HtmlEscaped(summary));
  AddTable(titles, rows);
  body_ += "</details>\n";
  return *this;
}

Page& Page::AddFigure(const std::string& svg, const std::string& caption, const std::string& description) {
  body_ +=
      fmt::format("<figure><img src=\"data:image/svg+xml;base64,{}\" alt=\"{}\"><figcaption>{}</figcaption></figure>\n",
                  Base64(svg), HtmlEscaped(description), HtmlEscaped(caption));
  return *this;
}

Page& Page::AddLink(const std::string& target, const std::string& text) {
  body_ += fmt::format("<p><a href=\"{}\">{}</a></p>\n", LinkTarget(target), HtmlEscaped(text));
  return *this;
}

std::string Page::Html() const {
  const std::string title = HtmlEscaped(title_);
  const std::string contents = headings_ > 2 ? fmt::format("<nav><ul>\n{}</ul></nav>\n", contents_) : "";
  return fmt::format(
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; img-src data:; style-src "
      "'unsafe-inline'\">\n"
      "<title>{0}</title>\n<style>{1}</style>\n</head>\n<body>\n<h1>{0}</h1>\n{2}<main>\n{3}</main>\n</body>\n</"
      "html>\n",
      title, kStyle, contents, body_);
}

}  // namespace heliograd

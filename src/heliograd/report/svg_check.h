// For tests: whether text is a well-formed SVG document as far as its tags go, and whether gnuplot is here.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "heliograd/report/gnuplot.h"

namespace heliograd {

inline bool GnuplotIsInstalled() { return RenderFigure({.script = "plot [0:1] x"}, FigureFormat::kSvg).has_value(); }

/// The first defect, or nothing: every tag is closed in order, one <svg> holds the rest, and there is no script.
inline std::string SvgDefect(std::string_view text) {
  std::vector<std::string> open;
  bool seen_svg = false;
  for (size_t at = text.find('<'); at != std::string_view::npos; at = text.find('<', at)) {
    const std::string_view rest = text.substr(at);
    const std::string_view end_mark = rest.starts_with("<!--") ? "-->" : rest.starts_with("<![CDATA[") ? "]]>" : ">";
    const size_t end = rest.find(end_mark);
    if (end == std::string_view::npos) return "a tag is not closed";
    const std::string_view tag = rest.substr(0, end);
    at += end + end_mark.size();
    if (tag.starts_with("<!") || tag.starts_with("<?")) continue;
    const bool closes = tag.starts_with("</");
    const std::string_view body = tag.substr(closes ? 2 : 1);
    const std::string name(body.substr(0, body.find_first_of(" \t\n/>")));
    if (name == "script") return "there is a script";
    if (closes) {
      if (open.empty() || open.back() != name) return "</" + name + "> closes nothing";
      open.pop_back();
      continue;
    }
    if (open.empty() && (name != "svg" || seen_svg)) return "<" + name + "> is outside <svg>";
    seen_svg = true;
    if (!tag.ends_with('/')) open.push_back(name);
  }
  if (!open.empty()) return "<" + open.back() + "> is not closed";
  return seen_svg ? "" : "there is no <svg>";
}

}  // namespace heliograd

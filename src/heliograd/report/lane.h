// One lane of a chart on the terminal: bars of block characters, eight steps to a line.
#pragma once

#include <string>
#include <vector>

#include "heliograd/report/terminal_style.h"

namespace heliograd {

/// Bars over equal columns of time.
struct Lane {
  std::string name;            // in the gutter, first line
  std::string scale;           // in the gutter, second line: what the full height stands for
  std::vector<double> height;  // per column, 0 (empty) to 1 (full)
  std::vector<Ink> ink;        // per column
  int lines = 2;
};

/// Columns of the gutter to the left of every lane.
inline constexpr int kGutter = 11;

/// The gutter's text and frame, before a line of a chart.
std::string Gutter(const TerminalStyle& style, const std::string& text, const char* frame_utf8 = "│",
                   const char* frame_ascii = "|");

/// Draws the lane; where nothing covers a cell with `guides` set, a thin line shows that a day begins. Anything above
/// zero leaves a mark. Each line ends with a newline.
std::string DrawLane(const Lane& lane, int cells_per_column, const std::vector<bool>& guides,
                     const TerminalStyle& style);

/// A line that names values at the start of each run of equal ones, where they fit.
std::string DrawRunLabels(const std::string& gutter, const std::vector<std::string>& label_per_column,
                          int cells_per_column, Ink ink, const TerminalStyle& style);

/// The block character of a height from 0 to 8 eighths.
std::string Block(int eighths, bool utf8);

}  // namespace heliograd

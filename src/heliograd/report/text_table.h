// Text that is laid out in columns: its width on screen, wrapping, and tables.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "heliograd/report/terminal_style.h"

namespace heliograd {

/// Columns that UTF-8 text takes on a terminal (wide characters two, combining marks none). No escape sequences inside.
int DisplayWidth(std::string_view text);

/// Text from files and people made safe to print: control characters become spaces, bytes that are not UTF-8 and
/// characters that reverse the direction of writing become '?'. Without UTF-8, common signs are spelled in ASCII and
/// the rest is '?'.
std::string Printable(std::string_view text, bool utf8);

/// Padded with spaces on the right (or left) to `width` columns; longer text is unchanged.
std::string PadRight(std::string_view text, int width);
std::string PadLeft(std::string_view text, int width);

/// Lines of at most `width` (>= 2) columns, broken at spaces, in words only where a word is longer than a line, then
/// after a hyphen where one fits. Never empty.
std::vector<std::string> WrapText(std::string_view text, int width);

/// Wrapped text, each line ended with a newline; lines after the first begin with `indent` spaces.
std::string Paragraph(std::string_view text, const TerminalStyle& style, int indent = 0);

enum class Align { kLeft, kRight };

struct TableColumn {
  std::string title;
  Align align = Align::kRight;
  bool wraps = false;  // may be made narrower than its text, which then takes several lines
  bool below = false;  // last column only: goes below its row, indented, where the line is too short for both
};

/// A table that fits the terminal: columns that wrap give way first; when that is not enough, each row becomes a small
/// record of its own, "title value" by "title value".
class TextTable {
 public:
  explicit TextTable(std::vector<TableColumn> columns) : columns_(std::move(columns)) {}

  /// One cell per column. Cells are made printable.
  void AddRow(std::vector<std::string> cells, Ink ink = Ink::kPlain);
  bool empty() const { return rows_.empty(); }
  /// Every line ended with a newline, none wider than style.width.
  std::string Draw(const TerminalStyle& style) const;

 private:
  struct Row {
    std::vector<std::string> cells;
    Ink ink;
  };

  std::vector<int> FitWidths(const TerminalStyle& style) const;
  std::string DrawRow(const std::vector<std::string>& cells, Ink ink, const std::vector<int>& widths,
                      const TerminalStyle& style) const;
  std::string DrawRecord(const Row& row, const TerminalStyle& style) const;
  std::string DrawWithLastBelow(const TerminalStyle& style) const;
  int NaturalWidth(const TerminalStyle& style) const;
  int WidestIn(size_t column, const TerminalStyle& style) const;

  std::vector<TableColumn> columns_;
  std::vector<Row> rows_;
};

}  // namespace heliograd

#include "heliograd/report/text_table.h"

#include <locale.h>
#include <wchar.h>

#include <algorithm>
#include <array>
#include <numeric>
#include <utility>

#include "heliograd/base/text.h"

namespace heliograd {
namespace {

constexpr int kGap = 2;                // spaces between columns
constexpr int kLeastColumnWidth = 10;  // a column that wraps is not made narrower

/// The C library's knowledge of characters, for this thread only and whatever the program's locale is.
class Utf8Locale {
 public:
  Utf8Locale() : previous_(uselocale(Shared())) {}
  ~Utf8Locale() { uselocale(previous_); }
  Utf8Locale(const Utf8Locale&) = delete;
  Utf8Locale& operator=(const Utf8Locale&) = delete;

 private:
  static locale_t Shared() {
    static const locale_t shared = newlocale(LC_CTYPE_MASK, "C.UTF-8", locale_t{});
    return shared;
  }
  locale_t previous_;
};

struct Character {
  std::string_view bytes;
  wchar_t code = 0;  // 0 when the bytes are not UTF-8
  int width = 1;     // -1 for control characters
};

/// Splits text into characters; a byte that is not UTF-8 is one character.
std::vector<Character> CharactersOf(std::string_view text) {
  const Utf8Locale locale;
  std::vector<Character> characters;
  while (!text.empty()) {
    std::mbstate_t state{};
    wchar_t code = 0;
    size_t length = mbrtowc(&code, text.data(), text.size(), &state);
    const bool valid = length <= text.size();
    if (!valid || length == 0) length = 1;
    characters.push_back({text.substr(0, length), valid ? code : 0, valid ? wcwidth(code) : 1});
    text.remove_prefix(length);
  }
  return characters;
}

bool TurnsDirection(wchar_t code) {
  return (code >= 0x202A && code <= 0x202E) || (code >= 0x2066 && code <= 0x2069) || code == 0x200E || code == 0x200F;
}

std::string_view InAscii(wchar_t code) {
  static constexpr std::array<std::pair<wchar_t, std::string_view>, 12> kSpelled{{{0x2013, "-"},
                                                                                  {0x2014, "-"},
                                                                                  {0x2212, "-"},
                                                                                  {0x2192, "->"},
                                                                                  {0x2082, "2"},
                                                                                  {0x00B2, "2"},
                                                                                  {0x00B7, "|"},
                                                                                  {0x00D7, "x"},
                                                                                  {0x2019, "'"},
                                                                                  {0x20AC, "EUR"},
                                                                                  {0x2264, "<="},
                                                                                  {0x2265, ">="}}};
  for (const auto& [sign, ascii] : kSpelled) {
    if (sign == code) return ascii;
  }
  return "?";
}

/// The characters that fit into `width`, at least one.
size_t BytesThatFit(std::string_view word, int width) {
  size_t bytes = 0;
  int used = 0;
  for (const Character& c : CharactersOf(word)) {
    if (bytes > 0 && used + std::max(c.width, 0) > width) break;
    bytes += c.bytes.size();
    used += std::max(c.width, 0);
  }
  return bytes;
}

/// Where a word longer than a line is cut: after its last hyphen that fits, else where the line ends.
size_t BytesOfFirstPart(std::string_view word, int width) {
  const size_t bytes = BytesThatFit(word, width);
  const size_t hyphen = word.substr(0, bytes).rfind('-');
  return hyphen == std::string_view::npos || hyphen == 0 ? bytes : hyphen + 1;
}

/// Words between spaces; a number keeps its unit.
std::vector<std::string_view> WordsOf(std::string_view text) {
  std::vector<std::string_view> words;
  bool after_number = false;
  while (!text.empty()) {
    const std::string_view word = text.substr(0, text.find(' '));
    const bool follows_directly = !words.empty() && words.back().data() + words.back().size() + 1 == word.data();
    if (!word.empty() && after_number && follows_directly) {
      words.back() = std::string_view(words.back().data(), words.back().size() + 1 + word.size());
    } else if (!word.empty()) {
      words.push_back(word);
    }
    after_number = !after_number && ParseNumber(word).has_value();
    text.remove_prefix(std::min(word.size() + 1, text.size()));
  }
  return words;
}

}  // namespace

int DisplayWidth(std::string_view text) {
  int width = 0;
  for (const Character& c : CharactersOf(text)) width += std::max(c.width, 0);
  return width;
}

std::string Printable(std::string_view text, bool utf8) {
  std::string printable;
  for (const Character& c : CharactersOf(text)) {
    if (c.code != 0 && c.code < 0x80 && c.width > 0) {
      printable += c.bytes;
    } else if (c.width < 0 || c.bytes == std::string_view("\0", 1)) {
      printable += ' ';
    } else if (c.code == 0 || TurnsDirection(c.code)) {
      printable += '?';
    } else {
      printable += utf8 ? c.bytes : InAscii(c.code);
    }
  }
  return printable;
}

std::string PadRight(std::string_view text, int width) {
  return std::string(text).append(static_cast<size_t>(std::max(0, width - DisplayWidth(text))), ' ');
}

std::string PadLeft(std::string_view text, int width) {
  return std::string(static_cast<size_t>(std::max(0, width - DisplayWidth(text))), ' ').append(text);
}

std::vector<std::string> WrapText(std::string_view text, int width) {
  std::vector<std::string> lines(1);
  int used = 0;
  for (std::string_view word : WordsOf(text)) {
    int word_width = DisplayWidth(word);
    if (used > 0 && used + 1 + word_width <= width) {
      lines.back().append(" ").append(word);
      used += 1 + word_width;
      continue;
    }
    if (used > 0) lines.emplace_back();
    while (word_width > width) {
      const size_t bytes = BytesOfFirstPart(word, width);
      lines.back() = word.substr(0, bytes);
      word.remove_prefix(bytes);
      word_width = DisplayWidth(word);
      if (!word.empty()) lines.emplace_back();
    }
    lines.back() = word.empty() ? lines.back() : std::string(word);
    used = DisplayWidth(lines.back());
  }
  return lines;
}

std::string Paragraph(std::string_view text, const TerminalStyle& style, int indent) {
  std::string paragraph;
  for (const std::string& line : WrapText(text, style.width - indent)) {
    if (!paragraph.empty()) paragraph.append(static_cast<size_t>(indent), ' ');
    paragraph += line + '\n';
  }
  return paragraph;
}

void TextTable::AddRow(std::vector<std::string> cells, Ink ink) {
  cells.resize(columns_.size());
  rows_.push_back({std::move(cells), ink});
}

std::string TextTable::Draw(const TerminalStyle& style) const {
  if (columns_.back().below && NaturalWidth(style) > style.width) return DrawWithLastBelow(style);
  const std::vector<int> widths = FitWidths(style);
  std::string table;
  if (widths.empty()) {
    for (const Row& row : rows_) table += DrawRecord(row, style);
    return table;
  }
  std::vector<std::string> titles;
  for (const TableColumn& column : columns_) titles.push_back(column.title);
  if (std::any_of(titles.begin(), titles.end(), [](const auto& title) { return !title.empty(); })) {
    table += DrawRow(titles, Ink::kDim, widths, style);
  }
  for (const Row& row : rows_) table += DrawRow(row.cells, row.ink, widths, style);
  return table;
}

std::string TextTable::DrawWithLastBelow(const TerminalStyle& style) const {
  TextTable above({columns_.begin(), columns_.end() - 1});
  for (const Row& row : rows_) above.AddRow({row.cells.begin(), row.cells.end() - 1}, row.ink);
  std::string table;
  const std::vector<int> widths = above.FitWidths(style);
  if (!widths.empty()) {
    std::vector<std::string> titles;
    for (const TableColumn& column : above.columns_) titles.push_back(column.title);
    table += above.DrawRow(titles, Ink::kDim, widths, style);
  }
  for (size_t r = 0; r < rows_.size(); ++r) {
    const Row& row = above.rows_[r];
    table += widths.empty() ? above.DrawRecord(row, style) : above.DrawRow(row.cells, row.ink, widths, style);
    if (rows_[r].cells.back().empty()) continue;
    for (const std::string& line : WrapText(Printable(rows_[r].cells.back(), style.utf8), style.width - 2 * kGap)) {
      table += std::string(2 * kGap, ' ') + line + '\n';
    }
  }
  return table;
}

int TextTable::WidestIn(size_t column, const TerminalStyle& style) const {
  int width = DisplayWidth(Printable(columns_[column].title, style.utf8));
  for (const Row& row : rows_) width = std::max(width, DisplayWidth(Printable(row.cells[column], style.utf8)));
  return width;
}

int TextTable::NaturalWidth(const TerminalStyle& style) const {
  int width = kGap * (static_cast<int>(columns_.size()) - 1);
  for (size_t i = 0; i < columns_.size(); ++i) width += WidestIn(i, style);
  return width;
}

/// Widths of the columns, or none when the table cannot fit.
std::vector<int> TextTable::FitWidths(const TerminalStyle& style) const {
  std::vector<int> widths;
  for (size_t i = 0; i < columns_.size(); ++i) widths.push_back(WidestIn(i, style));
  int excess =
      std::accumulate(widths.begin(), widths.end(), 0) + kGap * (static_cast<int>(widths.size()) - 1) - style.width;
  for (size_t i = columns_.size(); i-- > 0 && excess > 0;) {
    if (!columns_[i].wraps) continue;
    const int given = std::clamp(widths[i] - kLeastColumnWidth, 0, excess);
    widths[i] -= given;
    excess -= given;
  }
  return excess > 0 ? std::vector<int>() : widths;
}

std::string TextTable::DrawRow(const std::vector<std::string>& cells, Ink ink, const std::vector<int>& widths,
                               const TerminalStyle& style) const {
  std::vector<std::vector<std::string>> lines;
  size_t height = 1;
  for (size_t i = 0; i < cells.size(); ++i) {
    lines.push_back(WrapText(Printable(cells[i], style.utf8), std::max(2, widths[i])));
    height = std::max(height, lines.back().size());
  }
  std::string row;
  for (size_t n = 0; n < height; ++n) {
    std::string line;
    for (size_t i = 0; i < cells.size(); ++i) {
      const std::string cell = n < lines[i].size() ? lines[i][n] : "";
      if (i > 0) line.append(kGap, ' ');
      line += columns_[i].align == Align::kLeft ? PadRight(cell, widths[i]) : PadLeft(cell, widths[i]);
    }
    line.erase(line.find_last_not_of(' ') + 1);
    row += Paint(style, ink, line) + '\n';
  }
  return row;
}

std::string TextTable::DrawRecord(const Row& row, const TerminalStyle& style) const {
  std::string details;
  for (size_t i = 1; i < row.cells.size(); ++i) {
    if (row.cells[i].empty()) continue;
    if (!details.empty()) details += ", ";
    details += columns_[i].title + (columns_[i].title.empty() ? "" : " ") + row.cells[i];
  }
  std::string record;
  for (const std::string& line : WrapText(Printable(row.cells.front(), style.utf8), style.width)) {
    record += Paint(style, row.ink == Ink::kPlain ? Ink::kBold : row.ink, line) + '\n';
  }
  if (details.empty()) return record;
  for (const std::string& line : WrapText(Printable(details, style.utf8), style.width - kGap)) {
    record += std::string(kGap, ' ') + line + '\n';
  }
  return record;
}

}  // namespace heliograd

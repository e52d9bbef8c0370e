#include "heliograd/report/lane.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "heliograd/report/text_table.h"

namespace heliograd {
namespace {

constexpr int kSteps = 8;  // per line

int EighthsOf(double height, int lines) {
  if (!(height > 0)) return 0;
  return std::max(1, static_cast<int>(std::lround(std::min(height, 1.0) * lines * kSteps)));
}

/// Joins neighbours of one ink, so that the sequence of colours stays short. Spaces at the end are left out.
class InkedLine {
 public:
  explicit InkedLine(const TerminalStyle& style) : style_(style) {}
  void Add(Ink ink, const std::string& text) {
    if (text == " ") {
      ++spaces_;
      return;
    }
    if (ink != ink_) Flush();
    run_.append(spaces_, ' ');
    spaces_ = 0;
    ink_ = ink;
    run_ += text;
  }
  std::string Take() {
    Flush();
    return std::move(line_);
  }

 private:
  void Flush() {
    line_ += Paint(style_, ink_, run_);
    run_.clear();
  }
  const TerminalStyle& style_;
  Ink ink_ = Ink::kPlain;
  size_t spaces_ = 0;
  std::string run_;
  std::string line_;
};

}  // namespace

std::string Block(int eighths, bool utf8) {
  static constexpr std::array<const char*, 9> kBlocks{" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
  static constexpr std::array<const char*, 9> kAscii{" ", ".", ".", ".", ":", ":", ":", "#", "#"};
  const auto index = static_cast<size_t>(std::clamp(eighths, 0, kSteps));
  return utf8 ? kBlocks.at(index) : kAscii.at(index);
}

std::string Gutter(const TerminalStyle& style, const std::string& text, const char* frame_utf8,
                   const char* frame_ascii) {
  return PadRight(text, kGutter - 1) + Paint(style, Ink::kDim, style.utf8 ? frame_utf8 : frame_ascii);
}

std::string DrawLane(const Lane& lane, int cells_per_column, const std::vector<bool>& guides,
                     const TerminalStyle& style) {
  std::string drawn;
  for (int line = 0; line < lane.lines; ++line) {
    const int below = (lane.lines - 1 - line) * kSteps;
    InkedLine cells(style);
    for (size_t c = 0; c < lane.height.size(); ++c) {
      const int eighths = EighthsOf(lane.height[c], lane.lines) - below;
      for (int i = 0; i < cells_per_column; ++i) {
        const bool guide = eighths <= 0 && style.utf8 && guides[c * cells_per_column + i];
        if (guide) {
          cells.Add(Ink::kDim, "┊");
        } else {
          cells.Add(lane.ink[c], Block(eighths, style.utf8));
        }
      }
    }
    drawn += Gutter(style, line == 0 ? lane.name : line == 1 ? lane.scale : "") + cells.Take() + '\n';
  }
  return drawn;
}

std::string DrawRunLabels(const std::string& gutter, const std::vector<std::string>& label_per_column,
                          int cells_per_column, Ink ink, const TerminalStyle& style) {
  std::string line;
  const size_t columns = label_per_column.size();
  for (size_t begin = 0; begin < columns;) {
    size_t end = begin;
    while (end < columns && label_per_column[end] == label_per_column[begin]) ++end;
    const int room = static_cast<int>(end - begin) * cells_per_column;
    const std::string& label = label_per_column[begin];
    // One cell stays free, so that neighbours do not run together.
    line += PadRight(DisplayWidth(label) < room || (end == columns && DisplayWidth(label) == room) ? label : "", room);
    begin = end;
  }
  line.erase(line.find_last_not_of(' ') + 1);
  if (line.empty()) return "";
  return Gutter(style, gutter) + Paint(style, ink, line) + '\n';
}

}  // namespace heliograd

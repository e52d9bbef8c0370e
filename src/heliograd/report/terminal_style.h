// How text may look on a terminal, and inks that have a meaning there.
#pragma once

#include <string>
#include <string_view>

namespace heliograd {

/// What the output may contain. The default suits a file: plain text without colour.
struct TerminalStyle {
  int width = 80;       // columns; text never exceeds them (40 is the least that is honoured)
  bool colour = false;  // ANSI colour sequences; colour never carries meaning alone
  bool rich = false;    // 256 colours instead of 16
  bool utf8 = true;     // block characters; else ASCII
  bool table = false;   // also the table of slots
};

/// The least width that layouts honour.
inline constexpr int kLeastWidth = 40;

/// Looks at a file descriptor and the environment: colour only on a terminal (or with CLICOLOR_FORCE), never with
/// NO_COLOR or TERM=dumb; UTF-8 from LC_ALL, LC_CTYPE, LANG in this order; width from COLUMNS, the terminal, or 80.
/// Reads the environment, so it may not run while another thread changes it.
TerminalStyle DetectTerminal(int fd);

/// What a colour stands for.
enum class Ink {
  kPlain,
  kBold,
  kDim,
  kGpu1,  // lowest power level
  kGpu2,
  kGpu3,
  kGpu4,
  kGpu5,  // highest power level
  kPv,
  kBattery,
  kImport,
  kExport,
  kPrice,
  kGood,
  kBad,
};

/// The text in that ink; unchanged when the style has no colour.
std::string Paint(const TerminalStyle& style, Ink ink, std::string_view text);

}  // namespace heliograd

#include "heliograd/report/terminal_style.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>

#include "heliograd/base/text.h"

namespace heliograd {
namespace {

constexpr int kUsualWidth = 80;
constexpr int kLargestWidth = 1000;

std::string_view Environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string_view() : value;
}

int WidthOf(int fd) {
  const auto columns = ParseInteger(Environment("COLUMNS"));
  if (columns && *columns > 0) return static_cast<int>(std::clamp<long>(*columns, kLeastWidth, kLargestWidth));
  winsize size{};
  if (ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) {
    return std::clamp<int>(size.ws_col, kLeastWidth, kLargestWidth);
  }
  return kUsualWidth;
}

bool LocaleIsUtf8() {
  for (const char* name : {"LC_ALL", "LC_CTYPE", "LANG"}) {
    const std::string value = ToLower(Environment(name));
    if (!value.empty()) return value.find("utf-8") != std::string::npos || value.find("utf8") != std::string::npos;
  }
  return false;
}

bool WantsColour(int fd) {
  if (!Environment("NO_COLOR").empty()) return false;
  const std::string_view force = Environment("CLICOLOR_FORCE");
  if (!force.empty() && force != "0") return true;
  return isatty(fd) == 1 && Environment("TERM") != "dumb" && !Environment("TERM").empty();
}

bool HasManyColours() {
  return Environment("TERM").find("256color") != std::string_view::npos || !Environment("COLORTERM").empty();
}

/// SGR parameters: the colours of Okabe and Ito, "Color Universal Design" (2008), where the palette of 256 allows.
std::string_view Code(Ink ink, bool rich) {
  switch (ink) {
    case Ink::kPlain:
      return "";
    case Ink::kBold:
      return "1";
    case Ink::kDim:
      return "2";
    case Ink::kGpu1:
      return rich ? "38;5;69" : "34";
    case Ink::kGpu2:
      return rich ? "38;5;38" : "36";
    case Ink::kGpu3:
      return rich ? "38;5;42" : "32";
    case Ink::kGpu4:
      return rich ? "38;5;178" : "33";
    case Ink::kGpu5:
      return rich ? "38;5;202" : "31";
    case Ink::kPv:
      return rich ? "38;5;214" : "33";
    case Ink::kBattery:
    case Ink::kGood:
      return rich ? "38;5;36" : "32";
    case Ink::kImport:
      return rich ? "38;5;32" : "34";
    case Ink::kExport:
      return rich ? "38;5;175" : "35";
    case Ink::kPrice:
      return rich ? "38;5;246" : "37";
    case Ink::kBad:
      return rich ? "38;5;166" : "31";
  }
  return "";
}

}  // namespace

TerminalStyle DetectTerminal(int fd) {
  TerminalStyle style;
  style.width = WidthOf(fd);
  style.colour = WantsColour(fd);
  style.rich = style.colour && HasManyColours();
  style.utf8 = LocaleIsUtf8();
  return style;
}

std::string Paint(const TerminalStyle& style, Ink ink, std::string_view text) {
  if (!style.colour || ink == Ink::kPlain || text.empty()) return std::string(text);
  return fmt::format("\x1b[{}m{}\x1b[0m", Code(ink, style.rich), text);
}

}  // namespace heliograd

#include "heliograd/app/progress_line.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>

namespace heliograd {

ProgressLine::ProgressLine() : on_terminal_(isatty(STDERR_FILENO) != 0) {}

ProgressLine::~ProgressLine() { Show(""); }

void ProgressLine::Show(std::string_view text) const {
  if (!on_terminal_) return;
  fmt::print(stderr, "\r\033[K{}", text);
  std::fflush(stderr);
}

}  // namespace heliograd

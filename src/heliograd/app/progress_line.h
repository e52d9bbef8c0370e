// What long work has done, on one line of standard error that each text replaces; nothing where that is no terminal.
#pragma once

#include <string_view>

namespace heliograd {

class ProgressLine {
 public:
  ProgressLine();
  /// Clears the line.
  ~ProgressLine();
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;

  void Show(std::string_view text) const;

 private:
  bool on_terminal_;
};

}  // namespace heliograd

// The summary of windows as JSON: docs/windows.md describes it.
#pragma once

#include <string>

#include "heliograd/report/window_summary.h"

namespace heliograd {

std::string WindowsAsJson(const WindowSummary& summary);

}  // namespace heliograd

// Colours of figures that people with any colour vision tell apart: Okabe and Ito, "Color Universal Design" (2008).
#pragma once

#include <array>
#include <cstddef>

namespace heliograd {

inline constexpr const char* kPvColour = "#E69F00";
inline constexpr const char* kBatteryColour = "#009E73";
inline constexpr const char* kGridColour = "#0072B2";
inline constexpr const char* kExportColour = "#CC79A7";
inline constexpr const char* kPriceColour = "#D55E00";
inline constexpr const char* kTextColour = "#333333";
inline constexpr const char* kGuideColour = "#DDDDDD";

/// Colours of the series of a chart, in order. Grey stands for the palette's yellow, which is hard to see on white.
inline constexpr std::array<const char*, 8> kSeriesColours{"#0072B2", "#E69F00", "#009E73", "#CC79A7",
                                                           "#56B4E9", "#D55E00", "#000000", "#999999"};

}  // namespace heliograd

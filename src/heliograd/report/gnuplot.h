// Figures through gnuplot, run as a process. The only part of the room that starts a program or writes a file.
#pragma once

#include <string>
#include <string_view>

#include "heliograd/base/result.h"

namespace heliograd {

/// A gnuplot script that neither sets a terminal nor an output; both follow from the format. Text in it is plain:
/// gnuplot's markup
/// (_ ^ { } @) is off.
struct Figure {
  std::string script;
  int width_px = 1000;
  int height_px = 600;
};

enum class FigureFormat { kSvg, kPng, kPdf };

/// The format by the file's extension; an error names the known ones.
Result<FigureFormat> FigureFormatOf(const std::string& path);

/// Text as a string constant of gnuplot, in single quotes, where gnuplot expands nothing: no escape, no command, no
/// macro. Control characters become spaces, single quotes become typographic apostrophes.
std::string GnuplotQuoted(std::string_view text);

/// The figure's bytes. Errors: gnuplot is not installed (names the Debian package), or it rejects the script (its
/// message).
Result<std::string> RenderFigure(const Figure& figure, FigureFormat format);

/// Renders by the extension of `path` and writes the file whole or not at all.
Result<void> WriteFigure(const Figure& figure, const std::string& path);

}  // namespace heliograd

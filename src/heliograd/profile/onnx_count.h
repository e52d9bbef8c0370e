// Counts the work of a network in an ONNX file, from shapes alone: nothing is run, no weight is read.
//
// Shapes follow from the input's through every operator; where an operator's result depends on values that are not
// known (a computed size), the file's own statement counts, and where there is none the count fails rather than guess.
// So it does for every operator that is not known here. Pure functions but for reading the file.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "heliograd/base/result.h"
#include "heliograd/profile/mac_count.h"

namespace heliograd {

struct FileLayer {
  std::string name, kind;  // as the file has them
  Shape output;
  MacCount macs;
};

/// For the whole input, whatever its batch. Elementwise operations are those of the file's operators: exporters fold
/// batch norm into convolutions and may spell GELU out.
struct FileCount {
  Shape input;
  std::vector<FileLayer> layers;
  MacCount macs;
  int64_t parameters = 0;  // elements of floating-point initializers with at least one dimension
};

/// `input`: the first input's whole shape; empty takes the file's, with 1 for an open first dimension.
Result<FileCount> CountOnnx(std::string_view bytes, const std::string& name, const Shape& input = {});
Result<FileCount> CountOnnxFile(const std::string& path, const Shape& input = {});

}  // namespace heliograd

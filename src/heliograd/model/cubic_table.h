// A smooth function of one variable as cubic pieces: for loops in which a power or a tangent would cost most of the
// time.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>

namespace heliograd {

/// Follows `f` over [from, to] in equal pieces, each through four points of it at Chebyshev's places. The
/// error is at most the largest fourth derivative within the piece times its width to the fourth over 4! x 128.
/// Immutable; safe from any thread.
template <size_t kPieces>
class CubicTable {
 public:
  template <typename Function>
  CubicTable(double from, double to, Function f) : from_(from), per_width_(kPieces / (to - from)) {
    // Chebyshev's four places in [0, 1].
    constexpr std::array<double, 4> kPlaces = {0.03806023374435663, 0.3086582838174551, 0.6913417161825449,
                                               0.9619397662556434};
    for (size_t piece = 0; piece < kPieces; ++piece) {
      std::array<double, 4> values;
      for (size_t i = 0; i < 4; ++i) values[i] = f(from + (static_cast<double>(piece) + kPlaces[i]) / per_width_);
      for (size_t order = 1; order < 4; ++order) {
        for (size_t i = 3; i >= order; --i) {
          values[i] = (values[i] - values[i - 1]) / (kPlaces[i] - kPlaces[i - order]);
        }
      }
      for (size_t k = 3; k-- > 0;) {
        for (size_t i = k; i < 3; ++i) values[i] -= kPlaces[k] * values[i + 1];
      }
      pieces_[piece] = values;
    }
  }

  /// Beyond the ends, what the ends have.
  double operator()(double x) const {
    // Without a branch, so that loops become vector instructions; a number that is none reads as the first end.
    const double place = std::min(std::max(0.0, (x - from_) * per_width_), static_cast<double>(kPieces));
    const int piece = std::min(static_cast<int>(place), static_cast<int>(kPieces) - 1);
    const double in_piece = place - piece;
    const std::array<double, 4>& c = pieces_[static_cast<size_t>(piece)];
    return c[0] + in_piece * (c[1] + in_piece * (c[2] + in_piece * c[3]));
  }

 private:
  double from_;
  double per_width_;
  std::array<std::array<double, 4>, kPieces> pieces_;
};

}  // namespace heliograd

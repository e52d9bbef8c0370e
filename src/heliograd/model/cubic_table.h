// A smooth function of one variable as cubic pieces: for loops in which a power or a tangent would cost most of the
// time.
#pragma once

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
    const double place = (x - from_) * per_width_;
    if (!(place > 0)) return pieces_.front()[0];
    if (place >= kPieces) return Value(pieces_.back(), 1.0);
    const auto piece = static_cast<size_t>(place);
    return Value(pieces_[piece], place - static_cast<double>(piece));
  }

 private:
  static double Value(const std::array<double, 4>& c, double x) { return c[0] + x * (c[1] + x * (c[2] + x * c[3])); }

  double from_;
  double per_width_;
  std::array<std::array<double, 4>, kPieces> pieces_;
};

}  // namespace heliograd

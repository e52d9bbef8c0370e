// Elementary functions in plain arithmetic, without a call, a branch or a table: a compiler turns a loop over them into
// vector instructions of any processor, which it cannot do with those of the standard library. They are as exact as the
// PV model needs and no more.
//
// Pure functions; arguments outside the range that each names give a meaningless number, never a fault.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numbers>

// Before a function with loops over columns: it is compiled twice, for any processor and for those with vectors of four
// numbers, and the program picks at its start. Both give the same bits, since neither fuses a product with a sum.
// Sanitizers check the plain one: theirs is not ready yet when the program picks.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define HELIOGRAD_VECTOR_LOOPS
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || __has_feature(memory_sanitizer)
#define HELIOGRAD_VECTOR_LOOPS
#endif
#endif
#if !defined(HELIOGRAD_VECTOR_LOOPS) && defined(__has_attribute) && defined(__x86_64__) && defined(__GLIBC__)
#if __has_attribute(target_clones)
#define HELIOGRAD_VECTOR_LOOPS __attribute__((target_clones("avx2", "default")))
#endif
#endif
#ifndef HELIOGRAD_VECTOR_LOOPS
#define HELIOGRAD_VECTOR_LOOPS
#endif

namespace heliograd {

/// One quantity for each of up to so many hours: what a block of hours needs stays in the processor's nearest cache.
inline constexpr size_t kMostHoursAtOnce = 128;
using HourColumn = std::array<double, kMostHoursAtOnce>;

/// Adding and subtracting 1.5 x 2^52 rounds to a whole number, which the sum holds in its lowest bits.
inline constexpr double kRounder = 6755399441055744.0;

/// cos(2 pi turn) within 1e-11, for less than 1e9 turns: the nearest whole turn taken off, the rest folded into a
/// quarter turn for Taylor's series of the sine.
inline double CosineOfTurn(double turn) {
  const double rest = turn - ((turn + kRounder) - kRounder);
  const double x = 2.0 * std::numbers::pi * (0.25 - std::abs(rest));
  const double y = x * x;
  constexpr double k3 = -1.0 / 6.0, k5 = 1.0 / 120.0, k7 = -1.0 / 5040.0, k9 = 1.0 / 362880.0, k11 = -1.0 / 39916800.0,
                   k13 = 1.0 / 6227020800.0, k15 = -1.0 / 1307674368000.0;
  return x * (1.0 + y * (k3 + y * (k5 + y * (k7 + y * (k9 + y * (k11 + y * (k13 + y * k15)))))));
}

/// The angle in radians, -pi/2 to pi/2, of the unit vector (`across`, `up`), `across` not negative, within 2e-13.
inline double AngleOfUnitVector(double across, double up) {
  constexpr double kEighthOfPi = std::numbers::pi / 8.0;
  constexpr double kCos = 0.92387953251128676, kSin = 0.38268343236508977;  // of an eighth of pi
  // Folded at pi/4 and counted from pi/8, no sine is above 0.383. There the polynomial through asin(x) / x at
  // Chebyshev's eight nodes in x squared is within 1.5e-13.
  const double height = std::abs(up);
  const bool steep = height > across;
  const double x = (steep ? across : height) * kCos - (steep ? height : across) * kSin;
  const double y = x * x;
  constexpr double k0 = 0.99999999999987422, k1 = 0.16666666677649745, k2 = 0.074999984328861189,
                   k3 = 0.044643704971977661, k4 = 0.030359564902556563, k5 = 0.022689625003567445,
                   k6 = 0.014907348021932427, k7 = 0.023295557122726799;
  const double folded =
      kEighthOfPi + x * (k0 + y * (k1 + y * (k2 + y * (k3 + y * (k4 + y * (k5 + y * (k6 + y * k7)))))));
  return std::copysign(steep ? 0.5 * std::numbers::pi - folded : folded, up);
}

/// e^x within 1e-11 of itself for -700 <= x <= 700; beyond, what the ends have.
inline double Exponential(double x) {
  x = std::min(std::max(x, -700.0), 700.0);
  const double halvings = x * std::numbers::log2e + kRounder;
  const double r = x - (halvings - kRounder) * std::numbers::ln2;  // at most ln2 / 2 from zero
  constexpr double k2 = 1.0 / 2.0, k3 = 1.0 / 6.0, k4 = 1.0 / 24.0, k5 = 1.0 / 120.0, k6 = 1.0 / 720.0,
                   k7 = 1.0 / 5040.0, k8 = 1.0 / 40320.0, k9 = 1.0 / 362880.0;
  const double e_r =
      1.0 + r * (1.0 + r * (k2 + r * (k3 + r * (k4 + r * (k5 + r * (k6 + r * (k7 + r * (k8 + r * k9))))))));
  // The power of two goes straight into the exponent.
  return std::bit_cast<double>(std::bit_cast<uint64_t>(e_r) + (std::bit_cast<uint64_t>(halvings) << 52));
}

/// ln x within 1e-6 for positive normal x: enough to start an iteration.
inline double RoughLogarithm(double x) {
  constexpr uint64_t kHalfOfRootTwo = 0x3fe6a09e667f3bcd;  // x = 2^n m with m from half of the root of two to the root
  constexpr uint64_t kLargestExponent = 1023;
  const uint64_t above = std::bit_cast<uint64_t>(x) - kHalfOfRootTwo + (kLargestExponent << 52);
  const uint64_t exponent = above >> 52;
  const double m = std::bit_cast<double>(std::bit_cast<uint64_t>(x) - ((exponent - kLargestExponent) << 52));
  // A whole number below 2^52 becomes a double as the lowest bits of 2^52.
  constexpr double kTwoTo52 = 4503599627370496.0;
  const double n = std::bit_cast<double>(exponent | std::bit_cast<uint64_t>(kTwoTo52)) - (kTwoTo52 + 1023.0);
  const double s = (m - 1.0) / (m + 1.0);
  const double y = s * s;
  return n * std::numbers::ln2 + 2.0 * s * (1.0 + y * (1.0 / 3.0 + y * (1.0 / 5.0 + y * (1.0 / 7.0))));
}

}  // namespace heliograd

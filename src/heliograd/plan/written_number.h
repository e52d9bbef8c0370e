// The number that stands in a file for a quantity. Private to the room.
#pragma once

#include <charconv>
#include <cmath>
#include <initializer_list>
#include <limits>

namespace heliograd {

/// The number rounded to 15 digits, which a double always holds.
inline double RoundedTo15Digits(double number) {
  char text[32];
  const auto written = std::to_chars(text, text + sizeof text, number, std::chars_format::scientific, 14);
  double rounded = number;
  std::from_chars(text, written.ptr, rounded);
  return rounded;
}

/// The number that gives the same quantity again, bit for bit, when read through `make`: of those that do, 15 digits
/// rather than 17. `read(quantity)` alone may miss it, because the factor between the file's unit and the SI unit
/// rounds twice. Never -0. A quantity that no number of that unit gives is moved by one rounding to the nearest that
/// one does.
template <typename Q>
double WrittenNumber(Q quantity, double (*read)(Q), Q (*make)(double)) {
  const double number = read(quantity);
  const double rounded = RoundedTo15Digits(number);
  if (make(rounded) == quantity) return rounded + 0.0;  // -0 + 0 is 0
  if (make(number) == quantity) return number;
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  for (const double toward : {-kInfinity, kInfinity}) {
    const double neighbour = std::nextafter(number, toward);
    if (make(neighbour) == quantity) return neighbour;
  }
  return make(rounded) == make(number) ? rounded : number;
}

}  // namespace heliograd

// A linear or mixed-integer model as plain numbers: what is minimised under which rows. It knows no dispatch and no
// solver.
//
//   minimise  offset + sum cost_j x_j    with  lower_j <= x_j <= upper_j,   lower_i <= sum a_ij x_j <= upper_i,
//   x_j whole where `integer`, and of the two columns of an exclusive pair at least one zero.
#pragma once

#include <initializer_list>
#include <limits>
#include <span>
#include <vector>

namespace heliograd {

inline constexpr double kUnbounded = std::numeric_limits<double>::infinity();

/// Coefficient of one column in a row.
struct LinearTerm {
  int column = 0;
  double coefficient = 0;
};

/// Two columns, both with lower bound zero and a finite upper bound, of which at least one must be zero.
struct ExclusivePair {
  int first = 0;
  int second = 0;
};

/// The model, by columns and by rows. Rows are kept one after another: row i has the terms row_start[i] ..
/// row_start[i+1].
struct LinearModel {
  double offset = 0;
  std::vector<double> cost, column_lower, column_upper;
  std::vector<bool> integer;
  std::vector<double> row_lower, row_upper;
  std::vector<int> row_start = {0};
  std::vector<LinearTerm> terms;
  std::vector<ExclusivePair> exclusive;

  int columns() const { return static_cast<int>(cost.size()); }
  int rows() const { return static_cast<int>(row_lower.size()); }
  bool HasIntegers() const;

  /// Adds a column and gives its index.
  int AddColumn(double lower, double upper, double cost_per_unit, bool is_integer = false);
  /// Adds a row and gives its index. A column may appear once per row.
  int AddRow(double lower, double upper, std::span<const LinearTerm> row_terms);
  int AddRow(double lower, double upper, std::initializer_list<LinearTerm> row_terms) {
    return AddRow(lower, upper, std::span<const LinearTerm>(row_terms.begin(), row_terms.size()));
  }
};

/// The same model with each exclusive pair turned into a binary column z and the rows first <= upper z, second <= upper
/// (1 - z). The columns that were there keep their indices; the binaries follow in the order of the pairs.
LinearModel WithDirectionBinaries(LinearModel model);

}  // namespace heliograd

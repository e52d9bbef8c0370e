#include "heliograd/optimize/linear_model.h"

#include <algorithm>

namespace heliograd {

bool LinearModel::HasIntegers() const { return std::find(integer.begin(), integer.end(), true) != integer.end(); }

int LinearModel::AddColumn(double lower, double upper, double cost_per_unit, bool is_integer) {
  column_lower.push_back(lower);
  column_upper.push_back(upper);
  cost.push_back(cost_per_unit);
  integer.push_back(is_integer);
  return columns() - 1;
}

int LinearModel::AddRow(double lower, double upper, std::span<const LinearTerm> row_terms) {
  terms.insert(terms.end(), row_terms.begin(), row_terms.end());
  row_start.push_back(static_cast<int>(terms.size()));
  row_lower.push_back(lower);
  row_upper.push_back(upper);
  return rows() - 1;
}

LinearModel WithDirectionBinaries(LinearModel model) {
  for (const ExclusivePair& pair : model.exclusive) {
    const double first_upper = model.column_upper[static_cast<size_t>(pair.first)];
    const double second_upper = model.column_upper[static_cast<size_t>(pair.second)];
    const int is_first = model.AddColumn(0, 1, 0, true);
    model.AddRow(-kUnbounded, 0, {{pair.first, 1}, {is_first, -first_upper}});
    model.AddRow(-kUnbounded, second_upper, {{pair.second, 1}, {is_first, second_upper}});
  }
  model.exclusive.clear();
  return model;
}

}  // namespace heliograd

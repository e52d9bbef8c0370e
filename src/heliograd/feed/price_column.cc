#include "heliograd/feed/price_column.h"

#include <utility>

namespace heliograd {
namespace {

constexpr double kLargestEurosPerKilowattHour = 20;

}  // namespace

PriceColumn MakePriceColumn(std::string name, size_t index, PriceUnit unit) {
  const bool per_megawatt_hour = unit == PriceUnit::kEurosPerMegawattHour;
  const double largest = kLargestEurosPerKilowattHour * (per_megawatt_hour ? 1000 : 1);
  return {{std::move(name), -largest, largest, per_megawatt_hour ? "EUR/MWh" : "EUR/kWh", index}, unit};
}

std::optional<EnergyPrice> ReadPrice(CsvReader& csv, const PriceColumn& column, ProblemList& problems) {
  const auto number = ReadNumber(csv, column.number, problems);
  if (!number) return std::nullopt;
  return column.unit == PriceUnit::kEurosPerMegawattHour ? EurosPerMegawattHour(*number)
                                                         : EurosPerKilowattHour(*number);
}

}  // namespace heliograd

#include "heliograd/feed/price_column.h"

#include <utility>

#include "heliograd/base/text.h"

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
  const bool per_kilowatt_hour = column.unit == PriceUnit::kEurosPerKilowattHour;
  const bool is_large =
      per_kilowatt_hour && ParseNumber(csv.Field(column.number.index)).value_or(0) > column.number.high;
  const auto number = ReadNumber(csv, column.number, problems,
                                 is_large ? "; if these are prices per MWh, name the column price_eur_per_mwh" : "");
  if (!number) return std::nullopt;
  return column.unit == PriceUnit::kEurosPerMegawattHour ? EurosPerMegawattHour(*number)
                                                         : EurosPerKilowattHour(*number);
}

}  // namespace heliograd

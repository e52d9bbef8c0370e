// Italy's hourly carbon intensity of 2024, in the program: Electricity Maps, ODbL (data/README.md).
#pragma once

#include <string_view>

namespace heliograd {

/// The CSV file as published: datetime_utc, direct and life-cycle g/kWh.
std::string_view BuiltinItalyCarbon();

}  // namespace heliograd

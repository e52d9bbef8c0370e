// Places that `heliograd init` knows by name.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace heliograd {

struct City {
  const char* name;
  double latitude, longitude;  // degrees, north and east positive
  const char* timezone;
};

/// The city of that name, upper and lower case alike.
std::optional<City> FindCity(std::string_view name);
std::vector<std::string> CityNames();

}  // namespace heliograd

#include "heliograd/app/cities.h"

#include "heliograd/base/text.h"

namespace heliograd {
namespace {

// Of the city's centre, rounded to a hundredth of a degree: a kilometre, which PV does not see.
constexpr City kCities[] = {{"Amsterdam", 52.37, 4.90, "Europe/Amsterdam"},
                            {"Athens", 37.98, 23.73, "Europe/Athens"},
                            {"Auckland", -36.85, 174.76, "Pacific/Auckland"},
                            {"Bangalore", 12.97, 77.59, "Asia/Kolkata"},
                            {"Barcelona", 41.39, 2.17, "Europe/Madrid"},
                            {"Berlin", 52.52, 13.41, "Europe/Berlin"},
                            {"Bern", 46.95, 7.45, "Europe/Zurich"},
                            {"Boston", 42.36, -71.06, "America/New_York"},
                            {"Brussels", 50.85, 4.35, "Europe/Brussels"},
                            {"Cairo", 30.04, 31.24, "Africa/Cairo"},
                            {"Cape Town", -33.92, 18.42, "Africa/Johannesburg"},
                            {"Chicago", 41.88, -87.63, "America/Chicago"},
                            {"Copenhagen", 55.68, 12.57, "Europe/Copenhagen"},
                            {"Denver", 39.74, -104.99, "America/Denver"},
                            {"Dublin", 53.35, -6.26, "Europe/Dublin"},
                            {"Geneva", 46.20, 6.15, "Europe/Zurich"},
                            {"Hamburg", 53.55, 9.99, "Europe/Berlin"},
                            {"Helsinki", 60.17, 24.94, "Europe/Helsinki"},
                            {"Lagos", 6.52, 3.38, "Africa/Lagos"},
                            {"Lisbon", 38.72, -9.14, "Europe/Lisbon"},
                            {"London", 51.51, -0.13, "Europe/London"},
                            {"Los Angeles", 34.05, -118.24, "America/Los_Angeles"},
                            {"Lyon", 45.76, 4.84, "Europe/Paris"},
                            {"Madrid", 40.42, -3.70, "Europe/Madrid"},
                            {"Melbourne", -37.81, 144.96, "Australia/Melbourne"},
                            {"Mexico City", 19.43, -99.13, "America/Mexico_City"},
                            {"Milan", 45.46, 9.19, "Europe/Rome"},
                            {"Munich", 48.14, 11.58, "Europe/Berlin"},
                            {"Nairobi", -1.29, 36.82, "Africa/Nairobi"},
                            {"New York", 40.71, -74.01, "America/New_York"},
                            {"Oslo", 59.91, 10.75, "Europe/Oslo"},
                            {"Palermo", 38.12, 13.36, "Europe/Rome"},
                            {"Paris", 48.86, 2.35, "Europe/Paris"},
                            {"Phoenix", 33.45, -112.07, "America/Phoenix"},
                            {"Prague", 50.08, 14.44, "Europe/Prague"},
                            {"Rome", 41.90, 12.50, "Europe/Rome"},
                            {"San Francisco", 37.77, -122.42, "America/Los_Angeles"},
                            {"Sao Paulo", -23.55, -46.63, "America/Sao_Paulo"},
                            {"Seattle", 47.61, -122.33, "America/Los_Angeles"},
                            {"Seoul", 37.57, 126.98, "Asia/Seoul"},
                            {"Singapore", 1.35, 103.82, "Asia/Singapore"},
                            {"Stockholm", 59.33, 18.07, "Europe/Stockholm"},
                            {"Sydney", -33.87, 151.21, "Australia/Sydney"},
                            {"Tokyo", 35.68, 139.69, "Asia/Tokyo"},
                            {"Toronto", 43.65, -79.38, "America/Toronto"},
                            {"Turin", 45.07, 7.69, "Europe/Rome"},
                            {"Vienna", 48.21, 16.37, "Europe/Vienna"},
                            {"Warsaw", 52.23, 21.01, "Europe/Warsaw"},
                            {"Zurich", 47.38, 8.54, "Europe/Zurich"}};

}  // namespace

std::optional<City> FindCity(std::string_view name) {
  const std::string wanted = ToLower(Trim(name));
  for (const City& city : kCities) {
    if (ToLower(city.name) == wanted) return city;
  }
  return std::nullopt;
}

std::vector<std::string> CityNames() {
  std::vector<std::string> names;
  for (const City& city : kCities) names.emplace_back(city.name);
  return names;
}

}  // namespace heliograd

// Energy per image against MACs as a figure, as the study's Figs 2 and 3: the networks, the law with and without the
// networks of greatest leverage, the interval of predictions, and below how far off the law each network is.
#pragma once

#include <optional>
#include <string>

#include "heliograd/model/energy_law.h"
#include "heliograd/report/gnuplot.h"

namespace heliograd {

struct LawChart {
  std::string title;
  EnergyLaw law;                     // of MACs alone
  std::optional<EnergyLaw> without;  // the same without some networks
  std::string without_name;          // "without VGG", for the key
};

/// The band is the 95 % interval of a network not measured. Precondition: both laws are of MACs alone.
Figure LawFigure(const LawChart& chart);

}  // namespace heliograd

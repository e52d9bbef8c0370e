// AlexNet as torchvision has it (Krizhevsky, "One weird trick for parallelizing convolutional neural networks", 2014).
#include "heliograd/profile/architecture_builder.h"
#include "heliograd/profile/network_families.h"

namespace heliograd {

Architecture MakeAlexNet(const NetworkOptions& options) {
  ArchitectureBuilder net("alexnet", options.channels);
  int x = net.Convolve("features.0", kImage, {options.channels, 64, 11, 4, 2});
  x = net.Rectify("features.1", x);
  x = net.PoolMax("features.2", x, {3, 2});
  x = net.Convolve("features.3", x, {64, 192, 5, 1, 2});
  x = net.Rectify("features.4", x);
  x = net.PoolMax("features.5", x, {3, 2});
  x = net.Convolve("features.6", x, {192, 384, 3, 1, 1});
  x = net.Rectify("features.7", x);
  x = net.Convolve("features.8", x, {384, 256, 3, 1, 1});
  x = net.Rectify("features.9", x);
  x = net.Convolve("features.10", x, {256, 256, 3, 1, 1});
  x = net.Rectify("features.11", x);
  x = net.PoolMax("features.12", x, {3, 2});
  x = net.Flatten("flatten", net.PoolAverage("avgpool", x, 6));
  x = net.Drop("classifier.0", x, 0.5);
  x = net.Rectify("classifier.2", net.Connect("classifier.1", x, 4096));
  x = net.Drop("classifier.3", x, 0.5);
  x = net.Rectify("classifier.5", net.Connect("classifier.4", x, 4096));
  return net.Finish(net.Connect("classifier.6", x, options.classes));
}

}  // namespace heliograd

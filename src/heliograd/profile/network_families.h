// One function per family of networks, each in a file of its own. `name` is one of the family's.
#pragma once

#include <string>

#include "heliograd/profile/networks.h"

namespace heliograd {

Architecture MakeAlexNet(const NetworkOptions& options);
/// depth: 11, 13, 16 or 19.
Architecture MakeVgg(int depth, const NetworkOptions& options);
/// depth: 18, 34 or 50.
Architecture MakeResNet(int depth, const NetworkOptions& options);
/// googlenet, googlenet_k5, googlenet_mod1 to googlenet_mod9.
Architecture MakeGoogLeNet(const std::string& name, const NetworkOptions& options);
/// vit_s16_d6, vit_s16_d12, vit_ti16_d12.
Architecture MakeVisionTransformer(const std::string& name, const NetworkOptions& options);

}  // namespace heliograd

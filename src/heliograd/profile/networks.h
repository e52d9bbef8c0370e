// The networks that heliograd knows by name: those of the study and, of its GoogLeNet, nine modifications.
//
// Topologies are those of torchvision (GoogLeNet with its 3 x 3 in place of the paper's 5 x 5; `googlenet_k5` has the
// paper's). The study leaves its modifications and its transformer undefined: googlenet_mod1 to 9 and the vit_ networks
// are this project's definitions. All functions are pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "heliograd/base/result.h"
#include "heliograd/profile/architecture.h"

namespace heliograd {

struct NetworkOptions {
  int64_t channels = 3;   // 1 or 3
  int64_t classes = 100;  // at least 1
};

/// "alexnet", "vgg11", ... in the order of their families.
const std::vector<std::string>& NetworkNames();

/// The one of NetworkNames() that `written` means: case, blanks, '-', '/' and '_' do not count, "mod3" is GoogLeNet's,
/// and a transformer's depth may be left out ("ViT-S/16" is vit_s16_d6, as the study has it). Fails with the nearest
/// names.
Result<std::string> NetworkNamed(std::string_view written);

/// The network that `name` means, as NetworkNamed reads it; its own name is the one of NetworkNames(). Fails for a name
/// that means none, and for channels or classes out of range.
Result<Architecture> MakeNetwork(std::string_view name, const NetworkOptions& options = {});

}  // namespace heliograd

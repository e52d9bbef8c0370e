#include "heliograd/app/campaign_file.h"

#include <fmt/format.h>

#include <algorithm>

#include "heliograd/app/toml_text.h"
#include "heliograd/base/text.h"
#include "heliograd/profile/networks.h"

namespace heliograd {
namespace {

const std::vector<std::string> kKeys = {"hardware",   "networks",       "data",    "device", "mode",        "batch",
                                        "iterations", "dither_percent", "workers", "layers", "quick_layers"};

/// The study's 19 networks; its transformer is not defined in it, ViT-S/16 of depth 6 stands for it.
const std::vector<std::string>& StudyNetworks() {
  static const std::vector<std::string> names = {"alexnet",        "vgg11",          "vgg13",          "vgg16",
                                                 "vgg19",          "resnet18",       "resnet34",       "resnet50",
                                                 "googlenet",      "googlenet_mod1", "googlenet_mod2", "googlenet_mod3",
                                                 "googlenet_mod4", "googlenet_mod5", "googlenet_mod6", "googlenet_mod7",
                                                 "googlenet_mod8", "googlenet_mod9", "vit_s16_d6"};
  return names;
}

/// Reads one table, noting each mistake with its line.
class Reader {
 public:
  Reader(const toml::table& table, std::string name) : table_(table), name_(std::move(name)) {
    for (const auto& [key, value] : table_) {
      if (std::find(kKeys.begin(), kKeys.end(), key.str()) != kKeys.end()) continue;
      Note(value, fmt::format("there is no key {} in [campaign].{}", Quoted(key.str()), DidYouMean(key.str(), kKeys)));
    }
  }

  void Take(const char* key, std::string& target, const std::vector<std::string>& allowed = {}) {
    const toml::node* node = table_.get(key);
    if (node == nullptr) return;
    const auto text = node->value<std::string>();
    const bool known = text && (allowed.empty() || std::find(allowed.begin(), allowed.end(), *text) != allowed.end());
    if (known) {
      target = *text;
      return;
    }
    Note(*node, allowed.empty() ? fmt::format("campaign.{}: expected a text in quotes", key)
                                : fmt::format("campaign.{}: expected one of {}", key, fmt::join(allowed, ", ")));
  }

  void Take(const char* key, int64_t& target, int64_t least, int64_t most) {
    const toml::node* node = table_.get(key);
    if (node == nullptr) return;
    const auto number = node->is_integer() ? node->value<int64_t>() : std::nullopt;
    if (number && *number >= least && *number <= most) {
      target = *number;
      return;
    }
    Note(*node, fmt::format("campaign.{}: expected a whole number from {} to {}", key, least, most));
  }

  void Take(const char* key, double& target, double least, double most) {
    const toml::node* node = table_.get(key);
    if (node == nullptr) return;
    const auto number = node->is_number() ? node->value<double>() : std::nullopt;
    if (number && *number >= least && *number <= most) {
      target = *number;
      return;
    }
    Note(*node, fmt::format("campaign.{}: expected a number from {:g} to {:g}", key, least, most));
  }

  void Take(const char* key, bool& target) {
    const toml::node* node = table_.get(key);
    if (node == nullptr) return;
    if (const auto value = node->value<bool>(); value && node->is_boolean()) {
      target = *value;
    } else {
      Note(*node, fmt::format("campaign.{}: expected true or false", key));
    }
  }

  /// A list of texts; `check` gives a mistake's sentence or nothing.
  template <typename Check>
  void TakeList(const char* key, std::vector<std::string>& target, const Check& check) {
    const toml::node* node = table_.get(key);
    if (node == nullptr) return;
    const toml::array* list = node->as_array();
    if (list == nullptr || list->empty()) {
      Note(*node, fmt::format("campaign.{}: expected a list of texts, such as [\"...\", \"...\"]", key));
      return;
    }
    target.clear();
    for (const toml::node& entry : *list) {
      const auto text = entry.value<std::string>();
      const std::string mistake = text && entry.is_string() ? check(*text) : "expected a text in quotes";
      if (!mistake.empty()) Note(entry, fmt::format("campaign.{}: {}", key, mistake));
      if (text && std::find(target.begin(), target.end(), *text) != target.end()) {
        Note(entry, fmt::format("campaign.{}: {} stands twice", key, Quoted(*text)));
      }
      if (text) target.push_back(*text);
    }
  }

  void Note(const toml::node& node, const std::string& sentence) {
    problems_.push_back(fmt::format("{}:{}: {}", name_, node.source().begin.line, sentence));
  }
  std::vector<std::string>& problems() { return problems_; }

 private:
  const toml::table& table_;
  std::string name_;
  std::vector<std::string> problems_;
};

std::string MistakeOfNetwork(const std::string& name) {
  const auto network = MakeNetwork(name);
  return network ? "" : network.error().Message();
}

}  // namespace

std::vector<CampaignCell> CellsOf(const Campaign& campaign) {
  std::vector<CampaignCell> cells;
  for (const std::string& data : campaign.data) {
    for (const std::string& network : campaign.networks) {
      const bool wanted = std::find(campaign.layers.begin(), campaign.layers.end(), network) != campaign.layers.end();
      cells.push_back({network, data, wanted && data == campaign.data.front()});
    }
  }
  return cells;
}

Result<Campaign> ParseCampaign(std::string_view content, const std::string& name) {
  const TomlText text = ReadTomlText(content, name);
  if (!text.problems.empty()) return Fail(text.problems);
  const toml::table* table = text.root["campaign"].as_table();
  if (table == nullptr) {
    return Fail(name + ": there is no [campaign]: `heliograd campaign --template` shows what one looks like");
  }
  Campaign campaign;
  campaign.networks = StudyNetworks();
  campaign.data = {"fashion-mnist", "cifar100"};
  Reader reader(*table, name);
  reader.Take("hardware", campaign.hardware);
  reader.TakeList("networks", campaign.networks, MistakeOfNetwork);
  reader.TakeList("data", campaign.data, [](const std::string& one) { return one.empty() ? "is empty" : ""; });
  reader.Take("device", campaign.device);
  reader.Take("mode", campaign.mode, {"events", "sync"});
  reader.Take("batch", campaign.batch, 1, 65536);
  reader.Take("iterations", campaign.iterations, 2, 100'000'000);
  reader.Take("dither_percent", campaign.dither_percent, 0, 50);
  reader.Take("workers", campaign.workers, 1, 256);
  reader.TakeList("layers", campaign.layers, [&](const std::string& one) {
    const bool known = std::find(campaign.networks.begin(), campaign.networks.end(), one) != campaign.networks.end();
    return known ? std::string() : Quoted(one) + " is not among the campaign's networks";
  });
  reader.Take("quick_layers", campaign.quick_layers);
  if (campaign.hardware.empty()) {
    reader.Note(*table, "campaign.hardware is missing: the name that figures and tables give this machine's device");
  }
  if (!reader.problems().empty()) return Fail(std::move(reader.problems()));
  return campaign;
}

std::string CampaignTemplate() {
  return "# Which networks are trained on which data sets here: `heliograd campaign FILE`.\n"
         "[campaign]\n"
         "hardware = \"RTX 4090\"                  # its name in figures and tables\n"
         "device = \"cuda\"                        # \"cpu\": the times are real, the power is simulated\n"
         "data = [\"fashion-mnist\", \"cifar100\"]   # names or folders\n"
         "# networks = [\"alexnet\", \"resnet18\"]   # all 19 of the study where this is left out\n"
         "batch = 128\n"
         "# iterations = 469                     # as many as take a minute where this is left out\n"
         "mode = \"events\"                        # \"sync\": each step waits for the device\n"
         "dither_percent = 5                     # random rests that tell the steps apart\n"
         "layers = [\"alexnet\", \"resnet18\"]       # these layer by layer too\n"
         "# quick_layers = true                  # short loops, wide intervals\n"
         "workers = 1                            # threads that load images\n";
}

}  // namespace heliograd

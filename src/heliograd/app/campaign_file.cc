#include "heliograd/app/campaign_file.h"

#include <fmt/format.h>

#include <algorithm>

#include "heliograd/app/toml_text.h"
#include "heliograd/base/text.h"
#include "heliograd/profile/networks.h"

namespace heliograd {
namespace {

const std::vector<std::string> kKeys = {"hardware",   "networks",       "data",    "device", "mode",         "batch",
                                        "iterations", "dither_percent", "workers", "layers", "quick_layers", "gpu"};
const std::vector<std::string> kSweepKeys = {"network", "data", "limits_w", "from_w", "to_w", "step_w", "rounds"};
constexpr double kMostWatts = 10'000;
constexpr size_t kMostLimits = 1000;

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
  Reader(const toml::table& table, std::string name, std::string section, const std::vector<std::string>& keys)
      : table_(table), name_(std::move(name)), section_(std::move(section)) {
    for (const auto& [key, value] : table_) {
      if (std::find(keys.begin(), keys.end(), key.str()) != keys.end()) continue;
      Note(value,
           fmt::format("there is no key {} in [{}].{}", Quoted(key.str()), section_, DidYouMean(key.str(), keys)));
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
    Note(*node, allowed.empty() ? fmt::format("{}.{}: expected a text in quotes", section_, key)
                                : fmt::format("{}.{}: expected one of {}", section_, key, fmt::join(allowed, ", ")));
  }

  void Take(const char* key, int64_t& target, int64_t least, int64_t most) {
    const toml::node* node = table_.get(key);
    if (node == nullptr) return;
    const auto number = node->is_integer() ? node->value<int64_t>() : std::nullopt;
    if (number && *number >= least && *number <= most) {
      target = *number;
      return;
    }
    Note(*node, fmt::format("{}.{}: expected a whole number from {} to {}", section_, key, least, most));
  }

  void Take(const char* key, double& target, double least, double most) {
    const toml::node* node = table_.get(key);
    if (node == nullptr) return;
    const auto number = node->is_number() ? node->value<double>() : std::nullopt;
    if (number && *number >= least && *number <= most) {
      target = *number;
      return;
    }
    Note(*node, fmt::format("{}.{}: expected a number from {:g} to {:g}", section_, key, least, most));
  }

  void Take(const char* key, bool& target) {
    const toml::node* node = table_.get(key);
    if (node == nullptr) return;
    if (const auto value = node->value<bool>(); value && node->is_boolean()) {
      target = *value;
    } else {
      Note(*node, fmt::format("{}.{}: expected true or false", section_, key));
    }
  }

  /// A list of texts; `check` gives a mistake's sentence or nothing.
  template <typename Check>
  void TakeList(const char* key, std::vector<std::string>& target, const Check& check, bool may_be_empty = false) {
    const toml::node* node = table_.get(key);
    if (node == nullptr) return;
    const toml::array* list = node->as_array();
    if (list == nullptr || (list->empty() && !may_be_empty)) {
      Note(*node, fmt::format("{}.{}: expected a list of texts, such as [\"...\", \"...\"]", section_, key));
      return;
    }
    target.clear();
    for (const toml::node& entry : *list) {
      const auto text = entry.value<std::string>();
      const std::string mistake = text && entry.is_string() ? check(*text) : "expected a text in quotes";
      if (!mistake.empty()) Note(entry, fmt::format("{}.{}: {}", section_, key, mistake));
      if (text && std::find(target.begin(), target.end(), *text) != target.end()) {
        Note(entry, fmt::format("{}.{}: {} stands twice", section_, key, Quoted(*text)));
      }
      if (text) target.push_back(*text);
    }
  }

  /// A list of numbers that ascend.
  void TakeAscending(const char* key, std::vector<double>& target, double least, double most) {
    const toml::node* node = table_.get(key);
    if (node == nullptr) return;
    const toml::array* list = node->as_array();
    if (list == nullptr || list->empty()) {
      Note(*node, fmt::format("{}.{}: expected a list of numbers, such as [100, 170, 320]", section_, key));
      return;
    }
    for (const toml::node& entry : *list) {
      const auto number = entry.is_number() ? entry.value<double>() : std::nullopt;
      const bool is_within = number && *number >= least && *number <= most;
      if (!is_within || (!target.empty() && *number <= target.back())) {
        Note(entry, fmt::format("{}.{}: expected numbers from {:g} to {:g} that ascend", section_, key, least, most));
        return;
      }
      target.push_back(*number);
    }
  }

  bool Has(const char* key) const { return table_.get(key) != nullptr; }

  void Note(const toml::node& node, const std::string& sentence) {
    problems_.push_back(fmt::format("{}:{}: {}", name_, node.source().begin.line, sentence));
  }
  std::vector<std::string>& problems() { return problems_; }

 private:
  const toml::table& table_;
  std::string name_, section_;
  std::vector<std::string> problems_;
};

std::string MistakeOfNetwork(const std::string& written) {
  const auto name = NetworkNamed(written);
  return name ? "" : name.error().Message();
}

/// As cells are named, however it was written; as it was written where no network is meant.
std::string OwnName(const std::string& written) { return NetworkNamed(written).value_or(written); }

/// The limits of from_w, to_w and step_w, the last one included where a step ends there.
std::vector<double> LimitsBetween(double from_w, double to_w, double step_w) {
  std::vector<double> limits;
  const auto steps = static_cast<size_t>((to_w - from_w) / step_w + 1e-9);
  for (size_t i = 0; i <= steps; ++i) limits.push_back(from_w + step_w * static_cast<double>(i));
  return limits;
}

LimitSweepPlan TakeSweep(const toml::table& table, Reader& reader) {
  LimitSweepPlan sweep;
  reader.Take("network", sweep.network);
  if (const std::string mistake = MistakeOfNetwork(sweep.network); !mistake.empty()) {
    reader.Note(*table.get("network"), "sweep.network: " + mistake);
  }
  reader.Take("data", sweep.data);
  reader.Take("rounds", sweep.rounds, 1, 100);
  reader.TakeAscending("limits_w", sweep.limits_w, 1, kMostWatts);
  double from_w = 0, to_w = 0, step_w = 0;
  reader.Take("from_w", from_w, 1, kMostWatts);
  reader.Take("to_w", to_w, 1, kMostWatts);
  reader.Take("step_w", step_w, 0.1, kMostWatts);
  const bool has_range = reader.Has("from_w") || reader.Has("to_w") || reader.Has("step_w");
  if (!reader.problems().empty()) return sweep;
  if (has_range == reader.Has("limits_w")) {
    reader.Note(table, "sweep: expected either limits_w, a list, or from_w, to_w and step_w");
  } else if (has_range && !(from_w > 0 && to_w > from_w && step_w > 0)) {
    reader.Note(table, "sweep: expected from_w, to_w above it, and step_w");
  } else if (has_range && (to_w - from_w) / step_w >= kMostLimits) {
    reader.Note(
        table, fmt::format("sweep: {:g} to {:g} W by {:g} are more than {} limits", from_w, to_w, step_w, kMostLimits));
  } else if (has_range) {
    sweep.limits_w = LimitsBetween(from_w, to_w, step_w);
  }
  sweep.network = OwnName(sweep.network);
  if (sweep.limits_w.size() == 1) reader.Note(table, "sweep: one limit is no sweep: give two or more");
  return sweep;
}

}  // namespace

std::string CampaignCell::Name() const {
  if (!IsOfSweep()) return network + " on " + data;
  return fmt::format("{} on {} at {:g} W, round {}", network, data, limit_w, round);
}

std::vector<CampaignCell> CellsOf(const Campaign& campaign) {
  std::vector<CampaignCell> cells;
  for (const std::string& data : campaign.data) {
    for (const std::string& network : campaign.networks) {
      const bool wanted = std::find(campaign.layers.begin(), campaign.layers.end(), network) != campaign.layers.end();
      cells.push_back({network, data, wanted && data == campaign.data.front(), 0, 0});
    }
  }
  if (!campaign.sweep) return cells;
  for (int64_t round = 1; round <= campaign.sweep->rounds; ++round) {
    std::vector<double> limits_w = campaign.sweep->limits_w;
    if (round % 2 == 0) std::reverse(limits_w.begin(), limits_w.end());
    for (const double limit_w : limits_w) {
      cells.push_back({campaign.sweep->network, campaign.sweep->data, false, limit_w, round});
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
  Reader reader(*table, name, "campaign", kKeys);
  reader.Take("hardware", campaign.hardware);
  // A sweep alone is a campaign too.
  reader.TakeList("networks", campaign.networks, MistakeOfNetwork, /*may_be_empty=*/text.root.contains("sweep"));
  for (std::string& network : campaign.networks) network = OwnName(network);
  reader.TakeList("data", campaign.data, [](const std::string& one) { return one.empty() ? "is empty" : ""; });
  reader.Take("device", campaign.device);
  reader.Take("gpu", campaign.gpu);
  reader.Take("mode", campaign.mode, {"events", "sync", "loops"});
  reader.Take("batch", campaign.batch, 1, 65536);
  reader.Take("iterations", campaign.iterations, 2, 100'000'000);
  reader.Take("dither_percent", campaign.dither_percent, 0, 50);
  reader.Take("workers", campaign.workers, 1, 256);
  reader.TakeList(
      "layers", campaign.layers,
      [&](const std::string& one) {
        const bool known =
            std::find(campaign.networks.begin(), campaign.networks.end(), OwnName(one)) != campaign.networks.end();
        return known ? std::string() : Quoted(one) + " is not among the campaign's networks";
      },
      /*may_be_empty=*/true);
  for (std::string& network : campaign.layers) network = OwnName(network);
  reader.Take("quick_layers", campaign.quick_layers);
  if (campaign.hardware.empty()) {
    reader.Note(*table, "campaign.hardware is missing: the name that figures and tables give this machine's device");
  }
  std::vector<std::string> problems = std::move(reader.problems());
  if (const toml::node* node = text.root.get("sweep"); node != nullptr) {
    if (const toml::table* sweep = node->as_table(); sweep != nullptr) {
      Reader of_sweep(*sweep, name, "sweep", kSweepKeys);
      campaign.sweep = TakeSweep(*sweep, of_sweep);
      problems.insert(problems.end(), of_sweep.problems().begin(), of_sweep.problems().end());
    } else {
      problems.push_back(fmt::format("{}:{}: sweep: expected a table, [sweep]", name, node->source().begin.line));
    }
  }
  if (!problems.empty()) return Fail(std::move(problems));
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
         "# mode = \"events\"                      # \"sync\": each step waits for the device; \"loops\": each by\n"
         "                                       # itself, chosen where the sensor averages over a second\n"
         "dither_percent = 5                     # random rests that tell the steps apart\n"
         "layers = [\"alexnet\", \"resnet18\"]       # these layer by layer too\n"
         "# quick_layers = true                  # short loops, wide intervals\n"
         "workers = 1                            # threads that load images\n"
         "# gpu = \"0\"                             # whose power is measured and limited, if not the device's own\n"
         "\n"
         "# One network at several power limits, as the study's Figs 7 and 8: it needs the right to set them, and "
         "puts\n"
         "# the limit from before back after each training. Each training begins with the same parameters. With\n"
         "# networks = [] above there is nothing but the sweep.\n"
         "# [sweep]\n"
         "# network = \"resnet18\"\n"
         "# data = \"fashion-mnist\"\n"
         "# from_w = 100                          # or limits_w = [100, 150, 170, 200, 320]\n"
         "# to_w = 320\n"
         "# step_w = 10\n"
         "# rounds = 2                            # over all limits; two or more give the knee an interval\n";
}

}  // namespace heliograd

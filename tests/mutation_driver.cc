// Runs a fuzz target without libFuzzer: every seed as it is, then mutations of the seeds drawn from a fixed random
// sequence, so that a failure can be repeated. Usage: TARGET [--runs N] SEED_FOLDER
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

namespace {

using Random = std::mt19937_64;

size_t Below(Random& random, size_t limit) { return limit == 0 ? 0 : random() % limit; }

std::string Mutate(const std::vector<std::string>& seeds, Random& random) {
  static const std::vector<std::string> kTroublemakers = {"nan",
                                                          "inf",
                                                          "-1",
                                                          "1e999",
                                                          "",
                                                          "\xEF\xBB\xBF",
                                                          "\r\n",
                                                          "\n\n",
                                                          ",,,,",
                                                          "\"",
                                                          "0x10",
                                                          "99999999999999999999",
                                                          std::string(1, '\0'),
                                                          "\xFF\xFE",
                                                          "[[",
                                                          "=",
                                                          "-0",
                                                          "1e-320"};
  std::string input = seeds[Below(random, seeds.size())];
  for (size_t round = 1 + Below(random, 4); round > 0; --round) {
    const size_t at = Below(random, input.size() + 1);
    switch (Below(random, 6)) {
      case 0:
        input.insert(at, kTroublemakers[Below(random, kTroublemakers.size())]);
        break;
      case 1:
        input.erase(at, 1 + Below(random, 64));
        break;
      case 2:
        input.resize(at);
        break;
      case 3:
        if (at < input.size()) input[at] = static_cast<char>(random());
        break;
      case 4:
        input.insert(at, input.substr(Below(random, input.size() + 1), Below(random, 256)));
        break;
      default: {
        const std::string& other = seeds[Below(random, seeds.size())];
        input = input.substr(0, at) + other.substr(Below(random, other.size() + 1));
      }
    }
  }
  return input;
}

}  // namespace

int main(int argc, char** argv) {
  size_t runs = 2000;
  std::string folder;
  for (int i = 1; i < argc; ++i) {
    if (std::strcmp(argv[i], "--runs") == 0 && i + 1 < argc) {
      runs = std::strtoul(argv[++i], nullptr, 10);
    } else {
      folder = argv[i];
    }
  }
  std::vector<std::filesystem::path> paths;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) paths.push_back(entry.path());
  std::sort(paths.begin(), paths.end());
  std::vector<std::string> seeds;
  for (const auto& path : paths) {
    std::ifstream file(path, std::ios::binary);
    seeds.emplace_back(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
  }
  if (seeds.empty()) {
    std::fprintf(stderr, "no seeds in %s\n", folder.c_str());
    return 1;
  }
  const auto run = [](const std::string& input) {
    LLVMFuzzerTestOneInput(reinterpret_cast<const uint8_t*>(input.data()), input.size());
  };
  for (const std::string& seed : seeds) run(seed);
  Random random(1);
  for (size_t i = 0; i < runs; ++i) run(Mutate(seeds, random));
  std::printf("%zu seeds and %zu mutations: no crash\n", seeds.size(), runs);
  return 0;
}

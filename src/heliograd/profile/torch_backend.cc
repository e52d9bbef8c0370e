#include "heliograd/profile/torch_backend.h"

#include <dlfcn.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cstdlib>
#include <filesystem>

#include "heliograd/base/path.h"
#include "heliograd/base/text.h"

namespace heliograd {
namespace {

constexpr const char* kFile = "libheliograd_torch.so";

std::string LastProblem() {
  const char* reason = dlerror();
  return reason == nullptr ? "no reason given" : reason;
}

template <typename Function>
Function* Find(void* library, const char* name) {
  return reinterpret_cast<Function*>(dlsym(library, name));
}

Result<TorchBackend*> Open(const std::string& file) {
  void* const library = dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) return Fail(fmt::format("{}: {}: `make profile` builds it anew", file, LastProblem()));
  auto* const version = Find<int()>(library, kTorchVersionSymbol);
  auto* const backend = Find<TorchBackend*()>(library, kTorchBackendSymbol);
  if (version == nullptr || backend == nullptr) {
    return Fail(fmt::format("{}: this is not heliograd's library for PyTorch: expected {}", file, kFile));
  }
  if (const int found = version(); found != kTorchBackendVersion) {
    return Fail(fmt::format("{}: its version is {}, this program's is {}: `make profile` builds it anew", file, found,
                            kTorchBackendVersion));
  }
  return backend();
}

}  // namespace

std::vector<std::string> TorchBackendFiles() {
  namespace fs = std::filesystem;
  if (const char* given = std::getenv("HELIOGRAD_TORCH_BACKEND"); given != nullptr && *given != '\0') return {given};
  std::error_code ignored;
  const fs::path folder = fs::read_symlink("/proc/self/exe", ignored).parent_path();
  const fs::path libraries = folder.parent_path() / "lib";
  std::vector<std::string> files = {folder / kFile, libraries / "heliograd" / kFile};
  for (const fs::path library : ListFolder(libraries).value_or(std::vector<std::string>())) {
    const fs::path file = library / "heliograd" / kFile;
    if (fs::exists(file, ignored)) files.push_back(file);
  }
  return files;
}

Result<TorchBackend*> OpenTorchBackend() {
  const std::vector<std::string> files = TorchBackendFiles();
  for (const std::string& file : files) {
    std::error_code ignored;
    if (std::filesystem::exists(file, ignored)) return Open(file);
  }
  return Fail(
      fmt::format("heliograd's part for PyTorch, {}, is not installed (looked for as {}): `make profile` builds "
                  "it with PyTorch",
                  kFile, fmt::join(files, ", ")));
}

}  // namespace heliograd

// Which data set a name or a folder means.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <optional>

#include "heliograd/base/text.h"
#include "heliograd/profile/dataset.h"
#include "heliograd/profile/dataset_cifar.h"
#include "heliograd/profile/dataset_folder.h"
#include "heliograd/profile/dataset_idx.h"
#include "heliograd/profile/dataset_synthetic.h"

namespace heliograd {
namespace {

namespace fs = std::filesystem;

using Opened = Result<std::shared_ptr<const Dataset>>;

const std::vector<std::string> kNames = {"fashion-mnist", "cifar100", "synthetic", "synthetic-fashion-mnist",
                                         "synthetic-cifar100"};
/// Where CIFAR-100's folder, as its archive unpacks, is looked for.
const std::vector<std::string> kCifarFolders = {"cifar-100-binary", "/usr/local/share/datasets/cifar-100-binary",
                                                "/usr/share/datasets/cifar-100-binary"};

constexpr int kMnistClasses = 10;

enum class FileKind { kOther, kIdxImages, kIdxLabels, kCifar };

/// What a file is by its first bytes and its length. gzip is looked into.
FileKind KindOf(const fs::path& path) {
  std::ifstream stream(path, std::ios::binary);
  std::string start(1024, '\0');
  stream.read(start.data(), static_cast<std::streamsize>(start.size()));
  start.resize(static_cast<size_t>(stream.gcount()));
  if (start.size() >= 18 && start[0] == '\x1f' && start[1] == '\x8b') {
    const std::string name = ToLower(path.filename().string());  // a cut stream cannot be looked into: its name tells
    if (name.find("images") != std::string::npos) return FileKind::kIdxImages;
    if (name.find("labels") != std::string::npos) return FileKind::kIdxLabels;
    return FileKind::kOther;
  }
  if (start.substr(0, 4) == std::string_view("\0\0\x08\x03", 4)) return FileKind::kIdxImages;
  if (start.substr(0, 4) == std::string_view("\0\0\x08\x01", 4)) return FileKind::kIdxLabels;
  std::error_code error;
  const auto size = fs::file_size(path, error);
  const bool labelled = start.size() >= 2 && static_cast<uint8_t>(start[0]) < kCifarCoarseClasses &&
                        static_cast<uint8_t>(start[1]) < kCifarClasses;
  return !error && labelled && path.extension() == ".bin" && size >= kCifarRecord ? FileKind::kCifar : FileKind::kOther;
}

/// The part that a file's name tells: test and t10k, train, or neither.
std::optional<DatasetPart> PartOf(const fs::path& path) {
  const std::string name = ToLower(path.filename().string());
  if (name.find("test") != std::string::npos || name.find("t10k") != std::string::npos) return DatasetPart::kTest;
  if (name.find("train") != std::string::npos) return DatasetPart::kTrain;
  return std::nullopt;
}

/// What a file's name promises, whatever it holds: "train-images-idx3-ubyte" or CIFAR-100's train.bin. Where no other
/// file is what was looked for, it is read, so that what is wrong with it is told.
FileKind PromisedKind(const fs::path& path) {
  const std::string name = ToLower(path.filename().string());
  if (name == "train.bin" || name == "test.bin") return FileKind::kCifar;
  if (name.find("idx3") != std::string::npos) return FileKind::kIdxImages;
  if (name.find("idx1") != std::string::npos) return FileKind::kIdxLabels;
  return FileKind::kOther;
}

/// Files of one part by what they are.
struct SortedFiles {
  std::vector<std::string> images, labels, cifar, others;

  void Add(FileKind kind, const std::string& path) {
    auto& list = kind == FileKind::kIdxImages   ? images
                 : kind == FileKind::kIdxLabels ? labels
                 : kind == FileKind::kCifar     ? cifar
                                                : others;
    list.push_back(path);
  }
  bool HasIdx() const { return !images.empty() || !labels.empty(); }
  void Sort() {
    for (auto* list : {&images, &labels, &cifar, &others}) std::sort(list->begin(), list->end());
  }
};

struct FolderFiles : SortedFiles {  // of the part asked for
  bool any = false;                 // of any part
  bool folders = false;
};

/// Files that are not what their names promise stand in for those that are missing.
void TakePromised(const SortedFiles& promised, FolderFiles& files) {
  if (!files.cifar.empty()) return;
  if (!files.HasIdx() && !promised.HasIdx()) files.cifar = promised.cifar;
  if (!files.cifar.empty()) return;
  if (files.images.empty()) files.images = promised.images;
  if (files.labels.empty()) files.labels = promised.labels;
}

Result<FolderFiles> FilesOf(const std::string& folder, DatasetPart part) {
  FolderFiles files;
  SortedFiles promised;
  std::error_code error, ignored;
  for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
    if (it->is_directory(ignored)) files.folders = true;
    if (!it->is_regular_file(ignored)) continue;
    const FileKind kind = KindOf(it->path()), promise = PromisedKind(it->path());
    files.any = files.any || kind != FileKind::kOther || promise != FileKind::kOther;
    if (PartOf(it->path()).value_or(part) != part) continue;
    if (kind == FileKind::kOther && promise != FileKind::kOther) {
      promised.Add(promise, it->path().string());
    } else {
      files.Add(kind, it->path().string());
    }
  }
  if (error) return Fail(fmt::format("{}: the folder cannot be read: {}.", folder, error.message()));
  TakePromised(promised, files);
  files.Sort();
  return files;
}

/// "a, b and 3 more": the names alone.
std::string NamesOf(const std::vector<std::string>& files) {
  constexpr size_t kMost = 3;
  std::string names;
  for (size_t i = 0; i < std::min(kMost, files.size()); ++i) {
    names += (i > 0 ? ", " : "") + Quoted(fs::path(files[i]).filename().string());
  }
  return files.size() > kMost ? names + fmt::format(" and {} more", files.size() - kMost) : names;
}

/// Half a pair: says which half it is, and what other files there are.
Opened HalfAPair(const std::string& folder, DatasetPart part, const FolderFiles& files) {
  const bool has_images = !files.images.empty();
  const std::string others =
      files.others.empty()
          ? ""
          : fmt::format(" ({} {} none by {} first bytes)", NamesOf(files.others),
                        files.others.size() == 1 ? "is" : "are", files.others.size() == 1 ? "its" : "their");
  return Fail(fmt::format(
      "{}: {} of IDX {} to {} with stand alone: expected one file of {} beside them, which begins with 00 00 08 {}{}.",
      folder, NamesOf(has_images ? files.images : files.labels), has_images ? "images" : "labels", PartName(part),
      has_images ? "labels" : "images", has_images ? "01" : "03", others));
}

/// Whether these are the files of MNIST and of Fashion-MNIST, which share names, size and number of classes.
bool AreNamedAsMnist(const std::string& images, const std::string& labels) {
  const auto is_named = [](const std::string& path, std::string_view ends) {
    const std::string name = ToLower(fs::path(path).filename().string());
    for (const std::string_view start : {"train-", "t10k-"}) {
      for (const std::string_view packed : {"", ".gz"}) {
        if (name == fmt::format("{}{}{}", start, ends, packed)) return true;
      }
    }
    return false;
  };
  return is_named(images, "images-idx3-ubyte") && is_named(labels, "labels-idx1-ubyte");
}

Opened OpenIdxPair(const std::string& images, const std::string& labels, DatasetInfo info) {
  const bool named = AreNamedAsMnist(images, labels);
  if (named) info.classes = kMnistClasses;
  Opened opened = ReadIdxDataset(images, labels, info);
  if (opened || !named || opened.error().Message().find(": label ") == std::string::npos) return opened;
  return Fail(opened.error().Message() +
              fmt::format(" Files of these names are those of Fashion-MNIST and MNIST, of {} "
                          "classes: give others to data of your own.",
                          kMnistClasses));
}

Opened OpenFolder(const std::string& folder, DatasetPart part) {
  const Result<FolderFiles> files = FilesOf(folder, part);
  if (!files) return Fail(files.error());
  DatasetInfo info;
  info.name = fmt::format("{} {}", fs::path(folder).lexically_normal().filename().string(), PartName(part));
  info.origin = folder;
  if (files->images.size() == 1 && files->labels.size() == 1 && files->cifar.empty()) {
    return OpenIdxPair(files->images[0], files->labels[0], info);
  }
  if (files->cifar.size() == 1 && files->images.empty() && files->labels.empty()) {
    DatasetInfo cifar = CifarInfo();
    cifar.name = info.name;
    cifar.origin = files->cifar[0];
    return ReadCifarDataset(files->cifar[0], cifar);
  }
  if (!files->any && files->folders) return OpenPictureFolder(folder, part);
  if (files->images.empty() && files->labels.empty() && files->cifar.empty()) {
    return Fail(
        fmt::format("{}: there are no {} images in this folder: expected a pair of IDX files, CIFAR-100's {}.bin, "
                    "or a folder of pictures for each class.",
                    folder, PartName(part), PartName(part)));
  }
  if (files->cifar.empty() && (files->images.empty() || files->labels.empty())) return HalfAPair(folder, part, *files);
  return Fail(
      fmt::format("{}: {} IDX files of images, {} of labels and {} of CIFAR-100 to {} with: expected one pair of "
                  "IDX files or one of CIFAR-100; move the others away.",
                  folder, files->images.size(), files->labels.size(), files->cifar.size(), PartName(part)));
}

Opened OpenFashionMnist(DatasetPart part) {
  const std::string folder(kFashionMnistFolder);
  std::error_code refused;
  if (!fs::exists(folder, refused) && !refused) {
    return Fail(
        fmt::format("{}: Fashion-MNIST is not installed: `sudo apt-get install dataset-fashion-mnist` (30 MB), or "
                    "name a folder with its four files, or take synthetic-fashion-mnist.",
                    folder));
  }
  const std::string start = folder + (part == DatasetPart::kTrain ? "/train-" : "/t10k-");
  DatasetInfo info;
  info.name = fmt::format("Fashion-MNIST {}", PartName(part));
  info.origin = folder;
  info.classes = kMnistClasses;
  info.class_names = {"T-shirt/top", "Trouser", "Pullover", "Dress", "Coat",
                      "Sandal",      "Shirt",   "Sneaker",  "Bag",   "Ankle boot"};
  info.normalisation = {{0.2860f}, {0.3530f}};  // of the training images
  return ReadIdxDataset(start + "images-idx3-ubyte.gz", start + "labels-idx1-ubyte.gz", info);
}

Opened OpenCifar(DatasetPart part) {
  for (const std::string& folder : kCifarFolders) {
    const std::string file = fmt::format("{}/{}.bin", folder, PartName(part));
    if (std::error_code refused; !fs::exists(file, refused) && !refused) continue;  // told where it is read
    DatasetInfo info = CifarInfo();
    info.name = fmt::format("CIFAR-100 {}", PartName(part));
    info.origin = file;
    return ReadCifarDataset(file, info);
  }
  return Fail(
      fmt::format("cifar100: there is no {}.bin in {}: unpack CIFAR-100's binary version (cifar-100-binary.tar.gz) "
                  "there, name the folder that holds it, or take synthetic-cifar100.",
                  PartName(part), fmt::join(kCifarFolders, ", ")));
}

}  // namespace

Opened OpenDataset(const std::string& name_or_folder, DatasetPart part, uint64_t seed) {
  if (name_or_folder == "fashion-mnist") return OpenFashionMnist(part);
  if (name_or_folder == "cifar100") return OpenCifar(part);
  if (name_or_folder == "synthetic-fashion-mnist") return SyntheticDataset(FashionMnistFormat(), part, seed);
  if (name_or_folder == "synthetic" || name_or_folder == "synthetic-cifar100") {
    return SyntheticDataset(Cifar100Format(), part, seed);
  }
  std::error_code error;
  if (fs::is_directory(name_or_folder, error)) return OpenFolder(name_or_folder, part);
  return Fail(fmt::format("{}: there is no such data set or folder: expected {} or a folder.{}", name_or_folder,
                          fmt::join(kNames, ", "), DidYouMean(name_or_folder, kNames)),
              ErrorKind::kUsage);
}

}  // namespace heliograd

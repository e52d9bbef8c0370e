#include "heliograd/profile/dataset_folder.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <utility>

#include "heliograd/base/file.h"
#include "heliograd/base/text.h"
#include "heliograd/profile/dataset_image.h"

namespace heliograd {
namespace {

namespace fs = std::filesystem;

constexpr size_t kMostClasses = 100000;

class PictureFolder final : public Dataset {
 public:
  PictureFolder(DatasetInfo info, std::vector<std::string> files, std::vector<int64_t> labels)
      : info_(std::move(info)), files_(std::move(files)), labels_(std::move(labels)) {}

  const DatasetInfo& info() const override { return info_; }
  size_t size() const override { return files_.size(); }
  int64_t Label(size_t index) const override { return labels_[index]; }

  Result<ImageView> Image(size_t index, std::vector<uint8_t>& scratch) const override {
    const Result<std::string> bytes = ReadFile(files_[index]);
    if (!bytes) return Fail(bytes.error());
    Result<Picture> picture = DecodePicture(*bytes, files_[index]);
    if (!picture) return Fail(picture.error());
    scratch = std::move(picture->pixels);
    return ImageView{info_.channels, picture->height, picture->width, scratch.data()};
  }

 private:
  DatasetInfo info_;
  std::vector<std::string> files_;
  std::vector<int64_t> labels_;
};

/// The names in a folder that are folders (or are files), sorted.
Result<std::vector<std::string>> NamesIn(const std::string& folder, bool folders) {
  std::error_code error;
  std::vector<std::string> names;
  for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
    std::error_code ignored;
    const std::string name = it->path().filename().string();
    if (name.front() != '.' && (folders ? it->is_directory(ignored) : it->is_regular_file(ignored))) {
      names.push_back(name);
    }
  }
  if (error) return Fail(fmt::format("{}: the folder cannot be read: {}.", folder, error.message()));
  std::sort(names.begin(), names.end());
  return names;
}

bool Holds(const std::vector<std::string>& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

}  // namespace

Result<std::shared_ptr<const Dataset>> OpenPictureFolder(const std::string& folder, DatasetPart part) {
  Result<std::vector<std::string>> classes = NamesIn(folder, true);
  if (!classes) return Fail(classes.error());
  const bool parted = Holds(*classes, "train");
  std::string root = folder;
  if (parted) {
    const std::string train = folder + "/train";
    classes = NamesIn(train, true);
    if (!classes) return Fail(classes.error());
    root = part == DatasetPart::kTrain ? train : folder + "/test";
  } else if (part == DatasetPart::kTest) {
    return Fail(fmt::format("{}: there are no pictures to test with: expected {}/train/CLASS/ and {}/test/CLASS/.",
                            folder, folder, folder));
  }
  if (classes->empty() || classes->size() > kMostClasses) {
    return Fail(fmt::format("{}: {} folders of classes: expected 1 to {} folders, each with the pictures of one class.",
                            parted ? folder + "/train" : folder, classes->size(), kMostClasses));
  }
  std::vector<std::string> files;
  std::vector<int64_t> labels;
  for (size_t label = 0; label < classes->size(); ++label) {
    const std::string place = root + "/" + (*classes)[label];
    const Result<std::vector<std::string>> names = NamesIn(place, false);
    if (!names) return Fail(names.error());
    const size_t before = files.size();
    for (const std::string& name : *names) {
      if (!HasPictureName(name)) continue;
      files.push_back(place + "/" + name);
      labels.push_back(static_cast<int64_t>(label));
    }
    if (files.size() == before) {
      return Fail(
          fmt::format("{}: there is no picture in this class: expected .png, .jpg, .pgm or .ppm files.", place));
    }
  }
  DatasetInfo info;
  info.name = fmt::format("{} {}", fs::path(folder).filename().string(), PartName(part));
  info.origin = root;
  info.channels = 3;
  info.classes = static_cast<int>(classes->size());
  info.classes_counted = true;
  info.class_names = std::move(*classes);
  info.normalisation = {{0.485f, 0.456f, 0.406f}, {0.229f, 0.224f, 0.225f}};
  return std::make_shared<PictureFolder>(std::move(info), std::move(files), std::move(labels));
}

}  // namespace heliograd

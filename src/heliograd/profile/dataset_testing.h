// Files of data sets, written by hand, for the tests of their readers.
#pragma once

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

namespace heliograd {

inline std::string BigEndianBytes(uint32_t value) {
  return {static_cast<char>(value >> 24), static_cast<char>(value >> 16), static_cast<char>(value >> 8),
          static_cast<char>(value)};
}

/// Values count up from 0, so that each has its place.
inline std::string IdxImagesBytes(uint32_t count, uint32_t height, uint32_t width) {
  std::string bytes = BigEndianBytes(0x803) + BigEndianBytes(count) + BigEndianBytes(height) + BigEndianBytes(width);
  for (uint32_t i = 0; i < count * height * width; ++i) bytes += static_cast<char>(i);
  return bytes;
}

inline std::string IdxLabelsBytes(const std::vector<int>& labels) {
  std::string bytes = BigEndianBytes(0x801) + BigEndianBytes(static_cast<uint32_t>(labels.size()));
  for (const int label : labels) bytes += static_cast<char>(label);
  return bytes;
}

inline std::string CifarRecordBytes(int coarse, int fine, int red, int green, int blue) {
  std::string bytes{static_cast<char>(coarse), static_cast<char>(fine)};
  for (const int value : {red, green, blue}) bytes += std::string(1024, static_cast<char>(value));
  return bytes;
}

/// A folder that is gone when the test ends.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "heliograd-dataset-XXXXXX").string();
    path_ = mkdtemp(name.data());
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  const std::string& path() const { return path_; }
  std::string Write(const std::string& name, const std::string& content) const {
    const std::filesystem::path file = std::filesystem::path(path_) / name;
    std::filesystem::create_directories(file.parent_path());
    std::ofstream(file, std::ios::binary) << content;
    return file.string();
  }

 private:
  std::string path_;
};

}  // namespace heliograd

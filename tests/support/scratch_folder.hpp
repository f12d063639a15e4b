#pragma once
/// A folder for one test, removed at its end, and whole files as strings. Tests run side by side: no two have one path.

#include <atomic>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <unistd.h>
#include <vector>
#include <zlib.h>

namespace tokenyard {

class ScratchFolder {
 public:
  /// `name` is for who finds it in the middle of a test; other folders have other paths even so.
  explicit ScratchFolder(const std::string& name = "test")
      : path(std::filesystem::temp_directory_path() /
             ("tokenyard-" + name + "-" + std::to_string(::getpid()) + "-" + std::to_string(made_++))) {
    std::filesystem::create_directories(path);
  }
  ~ScratchFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path, ignored);
  }
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;

  std::filesystem::path operator/(const std::string& name) const { return path / name; }
  std::string write(const std::string& name, const std::string& text) const {
    const std::filesystem::path file = path / name;
    std::filesystem::create_directories(file.parent_path());
    std::ofstream(file, std::ios::binary) << text;
    return file;
  }
  /// As gzip packs it.
  std::string write_packed(const std::string& name, const std::string& text) const {
    const std::string packed = path / name;
    gzFile file = gzopen(packed.c_str(), "wb");
    gzwrite(file, text.data(), static_cast<unsigned>(text.size()));
    gzclose(file);
    return packed;
  }
  std::vector<std::string> files() const {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(path)) names.push_back(entry.path().filename());
    return names;
  }

  const std::filesystem::path path;

 private:
  static inline std::atomic<int> made_ = 0;
};

inline std::string whole_file(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

}  // namespace tokenyard

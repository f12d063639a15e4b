#pragma once
/// The bytes of a file, unpacked as they are read if it is compressed: gzip, xz, bzip2 or zstd, told by its content.
///
/// Cost: a block of memory, whatever the file's size; a copy of each byte.
///
///   UnpackedFile file("trace.jsonl.xz");
///   while (const std::size_t got = file.read(buffer, sizeof buffer)) …

#include <cstdio>
#include <memory>
#include <optional>
#include <string>

struct archive;

namespace tokenyard::traces {

class UnpackedFile {
 public:
  /// Throws sim::InputError, as `read` does, if the file cannot be opened, is a directory or no whole compressed file.
  explicit UnpackedFile(std::string path);

  /// How many bytes were read; 0 at the end.
  std::size_t read(char* to, std::size_t bytes);
  /// The rest of it, unless that is more than `kMostWhole`.
  std::optional<std::string> read_all();
  static constexpr std::size_t kMostWhole = std::size_t{256} << 20;

 private:
  struct Close {
    void operator()(archive* of) const;
    void operator()(std::FILE* of) const { std::fclose(of); }
  };

  [[noreturn]] void refuse() const;

  std::string path_;
  std::unique_ptr<std::FILE, Close> file_;
  std::unique_ptr<archive, Close> archive_;
  bool empty_ = false;
};

/// The whole file, unpacked. Throws sim::InputError if it cannot be read or has more than UnpackedFile::kMostWhole.
std::string read_unpacked(const std::string& path);

}  // namespace tokenyard::traces

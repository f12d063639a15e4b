#pragma once
/// The bytes of a file, unpacked as they are read if it is compressed: gzip, xz, bzip2 or zstd, told by its content.
///
/// By libarchive, but for gzip: there zlib compares the checksum, which libarchive passes over. (Not from a pipe, where
/// the content can be looked at only once.)
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
struct gzFile_s;

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
    void operator()(gzFile_s* of) const;
    void operator()(std::FILE* of) const { std::fclose(of); }
  };

  [[noreturn]] void refuse(const char* why) const;
  std::size_t read_gzip(char* to, std::size_t bytes);

  std::string path_;
  std::unique_ptr<std::FILE, Close> file_;
  std::unique_ptr<archive, Close> archive_;  ///< null where it is gzip
  std::unique_ptr<gzFile_s, Close> gzip_;
  bool empty_ = false;
};

/// The whole file, unpacked. Throws sim::InputError if it cannot be read or has more than UnpackedFile::kMostWhole.
std::string read_unpacked(const std::string& path);

}  // namespace tokenyard::traces

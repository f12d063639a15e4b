#pragma once
/// A result file: written under a temporary name beside the target, renamed when complete.
///
/// Invariants: the target either is as it was or holds everything; a file that is not committed, or that failed, leaves
/// nothing behind; what a killed process left goes when the target is written again. Every write is checked: a full
/// disk is an OutputError with the file, the reason and the remedy, never a short file. A target that is there and no
/// regular file (/dev/stdout, a pipe) is written in place, and so is what a link in /dev or /proc leads to; of other
/// links, what they lead to is replaced. Files are not synced to the disk: they survive a crash of the program, not of
/// the machine. Cost: a look at the folder, one write(2) per 256 KiB; gzip adds some 15 ns a byte.
///
///   OutputFile file(directory / "calls.csv");
///   fmt::format_to(file.out(), "{},{}\n", a, b);
///   file.flush_if_full();
///   file.commit();

#include <filesystem>
#include <fmt/format.h>
#include <memory>
#include <stdexcept>
#include <string>

namespace tokenyard::traces {

/// A file could not be written: the message names it, the reason and the remedy.
class OutputError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// The error of a folder of `--out`, or of what lies in it, that cannot be used.
OutputError no_place_for_output(const std::filesystem::path& path, const std::string& why);

/// Throws sim::InputError, naming `option`, where a file to be written is the one that is read, by whatever path: its
/// data would be gone. What is no regular file (a terminal) may be both.
void keep_input(const std::filesystem::path& output, const std::filesystem::path& input, const char* option);

enum class Compression : std::uint8_t { kNone, kGzip };

class OutputFile {
 public:
  static constexpr std::size_t kBufferBytes = std::size_t{1} << 18;

  explicit OutputFile(std::filesystem::path path, Compression compression = Compression::kNone);
  ~OutputFile();
  OutputFile(const OutputFile&) = delete;
  OutputFile& operator=(const OutputFile&) = delete;

  /// What is appended here is written by `flush_if_full` and `commit`.
  fmt::appender out() { return fmt::appender(buffer_); }
  fmt::memory_buffer& buffer() { return buffer_; }
  void flush_if_full() {
    if (buffer_.size() >= kBufferBytes) flush();
  }
  /// Writes the rest, closes and renames. After it, or after an OutputError, the file takes nothing more.
  void commit();

  const std::filesystem::path& path() const { return path_; }

 private:
  struct Deflater;

  void flush(bool last = false);
  void write(const char* data, std::size_t size);
  void discard();
  [[noreturn]] void fail(const char* what, int reason);

  std::filesystem::path path_;                ///< as it was given
  std::filesystem::path target_, temporary_;  ///< `temporary_` is empty if the target is written in place
  int descriptor_ = -1;
  fmt::memory_buffer buffer_;
  std::unique_ptr<Deflater> deflater_;
};

}  // namespace tokenyard::traces

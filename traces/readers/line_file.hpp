#pragma once
/// Lines of a file of any size, compressed or not, read in blocks.
///
/// Invariants: memory is one block, or the longest line up to 16 MiB; a longer line is cut and marked, never held. A
/// line is returned without "\n" or "\r\n", and 64 readable bytes follow it in memory (what simdjson asks for). A
/// byte-order mark is skipped. Cost: one memchr over each byte, no copy but of the line that straddles two blocks.
///
///   LineFile file("trace.csv");
///   for (std::string_view line; file.next(line);) fmt::print("{}: {}\n", file.number(), line);

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "traces/readers/unpacked_file.hpp"

namespace tokenyard::traces {

class LineFile {
 public:
  static constexpr std::size_t kPadding = 64;
  static constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
  static constexpr std::size_t kMaxLine = std::size_t{16} << 20;

  /// Throws sim::InputError if the file cannot be opened, is a directory, or is no text.
  explicit LineFile(std::string path, std::size_t block_bytes = std::size_t{1} << 20);

  /// The next line, valid until the next call; false at the end of the file. Throws sim::InputError on a read error.
  bool next(std::string_view& line);
  /// Of the line returned last, from 1.
  std::uint64_t number() const { return number_; }
  /// The line returned last is longer than `kMaxLine`, and only its beginning was returned.
  bool too_long() const { return too_long_; }
  const std::string& path() const { return path_; }

 private:
  /// Reads on behind what is held; false at the end of the file.
  bool fill();
  void refuse_binary() const;

  UnpackedFile file_;
  std::string path_;
  std::vector<char> buffer_;
  std::size_t begin_ = 0, end_ = 0;  ///< what is held and not yet returned
  std::uint64_t number_ = 0;
  bool at_end_ = false, too_long_ = false, skipping_ = false;
};

}  // namespace tokenyard::traces

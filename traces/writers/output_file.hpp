#pragma once
/// A result file: written under a temporary name, renamed when complete. What is not committed leaves nothing behind.
///
///   OutputFile file(directory / "calls.csv");
///   fmt::format_to(file.out(), "{},{}\n", a, b);  file.flush_if_full();
///   file.commit();

#include <fmt/format.h>

#include <cstdio>
#include <filesystem>
#include <stdexcept>

namespace tokenyard::traces {

/// A file could not be written: the message names it, the reason and the remedy.
class OutputError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

class OutputFile {
 public:
  explicit OutputFile(std::filesystem::path path);
  ~OutputFile();
  OutputFile(const OutputFile&) = delete;
  OutputFile& operator=(const OutputFile&) = delete;

  fmt::appender out() { return fmt::appender(buffer_); }
  void flush_if_full() {
    if (buffer_.size() > std::size_t{1} << 18) flush();
  }
  void commit();

 private:
  void flush();
  [[noreturn]] void fail(const char* what);

  std::filesystem::path path_, temporary_;
  std::FILE* file_ = nullptr;
  fmt::memory_buffer buffer_;
};

}  // namespace tokenyard::traces

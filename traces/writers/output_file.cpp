#include "traces/writers/output_file.hpp"

#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace tokenyard::traces {

OutputFile::OutputFile(std::filesystem::path path) : path_(std::move(path)) {
  temporary_ = path_;
  temporary_ += fmt::format(".tmp-{}", ::getpid());
  file_ = std::fopen(temporary_.c_str(), "wb");
  if (file_ == nullptr) fail("cannot be created");
}

OutputFile::~OutputFile() {
  if (file_ == nullptr) return;
  std::fclose(file_);
  std::error_code ignored;
  std::filesystem::remove(temporary_, ignored);
}

void OutputFile::flush() {
  if (std::fwrite(buffer_.data(), 1, buffer_.size(), file_) != buffer_.size()) fail("cannot be written");
  buffer_.clear();
}

void OutputFile::commit() {
  flush();
  std::FILE* file = file_;
  if (std::fflush(file) != 0) fail("cannot be written");
  file_ = nullptr;
  if (std::fclose(file) != 0 || std::rename(temporary_.c_str(), path_.c_str()) != 0) {
    const int reason = errno;
    std::error_code ignored;
    std::filesystem::remove(temporary_, ignored);
    errno = reason;
    fail("cannot be completed");
  }
}

void OutputFile::fail(const char* what) {
  throw OutputError(fmt::format("{} {}: {}. Free some space or choose another folder with --out.", path_.string(), what, std::strerror(errno)));
}

}  // namespace tokenyard::traces

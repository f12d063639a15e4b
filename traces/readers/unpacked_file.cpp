#include "traces/readers/unpacked_file.hpp"

#include <algorithm>
#include <archive.h>
#include <archive_entry.h>
#include <array>
#include <cerrno>
#include <cstring>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>
#include <zlib.h>

#include "sim/core/error.hpp"
#include "sim/input/faults.hpp"

namespace tokenyard::traces {
namespace {

constexpr std::size_t kBlock = std::size_t{1} << 16;

bool is_gzip(int descriptor) {
  std::array<unsigned char, 2> magic{};
  return ::pread(descriptor, magic.data(), magic.size(), 0) == 2 && magic[0] == 0x1f && magic[1] == 0x8b;
}

}  // namespace

void UnpackedFile::Close::operator()(archive* of) const { archive_read_free(of); }
void UnpackedFile::Close::operator()(gzFile_s* of) const { gzclose_r(of); }

UnpackedFile::UnpackedFile(std::string path) : path_(std::move(path)), file_(std::fopen(path_.c_str(), "rbe")) {
  if (!file_) throw sim::InputError({path_, "", std::strerror(errno), "the path of a readable file"});
  struct stat status {};
  if (::fstat(fileno(file_.get()), &status) == 0 && S_ISDIR(status.st_mode))
    throw sim::InputError({path_, "", "a directory", "the path of a readable file"});
  if (is_gzip(fileno(file_.get()))) {
    gzip_.reset(gzdopen(::dup(fileno(file_.get())), "rb"));
    if (!gzip_) throw sim::InternalError("no memory for zlib");
    return;
  }
  archive_.reset(archive_read_new());
  archive* const unpacker = archive_.get();
  if (unpacker == nullptr) throw sim::InternalError("no memory for libarchive");
  archive_read_support_format_raw(unpacker);
  archive_read_support_format_empty(unpacker);
  archive_read_support_filter_gzip(unpacker);
  archive_read_support_filter_xz(unpacker);
  archive_read_support_filter_bzip2(unpacker);
  archive_read_support_filter_zstd(unpacker);
  archive_entry* entry = nullptr;
  int result = archive_read_open_fd(unpacker, fileno(file_.get()), kBlock);
  if (result == ARCHIVE_OK) result = archive_read_next_header(unpacker, &entry);
  empty_ = result == ARCHIVE_EOF;
  if (result != ARCHIVE_OK && !empty_) refuse(archive_error_string(unpacker));
}

std::size_t UnpackedFile::read_gzip(char* to, std::size_t bytes) {
  const int got = gzread(gzip_.get(), to, static_cast<unsigned>(std::min(bytes, kBlock)));
  int error = Z_OK;
  gzerror(gzip_.get(), &error);
  if (error == Z_BUF_ERROR) refuse("a truncated gzip file");
  if (got < 0) refuse("a damaged gzip file");
  return static_cast<std::size_t>(got);
}

std::size_t UnpackedFile::read(char* to, std::size_t bytes) {
  if (empty_) return 0;
  if (gzip_) return read_gzip(to, bytes);
  const la_ssize_t got = archive_read_data(archive_.get(), to, bytes);
  if (got < 0) refuse(archive_error_string(archive_.get()));
  return static_cast<std::size_t>(got);
}

std::optional<std::string> UnpackedFile::read_all() {
  std::string all;
  std::size_t size = 0;
  do {
    if (size > kMostWhole) return {};
    all.resize(size + kBlock);
    all.resize(size + read(all.data() + size, kBlock));
  } while (std::exchange(size, all.size()) != all.size());
  return all;
}

std::string read_unpacked(const std::string& path) {
  if (std::optional<std::string> all = UnpackedFile(path).read_all()) return std::move(*all);
  throw sim::InputError({path, "", fmt::format("more than {} MiB", UnpackedFile::kMostWhole >> 20), "a smaller file"});
}

void UnpackedFile::refuse(const char* why) const {
  if (why != nullptr && std::strstr(why, "No progress is possible") != nullptr)
    why = "a truncated file";  // liblzma's words
  throw sim::InputError(
      {path_, "", why != nullptr ? why : "what cannot be read", "a readable file, whole if it is compressed"});
}

}  // namespace tokenyard::traces

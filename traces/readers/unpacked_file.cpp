#include "traces/readers/unpacked_file.hpp"

#include <archive.h>
#include <archive_entry.h>
#include <cerrno>
#include <cstring>
#include <fmt/format.h>
#include <sys/stat.h>
#include <utility>

#include "sim/core/error.hpp"
#include "sim/input/faults.hpp"

namespace tokenyard::traces {
namespace {

constexpr std::size_t kBlock = std::size_t{1} << 16;

}  // namespace

void UnpackedFile::Close::operator()(archive* of) const { archive_read_free(of); }

UnpackedFile::UnpackedFile(std::string path)
    : path_(std::move(path)), file_(std::fopen(path_.c_str(), "rbe")), archive_(archive_read_new()) {
  if (!archive_) throw sim::InternalError("no memory for libarchive");
  if (!file_) throw sim::InputError({path_, "", std::strerror(errno), "the path of a readable file"});
  struct stat status {};
  if (::fstat(fileno(file_.get()), &status) == 0 && S_ISDIR(status.st_mode))
    throw sim::InputError({path_, "", "a directory", "the path of a readable file"});
  archive* const unpacker = archive_.get();
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
  if (result != ARCHIVE_OK && !empty_) refuse();
}

std::size_t UnpackedFile::read(char* to, std::size_t bytes) {
  if (empty_) return 0;
  const la_ssize_t got = archive_read_data(archive_.get(), to, bytes);
  if (got < 0) refuse();
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

void UnpackedFile::refuse() const {
  const char* why = archive_error_string(archive_.get());
  throw sim::InputError(
      {path_, "", why != nullptr ? why : "what cannot be read", "a readable file, whole if it is compressed"});
}

}  // namespace tokenyard::traces

#include "traces/writers/output_file.hpp"

#include <array>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>
#include <zlib.h>

#include "sim/input/faults.hpp"

namespace tokenyard::traces {
namespace {

const char* remedy(int reason) {
  switch (reason) {
    case ENOSPC:
    case EDQUOT:
      return "Free some space or choose another folder.";
    case EFBIG:
      return "Raise the limit on file sizes (ulimit -f), write less or choose another file system.";
    case ENOENT:
    case ENOTDIR:
      return "Create the folder or choose another one.";
    case EACCES:
    case EPERM:
    case EROFS:
      return "Choose a folder you may write to.";
    default:
      return "Choose another folder.";
  }
}

constexpr const char* kTemporary = ".tmp-";

/// Removes what processes that were killed left of the target. One that is alive has its number, or on another machine
/// the lock.
void remove_orphans(const std::filesystem::path& target) {
  const std::string prefix = target.filename().string() + kTemporary;
  std::error_code ignored;
  const std::filesystem::path folder = target.has_parent_path() ? target.parent_path() : ".";
  for (std::filesystem::directory_iterator entry(folder, ignored), end; entry != end; entry.increment(ignored)) {
    const std::string name = entry->path().filename().string();
    if (!name.starts_with(prefix) || !entry->is_regular_file(ignored)) continue;
    pid_t process = 0;
    const char* const last = name.data() + name.size();
    const auto [rest, error] = std::from_chars(name.data() + prefix.size(), last, process);
    if (error != std::errc() || rest != last || process <= 0) continue;
    if (::kill(process, 0) == 0 || errno != ESRCH) continue;
    const int descriptor = ::open(entry->path().c_str(), O_WRONLY | O_CLOEXEC);
    if (descriptor < 0) continue;
    if (::flock(descriptor, LOCK_EX | LOCK_NB) == 0) std::filesystem::remove(entry->path(), ignored);
    ::close(descriptor);
  }
}

}  // namespace

OutputError no_place_for_output(const std::filesystem::path& path, const std::string& why) {
  return OutputError(fmt::format("{}: {}. Choose another folder with --out.", path.string(), why));
}

void keep_input(const std::filesystem::path& output, const std::filesystem::path& input, const char* option) {
  std::error_code absent;
  if (!std::filesystem::is_regular_file(output, absent) || !std::filesystem::equivalent(output, input, absent)) return;
  throw sim::InputError({"", option, fmt::format("{}, which is what is read", output.string()), "another file"});
}

/// gzip without a date in its header: the same input gives the same bytes.
struct OutputFile::Deflater {
  /// Level 3: half the time of zlib's default for a tenth more bytes on our timelines.
  static constexpr int kLevel = 3;
  static constexpr int kGzipWindow = 15 + 16;

  Deflater() {
    if (deflateInit2(&stream, kLevel, Z_DEFLATED, kGzipWindow, 8, Z_DEFAULT_STRATEGY) != Z_OK) throw std::bad_alloc();
  }
  ~Deflater() { deflateEnd(&stream); }
  Deflater(const Deflater&) = delete;
  Deflater& operator=(const Deflater&) = delete;

  z_stream stream{};
  std::array<char, std::size_t{1} << 16> block;
};

OutputFile::OutputFile(std::filesystem::path path, Compression compression) : path_(std::move(path)) {
  std::error_code ignored;
  const std::filesystem::file_status status = std::filesystem::status(path_, ignored);
  const bool exists = std::filesystem::exists(status), linked = std::filesystem::is_symlink(path_, ignored);
  target_ = exists && linked ? std::filesystem::canonical(path_, ignored) : path_;
  const std::string text = std::filesystem::absolute(path_, ignored).string();
  const bool of_system = linked && (text.starts_with("/dev/") || text.starts_with("/proc/"));
  const bool in_place = exists && (of_system || !std::filesystem::is_regular_file(status));
  if (!in_place) {
    remove_orphans(target_);
    temporary_ = target_;
    temporary_ += fmt::format("{}{}", kTemporary, ::getpid());
  }
  if (compression == Compression::kGzip) deflater_ = std::make_unique<Deflater>();
  buffer_.reserve(kBufferBytes + 4096);
  descriptor_ = ::open((in_place ? path_ : temporary_).c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  if (descriptor_ < 0) {
    const int reason = errno;
    temporary_.clear();  // not ours to remove
    fail("cannot be created", reason);
  }
  if (!in_place) ::flock(descriptor_, LOCK_EX | LOCK_NB);  // until it is closed: it is no orphan
}

OutputFile::~OutputFile() { discard(); }

void OutputFile::discard() {
  if (descriptor_ >= 0) ::close(descriptor_);
  descriptor_ = -1;
  if (temporary_.empty()) return;
  std::error_code ignored;
  std::filesystem::remove(temporary_, ignored);
  temporary_.clear();
}

void OutputFile::write(const char* data, std::size_t size) {
  while (size > 0) {
    const ssize_t written = ::write(descriptor_, data, size);
    if (written < 0) {
      if (errno == EINTR) continue;
      fail("cannot be written", errno);
    }
    data += written;
    size -= static_cast<std::size_t>(written);
  }
}

void OutputFile::flush(bool last) {
  if (descriptor_ < 0)
    throw OutputError(fmt::format("{} takes nothing more: it is complete or has failed.", path_.string()));
  if (!deflater_) {
    write(buffer_.data(), buffer_.size());
    buffer_.clear();
    return;
  }
  z_stream& stream = deflater_->stream;
  stream.next_in = reinterpret_cast<Bytef*>(buffer_.data());
  stream.avail_in = static_cast<uInt>(buffer_.size());
  do {
    stream.next_out = reinterpret_cast<Bytef*>(deflater_->block.data());
    stream.avail_out = static_cast<uInt>(deflater_->block.size());
    deflate(&stream, last ? Z_FINISH : Z_NO_FLUSH);
    write(deflater_->block.data(), deflater_->block.size() - stream.avail_out);
  } while (stream.avail_out == 0);
  buffer_.clear();
}

void OutputFile::commit() {
  flush(true);
  const int descriptor = descriptor_;
  descriptor_ = -1;
  if (::close(descriptor) != 0)
    fail("cannot be completed", errno);  // some network file systems report a full disk here
  if (temporary_.empty()) return;
  if (std::rename(temporary_.c_str(), target_.c_str()) != 0) fail("cannot be completed", errno);
  temporary_.clear();
}

void OutputFile::fail(const char* what, int reason) {
  discard();
  buffer_.clear();
  throw OutputError(fmt::format("{} {}: {}. {}", path_.string(), what, std::strerror(reason), remedy(reason)));
}

}  // namespace tokenyard::traces

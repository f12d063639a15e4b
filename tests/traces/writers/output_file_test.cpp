#include "traces/writers/output_file.hpp"

#include <algorithm>
#include <csignal>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include <zlib.h>

#include "sim/input/faults.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/scratch_folder.hpp"

using namespace tokenyard;
using namespace tokenyard::traces;
using Catch::Matchers::Contains;
using Files = std::vector<std::string>;

namespace {

/// Files may not grow beyond `bytes`: writes then fail as on a full disk.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t bytes) : handler_(std::signal(SIGXFSZ, SIG_IGN)) {
    ::getrlimit(RLIMIT_FSIZE, &before_);
    rlimit limit = before_;
    limit.rlim_cur = bytes;
    ::setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~FileSizeLimit() {
    ::setrlimit(RLIMIT_FSIZE, &before_);
    std::signal(SIGXFSZ, handler_);
  }
  FileSizeLimit(const FileSizeLimit&) = delete;
  FileSizeLimit& operator=(const FileSizeLimit&) = delete;

 private:
  void (*handler_)(int);
  rlimit before_{};
};

void fill(OutputFile& file, std::size_t bytes) {
  unsigned state = 1;
  for (std::size_t i = 0; i < bytes; ++i) {
    state = state * 1664525 + 1013904223;
    file.buffer().push_back(static_cast<char>(state >> 24));  // does not compress
    file.flush_if_full();
  }
}

template <typename Action>
std::string error_of(Action action) {
  try {
    action();
  } catch (const OutputError& error) {
    return error.what();
  }
  return "no error";
}

std::string refusal_of(const std::filesystem::path& output, const std::filesystem::path& input) {
  try {
    keep_input(output, input, "--output");
  } catch (const sim::InputError& error) {
    return error.what();
  }
  return "";
}

std::string gunzip(const std::filesystem::path& path) {
  gzFile file = gzopen(path.c_str(), "rb");
  std::string text(1 << 24, '\0');
  const int size = gzread(file, text.data(), static_cast<unsigned>(text.size()));
  REQUIRE(gzclose(file) == Z_OK);
  REQUIRE(size >= 0);
  text.resize(static_cast<std::size_t>(size));
  return text;
}

}  // namespace

TEST_CASE("What a killed process left of a target goes when that is written again") {
  const ScratchFolder folder;
  const pid_t killed = ::fork();
  if (killed == 0) {
    OutputFile file(folder / "a.csv");
    fill(file, 2 * OutputFile::kBufferBytes);
    ::kill(::getpid(), SIGKILL);
  }
  int status = 0;
  ::waitpid(killed, &status, 0);
  REQUIRE(WIFSIGNALED(status));
  const std::string gone = ".tmp-" + std::to_string(killed);
  REQUIRE(folder.files() == Files{"a.csv" + gone});
  // Kept: of another target, of a process that is alive, of one on another machine, and what is no number.
  const Files kept = {"a.csv" + gone + "x", "a.csv.tmp-1", "b.csv" + gone};
  for (const std::string& name : kept) folder.write(name, "");
  const auto written = [&](const std::string& name, Files others) {
    OutputFile(folder / name).commit();
    Files files = folder.files();
    others.push_back(name);
    std::sort(files.begin(), files.end());
    std::sort(others.begin(), others.end());
    return files == others;
  };
  CHECK(written("a.csv", kept));
  std::filesystem::remove(folder / "a.csv");
  const int elsewhere = ::open((folder / ("b.csv" + gone)).c_str(), O_WRONLY);
  REQUIRE(::flock(elsewhere, LOCK_EX | LOCK_NB) == 0);
  CHECK(written("b.csv", kept));
  ::close(elsewhere);
  CHECK(written("b.csv", {kept[0], kept[1]}));
}

TEST_CASE("Through a link, what it leads to is replaced, not the link") {
  const ScratchFolder folder;
  folder.write("real.csv", "old");
  std::filesystem::create_symlink("real.csv", folder / "link.csv");
  OutputFile file(folder / "link.csv");
  fmt::format_to(file.out(), "new");
  file.commit();
  CHECK(std::filesystem::is_symlink(folder / "link.csv"));
  CHECK(whole_file(folder / "real.csv") == "new");
  CHECK(folder.files().size() == 2);
}

TEST_CASE("A file appears with its commit, and replaces the old one whole") {
  const ScratchFolder folder;
  folder.write("a.csv", "old");
  {
    OutputFile file(folder / "a.csv");
    fmt::format_to(file.out(), "{}", "new");
    CHECK(whole_file(folder / "a.csv") == "old");
    CHECK(folder.files().size() == 2);
    file.commit();
    CHECK(whole_file(folder / "a.csv") == "new");
    CHECK(folder.files() == Files{"a.csv"});
    CHECK_THAT(error_of([&] { file.commit(); }), Contains("takes nothing more"));
  }
  CHECK(folder.files() == Files{"a.csv"});
}

TEST_CASE("Without a commit nothing is left behind") {
  const ScratchFolder folder;
  {
    OutputFile file(folder / "a.csv");
    fill(file, 3 * OutputFile::kBufferBytes + 17);
  }
  CHECK(folder.files().empty());
}

TEST_CASE("Large files are whole, plain and gzipped alike") {
  const ScratchFolder folder;
  for (const std::size_t size : {std::size_t{0}, std::size_t{1}, OutputFile::kBufferBytes - 1, OutputFile::kBufferBytes,
                                 5 * OutputFile::kBufferBytes + 3}) {
    OutputFile plain(folder / "plain"), packed(folder / "packed", Compression::kGzip),
        again(folder / "again", Compression::kGzip);
    for (OutputFile* file : {&plain, &packed, &again}) {
      fill(*file, size);
      file->commit();
    }
    CHECK(whole_file(folder / "plain").size() == size);
    CHECK(gunzip(folder / "packed") == whole_file(folder / "plain"));
    CHECK(whole_file(folder / "packed") == whole_file(folder / "again"));
  }
}

TEST_CASE("A full disk is an error with file, reason and remedy, and leaves nothing behind") {
  const ScratchFolder folder;
  folder.write("a.csv", "old");
  for (const Compression compression : {Compression::kNone, Compression::kGzip}) {
    // In the middle of the run, and at its end.
    for (const std::size_t size : {std::size_t{4} << 20, std::size_t{100'000}}) {
      std::string message;
      {
        const FileSizeLimit limit(65536);
        OutputFile file(folder / "a.csv", compression);
        message = error_of([&] {
          fill(file, size);
          file.commit();
        });
        // The failed file is gone at once, and stays failed.
        CHECK(folder.files() == Files{"a.csv"});
        CHECK_THAT(error_of([&] { file.commit(); }), Contains("takes nothing more"));
      }
      CHECK_THAT(message, Contains((folder / "a.csv").string()) && Contains("File too large") && Contains("ulimit -f"));
      CHECK(folder.files() == Files{"a.csv"});
      CHECK(whole_file(folder / "a.csv") == "old");
    }
  }
  if (std::filesystem::exists("/dev/full")) {
    OutputFile full("/dev/full");
    fill(full, 10);
    CHECK_THAT(error_of([&] { full.commit(); }), Contains("No space left") && Contains("Free some space"));
    CHECK(std::filesystem::is_character_file("/dev/full"));
  }
}

TEST_CASE("A target that cannot be is an error at once") {
  const ScratchFolder folder;
  CHECK_THAT(error_of([&] { OutputFile file(folder / "missing/a.csv"); }),
             Contains("No such file") && Contains("Create the folder"));
  folder.write("file", "x");
  CHECK_THAT(error_of([&] { OutputFile file(folder / "file/a.csv"); }), Contains("Not a directory"));
  CHECK_THAT(error_of([&] { OutputFile file(folder / "."); }), Contains("directory"));
  CHECK(folder.files() == Files{"file"});
}

TEST_CASE("what is read is not written over, by whatever path") {
  const ScratchFolder scratch;
  const std::string input = scratch.write("in.csv", "data");
  std::filesystem::create_symlink("in.csv", scratch / "link.csv");
  std::filesystem::create_hard_link(input, scratch / "twin.csv");
  CHECK(refusal_of(input, input) == "--output: found " + input + ", which is what is read, allowed: another file");
  CHECK_THAT(refusal_of(scratch / "link.csv", input), Contains("link.csv, which is what is read"));
  CHECK_THAT(refusal_of(scratch / "./in.csv", scratch / "twin.csv"), Contains("in.csv, which is what is read"));
  CHECK(refusal_of(scratch / "out.csv", input).empty());
  CHECK(refusal_of(scratch.write("out.csv", ""), input).empty());
  CHECK(refusal_of(input, scratch / "absent.csv").empty());
  CHECK(refusal_of("/dev/null", "/dev/null").empty());
}

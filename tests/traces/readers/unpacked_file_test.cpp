#include "traces/readers/unpacked_file.hpp"

#include <zlib.h>

#include "sim/input/faults.hpp"
#include "tests/support/catch.hpp"
#include "tests/traces/scratch_folder.hpp"

using namespace tokenyard;
using namespace tokenyard::traces;

namespace {

std::string gzipped(const ScratchFolder& folder, const std::string& text) {
  const std::string path = folder / "packed.gz";
  gzFile file = gzopen(path.c_str(), "wb");
  gzwrite(file, text.data(), static_cast<unsigned>(text.size()));
  gzclose(file);
  return path;
}

std::string bytes_of(const std::string& path) {
  std::string bytes;
  std::FILE* file = std::fopen(path.c_str(), "rb");
  for (int c; (c = std::fgetc(file)) != EOF;) bytes += static_cast<char>(c);
  std::fclose(file);
  return bytes;
}

std::string refusal_of(const std::string& path) {
  try {
    UnpackedFile(path).read_all();
  } catch (const sim::InputError& error) {
    return error.what();
  }
  return "no error";
}

std::string long_text() {
  std::string text;
  for (int i = 0; i < 200'000; ++i) text += std::to_string(i * 7919 % 1000) + '\n';
  return text;
}

}  // namespace

TEST_CASE("A file is read as it is, or as it was before it was packed") {
  const ScratchFolder folder;
  const std::string text = long_text();
  CHECK(UnpackedFile(folder.write("plain", text)).read_all() == text);
  CHECK(UnpackedFile(folder.write("empty", "")).read_all().empty());
  const std::string packed = bytes_of(gzipped(folder, text));
  CHECK(packed.size() < text.size() / 2);
  CHECK(UnpackedFile(folder.write("any-name", packed)).read_all() == text);
  CHECK(UnpackedFile(folder.write("twice", packed + packed)).read_all() == text + text);
}

TEST_CASE("A compressed file that is cut or damaged is refused, not read in part") {
  const ScratchFolder folder;
  const std::string packed = bytes_of(gzipped(folder, long_text()));
  using Catch::Matchers::Contains;
  const std::string cut = refusal_of(folder.write("cut", packed.substr(0, packed.size() / 2)));
  CHECK_THAT(cut, Contains("truncated") && Contains("whole if it is compressed"));
  CHECK_THAT(refusal_of(folder.write("xz", std::string("\xFD"
                                                       "7zXZ\0garbage",
                                                       13))),
             Contains("whole if it is compressed"));
  CHECK_THAT(refusal_of(folder.write("zst",
                                     "\x28\xB5\x2F\xFD"
                                     "garbage")),
             Contains("whole if it is compressed"));
  CHECK_THAT(refusal_of(folder / "missing"), Contains("No such file"));
  CHECK_THAT(refusal_of(folder / "."), Contains("a directory"));
}

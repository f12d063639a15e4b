#include "traces/readers/unpacked_file.hpp"

#include "sim/input/faults.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/scratch_folder.hpp"

using namespace tokenyard;
using namespace tokenyard::traces;

namespace {

std::string refusal_of(const std::string& path) {
  try {
    read_unpacked(path);
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
  CHECK(read_unpacked(folder.write("plain", text)) == text);
  CHECK(read_unpacked(folder.write("empty", "")).empty());
  const std::string packed = whole_file(folder.write_packed("packed.gz", text));
  CHECK(packed.size() < text.size() / 2);
  CHECK(read_unpacked(folder.write("any-name", packed)) == text);
  CHECK(read_unpacked(folder.write("twice", packed + packed)) == text + text);
}

TEST_CASE("A compressed file that is cut or damaged is refused, not read in part") {
  const ScratchFolder folder;
  const std::string packed = whole_file(folder.write_packed("packed.gz", long_text()));
  using Catch::Matchers::Contains;
  const std::string cut = refusal_of(folder.write("cut", packed.substr(0, packed.size() / 2)));
  CHECK_THAT(cut, Contains("truncated") && Contains("whole if it is compressed"));
  std::string bad_sum = packed;
  bad_sum[packed.size() - 6] ^= 1;  // of the CRC-32, before the size
  CHECK_THAT(refusal_of(folder.write("sum", bad_sum)), Contains("damaged"));
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
  CHECK_THAT(refusal_of("/dev/zero"), Contains("more than 256 MiB"));
}

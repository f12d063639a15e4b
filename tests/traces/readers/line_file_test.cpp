#include "traces/readers/line_file.hpp"

#include <random>

#include "sim/input/faults.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/scratch_folder.hpp"

using namespace tokenyard;
using namespace tokenyard::traces;

namespace {
std::vector<std::string> lines_of(const std::string& path, std::size_t block) {
  LineFile file(path, block);
  std::vector<std::string> lines;
  for (std::string_view line; file.next(line);) {
    lines.emplace_back(line);
    REQUIRE(file.number() == lines.size());
    REQUIRE_FALSE(file.too_long());
  }
  return lines;
}
std::string message_of(const std::string& path) {
  try {
    LineFile file(path);
  } catch (const sim::InputError& error) {
    return error.what();
  }
  return "no error";
}
}  // namespace

TEST_CASE("Lines do not depend on the size of the blocks") {
  const ScratchFolder folder;
  using Lines = std::vector<std::string>;
  const std::string text = folder.write("lines", "one\r\n\ntwo two\nlonger than a block of sixteen bytes\n\r\nlast");
  for (const std::size_t block : {16, 17, 20, 33, 64, 1 << 20}) {
    CHECK(lines_of(text, block) == Lines{"one", "", "two two", "longer than a block of sixteen bytes", "", "last"});
  }
  CHECK(lines_of(folder.write("empty", ""), 16).empty());
  CHECK(lines_of(folder.write("blank", "\n"), 16) == Lines{""});
  CHECK(lines_of(folder.write("mark",
                              "\xEF\xBB\xBF"
                              "a\nb\n"),
                 16) == Lines{"a", "b"});
  CHECK(lines_of(folder.write("return", "a\rb\r"), 16) == Lines{"a\rb"});
}

TEST_CASE("Random files are read as std::getline reads them") {
  const ScratchFolder folder;
  std::mt19937 random(7);
  for (int round = 0; round < 50; ++round) {
    std::string text;
    const std::size_t size = random() % 500;
    for (std::size_t i = 0; i < size; ++i) text += random() % 8 == 0 ? '\n' : static_cast<char>('a' + random() % 26);
    const std::string path = folder.write("random", text);
    std::vector<std::string> expected;
    std::ifstream in(path);
    for (std::string line; std::getline(in, line);) expected.push_back(line);
    CHECK(lines_of(path, 16 + random() % 40) == expected);
  }
}

TEST_CASE("A line beyond the limit is cut, and reading goes on behind it") {
  const ScratchFolder folder;
  const std::string path = folder.write(
      "long", "a\n" + std::string(LineFile::kMaxLine + 1, 'x') + "\nb\n" + std::string(2 * LineFile::kMaxLine, 'y'));
  LineFile file(path);
  std::string_view line;
  REQUIRE(file.next(line));
  CHECK(line == "a");
  REQUIRE(file.next(line));
  CHECK(file.too_long());
  CHECK(line.size() == LineFile::kMaxLine);
  CHECK(file.number() == 2);
  REQUIRE(file.next(line));
  CHECK(line == "b");
  CHECK_FALSE(file.too_long());
  CHECK(file.number() == 3);
  REQUIRE(file.next(line));
  CHECK(file.too_long());
  CHECK_FALSE(file.next(line));
}

TEST_CASE("What cannot be a text file is refused with the remedy") {
  const ScratchFolder folder;
  using Catch::Matchers::Contains;
  CHECK_THAT(message_of(folder / "missing"), Contains("No such file"));
  CHECK_THAT(message_of(folder / "."), Contains("a directory"));
  CHECK_THAT(message_of(folder.write("utf16", std::string("\xFF\xFE"
                                                          "a\0",
                                                          4))),
             Contains("UTF-16"));
}

#include "analysis/run/digest.hpp"

#include <fstream>

#include "tests/analysis/run/in_process.hpp"
#include "tests/support/catch.hpp"

namespace tokenyard::analysis {

// FIPS 180-4's examples, and the lengths around a block's end (checked with sha256sum).
TEST_CASE("SHA-256 gives the published digests") {
  CHECK(sha256("") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  CHECK(sha256("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  CHECK(sha256("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq") ==
        "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  CHECK(sha256(std::string(1000000, 'a')) == "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
  CHECK(sha256(std::string(55, 'a')) == "9f4390f8d30c2dd92ec9f095b65e2b9ae9b0a925a5258e241c9f1e910f734318");
  CHECK(sha256(std::string(56, 'a')) == "b35439a4ac6f0948b6d6f9e3c6af0f5f590ce20f1bde7090ef7970686ec6738a");
  CHECK(sha256(std::string(63, 'a')) == "7d3e74a05d7db15bce4ad9ec0658ea98e3f06eeecf16b4c6fff2da457ddc2f34");
  CHECK(sha256(std::string(64, 'a')) == "ffe054fe7ae0cb6dc65c3af9b61d5209f439851db43d0ba5997337df154668eb");
  CHECK(sha256(std::string(65, 'a')) == "635361c48bb9eab14198e76ea8ab7f1a41685d6ad62aa9146d301d4f17eb0ae0");
}

TEST_CASE("SHA-256 does not depend on how the bytes are cut") {
  const std::string text(1000, 'x');
  for (const std::size_t step : {1, 7, 63, 64, 65, 200}) {
    Sha256 hash;
    for (std::size_t i = 0; i < text.size(); i += step) hash.add(std::string_view(text).substr(i, step));
    CHECK(hash.hex() == sha256(text));
  }
}

TEST_CASE("A folder's digest is of the names and bytes of its JSON and CSV files") {
  const ResultFolder folder("digest");
  std::filesystem::create_directories(folder.path / "chips");
  const auto write = [&](const char* name, const char* text) { std::ofstream(folder.path / name) << text; };
  write("chips/own.json", "{}");
  CHECK(digest_of(folder.path / "chips/own.json") == sha256("{}"));
  const std::string one = digest_of(folder.path);
  write("notes.txt", "no input");
  CHECK(digest_of(folder.path) == one);
  write("rows.csv", "1");
  const std::string two = digest_of(folder.path);
  CHECK(two != one);
  write("rows.csv", "2");
  CHECK(digest_of(folder.path) != two);
  CHECK(digest_of(folder.path / "none") == "absent");
}

}  // namespace tokenyard::analysis

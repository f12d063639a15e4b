#include "sim/input/text.hpp"

#include "tests/support/catch.hpp"

using namespace tokenyard::sim;

TEST_CASE("Characters are counted, not bytes") {
  CHECK(characters("") == 0);
  CHECK(characters("plain") == 5);
  CHECK(characters("50 µs → 1 €") == 11);
}

TEST_CASE("Items stand between commas, and none behind the last") {
  using Items = std::vector<std::string_view>;
  CHECK(comma_separated("a,b") == Items{"a", "b"});
  CHECK(comma_separated("a,, b,") == Items{"a", "", " b"});
  CHECK(comma_separated(",") == Items{""});
  CHECK(comma_separated("").empty());
}

TEST_CASE("Input in messages is short and printable") {
  CHECK(shown_text("a\tb\x01") == "\"a?b?\"");
  CHECK(shown_text(std::string(80, 'x')) == '"' + std::string(80, 'x') + '"');
  CHECK(shown_text(std::string(81, 'x')) == '"' + std::string(80, 'x') + "…\"");
  // Cut between characters, not inside one.
  const std::string most(79, 'x');
  CHECK(shown_text(most + "äää") == '"' + most + "…\"");
  CHECK(shown_text("ä€😀") == "\"ä€😀\"");
  // What is no UTF-8: a byte alone, a character cut, one too long for its number, half a pair, beyond the last one.
  CHECK(shown_text("a\xFF\x80z") == "\"a??z\"");
  CHECK(shown_text("\xE2\x82") == "\"??\"");
  CHECK(shown_text("\xC0\xAF \xE0\x80\xAF") == "\"?? ???\"");
  CHECK(shown_text("\xED\xA0\x80") == "\"???\"");
  CHECK(shown_text("\xF4\x90\x80\x80") == "\"????\"");
  CHECK(shown_text(std::string(100, '\x80')) == '"' + std::string(80, '?') + "…\"");
}

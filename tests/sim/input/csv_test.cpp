#include "sim/input/csv.hpp"

#include "tests/support/catch.hpp"

using namespace tokenyard::sim;

namespace {
std::vector<std::string> split(std::string_view line) {
  std::vector<std::string_view> fields;
  if (!split_csv(line, fields)) return {"refused"};
  return {fields.begin(), fields.end()};
}
}  // namespace

TEST_CASE("CSV rows are split at commas outside quotes") {
  using Fields = std::vector<std::string>;
  CHECK(split("a,b,c") == Fields{"a", "b", "c"});
  CHECK(split(" a ,\tb,") == Fields{"a", "b", ""});
  CHECK(split("") == Fields{""});
  CHECK(split(",") == Fields{"", ""});
  CHECK(split("\"a,b\",c") == Fields{"a,b", "c"});
  CHECK(split(" \"a\" ,\"\"") == Fields{"a", ""});
  CHECK(split("\"a\"\"b\",c") == Fields{"a\"\"b", "c"});
  CHECK(split("\"a,b") == Fields{"refused"});
  CHECK(split("\"a\"b,c") == Fields{"refused"});
  CHECK(split("\"") == Fields{"refused"});
}

TEST_CASE("A doubled quote stands for one") {
  CHECK(unquoted("a\"\"b") == "a\"b");
  CHECK(unquoted("\"\"\"\"") == "\"\"");
  CHECK(unquoted("plain") == "plain");
}

#include "traces/readers/near_keys.hpp"

#include "tests/support/catch.hpp"

using namespace tokenyard::traces;

TEST_CASE("A key is mistyped where a letter, case or what joins its words differs") {
  for (const std::string_view key :
       {"waitfor", "waitFor", "wait-for", "WAIT_FOR", "wait_fo", "wait_forr", "wiat_for"}) {
    INFO(key);
    CHECK(mistyped(key, "wait_for"));
  }
  for (const std::string_view key : {"", "wait", "await_forr", "wait_until"}) {
    INFO(key);
    CHECK_FALSE(mistyped(key, "wait_for"));
  }
  CHECK(mistyped("timestam", "timestamp"));
  CHECK_FALSE(mistyped("mode", "model"));
  CHECK_FALSE(mistyped("models", "model"));  // of the published sessions' sub-agents
  CHECK_FALSE(mistyped("int", "in"));
}

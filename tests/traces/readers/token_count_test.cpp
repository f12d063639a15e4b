#include "traces/readers/token_count.hpp"

#include "tests/support/catch.hpp"

using namespace tokenyard;
using namespace tokenyard::traces;

TEST_CASE("Token counts are whole numbers from 1 to 10^9") {
  platforms::Tokens tokens = 0;
  for (const std::string_view good : {"374", "374.0", "3.74e2", "0374"}) {
    CHECK(read_tokens(good, tokens));
    CHECK(tokens == 374);
  }
  CHECK((read_tokens("1000000000", tokens) && tokens == 1'000'000'000));
  for (const std::string_view bad : {"0", "-4", "", " ", "1.5", "nan", "NaN", "inf", "1e400", "1000000001",
                                     "9999999999", "99999999999999999999999", "12x", "+5", "0x10", "1,0"}) {
    INFO(bad);
    CHECK_FALSE(read_tokens(bad, tokens));
  }
}

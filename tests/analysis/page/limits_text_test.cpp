#include "analysis/page/limits_text.hpp"

#include "tests/support/catch.hpp"

using namespace tokenyard::analysis;

TEST_CASE("limits in words are those that there are") {
  CHECK(limits_text({}).empty());
  CHECK(limits_text({.tpot_s = 0.05}) == "TPOT ≤ 50\u00a0ms");
  CHECK(limits_text({.ttft_s = 2, .tpot_s = 0.05, .e2e_s = 20, .task_s = 1800}) ==
        "TTFT ≤ 2\u00a0s, TPOT ≤ 50\u00a0ms, call ≤ 20\u00a0s, task ≤ 30\u00a0min");
}

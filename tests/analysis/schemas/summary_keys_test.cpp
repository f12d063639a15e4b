#include "analysis/schemas/summary_keys.hpp"

#include "tests/support/catch.hpp"

using namespace tokenyard::analysis;

TEST_CASE("Keys of a summary: down to numbers, through names of any kind") {
  const SummaryKeys& keys = summary_keys();
  REQUIRE(keys.find("pools") != nullptr);
  REQUIRE(keys.find("pools")->any() != nullptr);
  CHECK(keys.find("pools")->names().empty());
  CHECK(keys.find("pools")->any()->find("busy")->number);
  CHECK(keys.find("slo")->find("met")->number);  // true counts as 1
  CHECK_FALSE(keys.find("name")->number);
  CHECK(keys.find("latency")->find("ttft_s")->find("p95")->number);  // behind a $ref
  CHECK(keys.find("latency")->any() == nullptr);
  CHECK(keys.find("nothing") == nullptr);
}

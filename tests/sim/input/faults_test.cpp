#include "sim/input/faults.hpp"

#include "tests/support/catch.hpp"

using namespace tokenyard::sim;

TEST_CASE("The nearest name is the one that was meant: misspelt, shortened, in capitals, with its maker's name") {
  const std::vector<std::string> chips = {"a100-80-sxm", "b200-sxm", "gb200-nvl72", "h100-sxm", "h200-sxm", "maia-200"};
  CHECK(nearest_name("h100-smx", chips) == "h100-sxm");
  CHECK(nearest_name("h100", chips) == "h100-sxm");
  CHECK(nearest_name("H100", chips) == "h100-sxm");
  CHECK(nearest_name("nvidia-b200", chips) == "b200-sxm");
  CHECK(nearest_name("quantum", chips).empty());
  CHECK(nearest_name("vLLM", {"sglang", "vllm"}) == "vllm");
  CHECK(nearest_name("sales-report-x", {"sales", "sales-analytics", "sales-report"}) == "sales-report");
  CHECK(did_you_mean("h100", chips) == " (did you mean \"h100-sxm\"?)");
}

TEST_CASE("What is infeasible is told with its place, if it has one") {
  CHECK(Infeasible("too large", "/pools/1").what() == std::string("/pools/1: too large"));
  CHECK(Infeasible("too large").what() == std::string("too large"));
}

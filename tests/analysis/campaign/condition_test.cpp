#include "analysis/campaign/condition.hpp"

#include <nlohmann/json.hpp>

#include "tests/support/catch.hpp"

namespace tokenyard::analysis {
namespace {

const std::map<std::string, std::string> kNames = {{"replicas", "/pools/0/replicas"}, {"chip", "/pools/0/chip"}};
constexpr const char* kScenario = R"({"pools": [{"replicas": 4, "chip": "h100-sxm", "tp": 2, "on": true}]})";

bool holds(const std::string& text) {
  const sim::Json scenario = sim::Json::parse(kScenario);
  sim::Faults faults;
  const Condition condition = Condition::parse(text, kNames, "file", "/include/0", faults);
  const bool holds = condition.holds(scenario, faults);
  for (const sim::Fault& fault : faults.list()) FAIL(fault.message());
  return holds;
}

std::string fault_of(const std::string& text) {
  sim::Faults faults;
  const Condition condition = Condition::parse(text, kNames, "file", "/include/0", faults);
  condition.holds(sim::Json::parse(kScenario), faults);
  return faults.size() == 1 ? faults.list()[0].found + " | " + faults.list()[0].allowed
                            : std::to_string(faults.size()) + " faults";
}

}  // namespace

TEST_CASE("conditions compute, compare and combine") {
  CHECK(holds("replicas * {/pools/0/tp} <= 8 && chip != 'l40s'"));
  CHECK(holds("1 + 2 * 3 == 7 && (1 + 2) * 3 == 9 && 7 % 4 - -1 == 4 && 1e1 / 4 == 2.5"));
  CHECK(holds("!(replicas < 4) && !chip == 'x'"));
}

TEST_CASE("conditions take what does not exist for null, and only true holds") {
  CHECK(holds("{/pools/7/replicas} == null"));
  CHECK_FALSE(holds("{/pools/7/replicas} < 4"));
  CHECK_FALSE(holds("{/pools/7/replicas} >= 4"));
  CHECK_FALSE(holds("replicas + chip"));
  CHECK(holds("{/pools/0/on}"));
  CHECK_FALSE(holds("replicas / 0 == 1"));
  CHECK_FALSE(holds("chip < 4"));
  CHECK(holds("chip < 'i'"));
}

TEST_CASE("a wrong condition says where and what") {
  using Catch::Matchers::Contains;
  CHECK_THAT(fault_of("replica < 4"), Contains("column 1 of") && Contains("did you mean \"replicas\""));
  CHECK_THAT(fault_of("replicas <"), Contains("a number, a 'string'"));
  CHECK_THAT(fault_of("(replicas < 4"), Contains("a closing bracket"));
  CHECK_THAT(fault_of("chip == 'x"), Contains("a closing '"));
  CHECK_THAT(fault_of("replicas < 4 replicas"), Contains("an operator or the end"));
  CHECK_THAT(fault_of("{pools} == 1"), Contains("a JSON pointer in the braces"));
  CHECK_THAT(fault_of(std::string(100000, '(')), Contains("at most 100 levels"));
  CHECK_THAT(fault_of(""), Contains("a number"));
}

TEST_CASE("what is neither true nor false is no condition") {
  using Catch::Matchers::Contains;
  CHECK(fault_of("5") == "\"5\", which is 5 | a condition, true or false, as in \"replicas < 4\"");
  CHECK_THAT(fault_of("replicas * 2"), Contains("which is 8"));
  CHECK_THAT(fault_of("chip"), Contains("which is \"h100-sxm\""));
  CHECK(fault_of("{/pools/99999999999999999999999} == 1") == "0 faults");
}

}  // namespace tokenyard::analysis

#include "analysis/scenario/json_pointer.hpp"

#include <nlohmann/json.hpp>

#include "tests/support/catch.hpp"

using namespace tokenyard;
using namespace tokenyard::analysis;
using sim::Json;

namespace {

const Json kScenario = Json::parse(R"({"name": "a", "none": null, "a/b~c": 7, "pools": [{"replicas": 1}]})");

Json after(std::string_view pointer, Json value) {
  Json document = kScenario;
  if (const auto fault = set_at(document, pointer, std::move(value))) FAIL(fault->found);
  return document;
}

}  // namespace

TEST_CASE("JSON pointers: what stands there, or nothing") {
  CHECK(find_at(kScenario, "") == &kScenario);
  REQUIRE(find_at(kScenario, "/pools/0/replicas") != nullptr);
  CHECK(*find_at(kScenario, "/pools/0/replicas") == 1);
  CHECK(*find_at(kScenario, "/a~1b~0c") == 7);
  for (const char* nowhere : {"/pools/1", "/pools/-", "/pools/00", "/pools/99999999999999999999999", "/pools/x", "/x/y",
                              "/name/x", "/none/x", "name", "/a~2"}) {
    INFO(nowhere);
    CHECK(find_at(kScenario, nowhere) == nullptr);
  }
}

TEST_CASE("JSON pointers: what is not there yet becomes what the next key leads into") {
  CHECK(after("/run/duration_s", 5)["run"] == Json::parse(R"({"duration_s": 5})"));
  CHECK(after("/workload/agents/0/agent", "sales")["workload"] == Json::parse(R"({"agents": [{"agent": "sales"}]})"));
  CHECK(after("/none/-", 1)["none"] == Json::parse("[1]"));
  CHECK(after("/pools/-/replicas", 2)["pools"][1]["replicas"] == 2);
}

TEST_CASE("JSON pointers: a fault says how far the pointer led, and nothing is changed") {
  Json document = kScenario;
  const auto found = [&](std::string_view pointer) {
    const auto fault = set_at(document, pointer, 1);
    CHECK(document == kScenario);
    return fault ? fault->found + " | " + fault->allowed : "no fault";
  };
  CHECK(found("/pools/2/replicas") == "\"2\" in /pools, a list of 1 | an index from 0 to 1; 1 adds one");
  CHECK(found("/pools/00/replicas") ==
        "\"00\" in /pools, a list of 1 | an index from 0 to 1; 1 adds one, and no zero in front");
  CHECK(found("/new/4000000000/x") == "\"4000000000\" in /new, a list of 0 | index 0, which adds the first");
  CHECK(found("/new/name/deeper/0/1/2") == "\"1\" in /new/name/deeper/0, a list of 0 | index 0, which adds the first");
  CHECK(found("/name/x") == "\"x\" below /name, which is \"a\" | a pointer through objects and arrays");
  for (const char* none : {"", "name", "/a~2", "/a~"})
    CHECK(found(none) == sim::shown(none) + " | a JSON pointer into the scenario, as in /pools/0/replicas");
}

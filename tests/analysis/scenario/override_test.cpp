#include "analysis/scenario/override.hpp"

#include <nlohmann/json.hpp>

#include "tests/support/catch.hpp"

using namespace tokenyard;
using namespace tokenyard::analysis;
using Catch::Matchers::Contains;
using sim::Json;

namespace {

Json changed(Json root, const std::string& assignment) {
  sim::Faults faults;
  apply_override(root, assignment, "--set", faults);
  for (const sim::Fault& fault : faults.list()) FAIL(fault.message());
  return root;
}

const Json kScenario = Json::parse(R"({"name": "a", "pools": [{"replicas": 1}]})");

}  // namespace

TEST_CASE("Overrides: JSON values, or strings; keys that are not there yet") {
  CHECK(changed(kScenario, "/pools/0/replicas=4")["pools"][0]["replicas"] == 4);
  CHECK(changed(kScenario, "/pools/0/chip=h100-sxm")["pools"][0]["chip"] == "h100-sxm");
  CHECK(changed(kScenario, "/pools/0/engine/max_num_seqs=64")["pools"][0]["engine"]["max_num_seqs"] == 64);
  CHECK(changed(kScenario, "/pools/1={\"replicas\": 2}")["pools"][1]["replicas"] == 2);
  CHECK(changed(kScenario, "/pools/-={}")["pools"].size() == 2);
  CHECK(changed(kScenario, "/name=a=b")["name"] == "a=b");
  CHECK(changed(kScenario, "/a~1b~0c=1")["a/b~c"] == 1);
}

TEST_CASE("Overrides: as deep as a document may be, and no deeper; text in UTF-8") {
  const auto of_keys = [](int keys) {
    std::string pointer;
    for (int i = 0; i < keys; ++i) pointer += "/a";
    return pointer + "=1";
  };
  changed(Json::object(), of_keys(200));
  for (const std::string& bad :
       {of_keys(201), of_keys(1'000'000), std::string("/name=a\xff"), std::string("/\xe9=1")}) {
    Json root = kScenario;
    sim::Faults faults;
    apply_override(root, bad, "--set", faults);
    REQUIRE(faults.size() == 1);
    CHECK(root == kScenario);
  }
}

TEST_CASE("Overrides: a pointer that leads nowhere is refused and changes nothing") {
  for (const char* bad : {"name=b", "/name", "", "/pools/2=1", "/pools/4000000000/x=1", "/pools/-1=1", "/pools/x=1",
                          "/name/deeper=1", "/a~2=1"}) {
    Json root = kScenario;
    sim::Faults faults;
    apply_override(root, bad, "--set", faults);
    INFO(bad);
    REQUIRE(faults.size() == 1);
    CHECK(faults.list()[0].place == "--set");
    CHECK(root == kScenario);
  }
}

#include "agents/graph/agent_catalog.hpp"
#include "tests/support/catch.hpp"

using namespace tokenyard;
using namespace tokenyard::agents;

TEST_CASE("Faults of nodes and variants with a slash in their names are told at JSON pointers that lead there") {
  const auto place_of = [](const std::string& nodes, const std::string& more) {
    sim::Faults faults;
    AgentCatalog::of({{"agent.json", R"({"schema": "tokenyard.agent/1", "name": "a", "start": "in/out", "nodes": {)" +
                                         nodes + R"(}, "edges": [{"from": "in/out", "to": "end"}])" + more + "}"}},
                     faults);
    REQUIRE(faults.size() == 1);
    return faults.list().front().place;
  };
  const std::string whole = R"("in/out": {"kind": "llm", "output_tokens": 5}, "end": {"kind": "end"})";
  CHECK(place_of(R"("in/out": {"kind": "llm"}, "end": {"kind": "end"})", "") == "/nodes/in~1out/output_tokens");
  CHECK(place_of(whole + R"(, "on/off": {"kind": "end"})", "") == "/nodes/on~1off");
  CHECK(place_of(R"("in/out": {"kind": "sub-agent", "agent": "nobody"}, "end": {"kind": "end"})", "") ==
        "/nodes/in~1out/agent");
  CHECK(place_of(whole, R"(, "variants": {"day/night": 5})") == "/variants/day~1night");
  CHECK(place_of(whole, R"(, "variants": {"day/night": {"edges": {"in/out>nowhere": null}}})") ==
        "/variants/day~1night/edges/in~1out>nowhere");
  CHECK(place_of(whole, R"(, "variants": {"~": {"nodes": {"in/out": {"output_tokens": -1}}}})") ==
        "/variants/~0/nodes/in~1out/output_tokens");
}

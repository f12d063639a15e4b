#include "agents/graph/variants.hpp"

#include <nlohmann/json.hpp>

#include "agents/graph/agent_catalog.hpp"
#include "tests/support/catch.hpp"

using namespace tokenyard;
using namespace tokenyard::agents;

namespace {

constexpr const char* kHelper = R"({"schema": "tokenyard.agent/1", "name": "helper",
  "nodes": {"work": {"kind": "llm", "output_tokens": 10}, "done": {"kind": "end"}},
  "edges": [{"from": "work", "to": "done"}], "start": "work",
  "variants": {"thinking": {"nodes": {"work": {"thinking_tokens": 90}}}}})";

std::string desk(const std::string& variants) {
  return R"({"schema": "tokenyard.agent/1", "name": "desk",
    "nodes": {"answer": {"kind": "llm", "output_tokens": {"dist": "gamma", "shape": 3, "scale": 29}, "thinking_tokens": 5},
              "ask": {"kind": "sub-agent", "agent": "helper"}, "wait": {"kind": "human", "latency_s": 3}, "done": {"kind": "end"}},
    "edges": [{"from": "answer", "to": "ask", "p": 0.5}, {"from": "answer", "to": "wait", "p": 0.5}, {"from": "ask", "to": "done"},
              {"from": "wait", "to": "done"}],
    "start": "answer", "variants": )" +
         variants + "}";
}

constexpr const char* kVariants = R"({
  "quick": {"title": "Quick desk", "nodes": {"answer": {"output_tokens": {"dist": "poisson", "mean": 20}, "thinking_tokens": null}}},
  "busy": {"edges": {"answer>ask": {"p": 0.9}, "answer>wait": {"p": 0.1}}},
  "alone": {"nodes": {"ask": null}, "edges": {"answer>ask": null, "ask>done": null, "answer>wait": {"p": 1}}},
  "patient": {"nodes": {"call": {"kind": "human", "latency_s": 9}}, "edges": {"wait>done": null, "wait>call": {}, "call>done": {}}}
})";

std::vector<sim::Fault> faults_of(const std::string& variants) {
  sim::Faults faults;
  AgentCatalog::of({{"helper.json", kHelper}, {"desk.json", desk(variants)}}, faults);
  return faults.list();
}

}  // namespace

TEST_CASE("Variants patch nodes and edges, one after the other") {
  sim::Faults faults;
  const AgentCatalog catalog = AgentCatalog::of({{"helper.json", kHelper}, {"desk.json", desk(kVariants)}}, faults);
  const auto plain = catalog.find("desk");
  const auto quick = catalog.find("desk", {"quick", "busy"}, faults);
  const auto alone = catalog.find("desk", {"alone"}, faults);
  const auto patient = catalog.find("desk", {"patient"}, faults);
  REQUIRE(faults.empty());
  CHECK(plain->nodes[0].output_tokens.of.mean() == Approx(87));
  CHECK(plain->nodes[0].thinking_tokens.given);
  CHECK(quick->title == "Quick desk");
  CHECK(quick->nodes[0].output_tokens.of.mean() == Approx(20));
  CHECK_FALSE(quick->nodes[0].thinking_tokens.given);
  CHECK(quick->nodes[0].edges[0].p == 0.9);
  CHECK(alone->nodes.size() == 3);
  CHECK(alone->sub_agents.empty());
  REQUIRE(patient->find("call") != kNone);
  CHECK(patient->nodes[patient->find("wait")].edges.front().target == patient->find("call"));
}

TEST_CASE("A variant goes on to the sub-agents that offer it") {
  sim::Faults faults;
  const AgentCatalog catalog = AgentCatalog::of({{"helper.json", kHelper}, {"desk.json", desk(kVariants)}}, faults);
  CHECK(catalog.variants("desk") == std::vector<std::string>{"alone", "busy", "patient", "quick", "thinking"});
  const auto thinking = catalog.find("desk", {"thinking"}, faults);
  REQUIRE(faults.empty());
  REQUIRE(thinking->sub_agents.size() == 1);
  CHECK(thinking->sub_agents[0].agent->nodes[0].thinking_tokens.given);
  CHECK_FALSE(catalog.find("helper")->nodes[0].thinking_tokens.given);
  CHECK(catalog.find("desk", {"busy"}, faults)->sub_agents[0].agent == catalog.find("helper"));
  CHECK(catalog.find("desk", {}, faults) == catalog.find("desk"));
  CHECK(catalog.find("nobody", {"busy"}, faults) == nullptr);
}

TEST_CASE("What is wrong with a variant is found on loading, at its place") {
  const auto one = [](const std::string& variants) {
    const auto faults = faults_of(variants);
    REQUIRE(faults.size() == 1);
    return faults[0].file + ": " + faults[0].place + ": " + faults[0].allowed;
  };
  CHECK(one(R"({"x": {"nodes": {"answer": {"output_tokens": {"dist": "poisson", "mean": -1}}}}})")
            .find("desk.json: /variants/x/nodes/answer/output_tokens/mean") == 0);
  CHECK(
      one(R"({"x": {"nodes": {"anwser": {"output_tokens": 3}}}})").find("desk.json: /variants/x/nodes/anwser/kind: ") ==
      0);
  CHECK(one(R"({"x": {"nodes": null}})").find("desk.json: /variants/x/nodes: what differs") == 0);
  CHECK(one(R"({"x": {"edges": {"anwser>ask": null}}})")
            .find("desk.json: /variants/x/edges/anwser>ask: the ends of an edge") == 0);
  CHECK(one(R"({"x": {"edges": {"anwser>ask": null}}})").find("did you mean \"answer>ask\"?") != std::string::npos);
  CHECK(one(R"({"x": {"edges": []}})").find("desk.json: /variants/x/edges: ") == 0);
  CHECK(one(R"({"x": {"name": "other"}})").find("desk.json: /variants/x/name: ") == 0);
  CHECK(one(R"({"x": {"edges": {"answer>ask": {"p": 0.4}}}})").find("desk.json: /variants/x: edges with p") == 0);
  CHECK(faults_of(R"({"x": {"edges": {"answer>ask": {"p": 0.5}}}})").empty());
}

TEST_CASE("An unknown variant is a fault with the nearest name") {
  sim::Faults faults;
  const sim::JsonFile file = sim::JsonFile::parse(desk(kVariants), "desk.json", faults);
  with_variant(file, "quik", faults);
  REQUIRE(faults.size() == 1);
  CHECK(faults.list()[0].allowed.find("did you mean \"quick\"?") != std::string::npos);
}

TEST_CASE("Every built-in agent and every variant of it reads without faults") {
  sim::Faults faults;
  const AgentCatalog catalog = AgentCatalog::load(faults);
  for (const std::string& name : catalog.names()) {
    for (const std::string& variant : catalog.variants(name)) CHECK(catalog.find(name, {variant}, faults) != nullptr);
  }
  for (const sim::Fault& fault : faults.list()) FAIL_CHECK(fault.message());
  for (const char* name : {"customer-service", "sales", "it-security", "it-operations"})
    CHECK(catalog.find(name) != nullptr);
}

#include "agents/graph/steps_ahead.hpp"

#include "tests/agents/work/stand_in.hpp"

using namespace tokenyard;
using namespace tokenyard::agents;

TEST_CASE("Calls until a role's next one are counted along the shortest way, into sub-agents and back") {
  const WorkloadEntry entry = entry_of({R"({
    "schema": "tokenyard.agent/1", "name": "lead",
    "contexts": {"main": {"role_prefix_tokens": 100}},
    "nodes": {
      "plan": {"kind": "llm", "output_tokens": 1},
      "look": {"kind": "tool", "latency_s": 1},
      "help": {"kind": "sub-agent", "agent": "helper"},
      "check": {"kind": "guardrail", "role_prefix_tokens": 50, "output_tokens": 1},
      "sum": {"kind": "llm", "output_tokens": 1},
      "done": {"kind": "end"}
    },
    "edges": [
      {"from": "plan", "to": "look", "p": 0.5}, {"from": "plan", "to": "help", "p": 0.5},
      {"from": "look", "to": "check"}, {"from": "help", "to": "check"}, {"from": "check", "to": "sum"}, {"from": "sum", "to": "done"}
    ],
    "start": "plan"
  })",
                                        R"({
    "schema": "tokenyard.agent/1", "name": "helper",
    "contexts": {"main": {"role_prefix_tokens": 70}},
    "nodes": {"work": {"kind": "llm", "output_tokens": 1}, "rest": {"kind": "tool", "latency_s": 1}, "done": {"kind": "end"}},
    "edges": [{"from": "work", "to": "rest"}, {"from": "rest", "to": "done"}],
    "start": "work"
  })"});
  const Agent& lead = *entry.agent;
  const Agent& helper = *lead.sub_agents[0].agent;
  const std::uint64_t lead_role = lead.contexts[0].shared_prefix.content,
                      helper_role = helper.contexts[0].shared_prefix.content;
  const std::uint64_t check_role = lead.nodes[lead.find("check")].shared_prefix.content;
  const auto ahead = steps_ahead(family(lead));
  REQUIRE(ahead.size() == lead.nodes.size() + helper.nodes.size());
  const auto calls = [&](std::size_t node, std::uint64_t role) -> std::uint32_t {
    for (const platforms::NextUse& use : ahead[node]) {
      if (use.prefix.content == role) return use.calls;
    }
    return 0;
  };
  CHECK(calls(lead.find("plan"), lead_role) == 1);
  CHECK(calls(lead.find("look"), lead_role) == 2);  // the check comes before
  CHECK(calls(lead.find("look"), check_role) == 1);
  CHECK(calls(lead.find("look"), helper_role) == 0);  // nobody comes there any more
  CHECK(calls(lead.find("help"), helper_role) == 1);
  CHECK(calls(lead.find("help"), lead_role) == 3);
  CHECK(calls(lead.find("plan"), helper_role) == 2);
  CHECK(calls(lead.find("sum"), check_role) == 0);
  const std::size_t rest = lead.nodes.size() + helper.find("rest");
  CHECK(calls(rest, check_role) == 1);
  CHECK(calls(rest, lead_role) == 2);
  CHECK(calls(lead.find("done"), lead_role) == 0);
}

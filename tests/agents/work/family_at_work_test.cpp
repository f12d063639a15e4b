#include "agents/work/family_at_work.hpp"

#include "tests/agents/work/stand_in.hpp"

using namespace tokenyard;
using namespace tokenyard::agents;

namespace {

constexpr const char* kLead = R"({
  "schema": "tokenyard.agent/1", "name": "lead", "contexts": {"main": {"role_prefix_tokens": 10}}, "services": {"desk": {"capacity": 2}},
  "nodes": {
    "plan": {"kind": "llm", "output_tokens": 1}, "ask": {"kind": "human", "service": "desk", "latency_s": 1},
    "read": {"kind": "sub-agent", "agent": "reader"}, "look": {"kind": "sub-agent", "agent": "looker"}, "done": {"kind": "end"}
  },
  "edges": [{"from": "plan", "to": "ask"}, {"from": "ask", "to": "read"}, {"from": "read", "to": "look"}, {"from": "look", "to": "done"}],
  "start": "plan"
})";
constexpr const char* kLooker = R"({
  "schema": "tokenyard.agent/1", "name": "looker", "contexts": {"main": {"role_prefix_tokens": 10}}, "services": {"api": {"capacity": 7}, "site": {"capacity": 5}},
  "nodes": {
    "call": {"kind": "tool", "service": "api", "latency_s": 1}, "visit": {"kind": "tool", "service": "site", "latency_s": 1},
    "read": {"kind": "sub-agent", "agent": "reader"}, "done": {"kind": "end"}
  },
  "edges": [{"from": "call", "to": "visit"}, {"from": "visit", "to": "read"}, {"from": "read", "to": "done"}],
  "start": "call"
})";
constexpr const char* kReader = R"({
  "schema": "tokenyard.agent/1", "name": "reader", "contexts": {"main": {"role_prefix_tokens": 10}},
  "nodes": {"read": {"kind": "llm", "pool": "small", "output_tokens": 1}, "done": {"kind": "end"}},
  "edges": [{"from": "read", "to": "done"}], "start": "read"
})";

}  // namespace

TEST_CASE("A family at work: members once each, numbered nodes, their sub-agents, pools and services") {
  WorkloadEntry entry = entry_of({kLead, kLooker, kReader});
  const std::vector<const Agent*> agents = family(*entry.agent);
  REQUIRE(agents.size() == 3);  // the reader is asked by two
  for (std::size_t m = 0; m < agents.size(); ++m) {
    for (std::uint32_t& pool : entry.pools[m]) pool = static_cast<std::uint32_t>(10 + m);
  }
  const FamilyAtWork at_work(entry);
  REQUIRE(at_work.members.size() == 3);
  const auto member_of = [&](const std::string& name) {
    const auto is = [&](const FamilyAtWork::Member& member) { return member.agent->name == name; };
    return static_cast<std::uint32_t>(std::find_if(at_work.members.begin(), at_work.members.end(), is) -
                                      at_work.members.begin());
  };
  const std::uint32_t looker = member_of("looker"), reader = member_of("reader");
  REQUIRE(member_of("lead") == 0);
  CHECK(at_work.members[0].sub_agents == std::vector<std::uint32_t>{reader, looker});
  CHECK(at_work.members[looker].sub_agents == std::vector<std::uint32_t>{reader});
  CHECK(at_work.members[reader].sub_agents.empty());

  std::uint32_t nodes = 0;
  for (std::size_t m = 0; m < 3; ++m) {
    CHECK(at_work.members[m].first_node == nodes);
    CHECK(at_work.members[m].pools == entry.pools[m]);
    nodes += static_cast<std::uint32_t>(at_work.members[m].agent->nodes.size());
  }
  CHECK(at_work.ahead.size() == nodes);
  CHECK(nodes == node_names(*entry.agent).size());

  REQUIRE(at_work.members[0].services.size() == 1);
  REQUIRE(at_work.members[looker].services.size() == 2);
  CHECK(at_work.members[0].services[0].capacity() == 2);
  CHECK(at_work.members[looker].services[0].capacity() == 7);
  CHECK(at_work.members[looker].services[1].capacity() == 5);
}

TEST_CASE("A family at work: an entry's capacities are in place of the agents'") {
  WorkloadEntry entry = entry_of({kLead, kLooker, kReader});
  for (const Agent* agent : family(*entry.agent)) entry.capacities.emplace_back(agent->services.size(), 9);
  const FamilyAtWork at_work(entry);
  for (const FamilyAtWork::Member& member : at_work.members) {
    for (const Service& service : member.services) CHECK(service.capacity() == 9);
  }
}

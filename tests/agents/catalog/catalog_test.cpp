/// What holds of all built-in agents: evidence, the reasoning switch.

#include <nlohmann/json.hpp>
#include <set>
#include <sys/stat.h>

#include "tests/agents/catalog/played_agent.hpp"
#include "tests/support/scratch_folder.hpp"

using namespace tokenyard;
using namespace tokenyard::agents;
using namespace tokenyard::agents::catalog;
using sim::Json;

namespace {

const AgentCatalog& built_in() {
  static sim::Faults faults;
  static const AgentCatalog catalog = AgentCatalog::load(faults);
  return catalog;
}

/// What agents are sold for, by the agent that stands for each.
const std::vector<std::string> kDomains = {"customer-service",   "sales",           "it-security",   "it-operations",
                                           "research-assistant", "online-shopping", "trip-planning", "ad-generation"};

bool drawn(const Json& value) { return value.is_number() || (value.is_object() && value.contains("dist")); }

/// "M", "M x A", "output_tokens M; count A", or that of another step: "as customer".
bool has_evidence(const Json& part) {
  static const std::set<std::string> kCodes = {"M", "P", "N", "R", "D", "A"};
  const std::string evidence = part.value("evidence", "");
  std::string word;
  for (const char c : evidence + ' ') {
    if (std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_') {
      word += c;
    } else if (kCodes.contains(word)) {
      return true;
    } else {
      word.clear();
    }
  }
  return evidence.starts_with("as ");
}

}  // namespace

TEST_CASE("Built-in agents: every one is read, alone and with each of its variants, under the name of its file") {
  for (const std::string& name : built_in().names()) {
    INFO(name);
    REQUIRE(built_in().find(name) != nullptr);
    CHECK(built_in().find(name)->name == name);
    for (const std::string& variant : built_in().variants(name)) {
      sim::Faults faults;
      built_in().find(name, {variant}, faults);
      CHECK(faults.empty());
    }
  }
}

TEST_CASE("Built-in agents: every step that draws, every count and every chance says where its numbers come from") {
  for (const std::string& name : built_in().names()) {
    const Json& agent = *built_in().raw(name);
    CHECK_FALSE(agent.value("source", "").empty());
    for (const auto& [node, step] : agent["nodes"].items()) {
      INFO(name << ": " << node);
      bool draws = false;
      for (const char* key : {"output_tokens", "thinking_tokens", "prompt_tokens", "latency_s", "result_tokens",
                              "parallel", "steps", "error", "role_prefix_tokens"})
        draws = draws || (step.contains(key) && drawn(step[key]));
      if (draws) CHECK(has_evidence(step));
    }
    // Of chances that sum to 1, one stands for all.
    std::map<std::string, std::vector<const Json*>> chances;
    for (const Json& edge : agent["edges"]) {
      INFO(name << ": " << edge.dump());
      if (edge.contains("count") || edge.contains("spends") || edge.contains("output_tokens"))
        CHECK(has_evidence(edge));
      if (edge.contains("p")) chances[edge["from"].get<std::string>()].push_back(&edge);
    }
    for (const auto& [from, edges] : chances) {
      INFO(name << ": chances of " << from);
      const bool said = std::any_of(edges.begin(), edges.end(), [](const Json* edge) { return has_evidence(*edge); });
      CHECK(said);
    }
  }
}

TEST_CASE("Built-in agents: every domain has a reasoning switch, which adds to the output") {
  for (const std::string& domain : kDomains) {
    INFO(domain);
    REQUIRE(built_in().find(domain) != nullptr);
    const std::vector<std::string> offered = built_in().variants(domain);
    for (const char* variant : {"reasoning-off", "reasoning-light", "reasoning-heavy"})
      REQUIRE(std::find(offered.begin(), offered.end(), variant) != offered.end());
    const double off = play(domain, {"reasoning-off"}, 1000).mean().output;
    const double light = play(domain, {"reasoning-light"}, 1000).mean().output;
    const double heavy = play(domain, {"reasoning-heavy"}, 1000).mean().output;
    CHECK(light > 1.1 * off);
    CHECK(heavy > 1.1 * light);
  }
}

TEST_CASE("A user's agents: two of one name in a directory, or a pipe, are faults") {
  const std::string helper = R"({"schema": "tokenyard.agent/1", "name": "helper", "start": "work",
    "nodes": {"work": {"kind": "llm", "output_tokens": 10}, "done": {"kind": "end"}}, "edges": [{"from": "work", "to": "done"}]})";
  const ScratchFolder scratch;
  scratch.write("one/agents/a.json", helper);
  scratch.write("two/agents/a.json", helper);
  sim::Faults faults;
  AgentCatalog::load(faults, {scratch.path / "one", scratch.path / "two"}, {scratch.path / "one/agents/a.json"});
  CHECK(faults.empty());
  scratch.write("one/agents/b.json", helper);
  REQUIRE(::mkfifo((scratch.path / "two/agents/p.json").c_str(), 0600) == 0);
  AgentCatalog::load(faults, {scratch.path / "one", scratch.path / "two"});
  REQUIRE(faults.size() == 2);
  CHECK(faults.list()[1].message().find("p.json: found a pipe or device") != std::string::npos);
  CHECK(faults.list()[0].message().find("b.json: /name: found \"helper\", which is also that of ") !=
        std::string::npos);
  CHECK(faults.list()[0].message().find("one/agents/a.json") != std::string::npos);
}

TEST_CASE("Built-in agents: a rate-limited vendor and a night shift make tasks wait") {
  const auto mean_s = [](const std::string& agent, const std::vector<std::string>& variants, platforms::Cause cause) {
    double sum = 0;
    const Played played = play(agent, variants, 2000);
    for (const TaskRecord& task : played.tasks) sum += task.causes[cause].seconds();
    return sum / static_cast<double>(played.tasks.size());
  };
  CHECK(mean_s("sales-outbound", {"rate-limited"}, platforms::Cause::kTool) >
        10 * mean_s("sales-outbound", {}, platforms::Cause::kTool));
  CHECK(mean_s("it-security", {"shifts"}, platforms::Cause::kHuman) >
        1.2 * mean_s("it-security", {}, platforms::Cause::kHuman));
}

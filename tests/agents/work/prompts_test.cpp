#include "agents/work/prompts.hpp"

#include "tests/agents/work/stand_in.hpp"

using namespace tokenyard;
using namespace tokenyard::agents;
using platforms::Extent;

namespace {

constexpr const char* kDesk = R"({
  "schema": "tokenyard.agent/1", "name": "desk", "template_tokens": 15,
  "contexts": {"main": {"role_prefix_tokens": 100, "opening_tokens": 30}, "bare": {}},
  "nodes": {
    "ask": {"kind": "llm", "prompt_tokens": 7, "output_tokens": 1},
    "plain": {"kind": "llm", "context": "bare", "output_tokens": 1},
    "guard": {"kind": "guardrail", "role_prefix_tokens": 40, "prompt_tokens": 9, "output_tokens": 1},
    "sum-up": {"kind": "llm", "output_tokens": 1, "compact": {"above": 160, "to": 120}},
    "done": {"kind": "end"}
  },
  "edges": [{"from": "ask", "to": "plain"}, {"from": "plain", "to": "guard"}, {"from": "guard", "to": "sum-up"},
            {"from": "sum-up", "to": "done"}],
  "start": "ask"
})";

/// A walk of a task with its contexts, taken from node to node by hand.
struct Desk {
  Desk() {
    contents.task = 3;
    walk.reset(*entry.agent, 1, 1, 0);
    contexts.reset(entry.agent->contexts.size(), contents, nullptr);
  }
  Prompt prompt_at(const char* node) {
    walk.enter(entry.agent->find(node));
    extend_context(walk, contexts);
    Prompt prompt{{99, 99}};  // is replaced
    write_prompt(walk, contexts, prompt);
    return prompt;
  }
  WorkloadEntry entry = entry_of({kDesk});
  TaskContents contents;
  Walk walk;
  Contexts contexts;
};

std::vector<Tokens> sizes(const Prompt& prompt) {
  std::vector<Tokens> tokens;
  for (const Extent& extent : prompt) tokens.push_back(extent.tokens);
  return tokens;
}

}  // namespace

TEST_CASE("Prompts: the role's prefix, the opening once, then what each visit adds behind the same content") {
  Desk desk;
  const Prompt first = desk.prompt_at("ask");
  CHECK(sizes(first) == std::vector<Tokens>{100, 30 + 15 + 7});
  CHECK(platforms::is_shared_prefix(first[0].content));
  CHECK_FALSE(platforms::is_shared_prefix(first[1].content));
  desk.contexts.append(0, 50);
  const Prompt second = desk.prompt_at("ask");
  CHECK(sizes(second) == std::vector<Tokens>{100, 30 + 15 + 7 + 50 + 15 + 7});
  CHECK(second[0].content == first[0].content);
  CHECK(second[1].content == first[1].content);

  Prompt known{{99, 99}};
  desk.contexts.append(0, 5);
  write_context(*desk.entry.agent, 0, desk.contexts, known);
  CHECK(sizes(known) == std::vector<Tokens>{100, second[1].tokens + 5});
  CHECK(known[1].content == first[1].content);
}

TEST_CASE("Prompts: contexts share nothing, and one without prefix and opening is its template") {
  Desk desk;
  const Prompt main = desk.prompt_at("ask"), bare = desk.prompt_at("plain");
  CHECK(sizes(bare) == std::vector<Tokens>{15});
  CHECK(bare[0].content != main[1].content);
}

TEST_CASE("Prompts: a fresh one is its own, and leaves the contexts alone") {
  Desk desk;
  desk.prompt_at("ask");
  const Tokens before = desk.contexts.tokens(0);
  const Prompt guard = desk.prompt_at("guard");
  CHECK(sizes(guard) == std::vector<Tokens>{40, 9});
  CHECK(platforms::is_shared_prefix(guard[0].content));
  CHECK(guard[1].content == 0);
  CHECK(desk.contexts.tokens(0) == before);
}

TEST_CASE("Prompts: a context beyond its limit is summed up under another content; a branch leaves it as it is") {
  Desk desk;
  desk.prompt_at("ask");
  const Prompt below = desk.prompt_at("sum-up");  // 100 + 52 + 15: beyond 160
  CHECK(sizes(below) == std::vector<Tokens>{100, 20});
  const Prompt again = desk.prompt_at("sum-up");  // 100 + 20 + 15
  CHECK(sizes(again) == std::vector<Tokens>{100, 35});
  CHECK(again[1].content == below[1].content);

  Contexts branch;
  branch.reset(desk.entry.agent->contexts.size(), desk.contents, &desk.contexts);
  branch.append(0, 500);
  extend_context(desk.walk, branch);
  Prompt prompt;
  write_prompt(desk.walk, branch, prompt);
  CHECK(sizes(prompt) == std::vector<Tokens>{100, 35, 515});  // no second opening, no summary
}

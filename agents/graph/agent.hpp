#pragma once
/// What an agent does, as a directed graph of steps, read from JSON (schema tokenyard.agent/1) and checked.
///
/// Nodes are steps; after each, one outgoing edge is taken (a fan-out takes all, as branches that meet at its join). A
/// choice takes no time and no tokens: it is there for its edges.
///
/// - Edges with `count` form an **urn** at their source: when a walk comes to the node and no urn is open, each edge's
///   count is drawn, and the edges are then drawn without replacement, with probability proportional to what remains.
///   An edge marked `last` keeps one for the end. When the urn is empty, the edges with `p` apply and the urn closes; a
///   node without such edges closes it with the last draw. So "5.65 tool rounds on average, scattered over the user's
///   turns" is one urn of two edges, and a loop with a negative-binomial length is an urn of one.
/// - An edge with `spends` in place of `count` buys from the task's budget (`budget_usd` of the agent, drawn once per
///   task): {"share": 0.5, "usd_each": 0.01} draws as many as half of the budget pays, rounded down.
/// - Edges with `p` (1 by default) are drawn by probability. `max` bounds how often one walk takes an edge; what would
///   have gone there then goes to the edge marked `else`, or to the others in proportion.
/// - The edge marked `"on": "error"` is taken instead when a tool or a sub-agent failed; with `max`, so often a walk.
/// - An edge may carry `output_tokens` and `thinking_tokens`: of an LLM step that goes on along it.
///
/// `variants` are named patches of the agent (variants.hpp).
///
/// Contexts are append-only lists of extents. A context opens with a prefix that all tasks of the agent share (the key
/// `role_prefix_tokens`), and its opening tokens, drawn per task. An llm node appends its new tokens, makes its call,
/// and leaves its visible output in the context; a fresh one (guardrails and routers always) calls with a prompt of its
/// own.
/// With `compact` ({"above": 150000, "to": DIST}) an llm node first replaces a context that its prompt would take
/// beyond `above` tokens by a summary, so that the prompt, shared prefix included, has `to` tokens: nothing but the
/// prefix is found in a cache again. It does so with probability `p` (1); `p_below` (0) is that of a smaller context.
/// A media node asks a media pool for pictures of `width` x `height` and `frames`, made in `steps` of denoising.
///
/// Invariants of a graph read without faults: every node is reachable and reaches an end; every loop is bounded;
/// probabilities sum to 1; branches end at their fan-out's join and nowhere else; names refer to something.
///
///   Agent::read(file, faults): one agent; AgentCatalog (agent_catalog.hpp) loads many and resolves sub-agents.

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agents/graph/service_spec.hpp"
#include "platforms/serving/call.hpp"
#include "sim/random/distribution.hpp"

namespace tokenyard::agents {

using platforms::Tokens;

inline constexpr std::uint32_t kNone = 0xffffffff;

enum class NodeKind : std::uint8_t {
  kLlm,
  kTool,
  kRetrieval,
  kGuardrail,
  kHuman,
  kRouter,
  kChoice,
  kFanOut,
  kJoin,
  kSubAgent,
  kMedia,
  kEnd
};
inline constexpr std::array<std::string_view, 12> kNodeKindNames = {"llm",   "tool",      "retrieval", "guardrail",
                                                                    "human", "router",    "choice",    "fan-out",
                                                                    "join",  "sub-agent", "media",     "end"};
constexpr std::string_view name_of(NodeKind kind) { return kNodeKindNames[static_cast<std::size_t>(kind)]; }

/// Copies of a node that a visit may start.
inline constexpr std::int64_t kMostParallel = 4096;

/// A draw that a node makes at every visit, on a stream of its own.
struct Draw {
  sim::Distribution of;
  sim::StreamName stream{""};
  bool given = false;
};

struct Compaction {
  Tokens above = 0;
  double p = 1, p_below = 0;
  Draw to;
  sim::StreamName stream{""};
};

struct Edge {
  std::uint32_t target = 0;  ///< the node it leads to
  std::uint32_t index = 0;   ///< among all of the agent's, in the order of the file
  double p = 1;
  std::uint32_t max = kNone;
  Draw count;
  std::int64_t plus = 0;                         ///< added to the drawn count
  double spends_share = 0, spends_usd_each = 0;  ///< in place of a count: it is `given`, and drawn from the budget
  bool last = false;
  bool on_error = false;
  bool otherwise = false;  ///< "else"
  Draw output_tokens, thinking_tokens;

  /// Chosen by probability (not by count, error or overflow).
  bool chance() const { return !count.given && !on_error && !otherwise; }
};

struct Node {
  std::string name;
  std::string title;
  std::string evidence;  ///< code of where its numbers come from: M, P, N, R, D, A (evidence of the catalogue)
  std::string note;
  NodeKind kind = NodeKind::kEnd;

  // llm, guardrail, router
  std::uint32_t role = 0;           ///< index in Agent::pool_roles; of a media node, too
  bool fresh = false;               ///< a prompt of its own, not the context's
  platforms::Extent shared_prefix;  ///< of a fresh prompt
  Draw prompt_tokens;               ///< new ones, appended before the call
  Draw output_tokens, thinking_tokens;
  sim::StreamName failure{""};
  std::optional<Compaction> compact;

  // media
  platforms::MediaOrder picture;  ///< its steps are drawn
  Draw steps;

  // tool, retrieval, human
  std::uint32_t service = kNone;  ///< index in Agent::services; without one there is no waiting
  Draw latency_s, result_tokens, error_tokens;
  double error = 0;  ///< probability per call of the tool
  sim::StreamName error_stream{""};

  std::uint32_t context = kNone;    ///< index in Agent::contexts: where the prompt stands and results go
  Draw parallel;                    ///< how many of it at once, joined when all have ended
  std::uint32_t join = kNone;       ///< of a fan-out
  std::uint32_t sub_agent = kNone;  ///< index in Agent::sub_agents
  bool failed = false;              ///< of an end: the task's status

  // how to go on
  std::vector<Edge> edges;  ///< outgoing, in the order of the file
  sim::StreamName next{""};
  bool urn = false;           ///< some outgoing edge has a count
  std::uint32_t chances = 0;  ///< outgoing edges that go by probability

  bool calls_model() const {
    return kind == NodeKind::kLlm || kind == NodeKind::kGuardrail || kind == NodeKind::kRouter;
  }
  bool waits() const { return kind == NodeKind::kTool || kind == NodeKind::kRetrieval || kind == NodeKind::kHuman; }
};

struct ContextSpec {
  std::string name;
  platforms::Extent shared_prefix;
  Draw opening_tokens;
};

/// What LLM and media nodes name in place of a pool, which the workload chooses.
struct Role {
  std::string name;
  bool media = false;  ///< asked for pictures
};

class Agent;

struct SubAgent {
  std::string name;
  std::shared_ptr<const Agent> agent;  ///< found by the catalogue
};

/// Attempts that fail before they are served, each followed by a back-off.
struct CallFailure {
  double p = 0;
  std::uint32_t max = 3;  ///< retries
  sim::Distribution backoff_s;
};

class Agent {
 public:
  Agent() = default;
  Agent(const Agent&) = delete;
  Agent& operator=(const Agent&) = delete;

  /// Reads and checks one agent. On faults the agent is of no use, but reading goes on to find them all.
  static std::shared_ptr<Agent> read(const sim::JsonFile& file, sim::Faults& faults);

  std::string file, name, title, source;
  std::vector<Node> nodes;
  std::uint32_t edges = 0;  ///< how many they have in all
  std::uint32_t start = 0;
  std::vector<ContextSpec> contexts;
  std::vector<ServiceSpec> services;
  std::vector<Role> pool_roles;  ///< in order of appearance
  std::vector<SubAgent> sub_agents;
  std::optional<CallFailure> call_failure;
  Draw budget_usd;              ///< what a task may spend on what its edges buy
  Tokens template_tokens = 15;  ///< per call: roles and separators of the chat template

  std::uint32_t find(std::string_view node_name) const;  ///< kNone if there is none
};

}  // namespace tokenyard::agents

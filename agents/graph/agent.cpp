#include "agents/graph/agent.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "agents/graph/validation.hpp"
#include "sim/input/enum_choice.hpp"

namespace tokenyard::agents {
namespace {

template <class List>
std::vector<std::string> names_of(const List& list) {
  std::vector<std::string> names;
  for (const auto& item : list) names.push_back(item.name);
  return names;
}

/// Of the item of that name; the size of the list if there is none.
template <class List>
std::uint32_t index_of(const List& list, std::string_view name) {
  const auto found = std::find_if(list.begin(), list.end(), [&](const auto& item) { return item.name == name; });
  return static_cast<std::uint32_t>(found - list.begin());
}

class AgentReader {
 public:
  AgentReader(Agent& agent, sim::Faults& faults) : agent_(agent), faults_(faults) {}

  void read(sim::ObjectReader r) {
    r.choice("schema", {"tokenyard.agent/1"});
    agent_.name = r.string("name");
    agent_.title = r.string("title", agent_.name);
    agent_.source = r.string("source", "");
    r.string("note", "");
    r.members("variants", [](const std::string&, sim::ObjectReader& v) { v.pass_over(); });  // judged where applied
    if (agent_.name.empty() && r.has("name")) r.fault("name", "an empty name", "a name");
    agent_.template_tokens = r.integer("template_tokens", {.fallback = 15, .minimum = 0, .maximum = sim::kMostTokens});
    agent_.budget_usd = draw(r, "budget_usd", 0, "task");
    r.members("contexts", [&](const std::string& name, sim::ObjectReader& c) { read_context(name, c); });
    r.members("services", [&](const std::string& name, sim::ObjectReader& s) {
      agent_.services.push_back(ServiceSpec::read(name, s));
    });
    r.object("call_failure", [&](sim::ObjectReader& f) {
      CallFailure failure;
      failure.p = f.number("p", {.minimum = 0, .maximum = 0.999});
      failure.max = static_cast<std::uint32_t>(f.integer("max", {.fallback = 3, .minimum = 0, .maximum = 1000}));
      failure.backoff_s = sim::read_amount(f, "backoff_s");
      f.string("evidence", "");
      agent_.call_failure = failure;
    });
    r.members(
        "nodes", [&](const std::string& name, sim::ObjectReader& n) { read_node(name, n); }, true);
    for (const auto& [from, name, pointer] : joins_) {
      const std::uint32_t join = agent_.find(name);
      if (join == kNone || agent_.nodes[join].kind != NodeKind::kJoin) {
        faults_.add(agent_.file, pointer, '"' + name + '"',
                    "a node of kind join" + sim::did_you_mean(name, node_names()));
      }
      agent_.nodes[from].join = join;
    }
    r.each(
        "edges", [&](sim::ObjectReader& e) { read_edge(e); }, true);
    const std::string start = r.string("start");
    if (r.has("start")) {
      agent_.start = agent_.find(start);
      if (agent_.start == kNone) r.fault("start", '"' + start + '"', "a node" + sim::did_you_mean(start, node_names()));
    }
    r.finish();
  }

 private:
  Draw draw(sim::ObjectReader& r, std::string_view key, std::optional<double> fallback, const std::string& owner) {
    Draw d;
    d.given = r.has(key);
    d.of = sim::read_amount(r, key, fallback);
    if (key == "parallel" && d.of.is_constant() && d.of.mean() > static_cast<double>(kMostParallel))
      r.fault(key, fmt::format("{}", d.of.mean()), fmt::format("at most {} side by side", kMostParallel));
    d.stream = sim::StreamName(fmt::format("{}/{}/{}", agent_.name, owner, key));
    return d;
  }

  std::uint64_t shared_content(const std::string& of) const {
    return platforms::shared_prefix_content(sim::StreamName(fmt::format("role/{}/{}", agent_.name, of)).hash());
  }
  platforms::Extent shared_prefix(sim::ObjectReader& r, const std::string& of) const {
    const sim::NumberRule rule{.fallback = 0, .minimum = 0, .maximum = sim::kMostTokens};
    return {shared_content(of), r.integer("role_prefix_tokens", rule)};
  }

  void read_context(const std::string& name, sim::ObjectReader& r) {
    ContextSpec context;
    context.name = name;
    context.shared_prefix = shared_prefix(r, "context/" + name);
    context.opening_tokens = draw(r, "opening_tokens", 0, "context/" + name);
    r.string("evidence", "");
    r.string("note", "");
    agent_.contexts.push_back(std::move(context));
  }

  std::uint32_t context(sim::ObjectReader& r, const std::optional<std::string>& fallback) {
    if (!r.has("context") && !fallback) {
      r.raw("context");
      return kNone;
    }
    const std::string name = r.string("context", fallback);
    const std::uint32_t index = index_of(agent_.contexts, name);
    if (index < agent_.contexts.size()) return index;
    if (!r.has("context") && name == "main") {  // an agent with one context need not declare it
      ContextSpec main;
      main.name = name;
      main.shared_prefix.content = shared_content("context/main");
      agent_.contexts.push_back(main);
      return index;
    }
    r.fault("context", '"' + name + '"',
            "a context of \"contexts\"" + sim::did_you_mean(name, names_of(agent_.contexts)));
    return kNone;
  }

  void read_node(const std::string& name, sim::ObjectReader& r) {
    Node n;
    n.name = name;
    n.title = r.string("title", name);
    n.evidence = r.string("evidence", "");
    n.note = r.string("note", "");
    const std::size_t before = faults_.size();
    n.kind = sim::enum_choice<NodeKind>(r, "kind", kNodeKindNames);
    n.next = sim::StreamName(fmt::format("{}/{}/next", agent_.name, name));
    if (faults_.size() != before) {  // without the kind, its keys cannot be judged
      r.pass_over();
    } else if (n.calls_model()) {
      read_call(n, r);
    } else if (n.waits()) {
      read_wait(n, r);
    } else if (n.kind == NodeKind::kMedia) {
      read_media(n, r);
    } else if (n.kind == NodeKind::kFanOut) {
      joins_.push_back({static_cast<std::uint32_t>(agent_.nodes.size()), r.string("join"), r.pointer_to("join")});
    } else if (n.kind == NodeKind::kSubAgent) {
      const std::string sub = r.string("agent");
      n.sub_agent = index_of(agent_.sub_agents, sub);
      if (n.sub_agent == agent_.sub_agents.size()) agent_.sub_agents.push_back({sub, nullptr});
      read_results(n, r);
    } else if (n.kind == NodeKind::kEnd) {
      n.failed = r.choice("status", {"completed", "failed"}, "completed") == "failed";
    }
    agent_.nodes.push_back(std::move(n));
  }

  void read_call(Node& n, sim::ObjectReader& r) {
    const bool small = n.kind != NodeKind::kLlm;
    n.fresh = small || r.boolean("fresh", false);
    n.context = context(r, n.fresh ? std::nullopt : std::optional<std::string>("main"));
    if (n.fresh) n.shared_prefix = shared_prefix(r, n.name);
    n.role = role(r, small ? "small" : "default", false);
    n.prompt_tokens = draw(r, "prompt_tokens", 0, n.name);
    n.output_tokens = draw(r, "output_tokens", 1, n.name);  // whether it is given is checked with the edges
    n.thinking_tokens = draw(r, "thinking_tokens", 0, n.name);
    n.parallel = draw(r, "parallel", 1, n.name);
    if (!n.fresh) {
      r.object("compact", [&](sim::ObjectReader& c) {
        Compaction& compact = n.compact.emplace();
        compact.above = c.integer("above", {.minimum = 0, .maximum = sim::kMostTokens});
        compact.p = c.number("p", {.fallback = 1, .minimum = 0, .maximum = 1});
        compact.p_below = c.number("p_below", {.fallback = 0, .minimum = 0, .maximum = 1});
        compact.to = draw(c, "to", {}, n.name + "/compact");
        compact.stream = sim::StreamName(fmt::format("{}/{}/compact", agent_.name, n.name));
      });
    }
    n.failure = sim::StreamName(fmt::format("{}/{}/failure", agent_.name, n.name));
  }

  /// The pool role of a node: calls for text and for pictures go to different ones.
  std::uint32_t role(sim::ObjectReader& r, const std::string& fallback, bool media) {
    const std::string name = r.string("pool", fallback);
    const std::uint32_t index = index_of(agent_.pool_roles, name);
    if (index == agent_.pool_roles.size()) {
      agent_.pool_roles.push_back({name, media});
    } else if (agent_.pool_roles[index].media != media) {
      r.fault("pool", '"' + name + "\", which other nodes ask for " + (media ? "text" : "pictures"),
              "a name of its own: nodes of kind media and nodes that call a language model go to different pools");
    }
    return index;
  }

  void read_media(Node& n, sim::ObjectReader& r) {
    const sim::NumberRule pixels{.minimum = 16, .maximum = 65536};
    n.role = role(r, "media", true);
    n.picture.width = r.integer("width", pixels);
    n.picture.height = r.integer("height", pixels);
    n.picture.frames = r.integer("frames", {.fallback = 1, .minimum = 1, .maximum = 1e6});
    n.steps = draw(r, "steps", {}, n.name);
    read_results(n, r);
  }

  void read_results(Node& n, sim::ObjectReader& r) {
    n.result_tokens = draw(r, "result_tokens", 0, n.name);
    n.context = context(r, n.result_tokens.given ? std::optional<std::string>("main") : std::nullopt);
    n.parallel = draw(r, "parallel", 1, n.name);
  }

  void read_wait(Node& n, sim::ObjectReader& r) {
    read_results(n, r);
    n.latency_s = draw(r, "latency_s", {}, n.name);
    if (r.has("service")) {
      const std::string service = r.string("service");
      const std::uint32_t index = index_of(agent_.services, service);
      if (index < agent_.services.size()) {
        n.service = index;
      } else {
        r.fault("service", '"' + service + '"',
                "a service of \"services\"" + sim::did_you_mean(service, names_of(agent_.services)));
      }
    } else {
      r.raw("service");
    }
    n.error = r.number("error", {.fallback = 0, .minimum = 0, .maximum = 1});
    n.error_stream = sim::StreamName(fmt::format("{}/{}/error", agent_.name, n.name));
    n.error_tokens = draw(r, "error_tokens", 0, n.name);
    if (!n.error_tokens.given) {  // a measured error message: a line or two
      static const sim::Json kMessage = {{"dist", "lognormal"}, {"median", 20}, {"sigma", 0.6}};
      n.error_tokens.of = sim::Distribution::read(kMessage, agent_.file, "", faults_);
    }
  }

  std::vector<std::string> node_names() const { return names_of(agent_.nodes); }

  std::uint32_t endpoint(sim::ObjectReader& r, std::string_view key) {
    const std::optional<std::string> name = r.valid_string(key);
    if (!name) return kNone;
    const std::uint32_t node = agent_.find(*name);
    if (node == kNone) r.fault(key, '"' + *name + '"', "a node" + sim::did_you_mean(*name, node_names()));
    return node;
  }

  void read_edge(sim::ObjectReader& r) {
    const std::uint32_t from = endpoint(r, "from");
    const std::uint32_t to = endpoint(r, "to");
    Edge e;
    e.index = agent_.edges;
    const auto name = [&](std::uint32_t node) { return node == kNone ? std::string() : agent_.nodes[node].name; };
    const std::string owner = fmt::format("{}>{}#{}", name(from), name(to), e.index);
    e.p = r.number("p", {.fallback = 1, .minimum = 0, .maximum = 1});
    if (const auto max = r.optional_integer("max", {.minimum = 1, .maximum = 1e9}))
      e.max = static_cast<std::uint32_t>(*max);
    e.count = draw(r, "count", 0, owner);
    r.object("spends", [&](sim::ObjectReader& s) {
      e.spends_share = s.number("share", {.minimum = 0, .maximum = 1});
      e.spends_usd_each = s.number("usd_each", {.minimum = 0, .maximum = 1e9, .exclusive = true});
      if (e.count.given) r.fault("spends", "spends beside count", "one of the two");
      if (!agent_.budget_usd.given) r.fault("spends", "no budget_usd of the agent", "a budget_usd to spend from");
      e.count.given = true;
    });
    e.plus = r.integer("plus", {.fallback = 0, .minimum = -1e9, .maximum = 1e9});
    e.last = r.boolean("last", false);
    e.on_error = r.has("on") && !r.choice("on", {"error"}).empty();
    if (!e.on_error) r.raw("on");
    e.otherwise = r.boolean("else", false);
    e.output_tokens = draw(r, "output_tokens", 1, owner);
    e.thinking_tokens = draw(r, "thinking_tokens", 0, owner);
    r.string("evidence", "");
    r.string("note", "");
    if (e.count.given && (r.has("p") || r.has("max"))) {
      r.fault("count", "count beside p or max", "count, or p with max: an edge of an urn has no probability");
    }
    if (!e.count.given && (e.last || r.has("plus"))) {
      r.fault(e.last ? "last" : "plus", "no count beside it", "only on an edge with count");
    }
    if (e.on_error && (e.count.given || r.has("p") || e.otherwise)) {
      r.fault("on", "p, count or else beside it", "this condition, with max or without");
    } else if (e.otherwise && (e.count.given || r.has("p") || r.has("max"))) {
      r.fault("else", "other conditions beside it", "this condition alone");
    }
    if (from == kNone || to == kNone) return;
    Node& source = agent_.nodes[from];
    if (!source.calls_model() && (e.output_tokens.given || e.thinking_tokens.given)) {
      r.fault(e.output_tokens.given ? "output_tokens" : "thinking_tokens", "an edge from a node that calls no model",
              "only on an edge from an llm, guardrail or router node");
    }
    if (e.on_error && !source.waits() && source.kind != NodeKind::kSubAgent) {
      r.fault("on", "an edge from a node that cannot err", "an edge from a tool, retrieval, human or sub-agent node");
    }
    source.urn = source.urn || e.count.given;
    source.chances += e.chance() ? 1 : 0;
    e.target = to;
    source.edges.push_back(std::move(e));
    ++agent_.edges;
  }

  struct JoinName {
    std::uint32_t from;
    std::string name;
    std::string pointer;
  };
  Agent& agent_;
  sim::Faults& faults_;
  std::vector<JoinName> joins_;
};

}  // namespace

std::shared_ptr<Agent> Agent::read(const sim::JsonFile& file, sim::Faults& faults) {
  auto agent = std::make_shared<Agent>();
  agent->file = file.name();
  const std::size_t before = faults.size();
  AgentReader(*agent, faults).read(file.root(faults));
  if (faults.size() == before) validate(*agent, faults);
  return agent;
}

std::uint32_t Agent::find(std::string_view node_name) const {
  const std::uint32_t index = index_of(nodes, node_name);
  return index < nodes.size() ? index : kNone;
}

}  // namespace tokenyard::agents

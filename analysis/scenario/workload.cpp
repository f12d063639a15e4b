#include "analysis/scenario/workload.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "analysis/scenario/name.hpp"
#include "traces/readers/task_reader.hpp"

namespace tokenyard::analysis {

using sim::Json;
using sim::ObjectReader;

namespace {

constexpr std::uint32_t kNoPool = 0xffffffff;

std::vector<std::string> trace_format_names() {
  std::vector<std::string> names;
  for (const traces::TraceFormat& format : traces::all_formats()) names.emplace_back(format.name);
  return names;
}

class WorkloadReader {
 public:
  WorkloadReader(const agents::AgentCatalog& catalog, const std::vector<PoolName>& pools)
      : catalog_(catalog), pools_(pools) {
    for (std::uint32_t p = 0; p < pools.size(); ++p) {
      if (pools[p].takes_calls) {
        names_.push_back(pools[p].name);
        only_ = names_.size() == 1 ? p : kNoPool;
      } else if (pools[p].media) {
        media_names_.push_back(pools[p].name);
        only_media_ = media_names_.size() == 1 ? p : kNoPool;
      }
    }
  }

  WorkloadPlan read(ObjectReader& workload) {
    workload.each("agents", [&](ObjectReader& r) { read_agent(r); });
    workload.object("requests", [&](ObjectReader& r) { read_requests(r); });
    workload.object("trace", [&](ObjectReader& r) {
      const std::optional<std::string> path = r.valid_string("path");
      if (path == "") r.fault("path", "\"\"", "the path of a trace");
      plan_.trace = TraceWorkload{path.value_or(""), r.choice("format", trace_format_names()),
                                  r.number("speed", {.fallback = 1, .minimum = 0, .maximum = 1e9, .exclusive = true})};
      plan_.trace_pool = single_pool(r);
      if (workload.has("agents") || workload.has("requests")) {
        workload.fault("trace", "a trace beside agents or requests", "a trace alone, or agents and requests");
      }
    });
    if (!workload.has("agents") && !workload.has("requests") && !workload.has("trace")) {
      workload.fault("", sim::shown(workload.value()), R"(one of "agents", "requests" and "trace")");
    } else if (workload.has("agents") && plan_.entries.empty() && workload.faults().empty()) {
      workload.fault("agents", "an empty list", "at least one agent");
    }
    return std::move(plan_);
  }

  /// The pool of a workload that names none: the only one, or the first.
  std::uint32_t first_pool() const {
    for (std::uint32_t p = 0; p < pools_.size(); ++p) {
      if (pools_[p].takes_calls) return p;
    }
    return 0;
  }

 private:
  std::uint32_t pool(ObjectReader& r, std::string_view key, const std::string& name, bool media = false) {
    for (std::uint32_t p = 0; p < pools_.size(); ++p) {
      if (pools_[p].name == name && (media ? pools_[p].media : pools_[p].takes_calls)) return p;
    }
    r.fault(key, '"' + name + '"',
            (media ? "a pool of a media model" : "a pool that takes calls") +
                sim::did_you_mean(name, media ? media_names_ : names_));
    return kNoPool;
  }

  std::uint32_t single_pool(ObjectReader& r) {
    if (r.has("pool")) return pool(r, "pool", r.string("pool"));
    r.raw("pool");
    return first_pool();
  }

  /// The pool of each role of the agent's family.
  void read_pools(ObjectReader& r, agents::WorkloadEntry& entry) {
    std::vector<std::string> roles;
    std::vector<bool> media;  // of each role
    for (const agents::Agent* member : agents::family(*entry.agent)) {
      for (const agents::Role& role : member->pool_roles) {
        const auto found = std::find(roles.begin(), roles.end(), role.name);
        if (found == roles.end()) {
          roles.push_back(role.name);
          media.push_back(role.media);
        } else if (media[static_cast<std::size_t>(found - roles.begin())] != role.media) {
          r.fault("agent", fmt::format("its agents ask \"{}\" for text and for pictures", *found),
                  "agents that do not share this role");
        }
      }
    }
    std::vector<std::uint32_t> of_role(roles.size());
    for (std::size_t i = 0; i < roles.size(); ++i) of_role[i] = media[i] ? only_media_ : only_;
    std::uint32_t fallback = only_;
    const bool given = r.object("pools", [&](ObjectReader& map) {
      for (const auto& [role, value] : map.value().items()) {
        const auto at = std::find(roles.begin(), roles.end(), role);
        const bool pictures = at != roles.end() && media[static_cast<std::size_t>(at - roles.begin())];
        const std::uint32_t chosen = pool(map, role, map.string(role), pictures);
        if (role == "default") fallback = chosen;
        if (at != roles.end()) {
          of_role[static_cast<std::size_t>(at - roles.begin())] = chosen;
        } else if (role != "default") {
          map.fault(role, '"' + role + '"',
                    fmt::format("a role of the agent: {}{}", fmt::join(roles, ", "), sim::did_you_mean(role, roles)));
        }
      }
    });
    for (std::size_t i = 0; i < roles.size(); ++i) {
      if (of_role[i] == kNoPool && !media[i]) of_role[i] = fallback;
      if (of_role[i] == kNoPool && r.faults().empty() && media[i]) {
        r.fault("pools", "no pool for the role \"" + roles[i] + "\", which makes pictures",
                media_names_.empty()
                    ? "a pool of a media model (tokenyard catalog media-models), which this scenario has none of"
                    : fmt::format("one of {} for it", fmt::join(media_names_, ", ")));
      } else if (of_role[i] == kNoPool && r.faults().empty()) {
        r.fault("pools", given ? "no pool for the role \"" + roles[i] + '"' : "nothing",
                fmt::format("a pool for each role of the agent ({}), or one for \"default\"", fmt::join(roles, ", ")));
      }
    }
    for (const agents::Agent* member : agents::family(*entry.agent)) {
      std::vector<std::uint32_t> of_member;
      for (const agents::Role& role : member->pool_roles) {
        of_member.push_back(
            of_role[static_cast<std::size_t>(std::find(roles.begin(), roles.end(), role.name) - roles.begin())]);
      }
      entry.pools.push_back(std::move(of_member));
    }
  }

  void read_services(ObjectReader& r, agents::WorkloadEntry& entry) {
    std::vector<std::string> names;
    for (const agents::Agent* member : agents::family(*entry.agent)) {
      std::vector<std::int64_t> capacities;
      for (const agents::ServiceSpec& service : member->services) {
        names.push_back(service.name);
        capacities.push_back(service.capacity);
      }
      entry.capacities.push_back(std::move(capacities));
    }
    r.members("services", [&](const std::string& name, ObjectReader& s) {
      const std::int64_t capacity = s.integer("capacity", {.minimum = 1, .maximum = 1e9});
      bool found = false;
      std::size_t m = 0;
      for (const agents::Agent* member : agents::family(*entry.agent)) {
        for (std::size_t i = 0; i < member->services.size(); ++i) {
          if (member->services[i].name != name) continue;
          entry.capacities[m][i] = capacity;
          found = true;
        }
        ++m;
      }
      if (!found) s.fault("", '"' + name + '"', "a service of the agent" + sim::did_you_mean(name, names));
    });
  }

  /// `rate_per_s` with `arrivals`, or `closed_loop`.
  void read_arrivals(ObjectReader& r, agents::WorkloadEntry& entry) {
    const auto rate = r.optional_number("rate_per_s", {.minimum = 0, .maximum = 1e9, .exclusive = true});
    r.object("arrivals", [&](ObjectReader& a) { entry.arrivals.read(a); });
    r.object("closed_loop", [&](ObjectReader& c) {
      entry.closed_loop.emplace();
      entry.closed_loop->read(c);
      for (const char* other : {"rate_per_s", "arrivals"}) {
        if (r.has(other))
          r.fault(other, "a rate beside a closed loop", "either rate_per_s (with arrivals) or closed_loop");
      }
    });
    if (!rate && !entry.closed_loop && !r.has("rate_per_s"))
      r.fault("rate_per_s", "nothing", "rate_per_s above 0, or a closed_loop");
    entry.arrivals.rate_per_s = rate.value_or(1);
  }

  /// A name of its own for each entry: it keys its random streams and its line in the results.
  void name(ObjectReader& r, agents::WorkloadEntry& entry, const std::string& preferred) {
    entry.name = read_name(r, preferred);
    const auto taken = [&](const std::string& candidate) {
      return std::any_of(plan_.entries.begin(), plan_.entries.end(),
                         [&](const auto& e) { return e.name == candidate; });
    };
    if (taken(entry.name) && r.has("name")) r.fault("name", '"' + entry.name + '"', "a name that no other entry has");
    for (int i = 2; taken(entry.name); ++i) entry.name = fmt::format("{}-{}", preferred, i);
  }

  /// "variant": the name of one, or a list of several.
  void read_variants(ObjectReader& r, const std::string& agent, agents::WorkloadEntry& entry) {
    const Json* value = r.raw("variant");
    const Json* budget = r.raw("budget_usd");
    if (budget != nullptr && !entry.agent->budget_usd.given) {
      r.fault("budget_usd", "an agent that buys nothing", "an agent that has a budget_usd of its own");
      budget = nullptr;
    }
    if (value == nullptr && budget == nullptr) return;
    static const Json kNone = Json::array();
    if (value == nullptr) value = &kNone;
    const std::vector<std::string> known = catalog_.variants(agent);
    std::vector<std::string> chosen;
    for (const Json& variant : value->is_array() ? *value : Json::array({*value})) {
      if (variant.is_string() && std::find(known.begin(), known.end(), variant.get<std::string>()) != known.end()) {
        chosen.push_back(variant.get<std::string>());
      } else {
        const std::string hint = variant.is_string() ? sim::did_you_mean(variant.get<std::string>(), known) : "";
        r.fault("variant", sim::shown(variant),
                fmt::format("a variant of the agent: {}{}", fmt::join(known, ", "), hint));
      }
    }
    if (budget != nullptr) sim::read_amount(r, "budget_usd");  // its faults have their place here
    if (r.faults().empty()) entry.agent = catalog_.find(agent, chosen, r.faults(), budget);
  }

  void read_tool_overlap(ObjectReader& r, agents::WorkloadEntry& entry) {
    const auto& names = agents::kToolOverlapNames;
    const std::string chosen = r.choice("tool_overlap", {names.begin(), names.end()}, "none");
    entry.tools.overlap =
        static_cast<agents::ToolOverlap>(std::find(names.begin(), names.end(), chosen) - names.begin());
    const auto right = r.optional_number("tool_guesses", {.minimum = 0, .maximum = 1});
    if (!right) return;
    entry.tools.right = *right;
    if (entry.tools.overlap != agents::ToolOverlap::kSpeculative)
      r.fault("tool_guesses", "guesses that nobody makes", "tool_overlap speculative with it");
  }

  void read_agent(ObjectReader& r) {
    agents::WorkloadEntry entry;
    const std::optional<std::string> agent = r.valid_string("agent");
    if (agent) entry.agent = catalog_.find(*agent);
    if (entry.agent == nullptr) {
      if (agent)
        r.fault("agent", '"' + *agent + '"',
                "an agent of the catalogue" + sim::did_you_mean(*agent, catalog_.names()) +
                    ", or of yours (--catalog DIR)");
      r.pass_over();  // without the agent, the rest cannot be judged
      return;
    }
    name(r, entry, *agent);
    read_variants(r, *agent, entry);
    read_arrivals(r, entry);
    if (const auto deadline_s = r.optional_number("deadline_s", {.minimum = 0, .maximum = 1e9, .exclusive = true}))
      entry.deadline = sim::Time::seconds(*deadline_s);
    if (const auto most = r.optional_integer("max_in_flight", {.minimum = 1, .maximum = 1e12}))
      entry.max_in_flight = static_cast<std::uint64_t>(*most);
    read_tool_overlap(r, entry);
    r.object("scale", [&](ObjectReader& s) {
      const auto factor = [&](const char* key) {
        return s.number(key, {.fallback = 1, .minimum = 0, .maximum = 1e4, .exclusive = true});
      };
      entry.scale = {factor("tool_time"), factor("human_time"), factor("output_tokens")};
    });
    read_pools(r, entry);
    read_services(r, entry);
    plan_.entries.push_back(std::move(entry));
  }

  void read_requests(ObjectReader& r) {
    agents::WorkloadEntry entry;
    for (const char* key : {"prompt_tokens", "output_tokens"}) sim::read_amount(r, key);
    if (r.faults().empty()) entry.agent = request_agent(r.value());
    name(r, entry, "requests");
    read_arrivals(r, entry);
    entry.pools = {{single_pool(r)}};
    if (entry.agent != nullptr) plan_.entries.push_back(std::move(entry));
  }

  /// An agent whose only step is the request.
  static std::shared_ptr<const agents::Agent> request_agent(const Json& requests) {
    const Json agent = {{"schema", "tokenyard.agent/1"},
                        {"name", "requests"},
                        {"nodes",
                         {{"request",
                           {{"kind", "llm"},
                            {"fresh", true},
                            {"prompt_tokens", requests["prompt_tokens"]},
                            {"output_tokens", requests["output_tokens"]}}},
                          {"end", {{"kind", "end"}}}}},
                        {"edges", Json::array({{{"from", "request"}, {"to", "end"}}})},
                        {"start", "request"}};
    sim::Faults faults;
    std::shared_ptr<const agents::Agent> read =
        agents::Agent::read(sim::JsonFile::from(agent, "workload/requests"), faults);
    faults.throw_if_any();
    return read;
  }

  const agents::AgentCatalog& catalog_;
  const std::vector<PoolName>& pools_;
  std::vector<std::string> names_;
  std::vector<std::string> media_names_;
  std::uint32_t only_ = kNoPool;        ///< the pool that takes calls, if there is one and no other
  std::uint32_t only_media_ = kNoPool;  ///< likewise
  WorkloadPlan plan_;
};

}  // namespace

WorkloadPlan read_workload(ObjectReader& reader, const agents::AgentCatalog& catalog,
                           const std::vector<PoolName>& pools) {
  return WorkloadReader(catalog, pools).read(reader);
}

std::vector<std::string> WorkloadPlan::agents() const {
  std::vector<std::string> names;
  for (const agents::WorkloadEntry& entry : entries) names.push_back(entry.name);
  return names;
}

}  // namespace tokenyard::analysis

#pragma once
/// Agents by name, with sub-agents resolved: the built-in ones, which are inside the binary and are read when first asked
/// for, and the user's. Threads may ask at once.
///
///   AgentCatalog catalog = AgentCatalog::load(faults, {"my-catalog"});   // reads my-catalog/agents/*.json
///   auto agent = catalog.find("sales");
///   auto other = catalog.find("sales", {"reasoning-light"}, faults);

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "agents/graph/agent.hpp"

namespace tokenyard::agents {

class AgentCatalog {
 public:
  struct Source {
    std::string name;  ///< for messages
    std::string text;
  };
  /// The built-in agents, then those of `agents/` in each directory, in order of their names, then single files. Two
  /// of one name in one directory are a fault.
  static AgentCatalog load(sim::Faults& faults, const std::vector<std::filesystem::path>& extra_dirs = {},
                           const std::vector<std::filesystem::path>& extra_files = {});
  /// A later agent of the same name wins. Unknown and recursive sub-agents are faults.
  static AgentCatalog of(const std::vector<Source>& sources, sim::Faults& faults);

  std::shared_ptr<const Agent> find(std::string_view name) const;
  /// The document as it was written, null if there is none of this name.
  const sim::Json* raw(std::string_view name) const;
  /// The agent as patched by variants (variants.hpp), one after the other; each also patches those sub-agents that
  /// offer it. What variants do wrong together is a fault; alone they were checked on loading. Null if there is no such
  /// agent.
  /// `budget_usd`, a DIST, is in place of the agent's own.
  std::shared_ptr<const Agent> find(std::string_view name, const std::vector<std::string>& variants,
                                    sim::Faults& faults, const sim::Json* budget_usd = nullptr) const;
  /// Variants that an agent or a sub-agent of it offers, sorted.
  std::vector<std::string> variants(std::string_view name) const;
  std::vector<std::string> names() const;  ///< sorted

 private:
  struct Entry {
    std::shared_ptr<const sim::JsonFile> file;
    std::shared_ptr<Agent> agent;
  };
  using Entries = std::map<std::string, Entry, std::less<>>;
  /// A run needs a few of them.
  struct BuiltIn {
    std::recursive_mutex mutex;  ///< an agent's sub-agents are asked for while it is read
    std::map<std::string, std::string_view, std::less<>> unread;
    Entries read;
  };
  /// Null if there is none of this name.
  const Entry* entry(std::string_view name) const;
  /// `once`: two of one name are a fault.
  void read(const std::vector<Source>& sources, bool once, sim::Faults& faults);
  /// Sub-agents, once all agents are read.
  void resolve(sim::Faults& faults);
  using FindAgent = std::function<std::shared_ptr<const Agent>(const std::string& name)>;
  /// One that is not found is a fault.
  void set_sub_agents(Agent& agent, const FindAgent& find, sim::Faults& faults) const;
  void find_sub_agents(Agent& agent, sim::Faults& faults) const;
  /// Agents by name as patched by some variants: a sub-agent of two agents is one.
  using Patched = std::map<std::string, std::shared_ptr<const Agent>, std::less<>>;
  std::shared_ptr<const Agent> patch(std::string_view name, const std::vector<std::string>& variants, Patched& patched,
                                     sim::Faults& faults, const sim::Json* budget_usd) const;

  Entries added_;
  std::unique_ptr<BuiltIn> built_in_ = std::make_unique<BuiltIn>();
};

/// The agent and, each once, the agents it calls, directly or not; itself first.
std::vector<const Agent*> family(const Agent& agent);

/// The names of a family's nodes in the order of the node numbers of calls and spans: own nodes first, those of a
/// sub-agent as "sub-agent/node".
std::vector<std::string> node_names(const Agent& agent);

}  // namespace tokenyard::agents

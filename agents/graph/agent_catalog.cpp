#include "agents/graph/agent_catalog.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/graph/iteration_macros.hpp>

#include "embedded/agent_catalog.hpp"

namespace tokenyard::agents {
namespace {

bool reaches(const Agent& from, const Agent& agent, std::vector<const Agent*>& seen) {
  for (const Agent* sub : from.sub_agents) {
    if (sub == nullptr || std::find(seen.begin(), seen.end(), sub) != seen.end()) continue;
    if (sub == &agent) return true;
    seen.push_back(sub);
    if (reaches(*sub, agent, seen)) return true;
  }
  return false;
}

std::string place_of_sub_agent(const Agent& agent, std::size_t index) {
  BGL_FORALL_VERTICES_T(v, agent.graph, TaskGraph) {
    if (agent.graph[v].sub_agent == index) return "/nodes/" + agent.graph[v].name + "/agent";
  }
  return "/nodes";
}

}  // namespace

AgentCatalog AgentCatalog::built_in(sim::Faults& faults, const std::vector<std::filesystem::path>& extra_dirs,
                                    const std::vector<std::filesystem::path>& extra_files) {
  std::vector<Source> sources;
  for (const embedded::File& file : embedded::agent_catalog()) {
    sources.push_back({"built-in: " + std::string(file.path), std::string(file.text)});
  }
  const auto add = [&](const std::filesystem::path& path) {
    if (auto text = sim::read_text_file(path, faults)) sources.push_back({path.string(), std::move(*text)});
  };
  for (const std::filesystem::path& directory : extra_dirs) {
    std::vector<std::filesystem::path> files;
    std::error_code error;  // a catalogue need not hold agents
    for (std::filesystem::directory_iterator at(directory / "agents", error), end; !error && at != end; at.increment(error)) {
      if (at->path().extension() == ".json") files.push_back(at->path());
    }
    std::sort(files.begin(), files.end());
    for (const std::filesystem::path& path : files) add(path);
  }
  for (const std::filesystem::path& path : extra_files) add(path);
  return load(sources, faults);
}

AgentCatalog AgentCatalog::load(const std::vector<Source>& sources, sim::Faults& faults) {
  AgentCatalog catalog;
  for (const Source& source : sources) {
    const sim::JsonFile file = sim::JsonFile::parse(source.text, source.name, faults);
    std::shared_ptr<Agent> agent = Agent::read(file, faults);
    if (!agent->name.empty()) catalog.agents_[agent->name] = std::move(agent);
  }
  const std::vector<std::string> names = catalog.names();
  for (const auto& [name, agent] : catalog.agents_) {
    for (std::size_t i = 0; i < agent->sub_agent_names.size(); ++i) {
      const auto found = catalog.agents_.find(agent->sub_agent_names[i]);
      agent->sub_agents.push_back(found == catalog.agents_.end() ? nullptr : found->second.get());
      if (found == catalog.agents_.end()) {
        faults.add(agent->file, place_of_sub_agent(*agent, i), '"' + agent->sub_agent_names[i] + '"',
                   "an agent of the catalogue" + sim::did_you_mean(agent->sub_agent_names[i], names));
      }
    }
  }
  for (const auto& [name, agent] : catalog.agents_) {
    std::vector<const Agent*> seen;
    if (reaches(*agent, *agent, seen)) {
      faults.add(agent->file, "/nodes", "an agent that calls itself through its sub-agents", "sub-agents without recursion");
    }
  }
  return catalog;
}

std::shared_ptr<const Agent> AgentCatalog::find(std::string_view name) const {
  const auto found = agents_.find(name);
  return found == agents_.end() ? nullptr : found->second;
}

std::vector<std::string> AgentCatalog::names() const {
  std::vector<std::string> names;
  for (const auto& [name, agent] : agents_) names.push_back(name);
  return names;
}

std::vector<const Agent*> family(const Agent& agent) {
  std::vector<const Agent*> members = {&agent};
  for (std::size_t i = 0; i < members.size(); ++i) {
    for (const Agent* sub : members[i]->sub_agents) {
      if (std::find(members.begin(), members.end(), sub) == members.end()) members.push_back(sub);
    }
  }
  return members;
}

std::vector<std::string> node_names(const Agent& agent) {
  std::vector<std::string> names;
  for (const Agent* member : family(agent)) {
    for (std::uint32_t v = 0; v < member->nodes(); ++v) {
      names.push_back(member == &agent ? member->node(v).name : fmt::format("{}/{}", member->name, member->node(v).name));
    }
  }
  return names;
}

}  // namespace tokenyard::agents

#include "agents/graph/agent_catalog.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "agents/graph/variants.hpp"
#include "platforms/spec/catalog.hpp"
#include "sim/core/error.hpp"

#include "embedded/agent_catalog.hpp"

namespace tokenyard::agents {
namespace {

bool reaches(const Agent& from, const Agent& agent, std::vector<const Agent*>& seen) {
  for (const SubAgent& sub : from.sub_agents) {
    if (sub.agent == nullptr || std::find(seen.begin(), seen.end(), sub.agent.get()) != seen.end()) continue;
    if (sub.agent.get() == &agent) return true;
    seen.push_back(sub.agent.get());
    if (reaches(*sub.agent, agent, seen)) return true;
  }
  return false;
}

std::string place_of_sub_agent(const Agent& agent, std::size_t index) {
  for (const Node& node : agent.nodes) {
    if (node.sub_agent == index) return sim::pointer_to("/nodes", node.name) + "/agent";
  }
  return "/nodes";
}

/// Whether the document has what a pointer leads to, or, where nothing was found, only its last key is missing.
bool stands_in(const sim::Json& document, const std::string& pointer, bool missing) {
  try {
    const sim::Json::json_pointer at(pointer);
    return document.contains(missing ? at.parent_pointer() : at);
  } catch (const sim::Json::exception&) {
    return false;
  }
}

/// Reads an agent as a variant patches it. A fault of what the variant says is told at its place in the file, any other
/// at the variant, with its place in the patched agent.
void check_variant(const sim::JsonFile& agent, const std::string& variant, sim::Faults& faults) {
  const std::string of_variant = sim::pointer_to("/variants", variant);
  for (const char* key : {"nodes", "edges", "start"}) {
    const sim::Json& patch = agent.value()["variants"][variant];
    if (!patch.is_object() || !patch.contains(key) || !patch[key].is_null()) continue;
    faults.add(agent.name(), of_variant + '/' + key, "null", "what differs: no agent is without " + std::string(key));
    return;
  }
  const std::size_t before = faults.size();
  const sim::JsonFile patched = with_variant(agent, variant, faults);
  sim::Faults of_patched;
  Agent::read(patched, of_patched);
  if (faults.size() > before) return;
  for (sim::Fault fault : of_patched.list()) {
    if (stands_in(agent.value(), of_variant + fault.place, fault.found == "nothing")) {
      fault.place = of_variant + fault.place;
    } else {
      fault.found += " at " + fault.place + " of the agent as patched";
      fault.place = of_variant;
    }
    faults.add(agent.name(), fault.place, fault.found, fault.allowed);
  }
}

}  // namespace

AgentCatalog AgentCatalog::load(sim::Faults& faults, const std::vector<std::filesystem::path>& extra_dirs,
                                const std::vector<std::filesystem::path>& extra_files) {
  AgentCatalog catalog;
  for (const embedded::File& file : embedded::agent_catalog())
    catalog.built_in_->unread.emplace(std::filesystem::path(file.path).stem().string(), file.text);
  const auto texts_of = [&](const std::vector<std::filesystem::path>& files) {
    std::vector<Source> sources;
    for (const std::filesystem::path& path : files) {
      if (auto text = sim::read_text_file(path, faults)) sources.push_back({path.string(), std::move(*text)});
    }
    return sources;
  };
  for (const std::filesystem::path& directory : extra_dirs) {
    std::error_code error;
    if (!std::filesystem::is_directory(directory / "agents", error)) continue;  // a catalogue need not hold agents
    catalog.read(texts_of(platforms::json_files(directory / "agents", faults)), true, faults);
  }
  catalog.read(texts_of(extra_files), false, faults);
  catalog.resolve(faults);
  return catalog;
}

AgentCatalog AgentCatalog::of(const std::vector<Source>& sources, sim::Faults& faults) {
  AgentCatalog catalog;
  catalog.read(sources, false, faults);
  catalog.resolve(faults);
  return catalog;
}

void AgentCatalog::read(const std::vector<Source>& sources, bool once, sim::Faults& faults) {
  std::map<std::string, std::string> files;  // by agent
  for (const Source& source : sources) {
    const std::size_t before = faults.size();
    const auto file = std::make_shared<const sim::JsonFile>(sim::JsonFile::parse(source.text, source.name, faults));
    std::shared_ptr<Agent> agent = Agent::read(*file, faults);
    if (faults.size() == before) {  // else each variant would repeat the agent's faults
      for (const std::string& variant : variant_names(*file)) check_variant(*file, variant, faults);
    }
    const auto [first, fresh] = files.try_emplace(agent->name, source.name);
    if (once && !fresh && !agent->name.empty()) {
      faults.add(source.name, "/name", fmt::format("\"{}\", which is also that of {}", agent->name, first->second),
                 "a name of its own: a directory has each agent once");
    }
    if (!agent->name.empty()) added_.insert_or_assign(agent->name, Entry{file, agent});
  }
}

void AgentCatalog::resolve(sim::Faults& faults) {
  for (const auto& [name, entry] : added_) find_sub_agents(*entry.agent, faults);
  bool recursive = false;
  for (const auto& [name, entry] : added_) {
    std::vector<const Agent*> seen;
    if (reaches(*entry.agent, *entry.agent, seen)) {
      faults.add(entry.agent->file, "/nodes", "an agent that calls itself through its sub-agents",
                 "sub-agents without recursion");
      recursive = true;
    }
  }
  if (recursive) {  // or agents would keep each other alive
    for (const auto& [name, entry] : added_) {
      for (SubAgent& sub : entry.agent->sub_agents) sub.agent.reset();
    }
  }
}

void AgentCatalog::set_sub_agents(Agent& agent, const FindAgent& find, sim::Faults& faults) const {
  for (std::size_t i = 0; i < agent.sub_agents.size(); ++i) {
    SubAgent& sub = agent.sub_agents[i];
    sub.agent = find(sub.name);
    if (sub.agent == nullptr) {
      faults.add(agent.file, place_of_sub_agent(agent, i), '"' + sub.name + '"',
                 "an agent of the catalogue" + sim::did_you_mean(sub.name, names()) + ", or of yours (--catalog DIR)");
    }
  }
}

void AgentCatalog::find_sub_agents(Agent& agent, sim::Faults& faults) const {
  set_sub_agents(
      agent, [this](const std::string& name) { return find(name); }, faults);
}

const AgentCatalog::Entry* AgentCatalog::entry(std::string_view name) const {
  if (const auto added = added_.find(name); added != added_.end()) return &added->second;
  const std::lock_guard lock(built_in_->mutex);
  if (const auto unread = built_in_->unread.find(name); unread != built_in_->unread.end()) {
    sim::Faults faults;
    Entry entry;
    entry.file = std::make_shared<const sim::JsonFile>(
        sim::JsonFile::parse(unread->second, fmt::format("built-in: {}", name), faults));
    entry.agent = Agent::read(*entry.file, faults);
    built_in_->unread.erase(unread);
    find_sub_agents(*built_in_->read.emplace(name, std::move(entry)).first->second.agent, faults);
    if (!faults.empty()) throw sim::InternalError(faults.list().front().message());
  }
  const auto read = built_in_->read.find(name);
  return read == built_in_->read.end() ? nullptr : &read->second;
}

std::shared_ptr<const Agent> AgentCatalog::find(std::string_view name) const {
  const Entry* found = entry(name);
  return found == nullptr ? nullptr : found->agent;
}

std::shared_ptr<const Agent> AgentCatalog::find(std::string_view name, const std::vector<std::string>& variants,
                                                sim::Faults& faults, const sim::Json* budget_usd) const {
  Patched patched;
  return patch(name, variants, patched, faults, budget_usd);
}

std::shared_ptr<const Agent> AgentCatalog::patch(std::string_view name, const std::vector<std::string>& variants,
                                                 Patched& patched, sim::Faults& faults,
                                                 const sim::Json* budget_usd) const {
  if (const auto done = patched.find(name); done != patched.end()) return done->second;
  const Entry* found = entry(name);
  if (found == nullptr) return nullptr;
  patched[std::string(name)] = found->agent;  // also what an agent gets that a variant makes call itself
  bool changed = false;
  for (const SubAgent& sub : found->agent->sub_agents)
    changed |= patch(sub.name, variants, patched, faults, nullptr) != find(sub.name);
  std::shared_ptr<const sim::JsonFile> file = found->file;
  for (const std::string& variant : variants) {
    const std::vector<std::string> offered = variant_names(*file);
    if (std::find(offered.begin(), offered.end(), variant) == offered.end()) continue;
    file = std::make_shared<const sim::JsonFile>(with_variant(*file, variant, faults));
    changed = true;
  }
  if (budget_usd != nullptr) {
    sim::Json with_budget = file->value();
    with_budget["budget_usd"] = *budget_usd;
    file = std::make_shared<const sim::JsonFile>(sim::JsonFile::from(std::move(with_budget), file->name()));
    changed = true;
  }
  if (!changed) return found->agent;
  const std::shared_ptr<Agent> agent = Agent::read(*file, faults);
  // Not always the agent's: a variant may call others.
  set_sub_agents(
      *agent, [&](const std::string& sub) { return patch(sub, variants, patched, faults, nullptr); }, faults);
  patched[std::string(name)] = agent;
  return agent;
}

std::vector<std::string> AgentCatalog::variants(std::string_view name) const {
  std::vector<std::string> names;
  const std::shared_ptr<const Agent> agent = find(name);
  if (agent == nullptr) return names;
  for (const Agent* member : family(*agent)) {
    for (std::string& variant : variant_names(*entry(member->name)->file)) names.push_back(std::move(variant));
  }
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return names;
}

const sim::Json* AgentCatalog::raw(std::string_view name) const {
  const Entry* found = entry(name);
  return found == nullptr ? nullptr : &found->file->value();
}

std::vector<std::string> AgentCatalog::names() const {
  std::vector<std::string> names;
  for (const auto& [name, entry] : added_) names.push_back(name);
  const std::lock_guard lock(built_in_->mutex);
  for (const auto& [name, text] : built_in_->unread) names.push_back(name);
  for (const auto& [name, entry] : built_in_->read) names.push_back(name);
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return names;
}

std::vector<const Agent*> family(const Agent& agent) {
  std::vector<const Agent*> members = {&agent};
  for (std::size_t i = 0; i < members.size(); ++i) {
    for (const SubAgent& sub : members[i]->sub_agents) {
      const Agent* known = sub.agent.get();
      if (known != nullptr && std::find(members.begin(), members.end(), known) == members.end())
        members.push_back(known);
    }
  }
  return members;
}

std::vector<std::string> node_names(const Agent& agent) {
  std::vector<std::string> names;
  for (const Agent* member : family(agent)) {
    for (const Node& node : member->nodes)
      names.push_back(member == &agent ? node.name : fmt::format("{}/{}", member->name, node.name));
  }
  return names;
}

}  // namespace tokenyard::agents

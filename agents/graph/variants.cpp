#include "agents/graph/variants.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace tokenyard::agents {
namespace {

using sim::Json;

std::string text_of(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : "";
}

std::string ends_of(const Json& edge) {
  return edge.is_object() ? fmt::format("{}>{}", text_of(edge, "from"), text_of(edge, "to")) : "";
}

/// RFC 7386, but for a whole distribution, which replaces what was there: one family's parameters mean nothing to
/// another.
void merge(Json& target, const Json& patch) {
  if (!patch.is_object() || patch.contains("dist")) {
    target = patch;
    return;
  }
  if (!target.is_object()) target = Json::object();
  for (const auto& [key, value] : patch.items()) {
    if (value.is_null()) {
      target.erase(key);
    } else {
      merge(target[key], value);
    }
  }
}

/// Patches `edges` by what `patches` has under "from>to".
void merge_edges(Json& edges, const Json& patches, const std::string& file, const std::string& pointer,
                 sim::Faults& faults) {
  if (!patches.is_object() || !edges.is_array()) {
    faults.add(file, pointer, sim::shown(patches), R"(an object: {"from>to": {…}} for each edge that differs)");
    return;
  }
  for (const auto& [ends, patch] : patches.items()) {
    std::vector<std::size_t> found;
    for (std::size_t i = 0; i < edges.size(); ++i) {
      if (ends_of(edges[i]) == ends) found.push_back(i);
    }
    const std::size_t arrow = ends.find('>');
    const std::string place = sim::pointer_to(pointer, ends);
    if (arrow == std::string::npos || (found.empty() && patch.is_null())) {
      std::vector<std::string> known;
      for (const Json& edge : edges) known.push_back(ends_of(edge));
      faults.add(file, place, '"' + ends + '"', "the ends of an edge, \"from>to\"" + sim::did_you_mean(ends, known));
    } else if (found.size() > 1) {
      faults.add(file, place, '"' + ends + "\": several edges have these ends", "the ends of one edge alone");
    } else if (found.empty()) {
      Json edge = {{"from", ends.substr(0, arrow)}, {"to", ends.substr(arrow + 1)}};
      merge(edge, patch);
      edges.push_back(std::move(edge));
    } else if (patch.is_null()) {
      edges.erase(found.front());
    } else {
      merge(edges[found.front()], patch);
    }
  }
}

const Json* variants_of(const sim::JsonFile& agent) {
  if (!agent.value().is_object()) return nullptr;
  const auto found = agent.value().find("variants");
  return found != agent.value().end() && found->is_object() ? &*found : nullptr;
}

}  // namespace

std::vector<std::string> variant_names(const sim::JsonFile& agent) {
  std::vector<std::string> names;
  if (const Json* variants = variants_of(agent)) {
    for (const auto& [name, patch] : variants->items()) names.push_back(name);
  }
  return names;
}

sim::JsonFile with_variant(const sim::JsonFile& agent, std::string_view variant, sim::Faults& faults) {
  const std::string name(variant);
  const std::string pointer = sim::pointer_to("/variants", name);
  Json patched = agent.value();
  const Json* variants = variants_of(agent);
  if (variants == nullptr || !variants->contains(name)) {
    faults.add(agent.name(), "/variants", '"' + name + '"',
               "a variant of the agent" + sim::did_you_mean(name, variant_names(agent)));
  } else if (const Json& patch = (*variants)[name]; !patch.is_object()) {
    faults.add(agent.name(), pointer, sim::shown(patch), "an object: what differs from the agent");
  } else {
    for (const auto& [key, value] : patch.items()) {
      if (key == "edges") {
        merge_edges(patched["edges"], value, agent.name(), pointer + "/edges", faults);
      } else if (key == "name" || key == "schema" || key == "variants") {
        faults.add(agent.name(), pointer + "/" + key, "a variant's own " + key, "the agent's");
      } else if (value.is_null()) {
        patched.erase(key);
      } else {
        merge(patched[key], value);
      }
    }
  }
  return sim::JsonFile::from(std::move(patched), fmt::format("{} (variant {})", agent.name(), name));
}

}  // namespace tokenyard::agents

#include "analysis/schemas/summary_keys.hpp"

#include <algorithm>

#include "analysis/schemas/schemas.hpp"
#include "sim/input/json.hpp"
#include "sim/input/json_reader.hpp"

namespace tokenyard::analysis {
namespace {

using sim::Json;

bool may_be_number(const Json& schema) {
  const Json types = schema.value("type", Json());
  const auto counts = [](const Json& type) { return type == "number" || type == "integer" || type == "boolean"; };
  return types.is_array() ? std::any_of(types.begin(), types.end(), counts) : counts(types);
}

SummaryKeys read(const Json& root, const std::string& name, const Json& schema) {
  if (schema.contains("$ref"))
    return read(root, name, root.at(Json::json_pointer(schema["$ref"].get<std::string>().substr(1))));
  SummaryKeys keys{name, may_be_number(schema), {}};
  if (const auto members = schema.find("properties"); members != schema.end()) {
    for (const auto& [key, member] : members->items()) keys.members.push_back(read(root, key, member));
  }
  if (const auto others = schema.find("additionalProperties"); others != schema.end() && others->is_object())
    keys.members.push_back(read(root, "*", *others));
  return keys;
}

}  // namespace

const SummaryKeys* SummaryKeys::find(std::string_view member) const {
  const auto found =
      std::find_if(members.begin(), members.end(), [&](const SummaryKeys& keys) { return keys.name == member; });
  return found == members.end() ? nullptr : &*found;
}

std::vector<std::string> SummaryKeys::names() const {
  std::vector<std::string> names;
  for (const SummaryKeys& keys : members) {
    if (keys.name != "*") names.push_back(keys.name);
  }
  return names;
}

const SummaryKeys& summary_keys() {
  static const SummaryKeys kKeys = [] {
    const Json schema = sim::parse_json(schema_text("summary").value()).value();
    return read(schema, "", schema);
  }();
  return kKeys;
}

}  // namespace tokenyard::analysis

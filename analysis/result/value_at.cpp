#include "analysis/result/value_at.hpp"

#include <nlohmann/json.hpp>

namespace tokenyard::analysis {

const sim::Json& value_at(const sim::Json& json, JsonPath keys) {
  static const sim::Json kNone;
  const sim::Json* value = &json;
  for (const std::string_view key : keys) {
    if (!value->is_object()) return kNone;
    const auto it = value->find(std::string(key));
    if (it == value->end()) return kNone;
    value = &*it;
  }
  return *value;
}

const sim::Json* find_key(const sim::Json& json, std::string_view key) {
  if (!json.is_object()) return nullptr;
  // The longest name that matches goes first.
  for (std::size_t end = key.size(); end != std::string_view::npos && end > 0; end = key.rfind('.', end - 1)) {
    const auto member = json.find(key.substr(0, end));
    if (member == json.end()) continue;
    if (end == key.size()) return &*member;
    if (const sim::Json* found = find_key(*member, key.substr(end + 1))) return found;
  }
  return nullptr;
}

std::optional<double> number_at(const sim::Json& json, JsonPath keys) {
  const sim::Json& value = value_at(json, keys);
  if (!value.is_number()) return {};
  return value.get<double>();
}

std::string text_at(const sim::Json& json, JsonPath keys) {
  const sim::Json& value = value_at(json, keys);
  return value.is_string() ? value.get<std::string>() : std::string();
}

}  // namespace tokenyard::analysis

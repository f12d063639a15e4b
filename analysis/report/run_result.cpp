#include "analysis/report/run_result.hpp"

#include <nlohmann/json.hpp>

namespace tokenyard::analysis {
namespace {

sim::JsonFile load(const std::filesystem::path& path, const char* schema, sim::Faults& faults) {
  const std::size_t before = faults.size();
  sim::JsonFile file = sim::JsonFile::load(path, faults);
  if (faults.size() == before && text_at(file.value(), {"schema"}) != schema) {
    faults.add(path.string(), "/schema", sim::shown(value_at(file.value(), {"schema"})),
               std::string("\"") + schema + "\", as a run of tokenyard writes it");
  }
  return file;
}

}  // namespace

sim::JsonFile load_summary(const std::filesystem::path& folder, sim::Faults& faults) {
  return load(folder / "summary.json", "tokenyard.summary/1", faults);
}

bool RunResult::has(const char* file) const {
  std::error_code ignored;
  return std::filesystem::is_regular_file(path / file, ignored);
}

RunResult RunResult::read(const std::filesystem::path& folder) {
  sim::Faults faults;
  RunResult result;
  result.path = folder;
  result.manifest_file = load(folder / "manifest.json", "tokenyard.manifest/1", faults);
  result.summary_file = load_summary(folder, faults);
  faults.throw_if_any();
  if (result.has("series.csv")) result.series = read_pool_series(folder / "series.csv");
  return result;
}

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

#include "analysis/result/run_result.hpp"

#include <nlohmann/json.hpp>

#include "analysis/result/value_at.hpp"

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

}  // namespace tokenyard::analysis

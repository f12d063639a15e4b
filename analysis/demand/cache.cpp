#include "analysis/demand/cache.hpp"

#include <cstdlib>
#include <fstream>

#include "analysis/run/digest.hpp"
#include "sim/input/json.hpp"
#include "traces/writers/output_file.hpp"

namespace tokenyard::analysis {

using sim::Json;

std::filesystem::path Cache::default_folder() {
  const char* cache = std::getenv("XDG_CACHE_HOME");
  if (cache != nullptr && cache[0] == '/') return std::filesystem::path(cache) / "tokenyard";
  const char* home = std::getenv("HOME");
  return home != nullptr && home[0] == '/' ? std::filesystem::path(home) / ".cache" / "tokenyard"
                                           : std::filesystem::path();
}

std::filesystem::path Cache::file_of(const std::string& key) const {
  const std::string name = sha256(key);
  return folder_ / name.substr(0, 2) / (name.substr(2) + ".json");
}

std::optional<Json> Cache::find(const Json& key) const {
  if (folder_.empty()) return {};
  const std::string text = sim::to_text(key);
  std::ifstream in(file_of(text), std::ios::binary);
  if (!in) return {};
  std::optional<Json> kept = sim::parse_json(std::string(std::istreambuf_iterator<char>(in), {}));
  if (!kept || !kept->is_object() || kept->value("key", Json()) != sha256(text) || !kept->contains("value")) return {};
  return std::move((*kept)["value"]);
}

void Cache::keep(const Json& key, const Json& value) const {
  if (folder_.empty()) return;
  const std::string text = sim::to_text(key);
  const std::filesystem::path path = file_of(text);
  std::error_code error;
  std::filesystem::create_directories(path.parent_path(), error);
  if (error) return;
  try {
    traces::OutputFile file(path);
    fmt::format_to(file.out(), "{}\n", sim::to_text(Json{{"key", sha256(text)}, {"value", value}}, 1));
    file.commit();
  } catch (const traces::OutputError&) {
  }
}

}  // namespace tokenyard::analysis

#include "analysis/schemas/schemas.hpp"

#include <algorithm>
#include <filesystem>

#include "embedded/schemas.hpp"

namespace tokenyard::analysis {
namespace {

/// "schemas/chip.json" is the schema "chip".
std::string name_of(const embedded::File& file) { return std::filesystem::path(file.path).stem().string(); }

}  // namespace

std::vector<std::string> schema_names() {
  std::vector<std::string> names;
  for (const embedded::File& file : embedded::schemas()) names.push_back(name_of(file));
  std::sort(names.begin(), names.end());
  return names;
}

std::optional<std::string_view> schema_text(std::string_view name) {
  for (const embedded::File& file : embedded::schemas()) {
    if (name_of(file) == name) return file.text;
  }
  return {};
}

}  // namespace tokenyard::analysis

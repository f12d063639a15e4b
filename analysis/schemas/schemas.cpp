#include "analysis/schemas/schemas.hpp"

#include <algorithm>

#include "embedded/schemas.hpp"

namespace tokenyard::analysis {
namespace {

/// "schemas/chip.json" is the schema "chip".
std::string_view name_of(const embedded::File& file) {
  const std::size_t slash = file.path.rfind('/') + 1;
  return file.path.substr(slash, file.path.rfind('.') - slash);
}

}  // namespace

std::vector<std::string> schema_names() {
  std::vector<std::string> names;
  for (const embedded::File& file : embedded::schemas()) names.emplace_back(name_of(file));
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

#pragma once
/// The catalogues that names refer to: built in, and of the folders given with --catalog.

#include <string>
#include <vector>

#include "analysis/scenario/scenario.hpp"

namespace tokenyard::analysis {

struct LoadedCatalogs {
  platforms::Catalog platforms;
  agents::AgentCatalog agents;
  Catalogs view() const { return {platforms, agents}; }
};

/// Throws sim::InputError with every fault of every file.
inline LoadedCatalogs load_catalogs(const std::vector<std::string>& folders) {
  const std::vector<std::filesystem::path> paths(folders.begin(), folders.end());
  sim::Faults faults;
  LoadedCatalogs catalogs{platforms::Catalog::load(faults, paths), agents::AgentCatalog::built_in(faults, paths)};
  faults.throw_if_any();
  return catalogs;
}

inline constexpr const char* kCatalogHelp =
    "a folder with chips/, models/, engines/, clusters/, agents/ of your own (repeatable)";

}  // namespace tokenyard::analysis

#pragma once
/// The catalogues that names refer to: built in, and of the folders given with --catalog.

#include <CLI/CLI.hpp>
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
  LoadedCatalogs catalogs{platforms::Catalog::load(faults, paths), agents::AgentCatalog::load(faults, paths)};
  faults.throw_if_any();
  return catalogs;
}

inline CLI::Option* add_catalog_option(CLI::App& sub, std::vector<std::string>& folders) {
  return sub
      .add_option("--catalog", folders,
                  "a folder with chips/, models/, media-models/, engines/, clusters/, agents/ of your own (repeatable)")
      ->option_text("DIR")
      ->expected(1)
      ->take_all();
}

}  // namespace tokenyard::analysis

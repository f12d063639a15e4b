#pragma once
/// By which service levels runs were judged, as their manifests say.
///
///   level_differences(level_of("results/base"), level_of("results/other"));

#include <filesystem>
#include <optional>
#include <vector>

#include "analysis/compare/compare.hpp"
#include "analysis/scenario/service_level.hpp"

namespace tokenyard::analysis {

/// Nothing where the folder does not say. A level of another version is read as far as it is known. Throws
/// sim::InputError for a manifest that cannot be read.
std::optional<Slo> level_of(const std::filesystem::path& folder);

/// None where one of the levels is not known.
std::vector<LevelDifference> level_differences(const std::optional<Slo>& base, const std::optional<Slo>& other);

}  // namespace tokenyard::analysis

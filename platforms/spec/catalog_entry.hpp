#pragma once
/// Entries of the catalogue by the names that a scenario gives them.

#include "platforms/spec/catalog.hpp"
#include "sim/input/json_reader.hpp"

namespace tokenyard::platforms {

/// The entry named under `key`; null, with a fault that names the nearest, if the catalogue has none.
///
///   plan.chip = catalog_entry(reader, "chip", CatalogKind::kChip, catalog, &Catalog::find_chip);
template <typename Entry>
const Entry* catalog_entry(sim::ObjectReader& reader, std::string_view key, CatalogKind kind, const Catalog& catalog,
                           const Entry* (Catalog::*find)(std::string_view) const,
                           const std::optional<std::string>& fallback = {}) {
  const std::optional<std::string> name = reader.valid_string(key, fallback);
  if (!name) return nullptr;
  const Entry* found = (catalog.*find)(*name);
  if (found == nullptr) reader.fault(key, '"' + *name + '"', catalog.allowed(kind, *name));
  return found;
}

}  // namespace tokenyard::platforms

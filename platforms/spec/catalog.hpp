#pragma once
/// The catalogue of chips, models, engines and clusters: the built-in files, which are inside the binary, and the
/// user's.
///
/// A user's directory holds `chips/`, `models/`, `engines/`, `clusters/` with one entry a file, or such files directly
/// (then "schema" says what each is: "tokenyard.chip/1" …). Its entries replace built-in ones of the same name, later
/// directories those of earlier ones; what belongs to other floors (`agents/`) is left alone. Loading takes some
/// milliseconds; pointers stay valid as long as the catalogue, also when it is moved.
///
///   sim::Faults faults;
///   Catalog catalog = Catalog::load(faults, {"my-chips"});
///   const Chip* chip = catalog.find_chip(name);
///   if (!chip) faults.add(file, place, name, "a chip of the catalogue" + sim::did_you_mean(name,
///   catalog.names(CatalogKind::kChip)));

#include <array>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "platforms/spec/chip.hpp"
#include "platforms/spec/engine.hpp"
#include "platforms/spec/fact.hpp"
#include "platforms/spec/model.hpp"
#include "sim/input/faults.hpp"
#include "sim/input/json_reader.hpp"

namespace tokenyard::platforms {

enum class CatalogKind : std::uint8_t { kChip, kModel, kEngine, kCluster };
inline constexpr std::array<CatalogKind, 4> kCatalogKinds = {CatalogKind::kChip, CatalogKind::kModel,
                                                             CatalogKind::kEngine, CatalogKind::kCluster};
/// "chip", "model", "engine", "cluster"; the folder has an s.
std::string_view name_of(CatalogKind kind);
/// "tokenyard.chip/1".
std::string schema_of(CatalogKind kind);

class Catalog {
 public:
  /// Built-in entries first, then the directories in order. Every fault of every file is collected.
  static Catalog load(sim::Faults& faults, const std::vector<std::filesystem::path>& extra_dirs = {});

  /// Reads one entry. `file` is for messages, and `origin()` of the entry. The kind comes from "schema", or is `kind`
  /// where the file does not say. An entry with faults is not added.
  void add(std::string_view text, const std::string& file, std::optional<CatalogKind> kind, sim::Faults& faults);
  /// Reads a directory as described above.
  void add_directory(const std::filesystem::path& directory, sim::Faults& faults);

  /// Null if there is none of that name.
  const Chip* find_chip(std::string_view name) const;
  const ModelArchitecture* find_model(std::string_view name) const;
  const EngineDefaults* find_engine(std::string_view name) const;
  /// The cluster as a scenario writes it, under its key "cluster".
  const sim::Json* find_cluster(std::string_view name) const;

  /// Sorted.
  std::vector<std::string> names(CatalogKind kind) const;
  /// The entry as it was written; null if there is none.
  const sim::Json* raw(CatalogKind kind, std::string_view name) const;
  /// Its numbers with their sources; for a cluster, the sources that stand beside them.
  std::vector<Fact> facts(CatalogKind kind, std::string_view name) const;
  /// "built-in", or the file that the entry was read from; empty if there is none.
  std::string origin(CatalogKind kind, std::string_view name) const;

 private:
  struct Entry {
    std::shared_ptr<const sim::Json> raw;
    std::string origin;
  };
  template <typename T>
  using Named = std::map<std::string, T, std::less<>>;

  const Entry* entry(CatalogKind kind, std::string_view name) const;
  void add_json(const sim::JsonFile& json, std::optional<CatalogKind> kind, sim::Faults& faults);

  std::array<Named<Entry>, 4> entries_;
  Named<Chip> chips_;
  Named<ModelArchitecture> models_;
  Named<EngineDefaults> engines_;
};

}  // namespace tokenyard::platforms

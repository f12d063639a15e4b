#pragma once
/// The catalogue of chips, models, engines and clusters: the built-in files, which are inside the binary, and the
/// user's.
///
/// A user's directory holds `chips/`, `models/`, `media-models/`, `engines/`, `clusters/` with one entry a file, or
/// such files directly (then "schema" says what each is: "tokenyard.chip/1" …). Its entries replace built-in ones of
/// the same name, later directories those of earlier ones; what belongs to other floors (`agents/`) is left alone. A
/// directory without a single entry, a folder in it whose name is nearly one of these, and two files with one name are
/// faults: the built-in entry would be taken without a word.
/// Built-in entries are read when they are asked for; pointers stay valid as long as the catalogue, also when it is
/// moved.
///
///   sim::Faults faults;
///   Catalog catalog = Catalog::load(faults, {"my-chips"});
///   const Chip* chip = catalog.find_chip(name);
///   if (!chip) faults.add(file, place, name, catalog.allowed(CatalogKind::kChip, name));

#include <array>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "platforms/spec/chip.hpp"
#include "platforms/spec/engine.hpp"
#include "platforms/spec/fact.hpp"
#include "platforms/spec/media_model.hpp"
#include "platforms/spec/model.hpp"
#include "sim/input/faults.hpp"
#include "sim/input/json_reader.hpp"

namespace tokenyard::embedded {
struct File;
}

namespace tokenyard::platforms {

enum class CatalogKind : std::uint8_t { kChip, kModel, kEngine, kCluster, kMediaModel };
inline constexpr std::array<CatalogKind, 5> kCatalogKinds = {
    CatalogKind::kChip, CatalogKind::kModel, CatalogKind::kEngine, CatalogKind::kCluster, CatalogKind::kMediaModel};
/// "chip", "model", "engine", "cluster", "media-model"; the folder has an s.
std::string_view name_of(CatalogKind kind);
/// "tokenyard.chip/1".
std::string schema_of(CatalogKind kind);

/// The JSON files in a directory, sorted, so that the order does not depend on the file system. A directory that cannot
/// be read is a fault, and so is what would wait for a writer.
std::vector<std::filesystem::path> json_files(const std::filesystem::path& directory, sim::Faults& faults);

class Catalog {
 public:
  /// Built-in entries and, over them, the directories in order. Every fault of every file of these is collected.
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
  const MediaModel* find_media_model(std::string_view name) const;
  /// The cluster as a scenario writes it, under its key "cluster".
  const sim::Json* find_cluster(std::string_view name) const;

  /// Sorted.
  std::vector<std::string> names(CatalogKind kind) const;
  /// What a message says is allowed in place of `name`: "a chip of the catalogue (did you mean "h100-sxm"?)".
  std::string allowed(CatalogKind kind, std::string_view name) const;
  /// The entry as it was written; null if there is none.
  const sim::Json* raw(CatalogKind kind, std::string_view name) const;
  /// Its numbers with their sources; for a cluster, the sources that stand beside them.
  std::vector<Fact> facts(CatalogKind kind, std::string_view name) const;
  /// "built-in", or the file that the entry was read from; empty if there is none.
  std::string origin(CatalogKind kind, std::string_view name) const;
  bool is_built_in(CatalogKind kind, std::string_view name) const;

 private:
  template <typename T>
  using Named = std::map<std::string, T, std::less<>>;
  struct Entry {
    std::shared_ptr<const sim::Json> raw;
    std::string origin;
  };
  struct Entries {
    Named<Entry> chip_files, model_files, engine_files, cluster_files, media_model_files;
    Named<Chip> chips;
    Named<ModelArchitecture> models;
    Named<EngineDefaults> engines;
    Named<MediaModel> media_models;
    /// What was added: its kind and name.
    std::optional<std::pair<CatalogKind, std::string>> add(const sim::JsonFile& json, std::optional<CatalogKind> kind,
                                                           sim::Faults& faults);
  };
  /// Read when first asked for: a run needs a handful of them. Threads may ask at once.
  struct BuiltIn {
    std::mutex mutex;
    std::array<Named<const embedded::File*>, 5> unread;
    Entries read;
    void read_entry(CatalogKind kind, std::string_view name);
  };

  static const std::array<Named<Entry> Entries::*, 5> kFiles;  ///< by kind
  template <typename T>
  const T* find(CatalogKind kind, std::string_view name, Named<T> Entries::*table) const;
  const Entry* entry(CatalogKind kind, std::string_view name) const;

  Entries added_;
  std::unique_ptr<BuiltIn> built_in_;
};

}  // namespace tokenyard::platforms

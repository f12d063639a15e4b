#include "platforms/spec/catalog.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <set>
#include <system_error>

#include "platforms/spec/fact.hpp"
#include "sim/core/error.hpp"
#include "sim/input/file_name.hpp"

#include "embedded/platform_catalog.hpp"

namespace tokenyard::platforms {

namespace {

using sim::Faults;
using sim::Json;
using sim::JsonFile;
using sim::ObjectReader;

constexpr std::string_view kBuiltIn = "built-in";
constexpr std::array<std::string_view, 5> kKindNames = {"chip", "model", "engine", "cluster", "media-model"};
constexpr std::string_view kOurs = "tokenyard.";
constexpr const char* kSchemas = "tokenyard.chip/1, …/model/1, …/media-model/1, …/engine/1 or …/cluster/1";
constexpr const char* kDirectory =
    "a directory with files of JSON in chips/, models/, media-models/, engines/, clusters/ or agents/, or, all but "
    "agents, directly in it, where their \"schema\" says what they are";
/// Files of other floors, which may lie in the same directory.
constexpr std::array<std::string_view, 4> kForeignSchemas = {"tokenyard.agent/1", "tokenyard.scenario/1",
                                                             "tokenyard.campaign/1", "tokenyard.study/1"};

std::size_t index_of(CatalogKind kind) { return static_cast<std::size_t>(kind); }

std::string folder_of(CatalogKind kind) { return std::string(name_of(kind)) + "s"; }

/// The kind in whose folder a path lies: "catalog/chips/h100-sxm.json" is a chip.
std::optional<CatalogKind> kind_from_folder(const std::filesystem::path& path) {
  std::string folder = path.parent_path().filename().string();
  for (CatalogKind kind : kCatalogKinds) {
    if (folder == folder_of(kind)) return kind;
  }
  return std::nullopt;
}

std::string schema_in(const Json& entry) {
  auto found = entry.find("schema");
  return found != entry.end() && found->is_string() ? found->get<std::string>() : std::string();
}

std::vector<std::string> known_schemas() {
  std::vector<std::string> schemas;
  for (CatalogKind kind : kCatalogKinds) schemas.push_back(schema_of(kind));
  schemas.insert(schemas.end(), kForeignSchemas.begin(), kForeignSchemas.end());
  return schemas;
}

/// A file directly in a user's directory that is none of our business: another floor's, or a JSON file of something
/// else.
bool is_foreign(const Json& entry) {
  std::string schema = schema_in(entry);
  if (std::find(kForeignSchemas.begin(), kForeignSchemas.end(), schema) != kForeignSchemas.end()) return true;
  return schema.empty() ? entry.contains("nodes") || entry.contains("workload") : !schema.starts_with(kOurs);
}

/// Folders of a user's directory whose names are nearly those of entries.
void check_folders(const std::filesystem::path& directory, Faults& faults) {
  std::vector<std::string> names = {"agents"};
  for (CatalogKind kind : kCatalogKinds) names.push_back(folder_of(kind));
  std::vector<std::filesystem::path> folders;
  std::error_code error;
  for (std::filesystem::directory_iterator at(directory, error), end; !error && at != end; at.increment(error)) {
    std::error_code gone;
    if (at->is_directory(gone)) folders.push_back(at->path());
  }
  std::sort(folders.begin(), folders.end());
  for (const auto& folder : folders) {
    const std::string name = folder.filename().string(), nearest = sim::nearest_name(name, names);
    if (nearest.empty() || name == nearest) continue;
    // "chips-old" is no slip of the pen.
    if (std::max(name.size(), nearest.size()) - std::min(name.size(), nearest.size()) > 1) continue;
    faults.add(folder.string(), "", "a folder that is not read",
               fmt::format("one of {}{}", fmt::join(names, ", "), sim::did_you_mean(name, names)));
  }
}

/// A cluster is read where a scenario is; here only its frame is checked.
void check_cluster(ObjectReader& reader) {
  reader.string("name");
  reader.string("title", std::string());
  reader.string("note", std::string());
  reader.members("sources", [](const std::string&, ObjectReader& source) { read_provenance(source, true); });
  const Json* cluster = reader.raw("cluster");
  if (cluster == nullptr || !cluster->is_object() || !cluster->contains("sites")) {
    reader.fault("cluster", cluster == nullptr ? "nothing" : sim::shown(*cluster),
                 "an object with \"sites\", as in a scenario");
  }
}

}  // namespace

std::vector<std::filesystem::path> json_files(const std::filesystem::path& directory, Faults& faults) {
  std::vector<std::filesystem::path> files;
  std::error_code error;
  for (std::filesystem::directory_iterator at(directory, error), end; !error && at != end; at.increment(error)) {
    if (at->path().extension() != ".json") continue;
    std::error_code unknown;
    if (std::filesystem::is_other(at->status(unknown))) {
      faults.add(at->path().string(), "", "a pipe or device", "a file");
    } else {
      files.push_back(at->path());
    }
  }
  if (error) faults.add(directory.string(), "", error.message(), "a directory that can be read");
  std::sort(files.begin(), files.end());
  return files;
}

std::string_view name_of(CatalogKind kind) { return kKindNames[index_of(kind)]; }

std::string schema_of(CatalogKind kind) { return std::string(kOurs) + std::string(name_of(kind)) + "/1"; }

const std::array<Catalog::Named<Catalog::Entry> Catalog::Entries::*, 5> Catalog::kFiles = {
    &Entries::chip_files, &Entries::model_files, &Entries::engine_files, &Entries::cluster_files,
    &Entries::media_model_files};

Catalog Catalog::load(Faults& faults, const std::vector<std::filesystem::path>& extra_dirs) {
  Catalog catalog;
  catalog.built_in_ = std::make_unique<BuiltIn>();
  for (const embedded::File& file : embedded::platform_catalog()) {
    const std::filesystem::path path(file.path);
    catalog.built_in_->unread[index_of(kind_from_folder(path).value())].emplace(path.stem().string(), &file);
  }
  for (const auto& directory : extra_dirs) catalog.add_directory(directory, faults);
  return catalog;
}

void Catalog::add(std::string_view text, const std::string& file, std::optional<CatalogKind> kind, Faults& faults) {
  std::size_t before = faults.size();
  JsonFile json = JsonFile::parse(text, file, faults);
  if (faults.size() == before) added_.add(json, kind, faults);
}

void Catalog::add_directory(const std::filesystem::path& directory, Faults& faults) {
  std::error_code error;
  if (!std::filesystem::is_directory(directory, error)) {
    faults.add(directory.string(), "--catalog", error ? error.message() : "not a directory", kDirectory);
    return;
  }
  const std::size_t at_first = faults.size();
  std::map<std::pair<CatalogKind, std::string>, std::string> files;  // by what they hold
  const auto add = [&](const std::filesystem::path& path, std::optional<CatalogKind> kind) {
    std::size_t before = faults.size();
    JsonFile json = JsonFile::load(path, faults);
    if (faults.size() > before || (!kind && is_foreign(json.value()))) return;
    const auto added = added_.add(json, kind, faults);
    if (!added) return;
    const auto [first, fresh] = files.try_emplace(*added, path.string());
    if (!fresh) {
      faults.add(path.string(), "/name", fmt::format("\"{}\", which is also that of {}", added->second, first->second),
                 fmt::format("a name of its own: a directory has each {} once", name_of(added->first)));
    }
  };
  for (CatalogKind kind : kCatalogKinds) {
    std::filesystem::path folder = directory / folder_of(kind);
    if (!std::filesystem::is_directory(folder, error)) continue;
    for (const auto& path : json_files(folder, faults)) add(path, kind);
  }
  for (const auto& path : json_files(directory, faults)) add(path, std::nullopt);
  check_folders(directory, faults);
  if (!files.empty() || faults.size() > at_first) return;
  const std::filesystem::path agents = directory / "agents";
  if (std::filesystem::is_directory(agents, error)) {
    Faults of_agents;  // whoever reads them will tell
    if (!json_files(agents, of_agents).empty() || !of_agents.empty()) return;
  }
  faults.add(directory.string(), "--catalog", "no entry in it", kDirectory);
}

std::optional<std::pair<CatalogKind, std::string>> Catalog::Entries::add(const JsonFile& json,
                                                                         std::optional<CatalogKind> kind,
                                                                         Faults& faults) {
  std::size_t before = faults.size();
  ObjectReader reader = json.root(faults);
  std::string schema = reader.string("schema", std::string());
  if (!schema.empty()) {
    std::optional<CatalogKind> said;
    for (CatalogKind candidate : kCatalogKinds) {
      if (schema == schema_of(candidate)) said = candidate;
    }
    if (!said || kind.value_or(*said) != *said) {
      std::string allowed = kind ? "\"" + schema_of(*kind) + "\" in the folder " + folder_of(*kind) : kSchemas;
      reader.fault("schema", "\"" + schema + "\"", allowed + sim::did_you_mean(schema, known_schemas()));
    }
    if (said) kind = said;
  } else if (!kind) {
    reader.fault("schema", "nothing", std::string("what the file is: ") + kSchemas);
  }
  if (!kind) {
    // Without a kind no key can be judged: one fault is enough.
    reader.pass_over();
    return std::nullopt;
  }

  std::string name;
  auto keep = [&](auto& named, auto value) {
    name = value.name;
    reader.finish();
    if (!sim::names_a_file(name)) reader.fault("name", sim::shown(Json(name)), "a name that may be a file's");
    if (faults.size() == before) named.insert_or_assign(name, std::move(value));
  };
  switch (*kind) {
    case CatalogKind::kChip: {
      Chip chip = Chip::read(reader);
      for (const Fact& fact : collect_facts(json.value())) {
        if (fact.assumed) chip.assumed.push_back(fact.key);
      }
      keep(chips, std::move(chip));
    } break;
    case CatalogKind::kModel:
      keep(models, ModelArchitecture::read(reader));
      break;
    case CatalogKind::kEngine:
      keep(engines, EngineDefaults::read(reader));
      break;
    case CatalogKind::kMediaModel:
      keep(media_models, MediaModel::read(reader));
      break;
    case CatalogKind::kCluster:
      name = reader.string("name");
      check_cluster(reader);
      reader.finish();
      break;
  }
  if (faults.size() > before) return std::nullopt;
  (this->*kFiles[index_of(*kind)])
      .insert_or_assign(name, Entry{.raw = std::make_shared<const Json>(json.value()), .origin = json.name()});
  return std::pair(*kind, name);
}

template <typename T>
const T* Catalog::find(CatalogKind kind, std::string_view name, Named<T> Entries::*table) const {
  if (const auto mine = (added_.*table).find(name); mine != (added_.*table).end()) return &mine->second;
  if (built_in_ == nullptr) return nullptr;
  const std::scoped_lock lock(built_in_->mutex);
  built_in_->read_entry(kind, name);
  const auto found = (built_in_->read.*table).find(name);
  return found == (built_in_->read.*table).end() ? nullptr : &found->second;
}

void Catalog::BuiltIn::read_entry(CatalogKind kind, std::string_view name) {
  auto& of_kind = unread[index_of(kind)];
  const auto found = of_kind.find(name);
  if (found == of_kind.end()) return;
  Faults faults;
  const embedded::File& file = *found->second;
  read.add(JsonFile::parse(file.text, std::string(kBuiltIn), faults), kind, faults);
  of_kind.erase(found);
  if (!faults.empty())
    throw sim::InternalError(std::string(file.path) + " of the catalogue: " + faults.list().front().message());
}

const Catalog::Entry* Catalog::entry(CatalogKind kind, std::string_view name) const {
  return find(kind, name, kFiles[index_of(kind)]);
}

const Chip* Catalog::find_chip(std::string_view name) const { return find(CatalogKind::kChip, name, &Entries::chips); }

const ModelArchitecture* Catalog::find_model(std::string_view name) const {
  return find(CatalogKind::kModel, name, &Entries::models);
}

const EngineDefaults* Catalog::find_engine(std::string_view name) const {
  return find(CatalogKind::kEngine, name, &Entries::engines);
}

const MediaModel* Catalog::find_media_model(std::string_view name) const {
  return find(CatalogKind::kMediaModel, name, &Entries::media_models);
}

const Json* Catalog::find_cluster(std::string_view name) const {
  const Json* whole = raw(CatalogKind::kCluster, name);
  return whole == nullptr ? nullptr : &whole->at("cluster");
}

std::vector<std::string> Catalog::names(CatalogKind kind) const {
  std::set<std::string> result;
  const auto take = [&](const auto& named) {
    for (const auto& [name, value] : named) result.insert(name);
  };
  take(added_.*kFiles[index_of(kind)]);
  if (built_in_ != nullptr) {
    const std::scoped_lock lock(built_in_->mutex);
    take(built_in_->read.*kFiles[index_of(kind)]);
    take(built_in_->unread[index_of(kind)]);
  }
  return {result.begin(), result.end()};
}

std::string Catalog::allowed(CatalogKind kind, std::string_view name) const {
  return fmt::format("{} {} of the catalogue{}, or of yours (--catalog DIR)", kind == CatalogKind::kEngine ? "an" : "a",
                     name_of(kind), sim::did_you_mean(name, names(kind)));
}

const Json* Catalog::raw(CatalogKind kind, std::string_view name) const {
  const Entry* found = entry(kind, name);
  return found == nullptr ? nullptr : found->raw.get();
}

std::vector<Fact> Catalog::facts(CatalogKind kind, std::string_view name) const {
  const Json* whole = raw(kind, name);
  if (whole == nullptr) return {};
  if (kind != CatalogKind::kCluster) return collect_facts(*whole);
  // A cluster is written as in a scenario, with bare numbers: "sources" has one entry for each key.
  std::vector<Fact> facts = collect_facts(whole->at("cluster"));
  auto sources = whole->find("sources");
  if (sources == whole->end() || !sources->is_object()) return facts;
  for (Fact& fact : facts) {
    // The last name in it: ".../shape/1" is of "shape".
    std::string key = fact.key.substr(0, fact.key.find_last_not_of("0123456789/") + 1);
    key.erase(0, key.rfind('/') + 1);
    auto source = sources->find(key);
    if (source == sources->end() || !source->is_object()) continue;
    fact.source = source->value("source", std::string());
    fact.date = source->value("date", std::string());
    fact.assumed = source->value("assumed", false);
  }
  return facts;
}

std::string Catalog::origin(CatalogKind kind, std::string_view name) const {
  const Entry* found = entry(kind, name);
  return found == nullptr ? std::string() : found->origin;
}

bool Catalog::is_built_in(CatalogKind kind, std::string_view name) const { return origin(kind, name) == kBuiltIn; }

}  // namespace tokenyard::platforms

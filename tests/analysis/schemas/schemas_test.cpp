#include "analysis/schemas/schemas.hpp"

#include <fstream>
#include <set>
#include <sstream>

#include "agents/graph/agent_catalog.hpp"
#include "analysis/scenario/scenario.hpp"
#include "analysis/studies/study.hpp"
#include "platforms/cluster/cluster.hpp"
#include "tests/analysis/run/in_process.hpp"
#include "tests/platforms/spec/built_in_catalog.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/json_schema.hpp"

using namespace tokenyard;
using namespace tokenyard::analysis;
using platforms::built_in_catalog;
using sim::Faults;
using sim::Json;

namespace {

Json sample(const std::string& name) {
  Faults faults;
  Json json =
      sim::JsonFile::load(std::filesystem::path(TOKENYARD_SOURCE_DIR) / "tests/analysis/schemas/samples" / name, faults)
          .value();
  faults.throw_if_any();
  return json;
}

/// What a reader says of a document of each kind.
std::vector<sim::Fault> read(const std::string& kind, const Json& document) {
  Faults faults;
  if (kind == "scenario") {
    Faults of_agent;
    const auto agents = agents::AgentCatalog::of(
        {{"agent.json", sample("agent.json").dump()}, {"sub.json", sample("sub_agent.json").dump()}}, of_agent);
    of_agent.throw_if_any();
    Scenario::read(sim::JsonFile::from(document, "document"), {built_in_catalog(), agents}, true, faults);
  } else if (kind == "agent") {
    agents::AgentCatalog::of({{"document", document.dump()}, {"sub.json", sample("sub_agent.json").dump()}}, faults);
  } else if (kind == "study") {
    Study::read(sim::JsonFile::from(document, "document"), faults);
  } else {
    platforms::Catalog scratch;
    scratch.add(document.dump(), "document", std::nullopt, faults);
    if (kind == "cluster") {  // what is within its frame is read as a scenario's
      const sim::JsonFile holder = sim::JsonFile::from({{"cluster", document["cluster"]}}, "document");
      sim::ObjectReader reader = holder.root(faults);
      platforms::Cluster::read(reader, "cluster", built_in_catalog());
    }
  }
  return faults.list();
}

/// The keys that the reader of the object at `pointer` knows: it lists them when it meets one that it does not.
std::set<std::string> known_keys(const std::string& kind, Json document, const std::string& pointer) {
  document[Json::json_pointer(pointer)]["no such key"] = 1;
  for (const sim::Fault& fault : read(kind, document)) {
    if (fault.place != pointer + "/no such key") continue;
    std::set<std::string> keys;
    std::istringstream list(fault.allowed.substr(std::string("one of ").size()));
    for (std::string key; std::getline(list, key, ',');) {
      key = key.substr(key.find_first_not_of(' '));
      keys.insert(key.substr(0, key.find(' ')));
    }
    return keys;
  }
  return {};
}

std::set<std::string> keys_of(const Json& object) {
  std::set<std::string> keys;
  for (const auto& [key, value] : object.items()) keys.insert(key);
  return keys;
}

}  // namespace

TEST_CASE("Schemas: readers and schemas know the same keys, everywhere") {
  const std::vector<std::pair<std::string, std::vector<std::string>>> kinds = {
      {"scenario", {"scenario.json", "replay.json"}},
      {"agent", {"agent.json"}},
      {"chip", {"chip.json"}},
      {"model", {"model.json"}},
      {"media-model", {"media-model.json"}},
      {"engine", {"engine.json"}},
      {"cluster", {"cluster.json"}},
      {"study", {"study.json"}}};
  for (const auto& each : kinds) {
    const std::string& kind = each.first;
    const JsonSchema schema(schema_text(kind).value());
    std::set<const Json*> seen;
    for (const std::string& name : each.second) {
      INFO(name);
      const Json document = sample(name);
      CHECK(schema.faults_of(document) == std::vector<std::string>{});
      for (const sim::Fault& fault : read(kind, document)) FAIL_CHECK(fault.message());
      schema.walk(document, [&](const std::string& pointer, const Json& part) {
        seen.insert(&part);
        INFO("at " << pointer << ": the reader's keys, and those of analysis/schemas/" << kind << ".json");
        CHECK(known_keys(kind, document, pointer) == keys_of(part["properties"]));
      });
    }
    schema.each_object_schema([&](const std::string& where, const Json& part) {
      INFO(kind << ".json: " << where << " occurs in no sample: the check above would not notice a change");
      CHECK(seen.contains(&part));
    });
  }
}

TEST_CASE("Schemas: what is built in conforms") {
  for (const auto& [name, kind] : {std::pair{"chip", platforms::CatalogKind::kChip},
                                   {"model", platforms::CatalogKind::kModel},
                                   {"media-model", platforms::CatalogKind::kMediaModel},
                                   {"engine", platforms::CatalogKind::kEngine},
                                   {"cluster", platforms::CatalogKind::kCluster}}) {
    const JsonSchema schema(schema_text(name).value());
    for (const std::string& entry : built_in_catalog().names(kind)) {
      INFO(entry);
      CHECK(schema.faults_of(*built_in_catalog().raw(kind, entry)) == std::vector<std::string>{});
    }
  }
  for (const auto& [name, folder] :
       {std::pair{"agent", "agents/catalog"}, {"scenario", "analysis/scenarios"}, {"study", "analysis/studies"}}) {
    const JsonSchema schema(schema_text(name).value());
    const std::filesystem::path path = std::filesystem::path(TOKENYARD_SOURCE_DIR) / folder;
    if (!std::filesystem::exists(path)) continue;
    for (const auto& file : std::filesystem::directory_iterator(path)) {
      if (file.path().extension() != ".json") continue;
      INFO(file.path());
      Faults faults;
      CHECK(schema.faults_of(sim::JsonFile::load(file.path(), faults).value()) == std::vector<std::string>{});
    }
  }
}

TEST_CASE("Schemas: they refuse what is wrong") {
  const JsonSchema schema(schema_text("scenario").value());
  Json scenario = sample("scenario.json");
  scenario["pools"][0]["replcas"] = 1;
  scenario["run"]["duration_s"] = -1;
  CHECK(schema.faults_of(scenario).size() == 2);
  const auto faults_of = [](const char* kind, const char* pointer, const Json& wrong) {
    Json document = sample(std::string(kind) + ".json");
    document[Json::json_pointer(pointer)] = wrong;
    return JsonSchema(schema_text(kind).value()).faults_of(document).size();
  };
  CHECK(faults_of("engine", "/arguments/block_size/value", 0) == 1);
  CHECK(faults_of("cluster", "/cluster/sites/0/nodes/0/chip", 8) == 1);
  CHECK(faults_of("study", "/cases/all/do", "guess") == 1);
}

TEST_CASE("Schemas: a cluster is the same in the catalogue and in a scenario") {
  const JsonSchema scenario(schema_text("scenario").value()), cluster(schema_text("cluster").value());
  for (const auto& [name, part] : cluster.root()["$defs"].items()) {
    INFO(name);
    CHECK(part == scenario.root()["$defs"][name]);
  }
}

TEST_CASE("Schemas: a summary has the keys of its schema, no more and no fewer") {
  const ResultFolder folder("schema");
  Faults faults;
  const auto path = std::filesystem::path(TOKENYARD_SOURCE_DIR) / "analysis/scenarios/requests.json";
  Json scenario = sim::JsonFile::load(path, faults).value();
  scenario["run"] = {{"duration_s", 20}};
  const Json summary = simulate_text(scenario.dump(), folder);
  CHECK(JsonSchema(schema_text("summary").value()).faults_of(summary) == std::vector<std::string>{});
}

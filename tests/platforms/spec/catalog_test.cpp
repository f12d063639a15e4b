#include "platforms/spec/catalog.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <sstream>
#include <sys/stat.h>

#include "tests/support/catch.hpp"
#include "tests/support/scratch_folder.hpp"

using namespace tokenyard;
using namespace tokenyard::platforms;

namespace {

Catalog built_in() {
  sim::Faults faults;
  Catalog catalog = Catalog::load(faults);
  for (const auto& fault : faults.list()) UNSCOPED_INFO(fault.message());
  REQUIRE(faults.empty());
  return catalog;
}

std::vector<std::string> words(const std::string& text) {
  std::istringstream stream(text);
  return {std::istream_iterator<std::string>(stream), {}};
}

/// What is said about one malformed entry; it must not be in the catalogue afterwards.
std::string fault_of(const std::string& text, std::optional<CatalogKind> kind) {
  Catalog catalog;
  sim::Faults faults;
  catalog.add(text, "mine.json", kind, faults);
  for (CatalogKind each : kCatalogKinds) CHECK(catalog.names(each).empty());
  std::string all;
  for (const auto& fault : faults.list()) all += fault.message() + "\n";
  return all;
}

using Catch::Matchers::Contains;

constexpr const char* kSmallModel = R"({"schema": "tokenyard.model/1", "name": "mine", "layers": 2, "hidden": 64,
  "heads": 4, "kv_heads": 2, "head_dim": 16, "vocab": 100, "max_context": 128, "ffn_dense": 256})";

}  // namespace

TEST_CASE("the catalogue has every name of the contract") {
  Catalog catalog = built_in();
  for (const auto& name : words("a100-80-sxm h100-sxm h200-sxm b200-sxm gb200-nvl72 b300-sxm gb300-nvl72 mi300x mi325x "
                                "mi355x tpu-v5e tpu-v5p tpu-v6e tpu-v7 inferentia2 trainium1 trainium2 trainium3 "
                                "mtia-v2 maia-100 maia-200 gaudi-3 groq-lpu-v1 wse-3 l40s rtx-4090 rtx-pro-6000")) {
    INFO(name);
    CHECK(catalog.find_chip(name) != nullptr);
  }
  for (const auto& name :
       words("llama-2-7b llama-2-70b llama-3.1-8b llama-3.1-70b llama-3.1-405b llama-3.3-70b qwen2.5-7b qwen2.5-32b "
             "qwen2.5-72b qwen3-8b qwen3-32b qwen3-30b-a3b qwen3-235b-a22b qwen3-coder-480b-a35b qwen3.5-397b-a17b "
             "mixtral-8x7b gpt-oss-20b gpt-oss-120b deepseek-v3 deepseek-r1 deepseek-v3.2 deepseek-v4-pro kimi-k2.5 "
             "glm-5 minimax-m2.5 gemma-3-27b gemma-4-26b-a4b")) {
    INFO(name);
    CHECK(catalog.find_model(name) != nullptr);
  }
  for (const auto& name : words("vllm sglang tensorrt-llm")) {
    INFO(name);
    CHECK(catalog.find_engine(name) != nullptr);
  }
  CHECK(catalog.names(CatalogKind::kChip).size() == 27);
  CHECK(catalog.names(CatalogKind::kModel).size() == 30);
}

TEST_CASE("every number of the catalogue has a source and a date") {
  Catalog catalog = built_in();
  std::size_t numbers = 0;
  for (CatalogKind kind : kCatalogKinds) {
    for (const std::string& name : catalog.names(kind)) {
      std::vector<Fact> facts = catalog.facts(kind, name);
      CHECK(!facts.empty());
      CHECK(catalog.origin(kind, name) == "built-in");
      for (const Fact& fact : facts) {
        INFO(name << " " << fact.key << " = " << fact.value);
        CHECK(fact.source.size() >= 5);
        CHECK(fact.date.size() >= 4);
        CHECK(fact.date.substr(0, 2) == "20");
        // What was carried over from something else must say that it is an assumption.
        if (fact.source.find("transferred") != std::string::npos) CHECK(fact.assumed);
        ++numbers;
      }
    }
  }
  CHECK(numbers > 900);
}

TEST_CASE("a file of the catalogue is named as its entry, and states its schema") {
  Catalog catalog = built_in();
  for (CatalogKind kind : kCatalogKinds) {
    for (const std::string& name : catalog.names(kind)) {
      INFO(name);
      const sim::Json& raw = *catalog.raw(kind, name);
      CHECK(raw.at("name") == name);
      CHECK(raw.at("schema") == schema_of(kind));
      CHECK(!raw.at("title").get<std::string>().empty());
    }
  }
}

TEST_CASE("a cluster names chips of the catalogue") {
  Catalog catalog = built_in();
  CHECK(catalog.names(CatalogKind::kCluster).size() >= 7);
  for (const std::string& name : catalog.names(CatalogKind::kCluster)) {
    INFO(name);
    const sim::Json* cluster = catalog.find_cluster(name);
    REQUIRE(cluster != nullptr);
    for (const auto& site : cluster->at("sites")) {
      for (const auto& node : site.at("nodes")) {
        const Chip* chip = catalog.find_chip(node.at("chip").get<std::string>());
        REQUIRE(chip != nullptr);
        CHECK(node.at("count").get<int>() >= 1);
        CHECK(node.at("chips_per_node").get<std::int64_t>() <= chip->scale_up.domain_chips.value());
      }
    }
  }
}

TEST_CASE("a name that is not there is null, and the nearest is offered") {
  Catalog catalog = built_in();
  CHECK(catalog.find_chip("h100") == nullptr);
  CHECK(catalog.find_model("") == nullptr);
  CHECK(catalog.find_engine("vllmm") == nullptr);
  CHECK(catalog.find_cluster("nowhere") == nullptr);
  CHECK(catalog.raw(CatalogKind::kChip, "h100") == nullptr);
  CHECK(catalog.facts(CatalogKind::kChip, "h100").empty());
  CHECK_THAT(sim::did_you_mean("h100-sxn", catalog.names(CatalogKind::kChip)), Contains("h100-sxm"));
}

TEST_CASE("a user's directory adds entries and wins over the built-in ones") {
  const ScratchFolder scratch;
  scratch.write("chips/fast.json", R"({"name": "fast", "memory_bytes": 1e9, "peak_flops_per_s": {"fp8": 1e15}})");
  scratch.write("chips/h100.json", R"({"name": "h100-sxm", // mine
    "memory_bytes_per_s": {"value": 4e12, "source": "my measurement", "date": "2026-10"}})");
  scratch.write("mine.json", kSmallModel);
  scratch.write("agents/helper.json", "not read here");
  scratch.write("agent.json", R"({"schema": "tokenyard.agent/1", "name": "helper"})");
  sim::Faults faults;
  Catalog catalog = Catalog::load(faults, {scratch.path});
  for (const auto& fault : faults.list()) UNSCOPED_INFO(fault.message());
  REQUIRE(faults.empty());
  REQUIRE(catalog.find_chip("fast") != nullptr);
  CHECK(catalog.find_chip("fast")->memory_bytes == 1e9);
  CHECK(catalog.find_chip("h100-sxm")->memory_bytes_per_s == 4e12);
  CHECK_FALSE(catalog.find_chip("h100-sxm")->memory_bytes.has_value());
  CHECK(catalog.find_model("mine") != nullptr);
  CHECK_THAT(catalog.origin(CatalogKind::kChip, "h100-sxm"), Contains("chips/h100.json"));
  CHECK(catalog.names(CatalogKind::kChip).size() == 28);
  std::vector<Fact> facts = catalog.facts(CatalogKind::kChip, "h100-sxm");
  REQUIRE(facts.size() == 1);
  CHECK(facts[0].key == "memory_bytes_per_s");
  CHECK(facts[0].source == "my measurement");
}

TEST_CASE("the catalogue can be moved; pointers stay") {
  Catalog first = built_in();
  const Chip* chip = first.find_chip("h100-sxm");
  Catalog second = std::move(first);
  CHECK(second.find_chip("h100-sxm") == chip);
}

TEST_CASE("malformed entries are faults, not crashes") {
  auto chip = CatalogKind::kChip;
  CHECK_THAT(fault_of("{", chip), Contains("mine.json"));
  CHECK_THAT(fault_of("", chip), Contains("mine.json"));
  CHECK_THAT(fault_of("[1, 2]", chip), Contains("mine.json"));
  CHECK_THAT(fault_of("{}", chip), Contains("name"));
  CHECK_THAT(fault_of(R"({"name": 3})", chip), Contains("/name"));
  CHECK_THAT(fault_of(R"({"name": ""})", chip), Contains("/name"));
  CHECK_THAT(fault_of(R"({"name": "x", "name": "y"})", chip), Contains("name"));
  CHECK_THAT(fault_of(R"({"name": "x", "memory_byte": 1})", chip), Contains("memory_bytes"));
  CHECK_THAT(fault_of(R"({"name": "x", "memory_bytes": "80 GB"})", chip), Contains("/memory_bytes"));
  CHECK_THAT(fault_of(R"({"name": "x", "memory_bytes": null})", chip), Contains("/memory_bytes"));
  CHECK_THAT(fault_of(R"({"name": "x", "memory_bytes": -1})", chip), Contains("/memory_bytes"));
  CHECK_THAT(fault_of(R"({"name": "x", "memory_bytes": {"value": 1}})", chip), Contains("/memory_bytes/source"));
  CHECK_THAT(fault_of(R"({"name": "x", "memory_bytes": {"source": "me"}})", chip), Contains("/memory_bytes/value"));
  CHECK_THAT(fault_of(R"({"name": "x", "memory_bytes": {"value": 1, "source": "me", "sourc": 1}})", chip),
             Contains("/memory_bytes/sourc"));
  CHECK_THAT(fault_of(R"({"name": "x", "peak_flops_per_s": 5})", chip), Contains("/peak_flops_per_s"));
  CHECK_THAT(fault_of(R"({"name": "x", "peak_flops_per_s": {"fp16": 5}})", chip), Contains("fp16"));
  CHECK_THAT(fault_of(R"({"name": "x", "scale_up": {"topology": "torus"}})", chip), Contains("torus2d"));
  CHECK_THAT(fault_of(R"({"name": "x", "scale_up": {}})", chip), Contains("/scale_up/topology"));
  CHECK_THAT(fault_of(R"({"name": "x", "scale_up": {"topology": "torus2d", "shape": [4, 4, 4]}})", chip),
             Contains("/scale_up/shape"));
  CHECK_THAT(fault_of(R"({"name": "x", "scale_up": {"topology": "torus2d", "shape": [4, 0]}})", chip),
             Contains("/scale_up/shape"));
  CHECK_THAT(fault_of(R"({"name": "x", "efficiency": {"gemm_memory": 1.5}})", chip), Contains("/gemm_memory"));
  CHECK_THAT(fault_of(R"({"name": "x", "efficiency": {"gemm_memory": 0}})", chip), Contains("/gemm_memory"));
  CHECK_THAT(fault_of(R"({"name": "x", "all_reduce": {"by_chips": {"two": {"alpha_s": 0, "bytes_per_s": 1}}}})", chip),
             Contains("/all_reduce/by_chips/two"));
  CHECK_THAT(fault_of(R"({"name": "x", "all_reduce": {"by_chips": {"2": {"alpha_s": 0}}}})", chip),
             Contains("/all_reduce/by_chips/2/value"));
  CHECK_THAT(fault_of(R"({"name": "x", "all_reduce": {"by_chips": {"2": {"value": [[1], [2, 3]]}}}})", chip),
             Contains("/all_reduce/by_chips/2/value"));
  CHECK_THAT(fault_of(R"({"name": "x", "power": {"tdp_w": 100, "idle_w": 200}})", chip), Contains("/power/idle_w"));
  CHECK_THAT(fault_of(R"({"name": "x", "power": {"tdp_w": 100, "idle_w": 20, "held_w": 10}})", chip),
             Contains("/power/held_w"));
  CHECK_THAT(fault_of(R"({"name": "x", "power": {"tdp_w": 100, "held_w": 101}})", chip), Contains("/power/held_w"));
  CHECK_THAT(fault_of(R"({"name": "x", "power": {"active_w": 1e300}})", chip), Contains("/power/active_w"));
  CHECK_THAT(fault_of(R"({"name": "x", "schema": "tokenyard.model/1"})", chip), Contains("/schema"));
  CHECK_THAT(fault_of(R"({"name": "x", "schema": "tokenyard.chipp/1"})", std::nullopt), Contains("tokenyard.chip/1"));
  CHECK_THAT(fault_of(R"({"name": "x"})", std::nullopt), Contains("schema"));

  auto model = CatalogKind::kModel;
  CHECK_THAT(fault_of(R"({"name": "x"})", model), Contains("layers"));
  auto with = [](const std::string& more) {
    std::string text = kSmallModel;
    return text.substr(0, text.rfind('}')) + ", " + more + "}";
  };
  CHECK_THAT(fault_of(with(R"("moe": {"experts": 4, "experts_per_token": 5, "ffn_expert": 8})"), model),
             Contains("/moe/experts_per_token"));
  CHECK_THAT(fault_of(with(R"("moe": {"experts": 4, "ffn_expert": 8, "first_dense_layers": 3})"), model),
             Contains("/moe/first_dense_layers"));
  CHECK_THAT(fault_of(with(R"("sliding": {"layers": 3, "window": 8})"), model), Contains("/layers"));
  CHECK_THAT(fault_of(with(R"("sliding": {"layers": 1})"), model), Contains("/sliding/window"));
  CHECK_THAT(fault_of(with(R"("tied_embeddings": 1)"), model), Contains("/tied_embeddings"));
  CHECK_THAT(fault_of(with(R"("mla": {"kv_lora_rank": 1})"), model), Contains("/mla/"));

  auto engine = CatalogKind::kEngine;
  CHECK_THAT(fault_of(R"({"name": "x"})", engine), Contains("arguments"));
  CHECK_THAT(fault_of(R"({"name": "x", "arguments": {"max_num_seqs": 0, "max_num_batched_tokens": 1, "block_size": 1,
                        "gpu_memory_utilization": 0.9}})",
                      engine),
             Contains("/arguments/max_num_seqs"));
  auto cluster = CatalogKind::kCluster;
  CHECK_THAT(fault_of(R"({"name": "x"})", cluster), Contains("cluster"));
  CHECK_THAT(fault_of(R"({"name": "x", "cluster": []})", cluster), Contains("/cluster"));
  CHECK_THAT(fault_of(R"({"name": "x", "cluster": {"sites": []}, "sources": {"pue": {"source": 3}}})", cluster),
             Contains("/sources/pue/source"));
}

TEST_CASE("a directory that cannot be read is a fault") {
  sim::Faults faults;
  Catalog catalog = Catalog::load(faults, {"/nonexistent/catalogue"});
  REQUIRE(faults.size() == 1);
  CHECK_THAT(faults.list()[0].message(), Contains("/nonexistent/catalogue"));
  CHECK(catalog.find_chip("h100-sxm") != nullptr);
}

TEST_CASE("what a directory would silently not add is a fault") {
  const auto faults_of = [](const ScratchFolder& scratch) {
    sim::Faults faults;
    Catalog::load(faults, {scratch.path});
    std::string all;
    for (const auto& fault : faults.list()) all += fault.message() + "\n";
    return all;
  };
  const std::string chip = R"({"schema": "tokenyard.chip/1", "name": "fast"})";
  SECTION("a name twice") {
    const ScratchFolder scratch;
    scratch.write("chips/a.json", chip);
    scratch.write("chips/b.json", chip);
    scratch.write("c.json", chip);
    CHECK_THAT(faults_of(scratch), Contains("chips/b.json: /name: found \"fast\", which is also that of ") &&
                                       Contains("chips/a.json, allowed: a name of its own") &&
                                       Contains("/c.json: /name: "));
    sim::Faults faults;
    const ScratchFolder other("other");
    other.write("chips/a.json", chip);
    Catalog::load(faults, {other.path, other.path});
    CHECK(faults.empty());
  }
  SECTION("no entry") {
    const ScratchFolder scratch;
    CHECK_THAT(faults_of(scratch),
               Contains("--catalog: found no entry in it, allowed: a directory with files of JSON in "
                        "chips/, models/"));
    scratch.write("agents.json", R"({"schema": "tokenyard.agent/1", "name": "helper"})");
    CHECK_THAT(faults_of(scratch), Contains("found no entry in it"));
    scratch.write("agents/helper.json", "read by others");
    CHECK(faults_of(scratch).empty());
  }
  SECTION("a folder of nearly the right name") {
    const ScratchFolder scratch;
    scratch.write("agents/helper.json", "read by others");
    scratch.write("chips-old/a.json", chip);
    scratch.write("notes/a.json", chip);
    CHECK(faults_of(scratch).empty());
    scratch.write("chip/a.json", chip);
    scratch.write("Media-Models/a.json", chip);
    CHECK_THAT(faults_of(scratch),
               Contains("/chip: found a folder that is not read, allowed: one of agents, chips, ") &&
                   Contains("did you mean \"chips\"") && Contains("did you mean \"media-models\""));
  }
  SECTION("a pipe, which would never end") {
    const ScratchFolder scratch;
    scratch.write("chips/a.json", chip);
    REQUIRE(::mkfifo((scratch.path / "chips/p.json").c_str(), 0600) == 0);
    CHECK_THAT(faults_of(scratch), Contains("chips/p.json: found a pipe or device, allowed: a file"));
  }
}

TEST_CASE("all faults of a directory are reported at once") {
  const ScratchFolder scratch;
  scratch.write("chips/a.json", "{");
  scratch.write("chips/b.json", R"({"name": "b", "memory_bytes": -1, "launch": 3})");
  scratch.write("c.json", R"({"schema": "tokenyard.modle/1", "name": "c"})");
  sim::Faults faults;
  Catalog::load(faults, {scratch.path});
  CHECK(faults.size() == 4);
}

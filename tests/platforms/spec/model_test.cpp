#include "platforms/spec/model.hpp"

#include <nlohmann/json.hpp>

#include "platforms/spec/catalog.hpp"
#include "sim/core/error.hpp"
#include "sim/input/json_reader.hpp"
#include "tests/platforms/spec/built_in_catalog.hpp"
#include "tests/support/catch.hpp"

using namespace tokenyard;
using namespace tokenyard::platforms;

namespace {

const ModelArchitecture& model(const char* name) {
  const ModelArchitecture* found = built_in_catalog().find_model(name);
  INFO(name);
  REQUIRE(found != nullptr);
  return *found;
}

}  // namespace

TEST_CASE("counted parameters agree with the vendor's number within 3 %") {
  int compared = 0;
  for (const std::string& name : built_in_catalog().names(CatalogKind::kModel)) {
    const ModelArchitecture& each = model(name.c_str());
    if (!each.missing().empty() || !each.parameters_total_stated) continue;
    INFO(name);
    CHECK(each.parameters_total() == Approx(*each.parameters_total_stated).epsilon(0.03));
    CHECK(each.parameters_active() <= each.parameters_total());
    if (!each.moe) CHECK(each.parameters_active() == each.parameters_total());
    ++compared;
  }
  CHECK(compared == 26);
}

TEST_CASE("active parameters of mixtures agree with the vendor's number") {
  // Vendors round, and some leave the embeddings out.
  for (const char* name : {"mixtral-8x7b", "qwen3-30b-a3b", "qwen3-235b-a22b", "qwen3-coder-480b-a35b", "deepseek-v3",
                           "kimi-k2.5", "qwen3.5-397b-a17b", "gpt-oss-120b", "gemma-4-26b-a4b"}) {
    const ModelArchitecture& each = model(name);
    INFO(name << ": " << each.parameters_active());
    double embeddings = each.parameters().embedding + each.parameters().lm_head;
    double stated = each.parameters_active_stated.value();
    CHECK(each.parameters_active() >= stated * 0.94);
    CHECK(each.parameters_active() - embeddings <= stated * 1.04);
  }
}

TEST_CASE("parameters of Llama 2 7B to the last one") {
  // 6,738,415,616 is the size of the published checkpoint.
  CHECK(model("llama-2-7b").parameters_total() == 6738415616.0);
  // 8,030,261,248 likewise for Llama 3.1 8B.
  CHECK(model("llama-3.1-8b").parameters_total() == 8030261248.0);
}

TEST_CASE("KV bytes per token of the full-attention layers, bf16") {
  struct Row {
    const char* name;
    double bytes;
  };
  for (const Row& row :
       {Row{"llama-3.1-8b", 131072},     Row{"llama-3.1-70b", 327680},   Row{"llama-3.3-70b", 327680},
        Row{"llama-3.1-405b", 516096},   Row{"qwen3-8b", 147456},        Row{"qwen3-32b", 262144},
        Row{"qwen3-30b-a3b", 98304},     Row{"qwen3-235b-a22b", 192512}, Row{"qwen3-coder-480b-a35b", 253952},
        Row{"qwen3.5-397b-a17b", 30720}, Row{"mixtral-8x7b", 131072},    Row{"gpt-oss-20b", 24576},
        Row{"gpt-oss-120b", 36864},      Row{"deepseek-v3", 70272},      Row{"deepseek-r1", 70272},
        Row{"kimi-k2.5", 70272},         Row{"minimax-m2.5", 253952},    Row{"gemma-3-27b", 81920},
        Row{"qwen2.5-7b", 57344},        Row{"qwen2.5-32b", 262144},     Row{"qwen2.5-72b", 327680},
        Row{"llama-2-7b", 524288}}) {
    INFO(row.name);
    CHECK(model(row.name).kv_bytes_per_token(Precision::kBf16) == row.bytes);
    CHECK(model(row.name).kv_bytes_per_token(Precision::kFp8) == row.bytes / 2);
  }
}

TEST_CASE(
    "Sparse attention caches its indexers' keys, and in 8 bits scales and rotated parts as its kernels read them") {
  const ModelArchitecture &deepseek = model("deepseek-v3.2"), &glm = model("glm-5.2");
  CHECK(deepseek.kv_bytes_per_token(Precision::kBf16) == 61 * (1152 + 132));
  CHECK(deepseek.kv_bytes_per_token(Precision::kFp8) == 61 * (656 + 132));
  CHECK(glm.kv_bytes_per_token(Precision::kFp8) == 78 * 656 + 21 * 132);
  CHECK(deepseek.indexer_parameters() == 1536 * 64 * 128 + 7168 * (128 + 64));
  CHECK(model("deepseek-v3").indexer_parameters() == 0);
}

TEST_CASE("sliding windows and linear states bound the cache") {
  const ModelArchitecture& gemma = model("gemma-3-27b");
  CHECK(gemma.full_layers == 10);
  CHECK(gemma.sliding_layers == 52);
  CHECK(gemma.window == 1024);
  double full = gemma.kv_bytes_per_token(Precision::kBf16);
  double sliding = gemma.sliding_kv_bytes_per_token(Precision::kBf16);
  CHECK(sliding == 52 * full / 10);
  CHECK(gemma.kv_bytes(1000, Precision::kBf16) == 1000 * (full + sliding));
  CHECK(gemma.kv_bytes(5000, Precision::kBf16) == 5000 * full + 1024 * sliding);

  const ModelArchitecture& qwen = model("qwen3.5-397b-a17b");
  CHECK(qwen.full_layers == 15);
  CHECK(qwen.linear_layers == 45);
  CHECK(qwen.sliding_kv_bytes_per_token(Precision::kBf16) == 0);
  CHECK(qwen.kv_bytes(0, Precision::kBf16) == 45.0 * 64 * 128 * 128 * 4);

  // Full layers of Gemma 4 have heads of their own: 2 of 512, not 8 of 256.
  const ModelArchitecture& gemma4 = model("gemma-4-26b-a4b");
  CHECK(gemma4.kv_bytes_per_token(Precision::kBf16) == 5.0 * 2 * 2 * 512 * 2);
  CHECK(gemma4.sliding_kv_bytes_per_token(Precision::kBf16) == 25.0 * 2 * 8 * 256 * 2);
}

TEST_CASE("indexers are of the full-attention layers") {
  const auto read = [](const char* more) {
    sim::Json entry = sim::Json::parse(R"({"schema": "tokenyard.model/1", "name": "m", "layers": 10, "hidden": 1024,
        "heads": 16, "kv_heads": 1, "vocab": 1000, "max_context": 4096, "ffn_dense": 4096,
        "mla": {"kv_lora_rank": 512, "q_lora_rank": 512, "qk_nope_dim": 128, "qk_rope_dim": 64, "v_dim": 128},
        "sliding": {"layers": 6, "window": 128},
        "sparse": {"top_k": 64, "index_heads": 8, "index_dim": 64}})");
    entry["sparse"].update(sim::Json::parse(more));
    sim::Faults faults;
    const sim::JsonFile file = sim::JsonFile::from(entry, "m.json");
    sim::ObjectReader reader = file.root(faults);
    const ModelArchitecture model = ModelArchitecture::read(reader);
    std::string found;
    for (const sim::Fault& fault : faults.list()) {
      if (fault.message().find("index_layers") != std::string::npos) found = fault.message();
    }
    return std::pair(model.sparse->index_layers, found);
  };
  CHECK(read("{}") == std::pair(std::int64_t{4}, std::string()));
  CHECK(read(R"({"index_layers": 4})").second.empty());
  CHECK_THAT(read(R"({"index_layers": 5})").second, Catch::Matchers::Contains("at most the full-attention layers, 4"));
}

TEST_CASE("weights keep embeddings in bf16") {
  const ModelArchitecture& llama = model("llama-3.1-70b");
  CHECK(llama.weight_bytes(Precision::kBf16) == 2 * llama.parameters_total());
  double kept = llama.parameters().embedding + llama.parameters().lm_head + llama.parameters().norms;
  CHECK(llama.weight_bytes(Precision::kFp8) == llama.parameters_total() + kept);
  CHECK(llama.weight_bytes(Precision::kInt8) == llama.weight_bytes(Precision::kFp8));
  // The MXFP4 checkpoint of gpt-oss-120b is about 61 GiB; attention stays in bf16 there (2.3 GB more than counted
  // here).
  CHECK(model("gpt-oss-120b").weight_bytes(Precision::kFp4) == Approx(63.5e9).epsilon(0.03));
  CHECK(model("gemma-3-27b").parameters().lm_head == 0);
}

TEST_CASE("a mixture counts its dense and its expert layers") {
  const ModelArchitecture& deepseek = model("deepseek-v3");
  CHECK(deepseek.moe_layers() == 58);
  CHECK(deepseek.dense_layers() == 3);
  ModelArchitecture::Parameters all = deepseek.parameters();
  CHECK(all.active_experts == all.experts * 8 / 256);
  CHECK(all.shared_experts == 58.0 * 3 * 7168 * 2048);
  CHECK(model("llama-3.1-8b").moe_layers() == 0);
  CHECK(model("mixtral-8x7b").dense_layers() == 0);
}

TEST_CASE("a model whose cache nobody has described says so") {
  const ModelArchitecture& unknown = model("deepseek-v4-pro");
  REQUIRE(unknown.missing() == std::vector<std::string>{"head_dim"});
  CHECK_THROWS_AS(unknown.kv_bytes_per_token(Precision::kBf16), sim::InternalError);
  for (const std::string& name : built_in_catalog().names(CatalogKind::kModel)) {
    if (name == "deepseek-v4-pro") continue;
    INFO(name);
    CHECK(model(name.c_str()).missing().empty());
  }
}

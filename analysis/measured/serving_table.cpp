#include "analysis/measured/serving_table.hpp"

#include <algorithm>
#include <charconv>
#include <fmt/format.h>
#include <set>

#include "analysis/measured/measured_table.hpp"
#include "platforms/cost/kernel_step_cost.hpp"

namespace tokenyard::analysis {
namespace {

using platforms::Precision;

constexpr std::int64_t kRounds = 10;           // of requests per user, as both labs send: the first comes as one burst
constexpr double kInferenceMaxShortest = 0.8;  // its RANDOM_RANGE_RATIO

const std::map<std::string, std::string, std::less<>> kModels = {{"Qwen/Qwen3-32B", "qwen3-32b"},
                                                                 {"Qwen/Qwen3-8B", "qwen3-8b"},
                                                                 {"meta-llama/Llama-3.1-8B-Instruct", "llama-3.1-8b"},
                                                                 {"nvidia/Llama-3.1-8B-Instruct-FP8", "llama-3.1-8b"},
                                                                 {"meta-llama/Llama-3.1-70B-Instruct", "llama-3.1-70b"},
                                                                 {"meta-llama/Llama-3.3-70B-Instruct", "llama-3.3-70b"},
                                                                 {"nvidia/Llama-3.3-70B-Instruct-FP8", "llama-3.3-70b"},
                                                                 {"nvidia/Llama-3.3-70B-Instruct-FP4", "llama-3.3-70b"},
                                                                 {"Qwen/Qwen3-235B-A22B-FP8", "qwen3-235b-a22b"},
                                                                 {"Qwen/Qwen3-30B-A3B", "qwen3-30b-a3b"},
                                                                 {"deepseek-ai/DeepSeek-R1", "deepseek-r1"},
                                                                 {"deepseek-ai/DeepSeek-V3", "deepseek-v3"},
                                                                 {"openai/gpt-oss-20b", "gpt-oss-20b"},
                                                                 {"openai/gpt-oss-120b", "gpt-oss-120b"},
                                                                 {"MiniMaxAI/MiniMax-M2.5", "minimax-m2.5"},
                                                                 {"zhipuai/GLM-5", "glm-5"},
                                                                 {"Qwen/Qwen3.5-397B-A17B", "qwen3.5-397b-a17b"},
                                                                 {"moonshotai/Kimi-K2.5", "kimi-k2.5"}};
const std::map<std::string, std::string, std::less<>> kSystems = {
    {"a100_sxm", "a100-80-sxm"}, {"h100_sxm", "h100-sxm"}, {"h200_sxm", "h200-sxm"}, {"b200_sxm", "b200-sxm"},
    {"gb200", "gb200-nvl72"},    {"b300_sxm", "b300-sxm"}, {"gb300", "gb300-nvl72"}, {"l40s", "l40s"},
    {"mi300x", "mi300x"},        {"mi325x", "mi325x"},     {"mi355x", "mi355x"}};
const std::map<std::string, Precision, std::less<>> kPrecisionNames = {
    {"", Precision::kBf16},   {"bf16", Precision::kBf16}, {"fp8", Precision::kFp8},
    {"fp4", Precision::kFp4}, {"int4", Precision::kFp4},  {"int8", Precision::kInt8}};

/// What InferenceX's scripts give a server of SGLang beyond the engine's defaults, and how many requests per user they
/// send (SemiAnalysisAI/InferenceX, benchmarks/single_node: dsr1_fp8_h200.sh at 161e7f65, for lengths other than 1,024;
/// qwen3.5_fp8_h200.sh at 2116fc43; glm5_fp8_h200.sh at 0c82808d; not all of the day on which the rows were measured).
struct ServerScript {
  std::optional<platforms::Tokens> max_num_batched_tokens;
  std::optional<std::int32_t> max_num_seqs;
  double gpu_memory_utilization;
  Precision kv;
  std::int64_t rounds;
};
const std::map<std::string, ServerScript, std::less<>> kServerScripts = {
    {"deepseek-ai/DeepSeek-R1", {32768, 256, 0.82, Precision::kBf16, 10}},
    {"Qwen/Qwen3.5-397B-A17B", {16384, 128, 0.8, Precision::kFp8, 10}},
    {"zhipuai/GLM-5", {{}, {}, 0.85, Precision::kBf16, 5}}};

template <typename Map>
auto find(const Map& map, std::string_view key) -> const typename Map::mapped_type* {
  const auto found = map.find(key);
  return found == map.end() ? nullptr : &found->second;
}

/// Every other combination of system, model and tensor parallelism that an engine was measured with.
void split(std::vector<ServingPoint>& points) {
  std::map<std::string, std::set<std::string>> keys;  // of each engine
  const auto key = [](const ServingPoint& p) {
    return fmt::format("{}/{}/{}", p.system, p.model, p.spec.parallelism.tp * p.spec.parallelism.dp);
  };
  for (const ServingPoint& point : points) keys[point.defaults->name].insert(key(point));
  for (ServingPoint& point : points) {
    const std::set<std::string>& all = keys[point.defaults->name];
    point.second_half = std::distance(all.begin(), all.find(key(point))) % 2 == 1;
  }
}

/// Of vLLM, the releases from 0.14 on schedule asynchronously unless told otherwise. SGLang's from 0.5.8 on, images of
/// a name of their own among them, take longer to launch a prompt.
std::string engine_name(const std::string& backend, const std::string& version) {
  if (backend == "trtllm") return "tensorrt-llm";
  int minor = 0, patch = 0;
  const int known = std::sscanf(version.c_str(), "0.%d.%d", &minor, &patch);
  if (backend == "sglang") return known == 2 && minor == 5 && patch < 8 ? "sglang" : "sglang-0.5.9";
  return backend == "vllm" && known >= 1 && minor >= 14 ? "vllm-0.18" : backend;
}

/// How the server was started and loaded, by where the row comes from.
///
/// NVIDIA's lab measures what aiconfigurator's generator writes (rule_plugin/benchmark/*.rule, 2026-08): a token budget
/// just above one prompt, TensorRT-LLM without chunked prefill, SGLang with mixed chunks, and genai-perf with all
/// lengths alike. Users that were served in one step then end in one step and come again together, for ever: that is
/// most of the time to first token in these rows. The budget's room above a prompt was 1,000 tokens in the generator
/// of 2025 (a comment there still says so), which the rows of TensorRT-LLM 1.0 come from: they serve prompts of 1,024
/// tokens one in a step. InferenceMAX (README, 2025-10) draws lengths, and its servers keep the engine's budget where
/// their scripts do not say otherwise.
void configure(bool lab, const ServerScript* script, ServingPoint& point) {
  platforms::BatchingOptions& batching = point.bench.batching;
  const std::int64_t ranks = point.spec.parallelism.dp;
  batching.max_num_seqs = 1024;
  if (!lab) {
    point.load.shortest = kInferenceMaxShortest;
    if (script == nullptr) return;
    batching.max_num_batched_tokens = script->max_num_batched_tokens.value_or(batching.max_num_batched_tokens);
    batching.max_num_seqs = script->max_num_seqs.value_or(batching.max_num_seqs);
    point.load.requests = script->rounds * point.load.users;
    return;
  }
  const platforms::Tokens room = point.version.starts_with("1.0.0rc") ? 1000 : 1500;
  batching.max_num_batched_tokens = (point.load.users + ranks - 1) / ranks + point.load.prompt_tokens + room;
  batching.chunked_prefill = point.engine != "trtllm";
  batching.mixed_chunk = true;
}

/// The client's calls in flight. `batch_size` has them divided by the chips where a rank or a chip has its own.
std::int64_t users_of(const MeasuredTable& table, std::size_t row) {
  constexpr std::string_view kKey = "silicon_concurrency=";
  const std::string_view source = table.text(row, "silicon_data_source");
  std::int64_t users = 0;
  if (const std::size_t at = source.find(kKey); at != std::string_view::npos) {
    const std::string_view digits = source.substr(at + kKey.size());
    std::from_chars(digits.data(), digits.data() + digits.size(), users);
  }
  return users > 0 ? users : static_cast<std::int64_t>(table.number(row, "batch_size"));
}

/// The reason to leave a row out; empty: `point` is complete.
std::string read_point(const MeasuredTable& table, std::size_t row, const platforms::Catalog& catalog,
                       ServingPoint& point) {
  if (table.text(row, "mode") != "agg") return "prefill and decode apart";
  point.system = table.text(row, "system");
  point.engine = table.text(row, "backend");
  point.version = table.text(row, "backend_version");
  point.precision = table.text(row, "precision");
  const std::string_view path = table.text(row, "model_path");
  point.model = path.substr(path.find('/') + 1);
  const auto tp = static_cast<std::int64_t>(table.number(row, "tp_size"));
  if (path == "nvidia/Llama-3.1-8B-Instruct-FP8" && point.version == "0.12.0")
    return "physically impossible as labelled: Llama-3.1-8B-FP8 on vLLM 0.12.0";
  if (path == "Qwen/Qwen3-235B-A22B-FP8" && tp == 1) return "physically impossible as labelled: Qwen3-235B on one chip";
  if (path == "Qwen/Qwen3-32B" && point.engine == "sglang" && point.precision.empty())
    return "of a number format that nobody noted: Qwen3-32B on SGLang";
  const std::string* model = find(kModels, path);
  const std::string* chip = find(kSystems, point.system);
  const Precision* weights = find(kPrecisionNames, point.precision);
  if (model == nullptr || chip == nullptr || weights == nullptr)
    return fmt::format("not in the catalogue: {} {} {}", path, point.system, point.precision);
  point.spec.model = catalog.find_model(*model);
  point.spec.chip = catalog.find_chip(*chip);
  point.defaults = catalog.find_engine(engine_name(point.engine, point.version));
  if (point.spec.model == nullptr || point.spec.chip == nullptr || point.defaults == nullptr)
    return fmt::format("not in the catalogue: {}", point.group());
  const auto dp = static_cast<std::int64_t>(table.optional_number(row, "attention_dp_size").value_or(1));
  point.spec.parallelism.dp = std::max<std::int64_t>(1, dp);
  point.spec.parallelism.tp = std::max<std::int64_t>(1, tp / point.spec.parallelism.dp);
  point.spec.parallelism.ep =
      std::max<std::int64_t>(1, static_cast<std::int64_t>(table.optional_number(row, "moe_ep_size").value_or(1)));
  point.spec.weights = *weights;
  // TensorRT-LLM's fp8 checkpoints say that the KV cache is in fp8, too; vLLM and SGLang keep it in bf16 unless told.
  point.spec.kv = point.engine == "trtllm" && *weights == Precision::kFp8 ? Precision::kFp8 : Precision::kBf16;
  const bool lab = table.text(row, "silicon_data_source").find("NVIDIA lab") != std::string_view::npos;
  const ServerScript* script = lab || point.engine != "sglang" ? nullptr : find(kServerScripts, path);
  if (script != nullptr) point.spec.kv = script->kv;
  const auto memory = script != nullptr ? std::optional(script->gpu_memory_utilization) : std::nullopt;
  if (std::string reason = set_up(point, memory); !reason.empty()) return reason;
  point.load.users = users_of(table, row);
  point.load.prompt_tokens = static_cast<platforms::Tokens>(table.number(row, "isl"));
  point.load.output_tokens = static_cast<platforms::Tokens>(table.number(row, "osl"));
  point.load.requests = kRounds * point.load.users;
  configure(lab, script, point);
  point.ttft_s = table.number(row, "silicon_ttft_ms") * 1e-3;
  point.tpot_s = table.number(row, "silicon_tpot_ms") * 1e-3;
  return {};
}

}  // namespace

std::string set_up(ServingPoint& point, std::optional<double> memory_utilization) {
  platforms::serve_with(*point.defaults, point.spec);
  if (const auto missing = platforms::missing_numbers(point.spec); !missing.empty())
    return "the catalogue lacks " + missing.front();
  const auto bench = bench_of(*point.defaults, point.spec, memory_utilization);
  if (!bench) {
    return fmt::format("does not fit: {} on {} x {}", point.model, point.spec.parallelism.chips(), point.system);
  }
  point.bench = *bench;
  return {};
}

ServingTable read_serving_table(const std::filesystem::path& path, const platforms::Catalog& catalog) {
  const MeasuredTable table(path);
  ServingTable result;
  for (std::size_t row = 0; row < table.rows(); ++row) {
    ServingPoint point;
    const std::string reason = read_point(table, row, catalog, point);
    if (reason.empty()) {
      result.points.push_back(std::move(point));
    } else {
      ++result.left_out[reason];
    }
  }
  split(result.points);
  return result;
}

ServedMeans means_of(const ServingResult& result) {
  const auto calls = static_cast<double>(result.calls.size());
  ServedMeans means;
  for (const ServedCall& call : result.calls) {
    means.ttft_s += call.ttft_s / calls;
    means.tpot_s += call.tpot_s / calls;
    means.e2e_s += call.e2e_s / calls;
  }
  return means;
}

ServingResult serve(const ServingPoint& point, const platforms::EngineDefaults::Host& host) {
  platforms::ReplicaSpec spec = point.spec;
  spec.host = host;
  ServingBench bench = point.bench;
  if (point.defaults->static_shapes)
    spec.step_shape.compiled = {bench.batching.max_num_seqs, bench.batching.max_model_len};
  bench.cost = std::make_shared<platforms::KernelStepCost>(spec);
  return bench.closed_loop(point.load);
}

ServedMeans simulate_point(const ServingPoint& point, const platforms::EngineDefaults::Host& host) {
  return means_of(serve(point, host));
}

}  // namespace tokenyard::analysis

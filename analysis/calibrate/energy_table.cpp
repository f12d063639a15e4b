#include "analysis/calibrate/energy_table.hpp"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "analysis/measured/measured_table.hpp"
#include "analysis/run/pool_reading.hpp"
#include "platforms/cost/kernel_step_cost.hpp"
#include "sim/input/faults.hpp"
#include "sim/input/json_reader.hpp"

namespace tokenyard::analysis {
namespace {

using platforms::Precision;

constexpr std::int64_t kRounds = 12;
constexpr std::int64_t kMostChips = 4096, kMostSequences = 1'000'000;
constexpr std::size_t kQuantiles = 40;
constexpr double kMost = 1e15;  // in a histogram

/// Mean tokens of a prompt, by task. Assumed: the table has none. The chat and the questions are short beside their
/// answers; a request to fill in code carries the file around the gap.
const std::map<std::string, platforms::Tokens, std::less<>> kPromptTokens = {
    {"lm-arena-chat", 250}, {"gpqa", 300}, {"sourcegraph-fim", 1500}};

const std::map<std::string, std::string, std::less<>> kChips = {
    {"A100", "a100-80-sxm"}, {"H100", "h100-sxm"}, {"H200", "h200-sxm"}, {"B200", "b200-sxm"}};
const std::map<std::string, Precision, std::less<>> kPrecisionNames = {
    {"bfloat16", Precision::kBf16}, {"fp8", Precision::kFp8}, {"mxfp4", Precision::kFp4}};

/// "Qwen/Qwen3-235B-A22B-Thinking-2507-FP8" → "qwen3-235b-a22b": how a checkpoint was trained on or stored changes no
/// shape.
std::string family(std::string_view model_id) {
  std::string name(model_id.substr(model_id.find('/') + 1));
  std::transform(name.begin(), name.end(), name.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  for (const std::string_view part : {"-instruct", "-thinking", "-2507", "-fp8", "-it"}) {
    const auto at = name.rfind(part);
    if (at != std::string::npos && (at + part.size() == name.size() || name[at + part.size()] == '-'))
      name.erase(at, part.size());
  }
  return name == "qwen3-coder-30b-a3b" ? "qwen3-30b-a3b" : name;
}

/// Equally likely output lengths in shares of their mean, from the histogram under `key`.
std::vector<double> length_shares(const sim::JsonFile& lengths, const std::string& key) {
  const sim::Json& histogram = lengths.value()[key];
  const auto refuse = [&](const char* part, std::string found, std::string allowed) {
    throw sim::InputError({lengths.name(), fmt::format("/{}/{}", key, part), std::move(found), std::move(allowed)});
  };
  const auto numbers = [&](const char* part) {
    const sim::Json list = histogram.is_object() && histogram.contains(part) ? histogram[part] : sim::Json();
    const bool good = list.is_array() && std::all_of(list.begin(), list.end(), [](const sim::Json& x) {
                        return x.is_number() && x.get<double>() >= 0 && x.get<double>() <= kMost;
                      });
    if (!good) refuse(part, sim::shown(list), fmt::format("a list of numbers from 0 to {}", kMost));
    return list.get<std::vector<double>>();
  };
  const std::vector<double> bins = numbers("bins"), counts = numbers("counts");
  double all = 0, mean = 0;
  for (const double count : counts) all += count;
  if (!(all > 0)) refuse("counts", "a sum of 0", "one above 0");
  if (bins.size() != counts.size() + 1)
    refuse("bins", fmt::format("{} edges of {} counts", bins.size(), counts.size()), "an edge more than counts");
  if (std::adjacent_find(bins.begin(), bins.end(), std::greater_equal<>()) != bins.end())
    refuse("bins", "an edge that is not above the one before", "ascending edges");
  std::vector<double> shares;
  double below = 0;
  std::size_t bin = 0;
  for (std::size_t i = 0; i < kQuantiles; ++i) {
    const double rank = (static_cast<double>(i) + 0.5) / static_cast<double>(kQuantiles) * all;
    while (bin + 1 < counts.size() && below + counts[bin] < rank) below += counts[bin++];
    const double inside = counts[bin] > 0 ? (rank - below) / counts[bin] : 0;
    shares.push_back(bins[bin] + inside * (bins[bin + 1] - bins[bin]));
    mean += shares.back() / static_cast<double>(kQuantiles);
  }
  for (double& share : shares) share /= mean;
  return shares;
}

/// The reason to leave a row out; empty: `point` is complete.
std::string read_point(const MeasuredTable& table, std::size_t row, const platforms::Catalog& catalog,
                       const sim::JsonFile& lengths, EnergyPoint& point) {
  point.task = table.text(row, "task");
  point.model = table.text(row, "model_id");
  const auto prompt = kPromptTokens.find(point.task);
  if (prompt == kPromptTokens.end()) return "with images or video: " + point.task;
  const auto weights = kPrecisionNames.find(table.text(row, "weight_precision"));
  point.spec.model = catalog.find_model(family(point.model));
  if (point.spec.chip == nullptr) {
    const auto gpu = kChips.find(table.text(row, "gpu_model"));
    if (gpu != kChips.end()) point.spec.chip = catalog.find_chip(gpu->second);
    if (point.spec.chip == nullptr) return "not in the catalogue: " + std::string(table.text(row, "gpu_model"));
  }
  if (point.spec.model == nullptr || weights == kPrecisionNames.end())
    return "not in the catalogue: " + point.model.substr(point.model.find('/') + 1);
  const platforms::EngineDefaults* engine = catalog.find_engine("vllm");
  if (engine == nullptr) return "not in the catalogue: vllm";
  const auto chips = [&](const char* column) { return table.whole(row, column, 1, kMostChips); };
  // "Expert parallel N, tensor parallel 1" is vLLM's --enable-expert-parallel: attention is divided among the N, too.
  platforms::Parallelism& p = point.spec.parallelism;
  p.dp = chips("data_parallel");
  p.ep = chips("expert_parallel");
  p.tp = std::max<std::int64_t>(1, chips("num_gpus") / p.dp);
  point.spec.weights = weights->second;
  platforms::serve_with(*engine, point.spec);
  if (const auto missing = platforms::missing_numbers(point.spec); !missing.empty())
    return "the catalogue lacks " + missing.front();
  const auto bench = bench_of(*engine, point.spec);
  if (!bench) return fmt::format("does not fit: {} on {} chips", point.model, p.chips());
  point.bench = *bench;
  platforms::BatchingOptions& batching = point.bench.batching;
  batching.max_num_seqs = static_cast<std::int32_t>(table.whole(row, "max_num_seqs", 1, kMostSequences));
  batching.max_num_batched_tokens = std::max<platforms::Tokens>(batching.max_num_batched_tokens, batching.max_num_seqs);
  point.load.users = std::max<std::int64_t>(1, std::llround(table.positive(row, "avg_batch_size")));
  point.load.prompt_tokens = prompt->second;
  point.load.output_tokens = std::max<platforms::Tokens>(1, std::llround(table.positive(row, "avg_output_len")));
  point.load.requests = kRounds * point.load.users;
  point.load.turnaround_s = 0;
  std::string key = point.model + "__" + point.task;
  if (const auto slash = key.find('/'); slash != std::string::npos) key.replace(slash, 1, "__");
  if (lengths.value().contains(key)) point.load.length_shares = length_shares(lengths, key);
  point.watts = table.positive(row, "avg_power_watts") / static_cast<double>(p.chips());
  point.joules_per_token = table.positive(row, "energy_per_token_joules");
  point.itl_s = table.positive(row, "median_itl_ms") * 1e-3;
  point.tokens_per_s = table.positive(row, "output_throughput_tokens_per_sec");
  return {};
}

}  // namespace

EnergyTable read_energy_table(const std::filesystem::path& path, const platforms::Catalog& catalog,
                              const platforms::Chip* chip) {
  const MeasuredTable table(path);
  sim::JsonFile lengths;
  sim::Faults faults;
  if (const auto beside = path.parent_path() / "output_length_distributions.json"; std::filesystem::exists(beside))
    lengths = sim::JsonFile::load(beside, faults);
  if (!lengths.value().is_object()) faults.add(lengths.name(), "", sim::shown(lengths.value()), "an object: { … }");
  faults.throw_if_any();
  EnergyTable result;
  for (std::size_t row = 0; row < table.rows(); ++row) {
    EnergyPoint point;
    point.spec.chip = chip;
    const std::string reason = read_point(table, row, catalog, lengths, point);
    if (reason.empty()) {
      result.points.push_back(std::move(point));
    } else {
      ++result.left_out[reason];
    }
  }
  return result;
}

SimulatedWork simulate(const EnergyPoint& point) {
  ServingBench bench = point.bench;
  bench.cost = std::make_shared<platforms::KernelStepCost>(point.spec);
  const ServingResult result = bench.closed_loop(point.load);
  const platforms::ServingTotals &from = result.steady_from.totals, &to = result.steady_to.totals;
  SimulatedWork work;
  work.span_s = result.steady_to.date_s - result.steady_from.date_s;
  work.of_chip = work_of_chip(from, to);
  work.of_chip *= 1 / static_cast<double>(point.spec.parallelism.dp);
  work.output_tokens = static_cast<double>(to.output_tokens - from.output_tokens);
  work.itl_s = result.itl_p50_s;
  return work;
}

}  // namespace tokenyard::analysis

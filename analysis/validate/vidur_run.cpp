/// A peer's whole run in our scheduler: first with the peer's step times, then with ours.

#include <algorithm>
#include <cmath>
#include <fmt/format.h>

#include "analysis/calibrate/gemm_fit.hpp"
#include "analysis/measured/fit_error.hpp"
#include "analysis/measured/measured_table.hpp"
#include "analysis/measured/sample_statistics.hpp"
#include "analysis/measured/serving_bench.hpp"
#include "analysis/validate/measured_systems.hpp"
#include "analysis/validate/vidur_tables.hpp"
#include "platforms/cost/kernel_figures.hpp"
#include "platforms/cost/kernel_step_cost.hpp"
#include "sim/input/faults.hpp"
#include "traces/readers/trace_reader.hpp"

namespace tokenyard::analysis {
namespace {

using platforms::PrefillChunk;
using platforms::StepCost;
using platforms::Tokens;

constexpr std::size_t kReplicas = 2;
constexpr Tokens kLongest = 4096, kBudget = 512, kBlocks = 7424, kBlockSize = 16;
constexpr std::int32_t kMostCalls = 128;
constexpr std::int64_t kIterations = 360'920;  // what the run printed (its README)
constexpr double kEnd = 3505.5166;

/// What the peer does to a trace: prompts are cut so that prompt and output have room together.
std::vector<TimedRequest> read_requests(const std::filesystem::path& path) {
  std::vector<TimedRequest> requests;
  const auto trace = traces::open_trace(path.string(), "azure");
  for (agents::RecordedRequest request; trace->next(request);) {
    const Tokens room = kLongest - request.output_tokens;
    const Tokens prompt = std::max<Tokens>(1, std::min(platforms::tokens_of(request.prompt), room));
    requests.push_back({request.arrival.seconds(), prompt, request.output_tokens});
  }
  return requests;
}

struct Run {
  std::vector<ServedCall> calls;  ///< in order of arrival
  std::int64_t iterations = 0;
  double end_s = 0;
  std::int32_t most_running = 0;  ///< of a replica, of one sample a second
  std::int64_t most_blocks = 0;
};

/// Requests take turns among the replicas, which do not touch each other.
Run replay(const std::vector<TimedRequest>& requests, const std::shared_ptr<const StepCost>& cost) {
  ServingBench bench;
  bench.cost = cost;
  bench.batching = {.max_num_seqs = kMostCalls,
                    .max_num_batched_tokens = kBudget,
                    .max_model_len = kLongest,
                    .scheduler_reserve_full_isl = true,
                    .watermark = 0.01};
  bench.kv = {.blocks = kBlocks, .block_size = kBlockSize, .prefix_caching = false};
  Run run;
  run.calls.resize(requests.size());
  for (std::size_t replica = 0; replica < kReplicas; ++replica) {
    std::vector<TimedRequest> own;
    for (std::size_t i = replica; i < requests.size(); i += kReplicas) own.push_back(requests[i]);
    const ServingResult result = bench.replay(own, true);
    for (std::size_t i = 0; i < own.size(); ++i) run.calls[replica + i * kReplicas] = result.calls[i];
    run.iterations += result.totals.all_steps().steps;
    run.end_s = std::max(run.end_s, result.span_s);
    for (const ServingResult::Sample& sample : result.samples) {
      run.most_running = std::max(run.most_running, sample.running);
      run.most_blocks = std::max(run.most_blocks, sample.kv_blocks);
    }
  }
  return run;
}

Run read_run(const std::filesystem::path& path, const std::vector<TimedRequest>& requests) {
  const MeasuredTable table(path);
  Run run{.calls = std::vector<ServedCall>(requests.size()), .iterations = kIterations, .end_s = kEnd};
  if (table.rows() != requests.size())
    throw sim::InputError({path.string(), "", fmt::format("{} requests", table.rows()),
                           fmt::format("{}, as in the trace", requests.size())});
  for (std::size_t row = 0; row < table.rows(); ++row) {
    const auto id = static_cast<std::size_t>(table.number(row, "Request Id"));
    if (id >= requests.size() ||
        table.number(row, "request_num_prefill_tokens") != static_cast<double>(requests[id].prompt_tokens) ||
        table.number(row, "request_num_decode_tokens") != static_cast<double>(requests[id].output_tokens)) {
      throw sim::InputError({path.string(), fmt::format("row {}", row + 1), fmt::format("request {}", id),
                             "a request of the trace, with its tokens"});
    }
    run.calls[id].ttft_s = table.number(row, "prefill_e2e_time");
    run.calls[id].e2e_s = table.number(row, "request_e2e_time");
  }
  for (std::size_t i = 0; i < requests.size(); ++i) {
    ServedCall& call = run.calls[i];
    if (requests[i].output_tokens > 1)
      call.tpot_s = (call.e2e_s - call.ttft_s) / static_cast<double>(requests[i].output_tokens - 1);
  }
  return run;
}

std::vector<double> column(const Run& run, double ServedCall::*member) {
  std::vector<double> values;
  for (const ServedCall& call : run.calls) values.push_back(call.*member);
  return values;
}

constexpr std::pair<const char*, double ServedCall::*> kTimes[] = {
    {"TTFT", &ServedCall::ttft_s}, {"TPOT", &ServedCall::tpot_s}, {"end to end", &ServedCall::e2e_s}};

void compare(ValidationTable& table, const Run& theirs, const Run& ours, const std::string& label) {
  const auto add = [&](const std::string& metric, double real, double model) {
    table.rows.push_back({metric + label, fmt::format("{:.4f} s", real), fmt::format("{:.4f} s", model),
                          fmt::format("{:+.2f} %", 100 * (model / real - 1)), "nothing"});
  };
  table.rows.push_back({"iterations" + label, fmt::format("{}", theirs.iterations), fmt::format("{}", ours.iterations),
                        fmt::format("{:+}", ours.iterations - theirs.iterations), "nothing"});
  for (const auto& [name, member] : kTimes) {
    const std::vector<double> real = column(theirs, member), model = column(ours, member);
    add(fmt::format("{} mean", name), mean_of(real), mean_of(model));
    for (const int p : {50, 99})
      if (label.empty() || p == 99)
        add(fmt::format("{} P{}", name, p), quantile_of(real, p / 100.0), quantile_of(model, p / 100.0));
  }
}

/// Request by request: the largest error, and how many are further off than 0.1 %.
void compare_each(ValidationTable& table, const Run& theirs, const Run& ours) {
  for (const auto& [name, member] : {kTimes[0], kTimes[2]}) {
    double largest = 0;
    std::size_t off = 0, worst = 0;
    for (std::size_t i = 0; i < theirs.calls.size(); ++i) {
      const double error = std::abs(ours.calls[i].*member / (theirs.calls[i].*member) - 1);
      off += error > 1e-3;
      if (error > largest) largest = error, worst = i;
    }
    table.rows.push_back(
        {fmt::format("{} of each request: the largest error", name),
         fmt::format("{:.6f} s", theirs.calls[worst].*member), fmt::format("{:.6f} s", ours.calls[worst].*member),
         fmt::format("{:.1e} %; {} above 0.1 %", 100 * largest, off), "nothing", ValidationRow::Glance::kFigure});
  }
}

// ---- Which is closer to physics -------------------------------------------------------------------------------------

/// The least that a step can take: every weight of the layers and the contexts' KV cross the memory once, and the
/// arithmetic is done, each at the chip's peak. Without the output layer, which the peer leaves out.
class Floor {
 public:
  explicit Floor(const platforms::ReplicaSpec& spec)
      : peak_(*spec.chip->peak_flops_per_s[platforms::Precision::kBf16]),
        bandwidth_(*spec.chip->memory_bytes_per_s),
        kv_bytes_(spec.model->kv_bytes_per_token(spec.kv)),
        attention_flop_(4.0 * static_cast<double>(spec.model->layers * spec.model->hidden)) {
    const auto parameters = spec.model->parameters();
    weights_ = parameters.total() - parameters.embedding - parameters.lm_head;
  }
  double step_s(std::int32_t decoding, Tokens context, std::span<const PrefillChunk> chunks) const {
    double tokens = decoding, read = static_cast<double>(context), pairs = static_cast<double>(context);
    for (const PrefillChunk& chunk : chunks) {
      const auto n = static_cast<double>(chunk.tokens), before = static_cast<double>(chunk.before);
      tokens += n;
      read += before;
      pairs += n * before + n * n / 2;
    }
    return std::max((2 * weights_ * tokens + attention_flop_ * pairs) / peak_,
                    (2 * weights_ + kv_bytes_ * read) / bandwidth_);
  }
  /// Keys and values of `tokens` tokens, read where they were computed and written to the cache.
  double kv_save_s(Tokens tokens) const { return 2 * kv_bytes_ * static_cast<double>(tokens) / bandwidth_; }

 private:
  double peak_, bandwidth_, kv_bytes_, attention_flop_, weights_ = 0;
};

/// The peer's tables, but saving the cache at memory speed.
class PlausibleKvSave final : public StepCost {
 public:
  PlausibleKvSave(const VidurTables& tables, const Floor& floor) : tables_(tables), floor_(floor) {}
  using StepCost::piece;
  platforms::StepPiece piece(const platforms::DecodingCalls& decoding, std::span<const PrefillChunk> chunks,
                             const platforms::OtherRanks& others) const override {
    platforms::StepPiece piece = tables_.piece(decoding, chunks, others);
    Tokens tokens = decoding.calls;
    for (const PrefillChunk& chunk : chunks) tokens += chunk.tokens;
    piece.base_ticks[platforms::Bound::kCompute] +=
        sim::FineTime::ticks_in(floor_.kv_save_s(tokens) - tables_.kv_save_s(tokens));
    return piece;
  }

 private:
  const VidurTables& tables_;
  const Floor& floor_;
};

double step_s(const StepCost& cost, std::int32_t decoding, Tokens context, std::span<const PrefillChunk> chunks) {
  return static_cast<double>(cost.piece({decoding, context}, chunks).ticks(context)) / sim::FineTime::kTicksPerSecond;
}

void compare_steps(ValidationTable& table, const StepCost& theirs, const StepCost& ours, const Floor& floor) {
  struct Shape {
    std::int32_t decoding;
    Tokens mean, chunk, before;
  };
  for (const Shape& shape : {Shape{1, 1024, 0, 0},
                             {16, 1024, 0, 0},
                             {64, 1024, 0, 0},
                             {128, 896, 0, 0},
                             {0, 0, 64, 0},
                             {0, 0, 512, 0},
                             {0, 0, 512, 1024},
                             {32, 1024, 480, 512}}) {
    std::vector<PrefillChunk> chunks;
    if (shape.chunk > 0) chunks.push_back({shape.chunk, shape.before, true});
    const Tokens context = shape.mean * shape.decoding;
    const double least = floor.step_s(shape.decoding, context, chunks);
    const double peer = step_s(theirs, shape.decoding, context, chunks);
    const double own = step_s(ours, shape.decoding, context, chunks);
    std::string what;
    if (shape.decoding > 0) what = fmt::format("{} decoding at {}", shape.decoding, shape.mean);
    if (shape.chunk > 0)
      what += fmt::format("{}{} of a prompt at {}", what.empty() ? "" : " and ", shape.chunk, shape.before);
    table.rows.push_back({fmt::format("step: {}; floor {:.2f} ms", what, 1e3 * least),
                          fmt::format("{:.2f} ms", 1e3 * peer), fmt::format("{:.2f} ms", 1e3 * own),
                          fmt::format("x {:.2f} and x {:.2f} of floor", peer / least, own / least), "kernels: tables"});
  }

  double peer = 1e300, own = 1e300;
  for (std::int32_t decoding = 0; decoding <= kMostCalls; decoding += decoding < 8 ? 1 : 8) {
    for (Tokens mean = 64; mean <= kLongest && mean * decoding <= kBlocks * kBlockSize; mean += 64) {
      for (const Tokens chunk : {0, 1, 16, 128, 384}) {
        if (decoding == 0 && chunk == 0) continue;
        const PrefillChunk prompt{chunk, mean - 64, true};
        const std::span<const PrefillChunk> chunks(&prompt, chunk > 0 ? 1 : 0);
        const double least = floor.step_s(decoding, mean * decoding, chunks);
        peer = std::min(peer, step_s(theirs, decoding, mean * decoding, chunks) / least);
        own = std::min(own, step_s(ours, decoding, mean * decoding, chunks) / least);
      }
    }
  }
  table.rows.push_back({"the step that comes closest to its floor, of a grid", fmt::format("x {:.2f}", peer),
                        fmt::format("x {:.2f}", own), "", "kernels: tables"});
}

/// What 32 calls take for 1,024 tokens of context more, each: reading their KV.
void compare_contexts(ValidationTable& table, const StepCost& theirs, const StepCost& ours, const Floor& floor) {
  constexpr std::int32_t kCalls = 32;
  constexpr Tokens kFrom = Tokens{1024} * kCalls, kTo = 2 * kFrom;
  const auto rise = [&](const StepCost& cost) {
    return step_s(cost, kCalls, kTo, {}) - step_s(cost, kCalls, kFrom, {});
  };
  const double least = floor.step_s(kCalls, kTo, {}) - floor.step_s(kCalls, kFrom, {});
  const double peer = rise(theirs), own = rise(ours);
  table.rows.push_back(
      {fmt::format("{} decoding, from 1,024 to 2,048 tokens of context; floor {:.2f} ms", kCalls, 1e3 * least),
       fmt::format("{:.2f} ms", 1e3 * peer), fmt::format("{:.2f} ms", 1e3 * own),
       fmt::format("x {:.2f} and x {:.2f} of floor", peer / least, own / least), "kernels: tables"});
}

void compare_kv_save(ValidationTable& table, const VidurTables& theirs, const Floor& floor) {
  for (const Tokens tokens : {1, 64, 120, 512, 4096}) {
    const double peer = theirs.kv_save_s(tokens), least = floor.kv_save_s(tokens);
    table.rows.push_back({fmt::format("saving the KV of {} tokens; floor {:.3f} ms", tokens, 1e3 * least),
                          fmt::format("{:.3f} ms", 1e3 * peer), "in other kernels",
                          fmt::format("x {:.0f} of floor", peer / least), "nothing"});
  }
}

/// Both against a third party's measurements: vLLM 0.14's kernels on the same chip, of the two products of this model
/// that are among them.
void compare_products(ValidationTable& table, const std::filesystem::path& data, const platforms::Chip& chip) {
  const std::filesystem::path measured = data / "aiconfigurator" / "a100_sxm__gemm__vllm_0.14.0.csv.xz";
  if (!std::filesystem::exists(measured)) return;
  const auto samples = read_gemm_samples(measured, "bfloat16");
  FitError few_theirs, few_ours, many_theirs, many_ours;
  for (const auto& [name, columns] : {std::pair{"attn_pre_proj", 12288}, std::pair{"attn_post_proj", 4096}}) {
    const MeasuredTable theirs(data / "vidur_l2_2rep" / fmt::format("{}.csv.xz", name));
    const platforms::Gemm ours(platforms::gemm_figures(chip, platforms::Precision::kBf16), columns, 4096, 2, 2);
    for (const GemmSample& sample : samples) {
      if (sample.n != columns || sample.k != 4096 || sample.m > kLongest) continue;
      const bool few = sample.m <= 128;
      (few ? few_theirs : many_theirs)
          .add(1e-3 * theirs.number(static_cast<std::size_t>(sample.m - 1), "prediction"), sample.seconds);
      (few ? few_ours : many_ours).add(ours.at(sample.m).total(), sample.seconds);
    }
  }
  const auto add = [&](const char* rows, const FitError& theirs, const FitError& ours) {
    table.rows.push_back({fmt::format("QKV and output products as vLLM 0.14 measured them, {}: over measured", rows),
                          fmt::format("x {:.2f}", theirs.bias()), fmt::format("x {:.2f}", ours.bias()),
                          fmt::format("{:.1f} and {:.1f} % off on average", 100 * theirs.mean(), 100 * ours.mean()),
                          "ours: four shapes in five of it"});
  };
  add("up to 128 tokens", few_theirs, few_ours);
  add("more", many_theirs, many_ours);
}

}  // namespace

std::vector<ValidationTable> validate_vidur_run(const std::filesystem::path& data, const platforms::Catalog& catalog) {
  const std::filesystem::path folder = data / "vidur_l2_2rep";
  const std::filesystem::path trace = data / "azure_llm_2023" / "AzureLLMInferenceTrace_conv.csv";
  if (!std::filesystem::exists(folder / "request_metrics.csv.xz") || !std::filesystem::exists(trace)) return {};
  const std::vector<TimedRequest> requests = read_requests(trace);
  const Run theirs = read_run(folder / "request_metrics.csv.xz", requests);
  const auto tables = std::make_shared<VidurTables>(folder);

  const Run scheduled = replay(requests, tables);
  const bool limited = scheduled.most_running == kMostCalls || scheduled.most_blocks > kBlocks * 9 / 10;
  ValidationTable same{
      "A peer's run (Vidur: 19,366 requests of the Azure conversation trace, Llama-2-7B on 2 A100s) with its step "
      "times",
      fmt::format("\"Measured\" is the peer's simulation. Its rules: round robin, prompts cut to {} tokens with the "
                  "output, {} tokens and {} calls a step, {} blocks of {} of which 1 % are kept free, whole prompts "
                  "admitted. Any difference is the scheduler's. At most {} calls ran and {} blocks were in use, read "
                  "once a second.{}",
                  kLongest, kBudget, kMostCalls, kBlocks, kBlockSize, scheduled.most_running, scheduled.most_blocks,
                  limited ? "" : " So the run checks how steps are made up and dated, not what happens at a limit."),
      {}};
  compare(same, theirs, scheduled, "");
  same.rows.push_back({"simulated end", fmt::format("{:.4f} s", theirs.end_s), fmt::format("{:.4f} s", scheduled.end_s),
                       fmt::format("{:+.1e} %", 100 * (scheduled.end_s / theirs.end_s - 1)), "nothing"});
  compare_each(same, theirs, scheduled);

  platforms::ReplicaSpec spec;
  spec.chip = catalog.find_chip("a100-80-sxm");
  spec.model = catalog.find_model("llama-2-7b");
  const Floor floor(spec);
  const auto kernels = std::make_shared<platforms::KernelStepCost>(spec);
  ValidationTable ours{
      "The peer's run with our step times",
      "\"Measured\" is the peer's simulation. It has neither output layer nor host time, and saving the "
      "KV cache takes it over a quarter of a full step of prompt tokens.",
      {}};
  compare(ours, theirs, replay(requests, kernels), ", kernels alone");
  spec.host = catalog.find_engine("vllm")->host;
  compare(ours, theirs, replay(requests, std::make_shared<platforms::KernelStepCost>(spec)), ", with vLLM's host time");
  compare(ours, theirs, replay(requests, std::make_shared<PlausibleKvSave>(*tables, floor)),
          ", the peer's but KV saved at memory speed");

  ValidationTable physics{
      "The peer's step times and ours against the chip",
      "\"Measured\" is the peer's table, simulated our kernels without host time; the floor is "
      "weights and KV read once and the arithmetic done, at the chip's peaks. No head of this model shares a "
      "cached one: our decode attention is fitted on such rows of another engine's table (vLLM 0.14).",
      {}};
  compare_steps(physics, *tables, *kernels, floor);
  compare_contexts(physics, *tables, *kernels, floor);
  compare_kv_save(physics, *tables, floor);
  compare_products(physics, data, *spec.chip);
  return {same, ours, physics};
}

}  // namespace tokenyard::analysis

#include <algorithm>
#include <cmath>
#include <fmt/format.h>
#include <fstream>
#include <limits>

#include "analysis/calibrate/profile_reader.hpp"
#include "analysis/measured/measured_table.hpp"
#include "analysis/measured/sample_statistics.hpp"
#include "analysis/measured/serving_bench.hpp"
#include "analysis/validate/measured_systems.hpp"
#include "platforms/cost/profiled_step_cost.hpp"
#include "sim/input/faults.hpp"
#include "sim/input/json.hpp"

namespace tokenyard::analysis {
namespace {

struct Run {
  const char* prefix;
  const char* profile;
  const char* model;
  std::int64_t dp;
};
constexpr Run kRuns[] = {
    {"RTXPRO6000_Llama-3.1-8B__vllm", "profile_RTXPRO6000_Llama-3.1-8B_tp1", "llama-3.1-8b", 1},
    {"RTXPRO6000_Qwen3-30B-A3B-Instruct-2507__vllm", "profile_RTXPRO6000_Qwen3-30B-A3B_tp1", "qwen3-30b-a3b", 2}};
constexpr std::int64_t kBlocks = 36578;  // what the server printed (evidence: peers.md §6.2)

struct Measured {
  std::vector<TimedRequest> requests;
  std::vector<ServedCall> calls;
};

/// Calls by arrival, in seconds from the first. The engine stamps a call as queued only when it takes it up between two
/// steps, so what a call has waited until then shows in its arrival alone, which another clock told: the smallest
/// difference between the two is taken as that of the clocks.
Measured read_requests(const std::filesystem::path& path) {
  struct Row {
    double arrival, queued, first_token, last_token;
    std::int64_t prompt_tokens, output_tokens;
  };
  std::vector<Row> rows;
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    const sim::Json json = sim::parse_json(line).value();
    const auto seconds = [&](const char* key) { return json.at(key).get<double>(); };
    const auto tokens = [&](const char* key) { return json.at(key).get<std::int64_t>(); };
    rows.push_back({seconds("arrival_time"), seconds("queued_ts"), seconds("first_token_ts"), seconds("last_token_ts"),
                    tokens("input_toks"), tokens("output_toks")});
  }
  std::sort(rows.begin(), rows.end(), [](const Row& a, const Row& b) { return a.arrival < b.arrival; });
  double clocks = std::numeric_limits<double>::max();
  for (const Row& row : rows) clocks = std::min(clocks, row.queued - row.arrival);
  Measured measured;
  for (const Row& row : rows) {
    const double arrived = row.arrival + clocks, begin = rows.front().arrival;
    measured.requests.push_back({row.arrival - begin, row.prompt_tokens, row.output_tokens});
    ServedCall call;
    call.arrival_s = row.arrival - begin;
    call.ttft_s = row.first_token - arrived;
    call.e2e_s = row.last_token - arrived;
    call.tpot_s = (row.last_token - row.first_token) / static_cast<double>(row.output_tokens - 1);
    measured.calls.push_back(call);
  }
  return measured;
}

void compare(ValidationTable& table, const Measured& measured, const ServingResult& simulated,
             const std::string& fitted_on) {
  const auto column = [](const std::vector<ServedCall>& calls, double ServedCall::*member) {
    std::vector<double> values;
    for (const ServedCall& call : calls) values.push_back(call.*member);
    return values;
  };
  const auto add = [&](const std::string& metric, double real, double model) {
    const bool mean = metric.ends_with("mean");
    table.rows.push_back({metric, fmt::format("{:.4f} s", real), fmt::format("{:.4f} s", model),
                          fmt::format("{:+.1f} %", 100 * (model / real - 1)), fitted_on,
                          mean ? ValidationRow::Glance::kFigure : ValidationRow::Glance::kNothing});
  };
  for (const auto& [name, member] :
       {std::pair{"TPOT", &ServedCall::tpot_s}, std::pair{"end to end", &ServedCall::e2e_s},
        std::pair{"TTFT", &ServedCall::ttft_s}}) {
    const std::vector<double> real = column(measured.calls, member), model = column(simulated.calls, member);
    add(fmt::format("{} mean", name), mean_of(real), mean_of(model));
    for (const int p : {50, 90, 95, 99})
      add(fmt::format("{} P{}", name, p), quantile_of(real, p / 100.0), quantile_of(model, p / 100.0));
  }
}

/// Mean absolute difference of the running and the waiting calls per second, as a share of the measured mean.
void compare_series(ValidationTable& table, const std::filesystem::path& path, const ServingResult& simulated,
                    const std::string& fitted_on) {
  const MeasuredTable series(path);
  for (const bool running : {true, false}) {
    double difference = 0, sum = 0, model_sum = 0;
    for (std::size_t row = 0; row < series.rows(); ++row) {
      const double real = series.number(row, running ? "running" : "waiting");
      const ServingResult::Sample sample =
          row < simulated.samples.size() ? simulated.samples[row] : ServingResult::Sample{};
      const double model = running ? sample.running : sample.waiting;
      difference += std::abs(model - real);
      sum += real;
      model_sum += model;
    }
    const auto seconds = static_cast<double>(series.rows());
    table.rows.push_back({running ? "running calls, per second" : "waiting calls, per second",
                          fmt::format("{:.1f}", sum / seconds), fmt::format("{:.1f}", model_sum / seconds),
                          fmt::format("{:.1f} % off on average", 100 * difference / sum), fitted_on});
  }
}

}  // namespace

std::vector<ValidationTable> validate_vllm_runs(const std::filesystem::path& data, const platforms::Catalog& catalog) {
  std::vector<ValidationTable> tables;
  const std::filesystem::path folder = data / "llmservingsim";
  for (const Run& run : kRuns) {
    const std::filesystem::path requests = folder / fmt::format("{}_requests.jsonl", run.prefix);
    if (!std::filesystem::exists(requests)) continue;
    const Measured measured = read_requests(requests);
    platforms::ReplicaSpec spec;
    spec.chip = catalog.find_chip("rtx-pro-6000");
    spec.model = catalog.find_model(run.model);
    spec.parallelism.dp = run.dp;
    spec.parallelism.ep = run.dp;
    const platforms::EngineDefaults& engine = *catalog.find_engine("vllm-0.19");
    platforms::serve_with(engine, spec);  // host times fitted to the first run; the second is not fitted on
    const platforms::KernelProfile profile = read_kernel_profile(folder, run.profile);
    ServingBench bench = bench_of(engine, spec).value();
    bench.batching.max_num_seqs = 128;
    bench.batching.max_num_batched_tokens = 2048;
    bench.kv.blocks = kBlocks;
    for (const bool profiled : {true, false}) {
      bench.cost =
          profiled
              ? std::shared_ptr<const platforms::StepCost>(std::make_shared<platforms::ProfiledStepCost>(spec, profile))
              : std::make_shared<platforms::KernelStepCost>(spec);
      const ServingResult result = bench.replay(measured.requests, true);
      ValidationTable table{
          fmt::format("vLLM 0.19, {} on RTX PRO 6000 x {}, 300 requests: {}", run.model, run.dp,
                      profiled ? "with its kernel profile" : "from the chip's entry"),
          "Times count from a request's arrival. The simulated prompts share no prefix: the data have no "
          "token ids. An engine that has just started is not modelled: the runs' first calls waited "
          "0.06 and 0.14 s longer for their first tokens than simulated.",
          {}};
      std::string fitted = profiled ? "nothing" : "host times: this run";
      if (run.dp > 1) fitted = profiled ? "links' latency: this run" : "host times: the Llama run; links: this run";
      compare(table, measured, result, fitted);
      if (!profiled) {
        table.served.emplace_back(spec, engine.name);
        for (std::size_t i = 0; i < result.calls.size(); ++i) {
          table.served.back().tpot.add(result.calls[i].tpot_s, measured.calls[i].tpot_s);
          table.served.back().ttft.add(result.calls[i].ttft_s, measured.calls[i].ttft_s);
        }
      }
      compare_series(table, folder / fmt::format("{}_timeseries.csv", run.prefix), result, fitted);
      tables.push_back(std::move(table));
    }
  }
  return tables;
}

}  // namespace tokenyard::analysis

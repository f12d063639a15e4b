#pragma once
/// Measured energy of serving, simulated: watts, joules per token and inter-token latency of a model at a batch size.
///
/// The table has the columns of ML.ENERGY's leaderboard: task, model_id, gpu_model, num_gpus, tensor_parallel,
/// expert_parallel, data_parallel, weight_precision, max_num_seqs, avg_batch_size, avg_output_len, avg_power_watts (of
/// all chips), energy_per_token_joules, median_itl_ms, output_throughput_tokens_per_sec. Beside it may lie
/// output_length_distributions.json: how the outputs of a task spread, {"Qwen__Qwen3-8B__gpqa": {"bins": [edges of
/// lengths], "counts": [one less]}}. Throws sim::InputError where a histogram of a row that counts is none.
///
/// A point is a closed loop of as many users as the batch had calls on average, each of whom sends the next request at
/// once; what counts is the time after everybody's first request and before the last one is sent. Prompts are not in
/// the table: see kPromptTokens in the source.

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "analysis/measured/serving_bench.hpp"
#include "platforms/cost/replica_spec.hpp"
#include "platforms/spec/catalog.hpp"

namespace tokenyard::analysis {

struct EnergyPoint {
  std::string task, model;  ///< as the table writes them
  platforms::ReplicaSpec spec;
  ServingBench bench;  ///< without its cost
  BenchLoad load;
  double watts = 0;             ///< of one chip
  double joules_per_token = 0;  ///< of all chips, per output token
  double itl_s = 0;             ///< median
  double tokens_per_s = 0;      ///< output tokens
};

struct EnergyTable {
  std::vector<EnergyPoint> points;
  std::map<std::string, int> left_out;  ///< reason → rows
};

/// The rows as run on `chip`; null: on the catalogue's chip for their gpu_model. Leaves out, with the reason: tasks
/// with images or video, models that the catalogue lacks or cannot time, and what does not fit into memory.
EnergyTable read_energy_table(const std::filesystem::path& path, const platforms::Catalog& catalog,
                              const platforms::Chip* chip = nullptr);

/// The steady part of a point's run.
struct SimulatedWork {
  double span_s = 0;
  platforms::StepWork of_chip;
  double output_tokens = 0;
  double itl_s = 0;  ///< median
};
SimulatedWork simulate(const EnergyPoint& point);

}  // namespace tokenyard::analysis

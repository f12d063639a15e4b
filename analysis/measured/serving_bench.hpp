#pragma once
/// One replica under a benchmark client, without a scenario: what validation and calibration run by the thousand.
///
/// Either a closed loop of `users` that send the next request `turnaround_s` after the last token, as benchmark clients
/// do, or given arrivals. Cost: that of the simulation, typically milliseconds.
///
///   std::optional<ServingBench> bench = bench_of(*catalog.find_engine("vllm"), spec);   // none: it does not fit
///   bench->cost = std::make_shared<platforms::KernelStepCost>(spec);
///   ServingResult result = bench->closed_loop({.users = 64, .prompt_tokens = 1024, .output_tokens = 512});
///   for (const ServedCall& call : result.calls) add(call.ttft_s, call.tpot_s);

#include <memory>
#include <optional>
#include <vector>

#include "platforms/cost/replica_spec.hpp"
#include "platforms/cost/step_cost.hpp"
#include "platforms/kv/kv_cache.hpp"
#include "platforms/serving/batching_options.hpp"
#include "platforms/serving/serving_totals.hpp"

namespace tokenyard::analysis {

/// Of a closed loop.
struct BenchLoad {
  std::int64_t users = 1;
  platforms::Tokens prompt_tokens = 1024, output_tokens = 128;
  std::int64_t requests = 0;  ///< in all; 0: ten rounds of all users
  /// Mean of the exponential time from the last token to the next request: detokenise, send, receive, tokenise. Its
  /// spread keeps users that once were served together from staying together. Of 1, 3, 5, 10, 30 and 50 ms, 3 come
  /// closest to TTFT in the first half of the serving points that `tokenyard-validate` knows.
  double turnaround_s = 0.003;
  double shortest = 1;  ///< prompts and outputs are uniform from this share of their lengths up to all of it
  std::vector<double> length_shares;  ///< outputs are one of these instead, in shares of their length, each as likely
};

struct TimedRequest {
  double arrival_s = 0;
  platforms::Tokens prompt_tokens = 0, output_tokens = 1;
};

/// What one call got, in seconds since its arrival.
struct ServedCall {
  double arrival_s = 0, ttft_s = 0, e2e_s = 0;
  double tpot_s = 0;  ///< 0 for one token
};

struct ServingResult {
  std::vector<ServedCall> calls;    ///< in order of arrival
  platforms::ServingTotals totals;  ///< of all ranks
  double span_s = 0;                ///< to the last token
  double itl_p50_s = 0;             ///< median gap between the tokens of a call
  struct Mark {
    double date_s = 0;
    platforms::ServingTotals totals;  ///< done by then
  };
  /// Of a closed loop: after two requests of each user, on average, and before the last one is sent.
  Mark steady_from, steady_to;
  struct Sample {
    std::int32_t running = 0, waiting = 0;
    std::int64_t kv_blocks = 0;
  };
  std::vector<Sample> samples;  ///< one a second, if asked for

  double output_tokens_per_s() const { return static_cast<double>(totals.output_tokens) / span_s; }
};

struct ServingBench {
  std::uint32_t ranks = 1;  ///< data-parallel: PoolOptions
  bool in_step = true;
  std::shared_ptr<const platforms::StepCost> cost;
  platforms::BatchingOptions batching;
  platforms::KvCache::Options kv;
  double tokenize_s_per_token = 0;  ///< of a prompt's text, before the engine sees it

  ServingResult closed_loop(const BenchLoad& load) const;
  ServingResult replay(const std::vector<TimedRequest>& requests, bool sampled = false) const;
};

/// A replica with the engine's defaults, its KV cache in what the weights leave of such a share of each chip's memory
/// (the engine's, if not given), without its cost. Nothing where the model does not fit, or where the catalogue lacks a
/// number: platforms::missing_numbers says which.
std::optional<ServingBench> bench_of(const platforms::EngineDefaults& engine, const platforms::ReplicaSpec& spec,
                                     std::optional<double> memory_utilization = {});

}  // namespace tokenyard::analysis

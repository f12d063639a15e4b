#include "analysis/run/deployment.hpp"

#include <algorithm>
#include <fmt/format.h>

#include "platforms/cost/replica_memory.hpp"
#include "platforms/cost/replica_step_cost.hpp"

namespace tokenyard::analysis {

namespace {

const KvTierPlan* remote_store(const PoolPlan& pool) {
  const bool has = !pool.kv_tiers.empty() && pool.kv_tiers.back().kind == platforms::KvTierKind::kRemote;
  return has ? &pool.kv_tiers.back() : nullptr;
}

/// Throws sim::Infeasible if a step with all that it may hold takes longer than can be counted.
void require_countable_steps(const PoolPlan& plan, const platforms::StepCost& cost) {
  const platforms::BatchingOptions& batching = plan.batching;
  const platforms::Tokens memory = plan.cache.blocks * plan.cache.block_size;
  const platforms::Tokens longest = std::min(memory, batching.max_model_len);
  const platforms::Tokens held = std::min(memory, batching.max_num_seqs * longest);
  const platforms::PrefillChunk chunk{std::min(longest, batching.max_num_batched_tokens), longest, true};
  const platforms::OtherRanks likewise{
      .tokens = (plan.parallelism.dp - 1) * std::max<platforms::Tokens>(batching.max_num_batched_tokens, chunk.tokens),
      .fullest = batching.max_num_seqs,
      .prompts = true};
  if (cost.piece({batching.max_num_seqs, held}, {&chunk, 1}, likewise).counts(held)) return;
  throw sim::Infeasible(fmt::format(
      "pool \"{}\": a step of {} on {} may take more than 500 s. A number of the chip's, the model's or "
      "the engine's entry is not what it should be, or max_model_len or max_num_batched_tokens is too large.",
      plan.name, plan.model->name, plan.chip->name));
}

/// Of a prefill pool, whose decode pool was checked to be there.
std::size_t decode_pool_of(const Scenario& scenario, const PoolPlan& pool) {
  return static_cast<std::size_t>(find_pool(scenario.pools, pool.decode_pool) - scenario.pools.data());
}

}  // namespace

platforms::Placement place(const Scenario& scenario) {
  std::vector<platforms::PlacementRequest> requests;
  for (const PoolPlan& pool : scenario.pools) {
    platforms::PlacementRequest request{pool.name,           pool.chip, pool.replicas, pool.parallelism.chips(),
                                        pool.parallelism.tp, pool.site};
    if (pool.role == platforms::PoolRole::kPrefill) request.sends_to = decode_pool_of(scenario, pool);
    if (const KvTierPlan* store = remote_store(pool)) request.store_bytes_per_s = store->bytes_per_s.value_or(0);
    request.pointer = fmt::format("/pools/{}", requests.size());
    requests.push_back(std::move(request));
  }
  for (std::size_t i = 0; i < scenario.training.size(); ++i) {
    const TrainingPlan& job = scenario.training[i];
    requests.push_back({job.name, job.chip, job.workers, job.parallelism.chips(), job.parallelism.tp, job.site});
    requests.back().pointer = fmt::format("/training/{}", i);
  }
  return platforms::place(scenario.cluster, requests);
}

std::vector<platforms::PoolOptions> pool_options(const Scenario& scenario, const platforms::Placement& placement,
                                                 bool stepwise) {
  std::vector<platforms::PoolOptions> pools;
  for (std::size_t i = 0; i < scenario.pools.size(); ++i) {
    const PoolPlan& plan = scenario.pools[i];
    platforms::PoolOptions pool{{plan}};
    pool.name = plan.name;
    if (plan.role == platforms::PoolRole::kPrefill)
      pool.decode_pool = static_cast<std::uint32_t>(decode_pool_of(scenario, plan));
    pool.hosts = placement.hosts(i);
    pool.power = plan.chip->step_power(plan.weights);
    if (plan.media != nullptr) {
      pool.media = std::make_shared<const platforms::MediaCost>(plan.media_spec());
      pools.push_back(std::move(pool));
      continue;
    }
    for (std::uint32_t j = 0; j < scenario.pools.size(); ++j) {
      if (std::find(plan.overflow.begin(), plan.overflow.end(), scenario.pools[j].name) != plan.overflow.end())
        pool.overflow.push_back(j);
    }
    pool.usd_per_s = plan.usd_per_chip_hour.value_or(0) * static_cast<double>(plan.parallelism.chips()) / 3600;
    pool.cost = platforms::replica_step_cost(plan.spec_on(scenario.cluster));
    require_countable_steps(plan, *pool.cost);
    pool.ranks = static_cast<std::uint32_t>(plan.parallelism.dp);
    pool.in_step = plan.model->moe.has_value();
    pool.batching.stepwise = stepwise;
    pool.batching.seed = scenario.seed;
    pool.kv = plan.cache;
    pool.kv.bounded = platforms::bounded_kv(plan.spec());
    pool.tokenize_s_per_token = plan.spec().host.prompt_token_s;
    pool.kv_bytes = [&model = *plan.model, precision = plan.kv](platforms::Tokens prompt) {
      return model.kv_bytes(prompt, precision);
    };
    if (!plan.kv_tiers.empty()) {
      pool.tiers = plan.tier_options();
      pool.tier_bytes_per_token = plan.rank_kv_bytes_per_token();
      pool.nodes = placement.nodes(i);
      pool.store = placement.stores[i];
    }
    pools.push_back(std::move(pool));
  }
  return pools;
}

std::vector<std::unique_ptr<platforms::TrainingJob>> training_jobs(const Scenario& scenario,
                                                                   const platforms::Placement& placement,
                                                                   sim::Simulation& simulation, sim::Network& network) {
  std::vector<std::unique_ptr<platforms::TrainingJob>> jobs;
  for (std::size_t i = 0; i < scenario.training.size(); ++i) {
    const TrainingPlan& plan = scenario.training[i];
    platforms::TrainingOptions options{plan.name,
                                       placement.hosts(scenario.pools.size() + i),
                                       plan.step_compute_s(),
                                       plan.gradient_bytes(),
                                       plan.overlap,
                                       plan.tokens_per_step,
                                       sim::Time::seconds(scenario.run.duration_s)};
    jobs.push_back(std::make_unique<platforms::TrainingJob>(simulation, network, std::move(options), i));
  }
  return jobs;
}

bool moves_bytes(const Scenario& scenario) {
  if (!scenario.training.empty()) return true;
  for (const PoolPlan& pool : scenario.pools) {
    if (pool.role == platforms::PoolRole::kPrefill || remote_store(pool) != nullptr || !pool.overflow.empty())
      return true;
  }
  return false;
}

}  // namespace tokenyard::analysis

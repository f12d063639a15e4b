#include "analysis/scenario/pool_checks.hpp"

#include <algorithm>
#include <fmt/format.h>

#include "platforms/cost/replica_memory.hpp"

namespace tokenyard::analysis {

using sim::Faults;

namespace {

/// A prefill pool hands its calls over to a decode pool. Another may name one, too, lest a comparison of roles has to
/// change two keys.
void check_decode_pools(const std::vector<PoolPlan>& pools, const std::string& file, Faults& faults) {
  for (std::size_t i = 0; i < pools.size(); ++i) {
    const PoolPlan& pool = pools[i];
    if (pool.role != platforms::PoolRole::kPrefill && pool.decode_pool.empty()) continue;
    const PoolPlan* const target = find_pool(pools, pool.decode_pool);
    if (target == nullptr || target->role != platforms::PoolRole::kDecode) {
      faults.add(file, fmt::format("/pools/{}/decode_pool", i), '"' + pool.decode_pool + '"',
                 "the name of a pool whose role is \"decode\"");
    }
  }
}

/// A call may run in any pool that its own overflows into.
void check_overflow(const std::vector<PoolPlan>& pools, const std::string& file, Faults& faults) {
  for (std::size_t i = 0; i < pools.size(); ++i) {
    const PoolPlan& pool = pools[i];
    std::vector<std::string> fitting;
    for (const PoolPlan& other : pools) {
      if (&other != &pool && other.role == platforms::PoolRole::kMixed && other.model == pool.model)
        fitting.push_back(other.name);
    }
    if (!pool.overflow.empty() && pool.role != platforms::PoolRole::kMixed)
      faults.add(file, fmt::format("/pools/{}/overflow", i), "an overflow of a pool that is not mixed",
                 "a mixed pool, whose calls run in one place");
    for (std::size_t j = 0; j < pool.overflow.size(); ++j) {
      if (std::find(fitting.begin(), fitting.end(), pool.overflow[j]) != fitting.end()) continue;
      faults.add(file, fmt::format("/pools/{}/overflow/{}", i, j), '"' + pool.overflow[j] + '"',
                 "the name of another mixed pool of the same model" + sim::did_you_mean(pool.overflow[j], fitting));
    }
    if (pool.overflow_by != platforms::OverflowBy::kCost) continue;
    for (std::size_t j = 0; j < pools.size(); ++j) {
      const bool shares =
          j == i || std::find(pool.overflow.begin(), pool.overflow.end(), pools[j].name) != pool.overflow.end();
      if (shares && !pools[j].usd_per_chip_hour)
        faults.add(file, fmt::format("/pools/{}/usd_per_chip_hour", j), "no price, by which a pool's calls are shared",
                   "a price: the catalogue has none of this chip");
    }
  }
}

/// What the pools ask of the cluster: sites, chips, ways out of a node.
void check_cluster(const std::vector<PoolPlan>& pools, const platforms::Cluster& cluster, const std::string& file,
                   Faults& faults) {
  std::int64_t nodes = 0;
  for (const platforms::Site& site : cluster.sites) nodes += site.nodes();
  for (std::size_t i = 0; i < pools.size(); ++i) {
    const PoolPlan& pool = pools[i];
    if (!pool.site.empty() && !cluster.has_site(pool.site)) {
      faults.add(file, fmt::format("/pools/{}/site", i), '"' + pool.site + '"',
                 "a site of the cluster" + sim::did_you_mean(pool.site, cluster.site_names()));
      continue;
    }
    if (pool.chip == nullptr) continue;
    std::int64_t used = pool.chips();
    for (std::size_t j = 0; j < i; ++j) {
      const bool beside = pool.site.empty() || pools[j].site == pool.site;
      used += beside && pools[j].chip == pool.chip ? pools[j].chips() : 0;
    }
    const std::int64_t have = cluster.chips_of(*pool.chip, pool.site);
    if (used > have) {
      const std::string where = pool.site.empty() ? "the cluster" : "site \"" + pool.site + '"';
      faults.add(file, fmt::format("/pools/{}/replicas", i),
                 fmt::format("{} chips {} with the pools before it", used, pool.chip->name),
                 have == 0 ? fmt::format("a chip that {} has nodes of", where)
                           : fmt::format("at most the {} that {} has", have, where));
    }
    const bool remote = !pool.kv_tiers.empty() && pool.kv_tiers.back().kind == platforms::KvTierKind::kRemote;
    if (remote && !cluster.knows_rate_of(*pool.chip, pool.site)) {
      faults.add(file, fmt::format("/pools/{}/kv_tiers", i),
                 fmt::format("a remote store for {}, whose scale_out_bytes_per_s is unknown", pool.chip->name),
                 "a cluster whose fabric has bytes_per_s, or a chip with a known NIC");
    }
    const bool hands_over = pool.role != platforms::PoolRole::kMixed || !pool.overflow.empty();
    if (hands_over && nodes > 1 && !cluster.knows_rate_of(*pool.chip, pool.site)) {
      faults.add(file, fmt::format("/pools/{}/chip", i),
                 fmt::format("{}, whose scale_out_bytes_per_s is unknown", pool.chip->name),
                 "a cluster whose fabric has bytes_per_s, or a chip with a known NIC: the pool's KV or text moves "
                 "between nodes");
    }
  }
}

}  // namespace

void check_pool(PoolPlan& pool, const platforms::Cluster& cluster, const std::string& file, const std::string& place,
                Faults& faults, std::vector<std::string>& infeasible) {
  if (pool.chip == nullptr) return;
  if (pool.media != nullptr) {
    for (const std::string& missing : platforms::missing_numbers(pool.media_spec())) {
      faults.add(file, place, missing + " is unknown",
                 "a chip and media model whose catalogue entries have it, or a --catalog that supplies it");
    }
    if (pool.chip->memory_bytes && platforms::weight_bytes(pool.media_spec()) > *pool.chip->memory_bytes) {
      infeasible.push_back(fmt::format(
          "{}: pool \"{}\": {} in {} has {:.1f} GB of weights; {} has {:.1f} GB. Use a "
          "smaller precision, or a chip with more memory.",
          place, pool.name, pool.media->name, platforms::name_of(pool.weights),
          platforms::weight_bytes(pool.media_spec()) / 1e9, pool.chip->name, *pool.chip->memory_bytes / 1e9));
    }
    return;
  }
  if (pool.model == nullptr) return;
  for (const std::string& missing : platforms::missing_numbers(pool.spec_on(cluster))) {
    faults.add(file, place, missing + " is unknown",
               "a chip and model whose catalogue entries have it, or a --catalog that supplies it");
  }
  if (!pool.model->missing().empty() || !pool.chip->memory_bytes) return;
  if (pool.size_cache()) return;
  const std::string usable = pool.blocks_overridden
                                 ? ""
                                 : fmt::format(", of which {:.0f} % may be used and the engine takes {:.1f} GB",
                                               pool.gpu_memory_utilization * 100, pool.engine->reserved_bytes / 1e9);
  infeasible.push_back(
      fmt::format("{}: pool \"{}\": {} in {} needs {:.1f} GB of weights on each of {} chips; {} has {:.1f} GB{}. "
                  "Use more chips per replica (parallelism), a smaller precision, or a chip with more memory.",
                  place, pool.name, pool.model->name, platforms::name_of(pool.weights),
                  platforms::weight_bytes_per_chip(pool.spec()) / 1e9, pool.parallelism.chips(), pool.chip->name,
                  *pool.chip->memory_bytes / 1e9, usable));
}

void check_pools(const std::vector<PoolPlan>& pools, const platforms::Cluster& cluster, const std::string& file,
                 Faults& faults) {
  check_decode_pools(pools, file, faults);
  check_overflow(pools, file, faults);
  check_cluster(pools, cluster, file, faults);
}

}  // namespace tokenyard::analysis

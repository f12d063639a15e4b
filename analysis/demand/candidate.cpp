#include "analysis/demand/candidate.hpp"

#include <algorithm>
#include <fmt/format.h>

#include "platforms/cost/replica_memory.hpp"
#include "platforms/cost/replica_step_cost.hpp"

namespace tokenyard::analysis {
namespace {

constexpr std::int64_t kMostNodes = 8;  // of one replica

using platforms::NodeGroup;
using platforms::Parallelism;

std::int64_t chips_per_node_of(const Scenario& scenario, const platforms::Chip& chip) {
  const auto assumed = scenario.demand.assume.find(chip.name);
  if (assumed != scenario.demand.assume.end() && assumed->second.chips_per_node) return *assumed->second.chips_per_node;
  for (const platforms::Site& site : scenario.cluster.sites) {
    for (const NodeGroup& group : site.groups) {
      if (group.chip->name == chip.name) return group.chips_per_node;
    }
  }
  const std::int64_t domain = chip.scale_up.domain_chips.value_or(8);
  return std::clamp<std::int64_t>(domain, 1, 8);
}

/// The scenario's cluster with one site, whose nodes are the candidate's.
platforms::Cluster cluster_of(const Scenario& scenario, const platforms::Chip& chip, std::int64_t chips_per_node) {
  platforms::Cluster cluster = scenario.cluster;
  cluster.sites.resize(1);
  NodeGroup group{&chip, 1, chips_per_node, {1, 1, 1}};
  if (group.is_torus()) {
    group.shape = platforms::most_compact(chips_per_node, chip.scale_up.torus_dimensions());
  }
  cluster.sites[0].groups = {group};
  return cluster;
}

/// Nodes that surely hold the pool, whatever the others leave.
std::int64_t nodes_for(const PoolPlan& pool, std::int64_t chips_per_node) {
  const std::int64_t chips = pool.parallelism.chips();
  if (chips > chips_per_node) return pool.replicas * ((chips - 1) / std::max<std::int64_t>(1, chips_per_node / 2) + 2);
  return (pool.replicas - 1) / (chips_per_node / chips) + 1;
}

/// Ticks of a step that makes one token after 4096 others, or of one denoising step: what a call alone waits for each.
double lone_step_ticks(const PoolPlan& pool, const platforms::Cluster& cluster) {
  if (pool.media != nullptr)  // any picture: ways differ by a factor alone
    return static_cast<double>(platforms::MediaCost(pool.media_spec()).step({1024, 1024, 1}).ticks);
  constexpr platforms::Tokens kContext = 4096;
  return static_cast<double>(
      platforms::replica_step_cost(pool.spec_on(cluster))->piece({1, kContext}, {}).ticks(kContext));
}

class WaysOfPool {
 public:
  WaysOfPool(const Candidate& candidate, const PoolPlan& pool, const DemandPlan& plan)
      : candidate_(candidate), pool_(pool), plan_(plan) {}

  std::vector<Way> find() {
    if (pool_.media != nullptr) return find_media();
    std::vector<std::int64_t> degrees = plan_.tp;
    for (std::int64_t tp = 1; plan_.tp.empty() && tp <= candidate_.chips_per_node; tp *= 2) degrees.push_back(tp);
    const platforms::ScaleUpTopology links = candidate_.chip->scale_up.topology;
    const bool slow_links = links == platforms::ScaleUpTopology::kPcie || links == platforms::ScaleUpTopology::kNone;
    std::vector<std::int64_t> stages = plan_.pp;
    if (stages.empty()) stages = slow_links ? std::vector<std::int64_t>{1, 2, 4} : std::vector<std::int64_t>{1};
    for (const std::int64_t tp : degrees) {
      for (const std::int64_t pp : stages) {
        if (plan_.pp.empty() && tp * pp > candidate_.chips_per_node) continue;
        try_spreads(tp, pp);
      }
    }
    for (std::int64_t nodes = 2; ways_.empty() && plan_.pp.empty() && nodes <= kMostNodes; nodes *= 2)
      try_spreads(degrees.back(), nodes);
    if (plan_.tp.empty() && plan_.pp.empty() && plan_.ep.empty()) try_parallelism(pool_.parallelism);
    std::stable_sort(ways_.begin(), ways_.end(),
                     [](const Way& a, const Way& b) { return a.parallelism.chips() < b.parallelism.chips(); });
    return std::move(ways_);
  }
  /// Where there are none.
  std::string why_not() const {
    if (too_small_.empty() && unknown_.empty() && pool_.media == nullptr)
      return fmt::format("no tensor-parallel degree divides the {} heads of {}", pool_.model->heads, pool_.model->name);
    return too_small_ + (too_small_.empty() || unknown_.empty() ? "" : "; ") + unknown_;
  }

 private:
  /// As many chips for a picture as its model was measured with.
  std::vector<Way> find_media() {
    std::vector<std::int64_t> degrees = plan_.tp;
    if (degrees.empty()) degrees = {1, 2, 4, 8};
    for (const std::int64_t tp : degrees) {
      PoolPlan pool = pool_;
      pool.parallelism = {tp, 1, 1, 1};
      const std::vector<std::string> missing = platforms::missing_numbers(pool.media_spec());
      if (!missing.empty()) {
        unknown_ = fmt::format("unknown for {} chips a replica: {}", tp, fmt::join(missing, ", "));
      } else if (platforms::weight_bytes(pool.media_spec()) > *pool.chip->memory_bytes) {
        too_small_ = fmt::format("the memory does not hold {}", pool.media->name);
      } else if (tp <= candidate_.chips_per_node) {
        ways_.push_back({pool.parallelism, 1});
      }
    }
    return std::move(ways_);
  }

  /// Experts divided like the other weights, and each whole on one chip.
  void try_spreads(std::int64_t tp, std::int64_t pp) {
    std::vector<std::int64_t> spreads = plan_.ep;
    if (spreads.empty()) spreads = {1, pool_.model->moe ? tp : 1};
    for (const std::int64_t ep : spreads) {
      if (ep <= tp) try_parallelism({tp, pp, 1, ep});
    }
  }

  void try_parallelism(const Parallelism& parallelism) {
    const auto same = [&](const Way& way) {
      return way.parallelism.tp == parallelism.tp && way.parallelism.pp == parallelism.pp &&
             way.parallelism.dp == parallelism.dp && way.parallelism.ep == parallelism.ep;
    };
    if (pool_.model->heads % parallelism.tp != 0 || std::any_of(ways_.begin(), ways_.end(), same)) return;
    PoolPlan pool = pool_;
    pool.parallelism = parallelism;
    const std::vector<std::string> missing = platforms::missing_numbers(pool.spec_on(candidate_.base.cluster));
    if (!missing.empty()) {
      unknown_ = fmt::format("unknown for {} chips a replica: {}", parallelism.chips(), fmt::join(missing, ", "));
      return;
    }
    if (!pool.size_cache()) {
      too_small_ = fmt::format(
          "the memory does not hold it: pool \"{}\" needs {:.0f} GB of weights ({} in {}) on each of {} chips, which "
          "have {:.0f} GB",
          pool.name, platforms::weight_bytes_per_chip(pool.spec()) / 1e9, pool.model->name,
          platforms::name_of(pool.weights), parallelism.chips(), *pool.chip->memory_bytes / 1e9);
      return;
    }
    if (plan_.max_num_seqs.empty()) ways_.push_back({parallelism, pool.batching.max_num_seqs});
    for (const std::int64_t limit : plan_.max_num_seqs) {
      if (limit * pool.batching.speculation.queries() <= pool.batching.max_num_batched_tokens)
        ways_.push_back({parallelism, static_cast<std::int32_t>(limit)});
    }
  }

  const Candidate& candidate_;
  const PoolPlan& pool_;
  const DemandPlan& plan_;
  std::vector<Way> ways_;
  std::string too_small_, unknown_;  ///< why the last way of each sort was left out
};

/// Of a pool as the scenario has it.
void set_way(PoolPlan& pool, const Way& way) {
  const auto chips = [](const platforms::Parallelism& of) { return static_cast<double>(of.chips()); };
  for (KvTierPlan& tier : pool.kv_tiers) {
    if (is_of_node(tier)) tier.gib *= chips(way.parallelism) / chips(pool.parallelism);
  }
  pool.parallelism = way.parallelism;
  if (pool.media != nullptr) return;
  pool.batching.max_num_seqs = way.max_num_seqs;
  pool.size_cache();
}

}  // namespace

std::int64_t Candidate::chips(const Size& size) const {
  std::int64_t total = 0;
  for (std::size_t p = 0; p < size.size(); ++p) total += chips(p, size[p]);
  return total;
}

std::int64_t Candidate::nodes(const Size& size) const {
  std::vector<std::int64_t> replicas;
  for (std::size_t p = 0; p < size.size(); ++p)
    replicas.insert(replicas.end(), static_cast<std::size_t>(size[p].replicas),
                    ways[p][size[p].way].parallelism.chips());
  std::sort(replicas.rbegin(), replicas.rend());
  std::vector<std::int64_t> free;  // chips of each node
  for (const std::int64_t chips : replicas) {
    const auto fits = std::find_if(free.begin(), free.end(), [&](std::int64_t left) { return left >= chips; });
    if (fits != free.end()) {
      *fits -= chips;
      continue;
    }
    for (std::int64_t left = chips; left > 0; left -= chips_per_node)
      free.push_back(std::max<std::int64_t>(0, chips_per_node - left));
  }
  return static_cast<std::int64_t>(free.size());
}

void Candidate::keep(const std::vector<Way>& only) {
  for (std::size_t p = 0; p < ways.size(); ++p) ways[p] = {only[p]};
  quickest.assign(ways.size(), 0);
}

Scenario Candidate::at(const Size& size) const {
  Scenario scenario = base;
  std::int64_t nodes = 0;
  for (std::size_t p = 0; p < size.size(); ++p) {
    PoolPlan& pool = scenario.pools[p];
    set_way(pool, ways[p][size[p].way]);
    pool.replicas = size[p].replicas;
    nodes += nodes_for(pool, chips_per_node);
  }
  platforms::Site& site = scenario.cluster.sites[0];
  site.add_nodes(site.groups[0], nodes - site.groups[0].count);
  return scenario;
}

platforms::Chip slowed(platforms::Chip chip, double factor) {
  const auto scale = [](std::optional<double>& value, double by) {
    if (value) *value *= by;
  };
  for (const platforms::Precision precision : platforms::kPrecisions)
    scale(chip.peak_flops_per_s[precision], 1 / factor);
  scale(chip.memory_bytes_per_s, 1 / factor);
  scale(chip.scale_up.bytes_per_s, 1 / factor);
  scale(chip.efficiency.launch_s, factor);
  chip.efficiency.gemm.split_s *= factor;
  scale(chip.collectives.alpha_s, factor);
  for (std::optional<platforms::ExpertKernels>& experts : chip.efficiency.experts) {
    if (!experts) continue;
    experts->launch_s *= factor;
    experts->expert_s *= factor;
  }
  for (platforms::Chip::AllReduce& measured : chip.collectives.by_chips) {
    platforms::ProfileCurve slower;
    for (const auto& [bytes, seconds] : measured.seconds.points()) slower.add(bytes, seconds * factor);
    measured.seconds = slower;
  }
  return chip;
}

Candidate candidate_of(const Scenario& scenario, const platforms::Chip& chip) {
  Candidate candidate;
  candidate.chip = &chip;
  candidate.chips_per_node = chips_per_node_of(scenario, chip);
  candidate.base = scenario;
  Scenario& base = candidate.base;
  base.cluster = cluster_of(scenario, chip, candidate.chips_per_node);
  base.training.clear();  // the cluster has nodes for the pools alone
  for (PoolPlan& pool : base.pools) {
    pool.chip = &chip;
    pool.site.clear();
    if (!chip.memory_bytes) candidate.why_not = "memory_bytes is unknown";
    if (pool.role != platforms::PoolRole::kMixed && !base.cluster.knows_rate_of(chip)) {
      candidate.why_not = "scale_out_bytes_per_s is unknown, over which the KV cache would move";
    }
  }
  for (const PoolPlan& pool : base.pools) {
    if (!candidate.why_not.empty()) return candidate;
    WaysOfPool ways(candidate, pool, scenario.demand);
    candidate.ways.push_back(ways.find());
    if (candidate.ways.back().empty()) {
      candidate.why_not = ways.why_not();
      return candidate;
    }
    std::vector<double> ticks;
    for (const Way& way : candidate.ways.back()) {
      PoolPlan probe = pool;
      set_way(probe, way);
      ticks.push_back(lone_step_ticks(probe, base.cluster));
    }
    candidate.quickest.push_back(
        static_cast<std::size_t>(std::min_element(ticks.begin(), ticks.end()) - ticks.begin()));
  }
  return candidate;
}

}  // namespace tokenyard::analysis

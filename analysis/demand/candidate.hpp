#pragma once
/// A scenario moved to one kind of chip: the ways in which each pool may run on it, and the scenario at a given size.
///
/// All pools go to the candidate chip, on equal nodes of one site, as many as are needed; fabric and engine stay as the
/// scenario has them, and so do host memory and SSDs for KV of each chip, however many a replica has.
/// A node has the chips that the scenario's own node of the kind has, or that the user assumed, or
/// eight (fewer where the scale-up domain is smaller). The ways of a pool are its parallelism and batch limits, as far
/// as they divide the model's heads and its weights fit: tensor-parallel degrees (powers of two up to a node), experts
/// divided among the same chips or each whole on one, pipeline stages over PCI Express or where no node holds the
/// model, besides the parallelism that the scenario gives.
///
///   const Candidate candidate = candidate_of(scenario, *chip);
///   if (candidate.why_not.empty()) simulate(candidate.at({{.way = 0, .replicas = 3}}), nullptr, {});

#include <compare>
#include <string>
#include <vector>

#include "analysis/scenario/scenario.hpp"

namespace tokenyard::analysis {

/// How one replica of a pool runs.
struct Way {
  platforms::Parallelism parallelism;
  std::int32_t max_num_seqs = 256;
};

/// A pool's size: one of its ways, and how many replicas.
struct PoolSize {
  std::size_t way = 0;
  std::int64_t replicas = 1;
  auto operator<=>(const PoolSize&) const = default;
};
/// By pool.
using Size = std::vector<PoolSize>;

struct Candidate {
  const platforms::Chip* chip = nullptr;
  std::string why_not;                 ///< why it cannot run the scenario at all; empty if it can
  std::vector<std::vector<Way>> ways;  ///< by pool; fewest chips first
  std::vector<std::size_t> quickest;   ///< by pool: the way whose step for one call takes least time

  std::int64_t chips(std::size_t pool, const PoolSize& size) const {
    return size.replicas * ways[pool][size.way].parallelism.chips();
  }
  std::int64_t chips(const Size& size) const;
  /// Nodes that hold it, each replica on as few as it needs, the largest replicas placed first.
  std::int64_t nodes(const Size& size) const;
  Scenario at(const Size& size) const;
  /// Leaves one way to each pool.
  void keep(const std::vector<Way>& only);

  Scenario base;  ///< on the chip; sizes and nodes are set by `at`
  std::int64_t chips_per_node = 8;
};

/// Host memory or SSDs, which come with a replica's chips; a remote store does not.
inline bool is_of_node(const KvTierPlan& tier) { return tier.kind != platforms::KvTierKind::kRemote; }

/// The chip if its kernels took `factor` times as long: what its step times may be, where they are uncertain. Such
/// chips have no kernel profiles; those of others stay as they are.
platforms::Chip slowed(platforms::Chip chip, double factor);

Candidate candidate_of(const Scenario& scenario, const platforms::Chip& chip);

}  // namespace tokenyard::analysis

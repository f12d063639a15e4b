#pragma once
/// The tiers below a replica's HBM in which KV is kept for later: host memory, an SSD, a remote store. Data-parallel
/// ranks have each a share of what the replica has, and keep and find in it for themselves.
///
/// What moves, when, over which link, and what waits for it, after vLLM's SimpleCPUOffloadConnector in its eager mode
/// (v1/simple_kv_offload/manager.py, "kv_offloading_size"), SGLang's HiCache (write-through, leaves evicted first) and
/// LMCache's and Mooncake's stores:
/// - *Out* (write-through): when a call ends or is preempted, whole blocks of what it computed and that has a name go
///   to every tier that lacks them. Until then they are pinned in HBM, where a look-up finds them first. Nothing moves
///   on eviction. Writes have the other direction of a duplex link to themselves and hold nobody up: they are counted,
///   not waited for. (vLLM copies each block in the step after the one that fills it; it must not be evicted before.)
/// - *In*: a look-up that ends in HBM goes on in the tiers, nearest first. What they have is loaded, whatever computing
///   it would cost, before the call is computed: once the call is next in the queue and its *whole* prompt fits in HBM,
///   which it holds from then on. It takes no place in the batch and none of the token budget; others are computed
///   meanwhile; then it is admitted before those that wait. What was loaded can be found in HBM from then on, and is
///   kept in the tiers nearer than its own.
/// - *Links* serve loads one after the other, as the copy engine of a worker does: the chips' links to the host are the
///   replica's own; an SSD is shared by the replicas of a node, whatever their pools. A remote store is shared by the
///   replicas of its pool and sends over the modeled network, into the replica's NICs. Parts of one load from several
///   tiers move at once, and the last one counts. What an SSD or a store sends is not charged to the host link, too.
/// - Each tier has an LRU queue of its own, a chain's last block first, as HiCache: a KvCache in which nobody pins
///   anything. (vLLM's host pool gives up a chain's *first* block first, so that a context of which it has evicted
///   anything is lost whole: where host memory, too, is short, it finds less than is found here.)
///
/// Tiers are inclusive: what is in HBM and named has been or will be written to all. Nothing here is random, and
/// nothing depends on when a tier is looked at.
///
/// Cost: O(extents of the context) per tier, for a look-up and when a call ends; memory for what the tiers hold. A pool
/// without tiers pays nothing.
///
///   KvTiers tiers;
///   tiers.add({KvTierKind::kHost, std::make_shared<KvCache>(options), std::make_shared<KvLink>(64e9)});
///   tiers.keep(context, tokens);                              // its call ends
///   const KvFound found = tiers.find(context, hit.tokens);    // beyond what HBM has

#include <algorithm>
#include <array>
#include <memory>
#include <string_view>
#include <vector>

#include "platforms/kv/kv_cache.hpp"
#include "sim/core/time.hpp"

namespace tokenyard::platforms {

/// Nearest first.
enum class KvTierKind : std::uint8_t { kHost, kSsd, kRemote };
inline constexpr std::size_t kKvTierKinds = 3;
inline constexpr std::array<std::string_view, kKvTierKinds> kKvTierNames = {"host", "ssd", "remote"};

using KvTierTokens = std::array<Tokens, kKvTierKinds>;

/// Serves transfers in the order in which they are asked for.
class KvLink {
 public:
  explicit KvLink(double bytes_per_s) : bytes_per_s_(bytes_per_s) {}
  /// When these bytes, asked for now, are there. Rounded up to whole nanoseconds.
  sim::Time transfer(sim::Time now, double bytes) {
    const sim::FineTime begin = std::max(free_, sim::FineTime(now));
    free_ = begin + sim::FineTime(static_cast<sim::Int128>(bytes / bytes_per_s_ * sim::FineTime::kTicksPerSecond));
    return free_.published();
  }

 private:
  double bytes_per_s_;
  sim::FineTime free_;  ///< when the last one asked for ends
};

/// Tokens of a context that each tier has beyond HBM and the nearer tiers.
struct KvFound {
  KvTierTokens tokens{};
  Tokens total() const { return tokens[0] + tokens[1] + tokens[2]; }
};

class KvTiers {
 public:
  struct Tier {
    KvTierKind kind = KvTierKind::kHost;
    std::shared_ptr<KvCache> cache;  ///< of its blocks; shared where the tier is
    std::shared_ptr<KvLink> link;    ///< none: its loads go over the network
  };
  /// Nearest first, at most one of a kind.
  void add(Tier tier) { tiers_.push_back(std::move(tier)); }

  KvFound find(const KvContext& context, Tokens in_hbm) const {
    KvFound found;
    Tokens reached = in_hbm;
    for (const Tier& tier : tiers_) {
      const Tokens tokens = std::max(reached, tier.cache->find(context).tokens);
      found.tokens[static_cast<std::size_t>(tier.kind)] = tokens - reached;
      reached = tokens;
    }
    return found;
  }

  /// The first `tokens` tokens of the context were computed or loaded: every tier holds them now, most recently used.
  void keep(const KvContext& context, Tokens tokens) {
    for (const Tier& tier : tiers_) written_[static_cast<std::size_t>(tier.kind)] += tier.cache->keep(context, tokens);
  }

  const std::vector<Tier>& tiers() const { return tiers_; }
  const KvTierTokens& written() const { return written_; }

 private:
  std::vector<Tier> tiers_;
  KvTierTokens written_{};
};

}  // namespace tokenyard::platforms

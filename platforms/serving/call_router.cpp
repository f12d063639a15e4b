#include "platforms/serving/call_router.hpp"

#include <algorithm>

namespace tokenyard::platforms {
namespace {

double usd_per_token(const PoolOptions& pool) {
  const std::int32_t calls = std::min(64, pool.batching.max_num_seqs);
  const Tokens context = calls * Tokens{1024};
  const Tokens others = Tokens{calls} * (pool.ranks - 1);
  const OtherRanks likewise{.tokens = others, .decoded = others, .fullest = calls};
  const sim::FineTime step(sim::Int128{pool.cost->piece({calls, context}, {}, likewise).ticks(context)});
  return pool.usd_per_s / pool.ranks * step.published().seconds() / calls;
}

}  // namespace

void CallRouter::add_pool(const PoolOptions& options, const Replicas& replicas) {
  pools_.push_back({.options = options,
                    .replicas = replicas,
                    .loads = LoadIndex(static_cast<std::uint32_t>(replicas.size())),
                    .usd_per_token = replicas.empty() ? 0 : usd_per_token(options)});
}

std::uint32_t CallRouter::pool_for(const CallRequest& request) {
  Pool& own = pools_[request.pool];
  if (own.options.overflow.empty()) return request.pool;
  const bool sticky = own.options.router == Router::kTaskSticky;
  if (sticky) {
    if (const auto away = own.away.find(request.task); away != own.away.end()) return away->second;
    if (own.home.contains(request.task)) return request.pool;
  }
  const std::uint32_t chosen = pool_with_room(request);
  if (sticky && chosen != request.pool) own.away.emplace(request.task, chosen);
  return chosen;
}

/// Of several the best; the pool asked for, if none has room.
std::uint32_t CallRouter::pool_with_room(const CallRequest& request) const {
  const Pool& own = pools_[request.pool];
  const OverflowBy by = own.options.overflow_by;
  if (by == OverflowBy::kLoad && own.least_load() < own.options.overflow_at) return request.pool;
  std::uint32_t best = CallRequest::kNoPool;
  double best_score = 0;
  const auto consider = [&](std::uint32_t index) {
    const Pool& pool = pools_[index];
    const std::int64_t load = pool.least_load();
    if (load >= own.options.overflow_at) return;
    double score = -static_cast<double>(load);
    if (by == OverflowBy::kPrefix) score = best_prefix(pool, request).score;
    if (by == OverflowBy::kCost) score = -pool.usd_per_token;
    if (best == CallRequest::kNoPool || score > best_score) best = index, best_score = score;
  };
  consider(request.pool);
  for (const std::uint32_t other : own.options.overflow) consider(other);
  return best == CallRequest::kNoPool ? request.pool : best;
}

std::uint32_t CallRouter::replica_for(std::uint32_t index, const CallRequest& request, Tokens prompt) {
  Pool& pool = pools_[index];
  const auto count = static_cast<std::uint32_t>(pool.replicas.size());
  if (count == 1) return 0;
  switch (pool.options.router) {
    case Router::kRoundRobin: {
      const std::uint32_t chosen = pool.next;
      pool.next = (pool.next + 1) % count;
      return chosen;
    }
    case Router::kTaskSticky:
      if (prompt <= pool.options.sticky_above) return pool.loads.least();
      return pool.home.try_emplace(request.task, pool.loads.least()).first->second;
    case Router::kPrefixAware:
      return best_prefix(pool, request).replica;
    case Router::kLeastLoaded:
      break;
  }
  return pool.loads.least();
}

CallRouter::BestPrefix CallRouter::best_prefix(const Pool& pool, const CallRequest& request) {
  // A cached prompt is worth as much as an empty replica of a full batch.
  const auto tokens = static_cast<double>(std::max<Tokens>(1, tokens_of(request.prompt)));
  std::uint32_t best = 0;
  double best_score = 0;
  for (std::uint32_t i = 0; i < pool.replicas.size(); ++i) {
    const double load = static_cast<double>(pool.loads.load(i)) / pool.options.batching.max_num_seqs;
    if (i > 0 && 1 - load <= best_score) continue;  // even a full hit would not win
    Replica& replica = *pool.replicas[i];
    replica.settle();
    const Tokens hit = replica.kv().find({.prompt = request.prompt}).tokens;
    const double score = static_cast<double>(hit) / tokens - load;
    if (i == 0 || score > best_score) best = i, best_score = score;
  }
  return {best, best_score};
}

void CallRouter::forget(std::uint64_t task) {
  for (Pool& pool : pools_) {
    pool.home.erase(task);
    pool.away.erase(task);
  }
}

}  // namespace tokenyard::platforms

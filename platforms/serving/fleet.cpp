#include "platforms/serving/fleet.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <memory>

#include "sim/input/faults.hpp"

namespace tokenyard::platforms {

using sim::Time;

namespace {

// In an event's argument, beside the call's index: KV of a tier has arrived.
constexpr std::uint64_t kLoaded = std::uint64_t{1} << 32;
// Likewise: its text has arrived where it overflowed to, or its answer is back.
constexpr std::uint64_t kSentThere = std::uint64_t{1} << 33, kSentBack = std::uint64_t{1} << 34;
constexpr double kTextBytesPerToken = 4;  // of English; assumed for all
// Parts of prompts are numbered apart from the calls.
constexpr std::uint64_t kPart = std::uint64_t{1} << 62;
// Calls rejected at one instant: more of them come from users who repeat at once what no replica can hold.
constexpr std::uint64_t kMostRejectedAtOnce = 2'000'000;

/// What a token costs of a replica that decodes for as many calls as it has seats for, but not for more than 64, each
/// with a context of 1,024 tokens: assumed.
double usd_per_token(const PoolOptions& pool) {
  const std::int32_t calls = std::min(64, pool.batching.max_num_seqs);
  const Tokens context = calls * Tokens{1024};
  const Tokens others = Tokens{calls} * (pool.ranks - 1);
  const OtherRanks likewise{.tokens = others, .decoded = others, .fullest = calls};
  const sim::FineTime step(sim::Int128{pool.cost->piece({calls, context}, {}, likewise).ticks(context)});
  return pool.usd_per_s / pool.ranks * step.published().seconds() / calls;
}

}  // namespace

Fleet::Fleet(sim::Simulation& simulation, sim::Network& network, std::vector<PoolOptions> pools)
    : simulation_(simulation), network_(network) {
  std::uint64_t entity = 1;
  pools_.reserve(pools.size());  // replicas refer to their pool
  for (PoolOptions& options : pools) {
    const auto pool_index = static_cast<std::uint32_t>(pools_.size());
    Pool& pool = pools_.emplace_back();
    const auto replicas = static_cast<std::uint32_t>(options.hosts.size());
    if (options.media != nullptr) {
      pool.media = std::make_unique<MediaQueue>(simulation, static_cast<ReplicaOwner&>(*this), *options.media,
                                                pool_index, replicas, entity++);
      pool.options = std::move(options);
      continue;
    }
    pool.common = std::make_unique<ReplicaPool>(ReplicaPool{.simulation = simulation,
                                                            .owner = *this,
                                                            .tally = pool.tally,
                                                            .index = pool_index,
                                                            .cost = *options.cost,
                                                            .options = options.batching,
                                                            .kv = options.kv,
                                                            .eviction = options.eviction});
    if (options.more_reuse > 0) {
      constexpr std::int64_t kUnlimited = std::int64_t{1} << 50;
      pool.common->unlimited = std::make_unique<KvCache>(
          KvCache::Options{.blocks = kUnlimited, .block_size = options.kv.block_size, .prefix_caching = true});
      pool.common->more_reuse = options.more_reuse;
    }
    pool.usd_per_token = usd_per_token(options);
    pool.options = std::move(options);
    add_replicas(pool, entity);
    if (!pool.options.tiers.empty()) add_tiers(pool);
    if (pool.options.batching.scheduling == Scheduling::kRemainingTime && remaining_ == nullptr)
      remaining_ = std::make_unique<RemainingTime>();
    if (pool.options.retention.policy == KvRetentionPolicy::kLru) continue;
    KvRetentionOptions retention = pool.options.retention;
    if (!pool.options.tiers.empty() && pool.options.tiers.front().bytes_per_s > 0)
      retention.load_s_per_token = pool.options.tier_bytes_per_token / pool.options.tiers.front().bytes_per_s;
    for (const auto& replica : pool.replicas) replica->set_retention(retention);
  }
}

void Fleet::add_replicas(Pool& pool, std::uint64_t& entity) {
  const auto replicas = static_cast<std::uint32_t>(pool.options.hosts.size());
  const std::uint32_t ranks = pool.options.ranks;
  pool.loads = LoadIndex(replicas * ranks);
  pool.replicas.reserve(std::size_t{replicas} * ranks);
  const bool in_step = ranks > 1 && pool.options.in_step;
  for (std::uint32_t i = 0; i < replicas * ranks; ++i)
    pool.replicas.push_back(std::make_unique<Replica>(*pool.common, i, entity + (in_step ? pool.place_of(i) : i)));
  entity += in_step ? replicas : replicas * ranks;
  for (std::uint32_t r = 0; in_step && r < replicas; ++r) {
    std::vector<Replica*> of_replica;
    for (std::uint32_t rank = 0; rank < ranks; ++rank)
      of_replica.push_back(pool.replicas[r + std::size_t{rank} * replicas].get());
    pool.locksteps.push_back(std::make_unique<Lockstep>(std::move(of_replica)));
  }
}

void Fleet::add_tiers(Pool& pool) {
  std::shared_ptr<KvCache> store;
  for (std::size_t r = 0; r < pool.replicas.size(); ++r) {
    auto tiers = std::make_unique<KvTiers>();
    for (const KvTierOptions& tier : pool.options.tiers) {
      const KvCache::Options cache{.blocks = tier.blocks, .block_size = pool.options.kv.block_size};
      if (tier.kind == KvTierKind::kRemote) {
        if (store == nullptr) store = std::make_shared<KvCache>(cache);
        tiers->add({tier.kind, store, nullptr});
        continue;
      }
      auto link = std::make_shared<KvLink>(tier.bytes_per_s);
      if (tier.kind == KvTierKind::kSsd)
        link = ssds_.try_emplace(pool.options.nodes[pool.place_of(r)], link).first->second;
      tiers->add({tier.kind, std::make_shared<KvCache>(cache), link});
    }
    pool.replicas[r]->set_tiers(std::move(tiers));
  }
}

void Fleet::load(std::uint32_t index, const KvFound& found) {
  ActiveCall& call = calls_[index];
  const Pool& pool = pools_[call.record.pool];
  for (const KvTiers::Tier& tier : pool.replicas[call.record.replica]->tiers()->tiers()) {
    const Tokens tokens = found.tokens[static_cast<std::size_t>(tier.kind)];
    if (tokens == 0) continue;
    ++call.loads;
    const double bytes = pool.options.tier_bytes_per_token * static_cast<double>(tokens);
    if (tier.link != nullptr) {
      const Time there = tier.link->transfer(simulation_.now(), bytes);
      simulation_.schedule(there, sim::Priority::kDelivery, entity_, *this, kLoaded | index);
    } else {
      network_.transfer({.from = pool.options.store,
                         .to = pool.host_of(call.record.replica),
                         .bytes = bytes,
                         .on_delivered = this,
                         .argument = kLoaded | index,
                         .entity = &entity_});
    }
  }
}

Fleet::~Fleet() = default;

void Fleet::submit(const CallRequest& request) {
  const std::uint32_t index = calls_.take();
  ActiveCall& call = *std::construct_at(&calls_[index]);
  call.request = request;
  CallRecord& record = call.record;
  record.call = request.part ? kPart + parts_++ : submitted_++;
  record.task = request.task;
  record.agent = request.agent;
  record.node = request.node;
  record.branch = request.branch;
  record.pool = pool_for(request);
  record.arrival = simulation_.now() - request.waited;
  record.causes[Cause::kQueue] = request.waited;
  record.media_steps = request.media.steps;
  record.output_tokens = request.output_tokens;
  record.prompt_tokens = tokens_of(request.prompt);
  if (!request.part) {
    for (ServingObserver* observer : observers_) observer->on_submit(request, record);
  }

  Pool& pool = pools_[record.pool];
  pool.parts = pool.parts || request.part;
  if (pool.media != nullptr) {
    pool.media->submit(index);
    return;
  }
  if (pool.options.batching.scheduling == Scheduling::kRemainingTime) {
    call.request.remaining = remaining_->expected(record.agent, record.node);
    if (!request.part) remaining_->came(record.task, record.agent, record.node, record.arrival);
  }
  const Replica& any = *pool.replicas.front();
  const bool split = pool.options.role == PoolRole::kPrefill;
  const bool fits =
      split ? any.fits(record.prompt_tokens, 1) &&
                  pools_[pool.options.decode_pool].replicas.front()->fits(record.prompt_tokens, request.output_tokens)
            : any.fits(record.prompt_tokens, request.output_tokens);
  if (!fits) return reject(index);
  if (split) {
    call.request.output_tokens = 1;
    call.request.output_content = 0;
  }
  record.replica = request.part_pool == record.pool ? request.part_replica : route(pool, call);
  pool.loads.add(record.replica, 1);  // from now on, lest all go to the same
  if (record.pool == request.pool) return tokenize(index);
  call.sent = true;
  call.moving = true;
  call.mark = simulation_.now();
  send(request.pool, record.pool, record.prompt_tokens, kSentThere | index);
}

void Fleet::reject(std::uint32_t index) {
  CallRecord& record = calls_[index].record;
  record.status = CallStatus::kRejected;
  record.finish = simulation_.now();
  if (record.finish > rejecting_) {
    rejecting_ = record.finish;
    rejected_now_ = 0;
  }
  if (++rejected_now_ > kMostRejectedAtOnce) {
    const PoolOptions& pool = pools_[record.pool].options;
    const double beside = pool.kv.bounded.tokens(record.prompt_tokens + record.output_tokens);
    throw sim::Infeasible(
        fmt::format("pool \"{}\" rejects calls again and again, all at {} s: one has a prompt of {} tokens and an "
                    "answer of {}{}, and a replica holds {} tokens of KV and takes up to {} (max_model_len). Give "
                    "replicas more memory (tp, gpu_memory_utilization), make calls shorter, or give the users who "
                    "repeat them a think time.",
                    pool.name, record.finish.seconds(), record.prompt_tokens, record.output_tokens,
                    beside > 0 ? fmt::format(" (its windows and states take {:.0f} more)", beside) : "",
                    pool.kv.blocks * pool.kv.block_size, pool.batching.max_model_len));
  }
  end(index);
}

/// The pool asked for, or one that it overflows into.
std::uint32_t Fleet::pool_for(const CallRequest& request) {
  Pool& pool = pools_[request.pool];
  if (pool.options.overflow.empty()) return request.pool;
  const bool sticky = pool.options.router == Router::kTaskSticky;
  if (sticky) {
    if (const auto away = pool.away.find(request.task); away != pool.away.end()) return away->second;
    if (pool.home.contains(request.task)) return request.pool;
  }
  const std::uint32_t best = shared_pool(request);
  if (sticky && best != request.pool) pool.away.emplace(request.task, best);
  return best;
}

/// Of those that have room: the pool asked for before the others, then the emptiest; or, of all alike, the one that has
/// most of the prompt for its load, or the cheapest.
std::uint32_t Fleet::shared_pool(const CallRequest& request) {
  const PoolOptions& own = pools_[request.pool].options;
  const auto load = [&](std::uint32_t p) { return pools_[p].loads.load(pools_[p].loads.least()); };
  const bool by_load = own.overflow_by == OverflowBy::kLoad;
  if (by_load && load(request.pool) < own.overflow_at) return request.pool;
  std::uint32_t best = CallRequest::kNoPool;
  double best_score = 0;
  const auto consider = [&](std::uint32_t p) {
    if (load(p) >= own.overflow_at) return;
    double score = -static_cast<double>(load(p));
    if (own.overflow_by == OverflowBy::kPrefix) score = best_prefix(pools_[p], request).score;
    if (own.overflow_by == OverflowBy::kCost) score = -pools_[p].usd_per_token;
    if (best == CallRequest::kNoPool || score > best_score) best = p, best_score = score;
  };
  consider(request.pool);
  for (const std::uint32_t other : own.overflow) consider(other);
  return best == CallRequest::kNoPool ? request.pool : best;
}

void Fleet::send(std::uint32_t from_pool, std::uint32_t to_pool, Tokens tokens, std::uint64_t argument) {
  network_.transfer({.from = pools_[from_pool].options.hosts.front(),
                     .to = pools_[to_pool].options.hosts.front(),
                     .bytes = kTextBytesPerToken * static_cast<double>(tokens),
                     .on_delivered = this,
                     .argument = argument,
                     .entity = &entity_});
}

void Fleet::on_sent(std::uint32_t index, bool back) {
  ActiveCall& call = calls_[index];
  CallRecord& record = call.record;
  const Time way = simulation_.now() - call.mark;
  call.account(Cause::kNetwork, simulation_.now());
  call.moving = false;
  if (!back) return tokenize(index);
  record.first_token += way;
  record.finish = simulation_.now();
  end(index);
}

/// Its text becomes tokens; then the replica has it.
void Fleet::tokenize(std::uint32_t index) {
  ActiveCall& call = calls_[index];
  const Pool& pool = pools_[call.record.pool];
  Replica& replica = *pool.replicas[call.record.replica];
  if (pool.options.tokenize_s_per_token <= 0) return replica.submit(index);
  call.tokenizing = true;
  call.mark = simulation_.now();
  const Time needed = Time::seconds(pool.options.tokenize_s_per_token * static_cast<double>(call.record.prompt_tokens));
  simulation_.schedule(simulation_.now() + needed, sim::Priority::kDelivery, entity_, replica,
                       Replica::tokenized_event(index));
}

void Fleet::on_tokenized(std::uint32_t index) {
  ActiveCall& call = calls_[index];
  call.tokenizing = false;
  const Time took = simulation_.now() - call.mark;
  call.account(Cause::kPrefill, simulation_.now());
  call.request.task_served -= took;  // its replica has served nothing of it yet
  call.request.path_served -= took;
  pools_[call.record.pool].replicas[call.record.replica]->submit(index);
}

void Fleet::enter(Pool& pool, std::uint32_t replica, std::uint32_t index) {
  pool.loads.add(replica, 1);
  pool.replicas[replica]->submit(index);
}

void Fleet::forget(std::uint64_t task) {
  if (remaining_ != nullptr) remaining_->ended(task, simulation_.now());
  for (Pool& pool : pools_) {
    pool.home.erase(task);
    pool.away.erase(task);
    const bool remembers = pool.parts || pool.options.retention.policy != KvRetentionPolicy::kLru ||
                           pool.options.eviction == KvEviction::kStepsToExecution;
    if (!remembers) continue;
    for (const auto& replica : pool.replicas) replica->forget(task);
  }
}

std::uint32_t Fleet::route(Pool& pool, const ActiveCall& call) {
  const auto count = static_cast<std::uint32_t>(pool.replicas.size());
  if (count == 1) return 0;
  switch (pool.options.router) {
    case Router::kRoundRobin: {
      const std::uint32_t chosen = pool.next;
      pool.next = (pool.next + 1) % count;
      return chosen;
    }
    case Router::kTaskSticky:
      if (call.record.prompt_tokens <= pool.options.sticky_above) return pool.loads.least();
      return pool.home.try_emplace(call.record.task, pool.loads.least()).first->second;
    case Router::kPrefixAware:
      return best_prefix(pool, call.request).replica;
    case Router::kLeastLoaded:
      break;
  }
  return pool.loads.least();
}

Fleet::BestPrefix Fleet::best_prefix(Pool& pool, const CallRequest& request) {
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

void Fleet::on_completed(std::uint32_t index) {
  ActiveCall& call = calls_[index];
  Pool& pool = pools_[call.record.pool];
  if (pool.media != nullptr) return end(index);
  pool.loads.add(call.record.replica, -1);
  const bool prefill_done = pool.options.role == PoolRole::kPrefill && !call.transferred;
  if (call.sent) {
    call.moving = true;
    call.mark = simulation_.now();
    return send(call.record.pool, call.request.pool, call.record.output_tokens, kSentBack | index);
  }
  if (!prefill_done || call.record.output_tokens <= 1) {
    end(index);
    return;
  }
  // The first token is out; the KV of the prompt moves on.
  call.record.status = CallStatus::kUnfinished;
  call.transferred = true;
  call.request.output_tokens = call.record.output_tokens;
  Pool& target = pools_[pool.options.decode_pool];
  call.moving = true;
  call.target = route(target, call);
  network_.transfer({.from = pool.host_of(call.record.replica),
                     .to = target.host_of(call.target),
                     .bytes = pool.options.kv_bytes(call.record.prompt_tokens),
                     .on_delivered = this,
                     .argument = index,
                     .entity = &entity_});
}

void Fleet::on_event(Time now, std::uint64_t argument) {
  const auto index = static_cast<std::uint32_t>(argument);
  if ((argument & (kSentThere | kSentBack)) != 0) return on_sent(index, (argument & kSentBack) != 0);
  ActiveCall& call = calls_[index];
  if ((argument & kLoaded) != 0) {
    if (--call.loads == 0) pools_[call.record.pool].replicas[call.record.replica]->on_loaded(index);
    return;
  }
  const std::uint32_t from_pool = call.record.pool;
  const std::uint32_t to_pool = pools_[from_pool].options.decode_pool;
  const Time sent = call.mark;
  call.account(Cause::kKvTransfer, now);
  call.moving = false;
  const KvTransfer transfer{call.record.call,
                            from_pool,
                            call.record.replica,
                            to_pool,
                            call.target,
                            pools_[from_pool].options.kv_bytes(call.record.prompt_tokens),
                            sent,
                            now};
  for (ServingObserver* observer : observers_) observer->on_kv_transfer(transfer);
  call.record.pool = to_pool;
  call.record.replica = call.target;
  enter(pools_[to_pool], call.target, index);
}

void Fleet::on_batch_phase(const BatchPhase& phase) {
  for (ServingObserver* observer : observers_) observer->on_batch_phase(phase);
}

void Fleet::end(std::uint32_t index) {
  // The record is copied: the listener may submit the next call, which may take this place.
  ActiveCall& call = calls_[index];
  if (call.record.status != CallStatus::kCompleted) call.record.output_tokens = call.made;
  const CallRecord record = call.record;
  CallListener* listener = call.request.listener;
  const std::uint64_t cookie = call.request.cookie;
  const bool part = call.request.part;
  calls_.give_back(index);
  if (listener != nullptr && simulation_.crowded()) listener->before_call_end(cookie);
  if (!part) {
    for (ServingObserver* observer : observers_) observer->on_call(record);
  }
  if (listener != nullptr) listener->on_call_end(record, cookie);
}

void Fleet::settle() {
  for (Pool& pool : pools_) {
    for (const auto& replica : pool.replicas) replica->settle();
  }
}

void Fleet::forget_itl() {
  settle();
  for (Pool& pool : pools_) pool.tally.itl = {};
}

void Fleet::finish_unfinished() {
  std::vector<std::uint32_t> left;
  for (Pool& pool : pools_) {
    if (pool.media != nullptr) {
      const std::vector<std::uint32_t> abandoned = pool.media->abandon();
      left.insert(left.end(), abandoned.begin(), abandoned.end());
    }
    for (const auto& replica : pool.replicas) {
      const std::vector<std::uint32_t> abandoned = replica->abandon();
      left.insert(left.end(), abandoned.begin(), abandoned.end());
    }
  }
  for (std::uint32_t index = 0; index < calls_.size(); ++index) {
    ActiveCall& call = calls_[index];
    if (!call.moving && !call.tokenizing) continue;
    const Cause cause = call.tokenizing ? Cause::kPrefill : call.sent ? Cause::kNetwork : Cause::kKvTransfer;
    call.account(cause, simulation_.now());
    call.record.finish = simulation_.now();
    call.record.status = CallStatus::kUnfinished;
    call.moving = call.tokenizing = false;
    left.push_back(index);
  }
  std::sort(left.begin(), left.end(),
            [&](std::uint32_t a, std::uint32_t b) { return calls_[a].record.call < calls_[b].record.call; });
  for (const std::uint32_t index : left) end(index);
}

}  // namespace tokenyard::platforms

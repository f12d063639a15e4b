#include "platforms/serving/fleet.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <memory>
#include <optional>

#include "sim/core/error.hpp"
#include "sim/input/faults.hpp"

namespace tokenyard::platforms {

using sim::Time;

namespace {

constexpr double kTextBytesPerToken = 4;  // of English; assumed for all
// Parts of prompts are numbered apart from the calls.
constexpr std::uint64_t kPart = std::uint64_t{1} << 62;
// Calls rejected at one instant: more of them come from users who repeat at once what no replica can hold.
constexpr std::uint64_t kMostRejectedAtOnce = 2'000'000;

/// Why time passes for a call that no replica has.
std::optional<Cause> cause_between_replicas(CallStage stage) {
  switch (stage) {
    case CallStage::kTokenizing:
      return Cause::kPrefill;
    case CallStage::kTextMoving:
    case CallStage::kAnswerMoving:
      return Cause::kNetwork;
    case CallStage::kKvMoving:
      return Cause::kKvTransfer;
    default:
      return std::nullopt;
  }
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
                                                options.power, pool_index, replicas, entity++);
      pool.options = std::move(options);
      router_.add_pool(pool.options, pool.replicas);
      continue;
    }
    pool.context = std::make_unique<PoolContext>(PoolContext{.simulation = simulation,
                                                             .owner = *this,
                                                             .tally = pool.tally,
                                                             .index = pool_index,
                                                             .cost = *options.cost,
                                                             .options = options.batching,
                                                             .kv = options.kv,
                                                             .eviction = options.eviction});
    if (options.power && options.power->limited()) pool.context->power = options.power;
    if (options.more_reuse > 0) {
      constexpr std::int64_t kUnlimited = std::int64_t{1} << 50;
      pool.context->unlimited = std::make_unique<KvCache>(
          KvCache::Options{.blocks = kUnlimited, .block_size = options.kv.block_size, .prefix_caching = true});
      pool.context->more_reuse = options.more_reuse;
    }
    pool.options = std::move(options);
    add_replicas(pool, entity);
    router_.add_pool(pool.options, pool.replicas);
    if (!pool.options.tiers.empty()) add_tiers(pool);
    if (pool.options.batching.scheduling.order == Scheduling::kRemainingTime && remaining_ == nullptr)
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
  pool.replicas.reserve(std::size_t{replicas} * ranks);
  const bool in_step = ranks > 1 && pool.options.in_step;
  for (std::uint32_t i = 0; i < replicas * ranks; ++i)
    pool.replicas.push_back(std::make_unique<Replica>(*pool.context, i, entity + (in_step ? pool.place_of(i) : i)));
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
  for (const KvTiers::Tier& tier : replica_of(call).tiers()->tiers()) {
    const Tokens tokens = found.tokens[static_cast<std::size_t>(tier.kind)];
    if (tokens == 0) continue;
    ++call.loads;
    const double bytes = pool.options.tier_bytes_per_token * static_cast<double>(tokens);
    if (tier.link != nullptr) {
      const Time there = tier.link->transfer(simulation_.now(), bytes);
      simulation_.schedule(there, sim::Priority::kDelivery, entity_, *this, index);
    } else {
      network_.transfer({.from = pool.options.store,
                         .to = pool.host_of(call.record.replica),
                         .bytes = bytes,
                         .on_delivered = this,
                         .argument = index,
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
  record.pool = router_.pool_for(request);
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
  if (pool.options.batching.scheduling.order == Scheduling::kRemainingTime) {
    call.request.remaining = remaining_->expected(record.agent, record.node);
    if (!request.part) remaining_->came(record.task, record.agent, record.node, record.arrival);
  }
  if (!fits(pool, record)) return reject(index);
  if (pool.options.role == PoolRole::kPrefill) {
    call.request.output_tokens = 1;
    call.request.output_content = 0;
  }
  record.replica = request.part_pool == record.pool
                       ? request.part_replica
                       : router_.replica_for(record.pool, call.request, record.prompt_tokens);
  router_.add_load(record.pool, record.replica, 1);  // from now on, lest all go to the same
  if (record.pool == request.pool) return tokenize(index);
  call.overflowed = true;
  call.stage = CallStage::kTextMoving;
  send_text(index, request.pool, record.pool, record.prompt_tokens);
}

bool Fleet::fits(const Pool& pool, const CallRecord& call) const {
  const Replica& any = *pool.replicas.front();
  if (pool.options.role != PoolRole::kPrefill) return any.fits(call.prompt_tokens, call.output_tokens);
  const Replica& next = *pools_[pool.options.decode_pool].replicas.front();
  return any.fits(call.prompt_tokens, 1) && next.fits(call.prompt_tokens, call.output_tokens);
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

/// From now on.
void Fleet::send_text(std::uint32_t index, std::uint32_t from_pool, std::uint32_t to_pool, Tokens tokens) {
  calls_[index].mark = simulation_.now();
  network_.transfer({.from = pools_[from_pool].options.hosts.front(),
                     .to = pools_[to_pool].options.hosts.front(),
                     .bytes = kTextBytesPerToken * static_cast<double>(tokens),
                     .on_delivered = this,
                     .argument = index,
                     .entity = &entity_});
}

void Fleet::on_text_there(std::uint32_t index) {
  calls_[index].account(Cause::kNetwork, simulation_.now());
  tokenize(index);
}

void Fleet::on_answer_back(std::uint32_t index) {
  ActiveCall& call = calls_[index];
  const Time way = simulation_.now() - call.mark;
  call.account(Cause::kNetwork, simulation_.now());
  call.stage = CallStage::kAtReplica;
  call.record.first_token += way;
  call.record.finish = simulation_.now();
  end(index);
}

/// Its text becomes tokens; then the replica has it.
void Fleet::tokenize(std::uint32_t index) {
  ActiveCall& call = calls_[index];
  Replica& replica = replica_of(call);
  const double s_per_token = pools_[call.record.pool].options.tokenize_s_per_token;
  if (s_per_token <= 0) {
    call.stage = CallStage::kAtReplica;
    return replica.submit(index);
  }
  call.stage = CallStage::kTokenizing;
  call.mark = simulation_.now();
  const Time needed = Time::seconds(s_per_token * static_cast<double>(call.record.prompt_tokens));
  simulation_.schedule(simulation_.now() + needed, sim::Priority::kDelivery, entity_, replica,
                       Replica::tokenized_event(index));
}

void Fleet::on_tokenized(std::uint32_t index) {
  ActiveCall& call = calls_[index];
  call.stage = CallStage::kAtReplica;
  const Time took = simulation_.now() - call.mark;
  call.account(Cause::kPrefill, simulation_.now());
  call.request.task_served -= took;  // its replica has served nothing of it yet
  call.request.path_served -= took;
  replica_of(call).submit(index);
}

void Fleet::forget(std::uint64_t task) {
  if (remaining_ != nullptr) remaining_->ended(task, simulation_.now());
  router_.forget(task);
  for (const Pool& pool : pools_) {
    const bool remembers = pool.parts || pool.options.retention.policy != KvRetentionPolicy::kLru ||
                           pool.options.eviction == KvEviction::kStepsToExecution;
    if (!remembers) continue;
    for (const auto& replica : pool.replicas) replica->forget(task);
  }
}

void Fleet::on_completed(std::uint32_t index) {
  ActiveCall& call = calls_[index];
  const Pool& pool = pools_[call.record.pool];
  if (pool.media != nullptr) return end(index);
  router_.add_load(call.record.pool, call.record.replica, -1);
  if (call.overflowed) {
    call.stage = CallStage::kAnswerMoving;
    return send_text(index, call.record.pool, call.request.pool, call.record.output_tokens);
  }
  const bool prefill_done = pool.options.role == PoolRole::kPrefill && !call.transferred;
  if (prefill_done && call.record.output_tokens > 1) return send_kv(index);
  end(index);
}

/// The first token is out; the KV of the prompt moves on.
void Fleet::send_kv(std::uint32_t index) {
  ActiveCall& call = calls_[index];
  const Pool& pool = pools_[call.record.pool];
  call.record.status = CallStatus::kUnfinished;
  call.transferred = true;
  call.request.output_tokens = call.record.output_tokens;
  call.stage = CallStage::kKvMoving;
  call.target = router_.replica_for(pool.options.decode_pool, call.request, call.record.prompt_tokens);
  network_.transfer({.from = pool.host_of(call.record.replica),
                     .to = pools_[pool.options.decode_pool].host_of(call.target),
                     .bytes = pool.options.kv_bytes(call.record.prompt_tokens),
                     .on_delivered = this,
                     .argument = index,
                     .entity = &entity_});
}

void Fleet::on_kv_there(std::uint32_t index) {
  ActiveCall& call = calls_[index];
  CallRecord& record = call.record;
  const PoolOptions& from = pools_[record.pool].options;
  const Time sent = call.mark, now = simulation_.now();
  call.account(Cause::kKvTransfer, now);
  call.stage = CallStage::kAtReplica;
  const KvTransfer transfer{.call = record.call,
                            .from_pool = record.pool,
                            .from_replica = record.replica,
                            .to_pool = from.decode_pool,
                            .to_replica = call.target,
                            .bytes = from.kv_bytes(record.prompt_tokens),
                            .begin = sent,
                            .end = now};
  for (ServingObserver* observer : observers_) observer->on_kv_transfer(transfer);
  record.pool = from.decode_pool;
  record.replica = call.target;
  router_.add_load(record.pool, record.replica, 1);
  replica_of(call).submit(index);
}

void Fleet::on_part_loaded(std::uint32_t index) {
  ActiveCall& call = calls_[index];
  if (--call.loads == 0) replica_of(call).on_loaded(index);
}

void Fleet::on_event(Time /*now*/, std::uint64_t argument) {
  const auto index = static_cast<std::uint32_t>(argument);
  switch (calls_[index].stage) {
    case CallStage::kTextMoving:
      return on_text_there(index);
    case CallStage::kAnswerMoving:
      return on_answer_back(index);
    case CallStage::kKvMoving:
      return on_kv_there(index);
    case CallStage::kAtReplica:
    case CallStage::kPrefetch:
      return on_part_loaded(index);
    case CallStage::kDecoding:
    case CallStage::kTokenizing:
      throw sim::InternalError("fleet: something arrives for a call that nothing was sent for");
  }
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
    const std::optional<Cause> cause = cause_between_replicas(call.stage);
    if (!cause) continue;
    call.account(*cause, simulation_.now());
    call.record.finish = simulation_.now();
    call.record.status = CallStatus::kUnfinished;
    call.stage = CallStage::kAtReplica;
    left.push_back(index);
  }
  std::sort(left.begin(), left.end(),
            [&](std::uint32_t a, std::uint32_t b) { return calls_[a].record.call < calls_[b].record.call; });
  for (const std::uint32_t index : left) end(index);
}

}  // namespace tokenyard::platforms

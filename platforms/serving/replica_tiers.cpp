/// KV that comes from the tiers below HBM and goes there (kv/kv_tiers.hpp): a call loads it beside the batch and is
/// admitted when it is there; what the next calls of tasks begin with is prefetched.

#include <algorithm>

#include "platforms/serving/replica.hpp"
#include "sim/core/error.hpp"

namespace tokenyard::platforms {

using sim::FineTime;

/// Its blocks, for the whole prompt, are its own from now on; what HBM has of it is pinned.
void Replica::begin_load(std::uint32_t index, const KvContext& context, const KvHit& hit, const KvFound& found,
                         Tokens ready) {
  ActiveCall& call = calls_[index];
  admit_found(call.kv, context, hit);
  take_blocks(call, kv_.blocks_for(call.context()) - call.kv.blocks());
  hold_bounded(call);
  call.computed = std::max(ready, hit.tokens + found.total());
  for (std::size_t t = 0; t < kKvTierKinds; ++t) pool_.tally.totals.loaded_tokens[t] += found.tokens[t];
  note_admission(call, call.computed, found);
  waiting_.remove(index);
  loading_.append(calls_, index);
  pool_.owner.load(index, found);
}

void Replica::on_loaded(std::uint32_t index) {
  settle();
  ActiveCall& call = calls_[index];
  const KvContext context = context_of(call);
  if (!kv_.extend(call.kv, context, call.computed)) throw sim::InternalError("replica: a reserved block is missing");
  store(context, call.computed);
  if (call.stage == CallStage::kPrefetch) {
    std::erase(prefetching_, context.prompt.front().content);
    release(call, context, call.computed, false);
    calls_.give_back(index);
  } else {
    call.loaded = pool_.simulation.now();
    loading_.remove(calls_, index);
    loaded_.append(calls_, index);
  }
  if (!busy()) {
    begin_step(FineTime(pool_.simulation.now()));
  } else if (running_.size < options_.max_num_seqs) {
    cut_leap();
  }
}

bool Replica::admit_loaded(std::uint32_t index) {
  ActiveCall& call = calls_[index];
  const Tokens total = call.context();
  const Tokens budget = budget_left();
  Tokens tokens = options_.longest_chunk(total - call.computed);
  if (budget < budget_of(1) || !room_for_prompt(call) || (!options_.chunked_prefill && tokens > budget)) return false;
  tokens = std::min(tokens, budget);
  const Planned planned{index, {tokens, call.computed, call.computed + tokens == total}};
  extend(planned);
  call.account(Cause::kKvTransfer, pool_.simulation.now());
  loaded_.remove(calls_, index);
  join_running(index);
  prefilling_.push_back(index);
  plan_.push_back(planned);
  return true;
}

void Replica::store(const KvContext& context, Tokens tokens) {
  if (pool_.unlimited != nullptr) pool_.unlimited->keep(context, tokens);
  if (tiers_ == nullptr) return;
  const KvTierTokens before = tiers_->written();
  tiers_->keep(context, tokens);
  for (std::size_t t = 0; t < kKvTierKinds; ++t)
    pool_.tally.totals.stored_tokens[t] += tiers_->written()[t] - before[t];
}

/// It takes the blocks that it needs now; nobody finds it before it is there.
void Replica::prefetch(const NextUse& use) {
  const std::uint64_t role = use.prefix.content;
  if (std::find(prefetching_.begin(), prefetching_.end(), role) != prefetching_.end()) return;
  const KvContext context{.prompt = {&use.prefix, 1}, .output = {0, 1}};  // as of a call that goes on from it
  const KvHit hit = kv_.find(context);
  const KvFound found = tiers_->find(context, hit.tokens);
  const Tokens all = hit.tokens + found.total();
  const std::int64_t fresh = kv_.blocks_for(all) - kv_.blocks_for(hit.tokens);
  if (fresh == 0 || fresh + hit.unpinned > kv_.free_blocks()) return;
  const std::uint32_t index = calls_.take();
  ActiveCall& call = calls_[index];
  call = {};
  call.stage = CallStage::kPrefetch;
  call.request.prompt = context.prompt;
  call.record.pool = pool_.index;
  call.record.replica = index_;
  call.made = context.output.tokens;
  call.computed = all;
  admit_found(call.kv, context, hit);
  take_blocks(call, fresh);
  for (std::size_t t = 0; t < kKvTierKinds; ++t) pool_.tally.totals.loaded_tokens[t] += found.tokens[t];
  prefetching_.push_back(role);
  if (busy()) cut_leap();
  pool_.owner.load(index, found);
}

}  // namespace tokenyard::platforms

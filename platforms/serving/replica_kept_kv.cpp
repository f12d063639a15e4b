/// What becomes of a call's KV when it leaves its replica: held for the task's next call (kv_retention.hpp), or left to
/// eviction, with a priority (kv_eviction.hpp).

#include "platforms/serving/replica.hpp"

namespace tokenyard::platforms {

using sim::Time;

bool Replica::claim_held(ActiveCall& call) {
  settle();
  if (retention_ != nullptr && !call.request.part)
    retention_->on_arrival(call.record.task, call.request.prompt, pool_.simulation.now());
  return held_.claim(call.record.task, call.request.prompt);
}

/// By the policy.
Time Replica::time_to_hold(const ActiveCall& call, std::uint64_t content, Time now) {
  const CallRequest& request = call.request;
  const bool comes_back = request.next_node != CallRequest::kNoNode && content != 0;
  Tokens others = decoding_.context();
  for (const std::uint32_t index : prefilling_) others += calls_[index].computed;
  return retention_->hold_for(
      {.task = request.task,
       .content = content,
       .wait = comes_back ? std::uint64_t{request.agent} << 32 | request.next_node : KvRetention::kNoWait,
       .tokens = call.context(),
       .others = others},
      now);
}

/// A completed call has released its KV; as much of it as the task's next call will find is held from now on.
void Replica::hold(const ActiveCall& call, Time now) {
  const CallRequest& request = call.request;
  const std::uint64_t content = request.prompt.empty() ? 0 : request.prompt.back().content;
  const Time time = request.part ? Time::never() : time_to_hold(call, content, now);
  if (time == Time()) return;
  KvContext context = context_of(call);
  context.owner = 0;
  KvChain chain;
  const KvHit hit = kv_.find(context);
  admit_found(chain, context, hit);
  held_.add(
      {request.task, content, request.task_arrival, time < Time::never() - now ? now + time : Time::never(), chain});
}

/// A part of which less than a block is missing needs no step: it is held from now on, by nobody else's leave.
bool Replica::hold_at_once(std::uint32_t index) {
  settle();
  ActiveCall& call = calls_[index];
  const KvContext context{.prompt = call.request.prompt, .output = {0, 1}};
  if (call.record.prompt_tokens - kv_.find(context).tokens >= kv_.block_size()) return false;
  call.made = 1;
  call.record.scheduled = call.record.first_token = call.record.finish = pool_.simulation.now();
  call.record.status = CallStatus::kCompleted;
  held_.admitted(call.record.task, call.request.prompt);
  hold(call, pool_.simulation.now());
  if (busy()) cut_leap();  // it may have counted on these blocks
  pool_.owner.on_completed(index);
  return true;
}

void Replica::forget(std::uint64_t task) {
  settle();
  note_uses(task, {});
  if (retention_ != nullptr) retention_->forget(task);
  if (held_.forget(task) && busy()) cut_leap();
}

void Replica::release(ActiveCall& call, const KvContext& context, Tokens tokens, bool comes_back) {
  kv_.give_back(call.bounded_blocks);
  call.bounded_blocks = 0;
  switch (pool_.eviction) {
    case KvEviction::kLru:
      return kv_.release(call.kv, context, tokens);
    case KvEviction::kTagged:
      return kv_.release(call.kv, context, tokens, priority_by_tag(comes_back));
    case KvEviction::kStepsToExecution: {
      const std::uint64_t role = context.prompt.empty() ? 0 : context.prompt.front().content;
      std::uint32_t own = 1;  // unless the graph says otherwise: a preempted call, or one that a tool keeps waiting
      for (const NextUse& use : call.request.next_uses) {
        if (use.prefix.content == role && call.record.finish != CallRecord::kNoTime) own = use.calls;
      }
      const KvPriority priority{.role = priority_of_steps(prefix_distances_->nearest(role)),
                                .own = comes_back ? priority_of_steps(own) : std::uint8_t{0}};
      return kv_.release(call.kv, context, tokens, priority);
    }
  }
}

/// How far the task is from each role's prefix, from now on.
void Replica::note_uses(std::uint64_t task, std::span<const NextUse> uses) {
  if (prefix_distances_ == nullptr) return;
  settle();
  prefix_distances_->on_call(task, uses, [&](std::uint64_t role) {
    kv_.set_priority(role, priority_of_steps(prefix_distances_->nearest(role)));
  });
  if (tiers_ == nullptr) return;
  for (const NextUse& use : uses) {
    if (use.calls == 1) prefetch(use);
  }
}

}  // namespace tokenyard::platforms

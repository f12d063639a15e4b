#include "platforms/serving/decoding_batch.hpp"

#include <algorithm>

#include "sim/random/stream.hpp"

namespace tokenyard::platforms {
namespace {

constexpr sim::StreamName kAcceptance("speculation");
constexpr auto kLater = [](const auto& a, const auto& b) { return a.step > b.step; };

/// Of a call's context over the step count: no step changes it.
Tokens lead_of(const ActiveCall& call) { return call.context() - call.joined_step; }

}  // namespace

void DecodingBatch::join(std::uint32_t index, ActiveCall& call) {
  call.stage = CallStage::kDecoding;
  call.joined_step = step_;
  if (size_ == 0) {
    lead_ = lead_of(call);
  } else if (lead_) {
    lead_ = std::max(*lead_, lead_of(call));
  }
  ++size_;
  context_ += call.context();
  count_needing(call, 1);
  completions_.push_back({step_ + call.request.output_tokens - call.made, index});
  std::push_heap(completions_.begin(), completions_.end(), kLater);
}

void DecodingBatch::leave(std::uint32_t index, ActiveCall& call) {
  sim::erase_if(completions_, [&](const Completion& completion) { return completion.call == index; });
  std::make_heap(completions_.begin(), completions_.end(), kLater);
  take_out(call);
}

Tokens DecodingBatch::make_accepted(ActiveCalls& calls, const Speculation& speculation, std::uint64_t seed) {
  Tokens all = 0;
  for (Completion& completion : completions_) {
    ActiveCall& call = calls[completion.call];
    sim::Stream draw(seed, kAcceptance, call.request.entity, static_cast<std::uint32_t>(made(call)));
    const Tokens tokens = std::min(speculation.accepted(draw.uniform()), completion.step - step_);
    count_needing(call, -1);
    call.made += tokens;
    count_needing(call, 1);
    completion.step -= tokens;
    all += tokens;
  }
  if (all > 0) lead_.reset();
  context_ += all;
  std::make_heap(completions_.begin(), completions_.end(), kLater);
  return all;
}

std::uint32_t DecodingBatch::leave_completed(ActiveCalls& calls) {
  if (completions_.empty() || completions_.front().step > step_) return ActiveCall::kNone;
  const std::uint32_t index = completions_.front().call;
  std::pop_heap(completions_.begin(), completions_.end(), kLater);
  completions_.pop_back();
  take_out(calls[index]);
  return index;
}

void DecodingBatch::take_out(ActiveCall& call) {
  count_needing(call, -1);
  --size_;
  if (lead_ == lead_of(call)) lead_.reset();
  call.made = made(call);
  context_ -= call.context();
  call.stage = CallStage::kAtReplica;
}

Tokens DecodingBatch::skew(const ActiveCalls& calls) const {
  if (size_ == 0) return 0;
  if (!lead_) {
    for (const Completion& completion : completions_) {
      const Tokens lead = lead_of(calls[completion.call]);
      lead_ = lead_ ? std::max(*lead_, lead) : lead;
    }
  }
  return size_ * (*lead_ + step_) - context_;
}

std::int64_t DecodingBatch::blocks_needed(std::int64_t steps) const {
  const std::int32_t* const below = needing_below_.data();
  if (steps == 1) return below[residue_ + 1] - below[residue_];
  const std::int64_t size = block_size(), from = residue_, to = from + steps % size;
  return steps / size * size_ + (to <= size ? below[to] : below[size] + below[to - size]) - below[from];
}

std::int64_t DecodingBatch::steps_within(std::int64_t blocks, std::int64_t limit) const {
  if (blocks_needed(limit) <= blocks) return limit;
  std::int64_t fits = 1, fails = limit;
  while (fails - fits > 1) {
    const std::int64_t middle = fits + (fails - fits) / 2;
    (blocks_needed(middle) <= blocks ? fits : fails) = middle;
  }
  return fits;
}

/// At the residue of the step count at which the call needs a block its context is one past a multiple of the size.
void DecodingBatch::count_needing(const ActiveCall& call, std::int32_t change) {
  const std::int64_t size = block_size(), rest = (1 - lead_of(call)) % size, residue = rest < 0 ? rest + size : rest;
  // All of them, for a loop as long as the last one is foreseen.
  for (std::int64_t i = 1; i <= size; ++i) needing_below_[static_cast<std::size_t>(i)] += i > residue ? change : 0;
}

}  // namespace tokenyard::platforms

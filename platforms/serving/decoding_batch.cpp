#include "platforms/serving/decoding_batch.hpp"

#include <algorithm>

namespace tokenyard::platforms {
namespace {

constexpr auto kLater = [](const auto& a, const auto& b) { return a.step > b.step; };

}  // namespace

void DecodingBatch::join(std::uint32_t index, ActiveCall& call) {
  call.decoding = true;
  call.joined_step = step_;
  ++size_;
  context_ += call.record.prompt_tokens + call.made;
  ++needing_with(call);
  expect_completion(index, call);
}

void DecodingBatch::make_more(std::uint32_t index, ActiveCall& call, Tokens tokens) {
  --needing_with(call);
  call.made += tokens;
  ++needing_with(call);
  context_ += tokens;
  // What was expected when it joined is too late, by all that it made more.
  if (made(call) == call.request.output_tokens) expect_completion(index, call);
}

void DecodingBatch::expect_completion(std::uint32_t index, const ActiveCall& call) {
  completions_.push_back({call.joined_step + call.request.output_tokens - call.made, call.record.call, index});
  std::push_heap(completions_.begin(), completions_.end(), kLater);
}

void DecodingBatch::leave(ActiveCall& call) {
  --needing_with(call);
  --size_;
  call.made = made(call);
  context_ -= call.record.prompt_tokens + call.made;
  call.decoding = false;
}

std::uint32_t DecodingBatch::completed() {
  drop_stale_completions();
  return completions_.empty() || completions_.front().step > step_ ? ActiveCall::kNone : completions_.front().index;
}

std::int64_t DecodingBatch::steps_to_completion() {
  drop_stale_completions();
  return completions_.front().step - step_;
}

std::int64_t DecodingBatch::blocks_needed(std::int64_t steps) const {
  const auto size = static_cast<std::int64_t>(needing_.size());
  auto at = static_cast<std::size_t>(step_ % size);
  if (steps == 1) return needing_[at];
  std::int64_t needed = steps / size * size_;
  for (std::int64_t rest = steps % size; rest > 0; --rest) {
    needed += needing_[at];
    if (++at == needing_.size()) at = 0;
  }
  return needed;
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
std::int32_t& DecodingBatch::needing_with(const ActiveCall& call) {
  const auto size = static_cast<std::int64_t>(needing_.size());
  const std::int64_t residue = (call.joined_step - (call.record.prompt_tokens + call.made) + 1) % size;
  return needing_[static_cast<std::size_t>(residue < 0 ? residue + size : residue)];
}

void DecodingBatch::drop_stale_completions() {
  while (!completions_.empty()) {
    const auto& [step, id, index] = completions_.front();
    const ActiveCall& call = calls_[index];
    if (call.decoding && call.record.call == id && call.joined_step + call.request.output_tokens - call.made == step) {
      return;
    }
    std::pop_heap(completions_.begin(), completions_.end(), kLater);
    completions_.pop_back();
  }
}

}  // namespace tokenyard::platforms

#include "traces/readers/spans/branch_contexts.hpp"

#include <algorithm>

#include "traces/content.hpp"

namespace tokenyard::traces {

using platforms::Extent;
using platforms::Tokens;

namespace {

constexpr std::size_t kMostContexts = 64;

}  // namespace

std::vector<BranchContexts::Context>::iterator BranchContexts::find(std::uint32_t model, Tokens cached) {
  const auto last = [&](auto fits) {
    const auto found = std::find_if(contexts_.rbegin(), contexts_.rend(), fits);
    return found == contexts_.rend() ? contexts_.end() : std::prev(found.base());
  };
  const auto holds = last([&](const Context& c) { return c.model == model && c.input + c.output >= cached; });
  return holds != contexts_.end() ? holds : last([&](const Context& c) { return c.model == model; });
}

std::vector<Extent> BranchContexts::add(std::uint32_t model, Tokens input, Tokens cached, Tokens output) {
  Context next{model, {}, input, output};
  const auto before = find(model, cached);
  if (before != contexts_.end() && input >= before->input) {
    next.prompt = std::move(before->prompt);
    next.prompt.back().tokens += input - before->input;
    contexts_.erase(before);
  } else {
    Tokens kept = before == contexts_.end() ? 0 : std::clamp<Tokens>(cached, 0, input - 1);
    for (std::size_t e = 0; kept > 0; ++e) {
      next.prompt.push_back(before->prompt[e]);
      next.prompt.back().tokens = std::min(kept, next.prompt.back().tokens);
      kept -= next.prompt.back().tokens;
    }
    Tokens rest = input;
    for (const Extent& extent : next.prompt) rest -= extent.tokens;
    next.prompt.push_back({content_of(content_, opened_++), rest});
    if (contexts_.size() == kMostContexts) contexts_.erase(contexts_.begin());
  }
  contexts_.push_back(next);
  return next.prompt;
}

}  // namespace tokenyard::traces

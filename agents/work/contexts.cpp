#include "agents/work/contexts.hpp"

namespace tokenyard::agents {

void Contexts::reset(std::size_t count, TaskContents& contents, Contexts* parent) {
  shares_.assign(count, {});
  contents_ = &contents;
  parent_ = parent;
}

bool Contexts::opened(std::uint32_t context) const {
  for (const Contexts* at = this; at != nullptr; at = at->parent_) {
    if (at->shares_[context].opened) return true;
  }
  return false;
}

std::uint64_t Contexts::content(std::uint32_t context) {
  Share& share = shares_[context];
  if (share.content == 0) share.content = ++contents_->used;
  return (contents_->task + 1) << 24 | (share.content & 0xffffffU);
}

void Contexts::put(std::uint32_t context, Prompt& prompt) {
  const platforms::Extent own{tokens(context) > 0 ? content(context) : 0, tokens(context)};
  if (parent_ != nullptr) parent_->put(context, prompt);
  if (own.tokens > 0) prompt.push_back(own);
}

void Contexts::merge_into_parent() {
  for (std::size_t c = 0; c < shares_.size(); ++c) {
    parent_->shares_[c].tokens += shares_[c].tokens;
    parent_->shares_[c].opened = parent_->shares_[c].opened || shares_[c].opened;
  }
}

}  // namespace tokenyard::agents

#pragma once
/// A prompt given by the ids of its blocks, as extents.
///
/// Equal ids at the front of two prompts are a shared prefix. Ids that follow each other (7, 8, 9) become one extent,
/// named by the first: the longest such runs are the same for all prompts that begin alike, so extents agree exactly as
/// far as ids do, and a prompt of thousands of blocks is a handful of extents.
///
///   BlockPrompt blocks(prompt, 512, scope);
///   for (std::uint64_t id : ids) blocks.add(id);
///   blocks.finish(prompt_tokens);   // cuts the last block, or adds what no id covers

#include <algorithm>
#include <cstdint>
#include <vector>

#include "platforms/kv/extent.hpp"
#include "traces/content.hpp"

namespace tokenyard::traces {

class BlockPrompt {
 public:
  BlockPrompt(std::vector<platforms::Extent>& prompt, platforms::Tokens block_tokens, std::uint64_t scope)
      : prompt_(prompt), block_tokens_(block_tokens), scope_(scope) {}

  void add(std::uint64_t first_id, std::int64_t count = 1) {
    const platforms::Tokens tokens = count * block_tokens_;
    if (tokens_ > 0 && first_id == next_id_) {
      prompt_.back().tokens += tokens;
    } else {
      prompt_.push_back({content_of(first_id, scope_), tokens});
    }
    next_id_ = first_id + static_cast<std::uint64_t>(count);
    tokens_ += tokens;
  }
  platforms::Tokens blocks() const { return tokens_ / block_tokens_; }

  /// What exceeds `prompt_tokens` is cut off; what is missing is nobody else's.
  void finish(platforms::Tokens prompt_tokens) {
    while (tokens_ > prompt_tokens) {
      const platforms::Tokens cut = std::min(tokens_ - prompt_tokens, prompt_.back().tokens);
      prompt_.back().tokens -= cut;
      tokens_ -= cut;
      if (prompt_.back().tokens == 0) prompt_.pop_back();
    }
    if (tokens_ < prompt_tokens) prompt_.push_back({0, prompt_tokens - tokens_});
    tokens_ = prompt_tokens;
  }

 private:
  std::vector<platforms::Extent>& prompt_;
  platforms::Tokens block_tokens_;
  std::uint64_t scope_;
  std::uint64_t next_id_ = 0;
  platforms::Tokens tokens_ = 0;
};

}  // namespace tokenyard::traces

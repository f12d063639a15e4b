#pragma once
/// The paged KV cache of one replica, with prefix reuse, kept by extents instead of by blocks.
///
/// Semantics are those of vLLM V1 (v1/core/kv_cache_manager.py, block_pool.py): memory is blocks of `block_size`
/// tokens; a full block is found again by the content of everything up to its end, from the step that computes it on;
/// the last token of a context is always computed; freed blocks join the tail of one LRU queue, a chain's last block
/// first, and new blocks are taken from its head; where KV has priorities (kv_eviction.hpp), there is a queue for each,
/// and the lowest is emptied first. Two differences, both small (tests/platforms/kv/kv_cache_test.cpp measures them):
/// - A block filled while its like is cached is given back at once and the cached one used, as SGLang's radix cache
///   does; vLLM keeps both until they are freed. Only calls that compute the same content side by side have such
///   blocks.
/// - Output becomes reusable when its call ends or is preempted, not block by block. Nobody could ask for it before.
///
/// A context is a chain of extents (extent.hpp), and the cache a radix tree of them: a node owns the blocks whose
/// *last* token lies in its extent. Whoever holds a node holds all nodes above it, and a child is freed before its
/// parent. So of any path a prefix is in memory, and the LRU queue holds whole nodes. A block-by-block reference in the
/// tests agrees exactly.
///
/// Cost: O(extents of the context) for look-up, pinning and release, O(nodes evicted) for eviction, whatever the number
/// of blocks.
///
///   KvCache cache({.blocks = 1000, .block_size = 16, .prefix_caching = true});
///   const KvContext context{.prompt = prompt};
///   const KvHit hit = cache.find(context);
///   KvChain chain;  if (cache.admit(chain, context, hit, hit.tokens + 512)) …
///   cache.extend(chain, context, tokens); … cache.release(chain, context, tokens);

#include <array>
#include <cstdint>
#include <span>
#include <tsl/robin_map.h>
#include <vector>

#include "platforms/kv/extent.hpp"
#include "platforms/kv/kv_eviction.hpp"
#include "platforms/spec/bounded_kv.hpp"
#include "sim/core/index_list.hpp"
#include "sim/random/scatter.hpp"

namespace tokenyard::platforms {

/// What a call's KV stands for: its prompt, then the output made so far, which goes on with the prompt's last extent if
/// it has that content.
struct KvContext {
  std::span<const Extent> prompt;
  Extent output{};
  /// Content 0 is found again by this owner alone, whose call was preempted; 0: by nobody.
  std::uint64_t owner = 0;

  bool output_continues_prompt() const { return !prompt.empty() && prompt.back().content == output.content; }
  std::size_t size() const { return prompt.size() + (output.tokens > 0 && !output_continues_prompt() ? 1 : 0); }
  Extent operator[](std::size_t i) const {
    if (i == prompt.size()) return output;
    Extent extent = prompt[i];
    if (i + 1 == prompt.size() && output_continues_prompt()) extent.tokens += output.tokens;
    return extent;
  }
};

/// What of a context is in memory. Valid until the cache changes.
struct KvHit {
  Tokens tokens = 0;          ///< need not be computed: whole blocks, never the context's last token
  std::int64_t unpinned = 0;  ///< those of its blocks that nobody holds: they count as free until a chain pins them
  std::uint32_t node = 0;     ///< deepest node it reaches into
};

/// What one running call holds. Plain data; owned by the call, read and written by the cache alone.
struct KvChain {
  std::uint32_t leaf = 0;           ///< deepest node pinned; 0 is the root
  std::int64_t shared_blocks = 0;   ///< blocks of the pinned nodes, from the start of the context
  std::int64_t private_blocks = 0;  ///< the rest
  std::int64_t blocks() const { return shared_blocks + private_blocks; }
};

class KvCache {
 public:
  struct Options {
    std::int64_t blocks = 0;
    std::int64_t block_size = 16;
    bool prefix_caching = true;
    BoundedKv bounded{};
  };
  explicit KvCache(const Options& options);

  KvHit find(const KvContext& context) const;

  /// For a tier of memory without running calls (kv_tiers.hpp): the whole blocks of the context's first `tokens`
  /// tokens, as far as they have names and fit, are there from now on, unpinned and most recently used. Returns the
  /// tokens that were not there before.
  Tokens keep(const KvContext& context, Tokens tokens);

  /// Starts a chain for the context's first `tokens` tokens, of which those of `hit` are reused. False, with nothing
  /// changed, if the blocks do not fit.
  bool admit(KvChain& chain, const KvContext& context, const KvHit& hit, Tokens tokens);

  /// Extends the chain to hold `tokens` tokens in all; what the context names becomes reusable. False, with nothing
  /// changed, if it does not fit.
  bool extend(KvChain& chain, const KvContext& context, Tokens tokens);

  /// Takes `blocks` more private blocks (decode); the caller has checked `free_blocks()`.
  void take(std::int64_t blocks);
  void add_private(KvChain& chain, std::int64_t blocks) { chain.private_blocks += blocks; }
  /// Blocks beside those of its context that a call takes while it runs, whose context will be so long.
  std::int64_t bounded_blocks(Tokens context) const;
  /// Frees blocks that `take` gave, which hold nothing that could be found again.
  void give_back(std::int64_t blocks);

  /// Frees the chain. What is registered of it stays reusable until evicted.
  void drop(KvChain& chain);
  /// Likewise, and the context's first `tokens` tokens, which were computed, are registered, output included.
  void release(KvChain& chain, const KvContext& context, Tokens tokens);
  /// Likewise, with the priority at which it is retained from now on.
  void release(KvChain& chain, const KvContext& context, Tokens tokens, KvPriority priority);
  /// Of a role's prefix, from now on.
  void set_priority(std::uint64_t role, std::uint8_t priority);

  std::int64_t free_blocks() const { return never_used_ + evictable_; }
  std::int64_t total_blocks() const { return options_.blocks; }
  std::int64_t used_blocks() const { return options_.blocks - free_blocks(); }
  std::int64_t blocks_for(Tokens tokens) const { return (tokens + options_.block_size - 1) / options_.block_size; }
  std::int64_t block_size() const { return options_.block_size; }
  /// Of the tree and the queue; never more than the contexts in memory have extents, and the releases that wait in the
  /// queue.
  std::size_t nodes() const { return nodes_.size() - spare_.size(); }

  /// Throws sim::InternalError if the books do not balance; O(nodes). For tests.
  void check() const;

 private:
  using NodeId = std::uint32_t;
  static constexpr NodeId kRoot = 0;
  static constexpr NodeId kNone = sim::IndexList::kNone;

  struct Node {
    std::uint64_t content = 0;  ///< or its owner
    Tokens begin = 0, end = 0;  ///< of its extent, counted from the context's start
    Tokens offset = 0;          ///< of its first token within the content (a split keeps the tail's)
    NodeId parent = kNone;
    std::uint32_t pins = 0;  ///< chains whose leaf it is, and children that are pinned
    std::uint32_t children = 0;
    bool owned_content = false;             ///< content 0 of `content`, an owner
    std::uint8_t priority = 0;              ///< no less than those of its children
    std::int64_t resident = 0;              ///< blocks in memory, from the first it owns
    NodeId previous = kNone, next = kNone;  ///< in its queue while unpinned
  };
  struct ChildKey {
    NodeId parent;
    bool owned_content;
    std::uint64_t content;
    Tokens offset;
    bool operator==(const ChildKey&) const = default;
  };
  struct ChildHash {
    std::size_t operator()(const ChildKey& key) const {
      return static_cast<std::size_t>(
          sim::scatter((key.content ^ static_cast<std::uint64_t>(key.offset) * 0x9e3779b97f4a7c15ULL) + key.parent));
    }
  };

  static ChildKey key_of(NodeId parent, std::uint64_t content, std::uint64_t owner, Tokens offset) {
    return {parent, content == 0, content == 0 ? owner : content, offset};
  }
  std::int64_t owned(const Node& node) const {
    return node.end / options_.block_size - node.begin / options_.block_size;
  }
  /// What is in memory of the context's first `limit` tokens, a multiple of the block size.
  KvHit match(const KvContext& context, Tokens limit) const;
  NodeId split(NodeId node, Tokens at);
  NodeId add_child(const ChildKey& key, Tokens tokens);
  sim::IndexList& queue_of(const Node& node) { return queues_[node.priority]; }
  /// Output becomes reusable with its call's end.
  void register_output(KvChain& chain, const KvContext& context, Tokens tokens);
  /// Walks the context to `tokens`, adding nodes, and makes private blocks of `chain` theirs as far as they are full.
  void register_blocks(KvChain& chain, const KvContext& context, Tokens tokens);
  void pin(NodeId node);
  void unpin(NodeId node);
  /// Lowered only where nothing goes on from it, lest it be evicted before that.
  void set_priority_of(NodeId node, std::uint8_t priority);
  NodeId new_node();
  void drop_if_empty(NodeId node);

  Options options_;
  std::int64_t never_used_ = 0;
  std::int64_t evictable_ = 0;
  std::int64_t held_private_ = 0;
  std::vector<Node> nodes_;
  std::array<sim::IndexList, kKvPriorities> queues_;  ///< by priority; the least recently used first
  std::vector<NodeId> spare_;
  tsl::robin_map<ChildKey, NodeId, ChildHash> children_;
};

}  // namespace tokenyard::platforms

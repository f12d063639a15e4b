#pragma once
/// The paged KV cache of one replica, with prefix reuse, kept by extents instead of by blocks.
///
/// Semantics are those of vLLM V1 (v1/core/kv_cache_manager.py): memory is blocks of `block_size` tokens; a full block is
/// found again by the content of everything up to its end; a prompt's last token is always computed; freed blocks join the
/// tail of one LRU queue, a chain's last block first, and new blocks are taken from its head. A block filled again while
/// its like is cached is private to its call and not registered.
///
/// A context is a chain of extents (platforms/serving/call.hpp). The cache is a radix tree of them: a node owns the blocks
/// whose *last* token lies in its extent. A child is always freed before its parent, so what a node has in memory is
/// a prefix of its blocks, and the LRU queue holds whole nodes. Look-up, pinning and release cost O(extents of the
/// context), eviction O(nodes evicted), whatever the number of blocks. A block-by-block reference in the tests agrees.
///
///   KvCache cache({.blocks = 1000, .block_size = 16, .prefix_caching = true});
///   Tokens hit = cache.lookup(prompt);
///   KvChain chain;  if (cache.admit(chain, prompt, hit + 512)) …  cache.grow(chain, tokens); … cache.release(chain);

#include <cstdint>
#include <span>
#include <vector>

#include <tsl/robin_map.h>

#include "platforms/serving/call.hpp"

namespace tokenyard::platforms {

/// What one running call holds. Plain data; owned by the call, read and written by the cache alone.
struct KvChain {
  std::uint32_t leaf = 0;            ///< deepest node pinned; 0 is the root
  std::int64_t shared_blocks = 0;    ///< blocks of the pinned nodes, from the start of the context
  std::int64_t private_blocks = 0;   ///< the rest
  std::int64_t blocks() const { return shared_blocks + private_blocks; }
};

class KvCache {
 public:
  struct Options {
    std::int64_t blocks = 0;
    std::int64_t block_size = 16;
    bool prefix_caching = true;
  };
  explicit KvCache(const Options& options);

  /// Tokens of the prompt that need not be computed: whole cached blocks, never the last token. Changes nothing.
  Tokens lookup(std::span<const Extent> prompt) const;

  /// Of the first `hit` tokens' blocks, those that nobody holds: they count as free until a chain pins them.
  std::int64_t unpinned_blocks(std::span<const Extent> prompt, Tokens hit) const;

  /// Starts a chain for the prompt's first `tokens` tokens, of which `lookup()` are reused. False, with nothing changed,
  /// if the new blocks do not fit.
  bool admit(KvChain& chain, std::span<const Extent> prompt, Tokens tokens);

  /// Extends the chain to hold `tokens` tokens in all; what the prompt names becomes reusable. False if it does not fit.
  bool extend(KvChain& chain, std::span<const Extent> prompt, Tokens tokens);

  /// Takes `blocks` more private blocks (decode); the caller has checked `free_blocks()`.
  void take(std::int64_t blocks);
  void add_private(KvChain& chain, std::int64_t blocks) { chain.private_blocks += blocks; }

  /// Frees the chain. Its first `tokens` tokens stay reusable as `prompt` followed by `output`, until evicted.
  void release(KvChain& chain, std::span<const Extent> prompt, Extent output);

  std::int64_t free_blocks() const { return never_used_ + evictable_; }
  std::int64_t total_blocks() const { return options_.blocks; }
  std::int64_t used_blocks() const { return options_.blocks - free_blocks(); }
  std::int64_t blocks_for(Tokens tokens) const { return (tokens + options_.block_size - 1) / options_.block_size; }
  std::int64_t block_size() const { return options_.block_size; }

  /// Throws sim::InternalError if the books do not balance; O(nodes). For tests.
  void check() const;

 private:
  using NodeId = std::uint32_t;
  static constexpr NodeId kRoot = 0;
  static constexpr NodeId kNone = 0xffffffff;

  struct Node {
    std::uint64_t content = 0;
    Tokens begin = 0, end = 0;       ///< of its extent, counted from the context's start
    Tokens offset = 0;               ///< of its first token within the content (a split keeps the tail's)
    NodeId parent = kNone;
    std::uint32_t pins = 0;          ///< chains whose leaf it is, and children that are pinned
    std::uint32_t children = 0;
    std::int64_t resident = 0;       ///< blocks in memory, from the first it owns
    NodeId older = kNone, newer = kNone;  ///< neighbours in the LRU queue while unpinned
  };
  struct ChildKey {
    NodeId parent;
    std::uint64_t content;
    Tokens offset;
    bool operator==(const ChildKey&) const = default;
  };
  struct ChildHash {
    std::size_t operator()(const ChildKey& key) const {
      std::uint64_t h = (key.content ^ static_cast<std::uint64_t>(key.offset) * 0x9e3779b97f4a7c15ULL) + key.parent;
      h = (h ^ (h >> 30)) * 0xbf58476d1ce4e5b9ULL;
      return static_cast<std::size_t>(h ^ (h >> 27));
    }
  };
  struct Match {
    NodeId node = kRoot;   ///< deepest node reached
    Tokens in_node = 0;    ///< tokens matched within it
    Tokens tokens = 0;     ///< tokens matched in all
    std::size_t extent = 0;///< first extent not wholly matched
    Tokens into = 0;       ///< tokens of that extent matched
  };

  std::int64_t owned(const Node& node) const { return node.end / options_.block_size - node.begin / options_.block_size; }
  Match walk(std::span<const Extent> prompt, Tokens limit) const;
  NodeId split(NodeId node, Tokens at);
  NodeId add_child(NodeId parent, std::uint64_t content, Tokens offset, Tokens tokens);
  /// Walks `prompt` to `tokens`, adding nodes, and registers private blocks of `chain` as theirs as far as they are full.
  void register_blocks(KvChain& chain, std::span<const Extent> prompt, Tokens tokens);
  void pin(NodeId node);
  void unpin(NodeId node);
  void queue_push(NodeId node);
  void queue_remove(NodeId node);
  void free_private(std::int64_t blocks);
  NodeId new_node();
  void drop_if_empty(NodeId node);

  Options options_;
  std::vector<Node> nodes_;
  std::vector<NodeId> spare_;
  tsl::robin_map<ChildKey, NodeId, ChildHash> children_;
  NodeId oldest_ = kNone, newest_ = kNone;
  std::int64_t never_used_ = 0;
  std::int64_t evictable_ = 0;
  std::int64_t held_private_ = 0;
};

}  // namespace tokenyard::platforms

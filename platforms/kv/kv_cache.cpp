#include "platforms/kv/kv_cache.hpp"

#include <algorithm>

#include "sim/core/error.hpp"

namespace tokenyard::platforms {

KvCache::KvCache(const Options& options) : options_(options), never_used_(options.blocks) { nodes_.emplace_back(); }

KvCache::Match KvCache::walk(std::span<const Extent> prompt, Tokens limit) const {
  Match match;
  while (match.extent < prompt.size() && match.tokens < limit) {
    const Extent& extent = prompt[match.extent];
    const Node& node = nodes_[match.node];
    if (match.in_node < node.end - node.begin) {
      // Inside a node: the same content must go on. The extent named it, since its first token was looked up by content.
      const Tokens more = std::min(extent.tokens - match.into, node.end - node.begin - match.in_node);
      match.in_node += more;
      match.into += more;
      match.tokens += more;
    } else {
      const auto child = children_.find({match.node, extent.content, match.into});
      if (extent.content == 0 || child == children_.end()) break;
      match.node = child->second;
      match.in_node = 0;
      continue;
    }
    if (match.into == extent.tokens) {
      ++match.extent;
      match.into = 0;
      // A node never spans two extents: a longer one of the same content cannot go on with another content.
      if (match.in_node < nodes_[match.node].end - nodes_[match.node].begin) break;
    }
  }
  if (match.tokens > limit) {
    match.in_node -= match.tokens - limit;
    match.tokens = limit;
  }
  return match;
}

Tokens KvCache::lookup(std::span<const Extent> prompt) const {
  if (!options_.prefix_caching) return 0;
  Tokens length = 0;
  for (const Extent& extent : prompt) length += extent.tokens;
  const Tokens limit = (length - 1) / options_.block_size * options_.block_size;
  const Match match = walk(prompt, limit);
  // What matched need not be in memory: go up to the deepest node whose blocks are, as a prefix.
  Tokens reusable = match.tokens / options_.block_size * options_.block_size;
  for (NodeId id = match.node; id != kRoot; id = nodes_[id].parent) {
    const Node& node = nodes_[id];
    if (node.resident < owned(node)) {
      reusable = std::min(reusable, (node.begin / options_.block_size + node.resident) * options_.block_size);
    }
  }
  return reusable;
}

std::int64_t KvCache::unpinned_blocks(std::span<const Extent> prompt, Tokens hit) const {
  std::int64_t unpinned = 0;
  if (hit <= 0) return unpinned;
  for (NodeId id = walk(prompt, hit).node; id != kRoot && nodes_[id].pins == 0; id = nodes_[id].parent) {
    unpinned += std::min(nodes_[id].end, hit) / options_.block_size - nodes_[id].begin / options_.block_size;
  }
  return unpinned;
}

bool KvCache::admit(KvChain& chain, std::span<const Extent> prompt, Tokens tokens) {
  const Tokens hit = lookup(prompt);
  chain = {};
  if (hit > 0) {
    Match match = walk(prompt, hit);
    NodeId leaf = match.node;
    if (const Tokens end = nodes_[leaf].begin + match.in_node; end < nodes_[leaf].end) {
      // Behind the hit there may be no more than the start of a block, which nobody will find again.
      Node& node = nodes_[leaf];
      const bool idle = node.pins == 0 && node.children == 0 && node.end / options_.block_size == end / options_.block_size;
      if (idle) {
        node.end = end;
      } else {
        leaf = split(leaf, end);
      }
    }
    pin(leaf);
    chain.leaf = leaf;
    chain.shared_blocks = hit / options_.block_size;
  }
  if (extend(chain, prompt, tokens)) return true;
  if (chain.leaf != kRoot) unpin(chain.leaf);
  chain = {};
  return false;
}

bool KvCache::extend(KvChain& chain, std::span<const Extent> prompt, Tokens tokens) {
  const std::int64_t more = blocks_for(tokens) - chain.blocks();
  if (more > free_blocks()) return false;
  if (more > 0) {
    take(more);
    chain.private_blocks += more;
  }
  if (options_.prefix_caching) register_blocks(chain, prompt, tokens);
  return true;
}

void KvCache::take(std::int64_t blocks) {
  held_private_ += blocks;
  const std::int64_t fresh = std::min(blocks, never_used_);
  never_used_ -= fresh;
  blocks -= fresh;
  while (blocks > 0) {
    if (oldest_ == kNone) throw sim::InternalError("KV cache: more blocks taken than are free");
    const NodeId id = oldest_;
    Node& node = nodes_[id];
    const std::int64_t evicted = std::min(blocks, node.resident);
    node.resident -= evicted;
    evictable_ -= evicted;
    blocks -= evicted;
    if (node.resident == 0) {
      queue_remove(id);
      drop_if_empty(id);
    }
  }
}

void KvCache::register_blocks(KvChain& chain, std::span<const Extent> prompt, Tokens tokens) {
  // From the chain's leaf on: nodes for the rest of the prompt, as far as `tokens` reaches, private blocks moved to them.
  Tokens position = nodes_[chain.leaf].end;
  if (position >= tokens || chain.private_blocks == 0) return;
  Tokens before = 0;
  std::size_t i = 0;
  while (i < prompt.size() && before + prompt[i].tokens <= position) before += prompt[i++].tokens;
  NodeId leaf = chain.leaf;
  for (; i < prompt.size() && position < tokens; before += prompt[i++].tokens) {
    const Extent& extent = prompt[i];
    if (extent.content == 0) break;
    Tokens offset = position - before;
    const Tokens stop = std::min(before + extent.tokens, tokens);
    while (position < stop) {
      const auto found = children_.find({leaf, extent.content, offset});
      NodeId child = found == children_.end() ? kNone : found->second;
      if (child == kNone) {
        // A node still growing (its prompt is being prefilled in chunks) is lengthened rather than given a child.
        Node& node = nodes_[leaf];
        if (leaf != kRoot && leaf == chain.leaf && node.pins == 1 && node.children == 0 && node.content == extent.content &&
            node.offset + (node.end - node.begin) == offset && node.resident == owned(node)) {
          node.end = stop;
        } else {
          leaf = add_child(leaf, extent.content, offset, stop - position);
        }
      } else {
        leaf = nodes_[child].end > stop ? split(child, stop) : child;
      }
      Node& node = nodes_[leaf];
      const std::int64_t room = owned(node) - node.resident;
      // Blocks already resident here are another call's: ours with the same content stay private, and so does all behind them.
      const std::int64_t expected = node.begin / options_.block_size + node.resident;
      if (expected != chain.shared_blocks) {
        if (owned(node) > 0) return;
      }
      if (leaf != chain.leaf) {
        pin(leaf);
        if (chain.leaf != kRoot) unpin(chain.leaf);
        chain.leaf = leaf;
      }
      const std::int64_t moved = std::min(room, chain.private_blocks);
      nodes_[leaf].resident += moved;
      chain.private_blocks -= moved;
      chain.shared_blocks += moved;
      held_private_ -= moved;
      position = nodes_[leaf].end;
      offset = position - before;
    }
  }
}

void KvCache::release(KvChain& chain, std::span<const Extent> prompt, Extent output) {
  if (options_.prefix_caching && output.content != 0 && output.tokens > 0) {
    Tokens length = 0;
    for (const Extent& extent : prompt) length += extent.tokens;
    if (length > 0 && nodes_[chain.leaf].end == length) {
      // The prompt is registered to its end: its output goes behind it, or goes on with its last extent's content.
      const bool goes_on = prompt.back().content == output.content;
      const Tokens before = goes_on ? length - prompt.back().tokens : length;
      const Extent tail[] = {{0, before}, {output.content, length - before + output.tokens}};
      const bool taken = children_.find({chain.leaf, output.content, length - before}) != children_.end();
      if (!taken) register_blocks(chain, before > 0 ? std::span(tail) : std::span(tail).subspan(1), length + output.tokens);
    }
  }
  free_private(chain.private_blocks);
  if (chain.leaf != kRoot) unpin(chain.leaf);
  chain = {};
}

void KvCache::free_private(std::int64_t blocks) {
  held_private_ -= blocks;
  if (blocks == 0) return;
  // Blocks without a name wait in the queue like all others; a nameless node stands for them.
  const NodeId id = new_node();
  nodes_[id] = Node{};
  nodes_[id].resident = blocks;
  evictable_ += blocks;
  queue_push(id);
}

void KvCache::pin(NodeId id) {
  while (id != kRoot) {
    Node& node = nodes_[id];
    if (node.pins++ > 0) return;
    if (node.resident > 0) {
      queue_remove(id);
      evictable_ -= node.resident;
    }
    id = node.parent;
  }
}

void KvCache::unpin(NodeId id) {
  while (id != kRoot) {
    Node& node = nodes_[id];
    if (--node.pins > 0) return;
    const NodeId parent = node.parent;
    if (node.resident > 0) {
      queue_push(id);
      evictable_ += node.resident;
    }
    // Its parent goes next, so it is queued behind: a child is evicted first.
    const bool empty = node.resident == 0;
    if (empty) drop_if_empty(id);
    id = parent;
  }
}

KvCache::NodeId KvCache::split(NodeId id, Tokens at) {
  // The head becomes a new node above: whoever pinned the old one keeps its leaf.
  const NodeId head = new_node();
  Node& tail = nodes_[id];
  Node upper = tail;
  upper.end = at;
  upper.children = 1;
  upper.pins = tail.pins > 0 ? 1 : 0;
  upper.older = upper.newer = kNone;
  upper.resident = std::min(tail.resident, owned(upper));
  children_[{upper.parent, upper.content, upper.offset}] = head;
  tail.parent = head;
  tail.begin = at;
  tail.offset += at - upper.begin;
  tail.resident -= upper.resident;
  nodes_[head] = upper;
  children_[{head, nodes_[id].content, nodes_[id].offset}] = id;
  if (upper.pins == 0 && upper.resident > 0) {
    // Queued where the whole was, the tail before the head.
    const bool tail_queued = nodes_[id].resident > 0;
    nodes_[head].older = id;
    nodes_[head].newer = nodes_[id].newer;
    if (nodes_[id].newer != kNone) nodes_[nodes_[id].newer].older = head;
    if (newest_ == id) newest_ = head;
    nodes_[id].newer = head;
    if (!tail_queued) queue_remove(id);
  }
  return head;
}

KvCache::NodeId KvCache::add_child(NodeId parent, std::uint64_t content, Tokens offset, Tokens tokens) {
  const NodeId id = new_node();
  Node node;
  node.content = content;
  node.offset = offset;
  node.begin = nodes_[parent].end;
  node.end = node.begin + tokens;
  node.parent = parent;
  nodes_[id] = node;
  ++nodes_[parent].children;
  children_[{parent, content, offset}] = id;
  return id;
}

KvCache::NodeId KvCache::new_node() {
  if (spare_.empty()) {
    nodes_.emplace_back();
    return static_cast<NodeId>(nodes_.size() - 1);
  }
  const NodeId id = spare_.back();
  spare_.pop_back();
  return id;
}

void KvCache::drop_if_empty(NodeId id) {
  while (id != kRoot && id != kNone) {
    const Node& node = nodes_[id];
    if (node.pins > 0 || node.children > 0 || node.resident > 0) return;
    const NodeId parent = node.parent;
    if (parent != kNone) {
      children_.erase({parent, node.content, node.offset});
      --nodes_[parent].children;
    }
    spare_.push_back(id);
    id = parent;
  }
}

void KvCache::queue_push(NodeId id) {
  Node& node = nodes_[id];
  node.older = newest_;
  node.newer = kNone;
  if (newest_ != kNone) nodes_[newest_].newer = id;
  newest_ = id;
  if (oldest_ == kNone) oldest_ = id;
}

void KvCache::queue_remove(NodeId id) {
  Node& node = nodes_[id];
  if (node.older != kNone) nodes_[node.older].newer = node.newer;
  if (node.newer != kNone) nodes_[node.newer].older = node.older;
  if (oldest_ == id) oldest_ = node.newer;
  if (newest_ == id) newest_ = node.older;
  node.older = node.newer = kNone;
}

void KvCache::check() const {
  std::int64_t queued = 0;
  for (NodeId id = oldest_; id != kNone; id = nodes_[id].newer) {
    if (nodes_[id].pins > 0 || nodes_[id].resident <= 0) throw sim::InternalError("KV cache: a pinned or empty node is queued");
    queued += nodes_[id].resident;
  }
  std::int64_t resident = 0;
  for (const Node& node : nodes_) resident += node.pins > 0 ? node.resident : 0;
  if (queued != evictable_) throw sim::InternalError("KV cache: the queue does not hold what is evictable");
  if (never_used_ + evictable_ + resident + held_private_ != options_.blocks) {
    throw sim::InternalError("KV cache: blocks are lost or made");
  }
}

}  // namespace tokenyard::platforms

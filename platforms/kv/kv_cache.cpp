#include "platforms/kv/kv_cache.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "sim/core/error.hpp"

namespace tokenyard::platforms {

KvCache::KvCache(const Options& options) : options_(options), never_used_(options.blocks) { nodes_.emplace_back(); }

KvHit KvCache::find(const KvContext& context) const {
  if (!options_.prefix_caching) return {};
  const std::size_t extents = context.size();
  Tokens length = 0;
  for (std::size_t i = 0; i < extents; ++i) length += context[i].tokens;
  return match(context, (length - 1) / options_.block_size * options_.block_size);
}

Tokens KvCache::keep(const KvContext& context, Tokens tokens) {
  Tokens named = 0;
  for (std::size_t i = 0; i < context.size() && (context[i].content != 0 || context.owner != 0); ++i)
    named += context[i].tokens;
  const std::int64_t size = options_.block_size;
  const Tokens whole = std::min(std::min(tokens, named) / size, options_.blocks) * size;
  if (whole <= 0) return 0;
  const KvHit hit = match(context, whole);
  KvChain chain;
  if (!admit(chain, context, hit, whole)) throw sim::InternalError("KV tier: blocks are pinned");
  drop(chain);
  return whole - hit.tokens;
}

KvHit KvCache::match(const KvContext& context, Tokens limit) const {
  const std::size_t extents = context.size();
  const std::int64_t size = options_.block_size;
  // Down, as far as the context was seen before.
  NodeId id = kRoot;
  Tokens matched = 0;
  for (std::size_t i = 0; i < extents && matched == nodes_[id].end; ++i) {
    const Extent extent = context[i];
    if (extent.content == 0 && context.owner == 0) break;
    Tokens into = 0;
    while (into < extent.tokens && matched < limit) {
      const auto child = children_.find(key_of(id, extent.content, context.owner, into));
      if (child == children_.end()) break;
      id = child->second;
      const Tokens more = std::min({extent.tokens - into, nodes_[id].end - matched, limit - matched});
      into += more;
      matched += more;
    }
    if (into < extent.tokens) break;
  }
  // What was seen need not be in memory. Up, to the deepest node that has something, which then has all before it.
  while (id != kRoot && nodes_[id].resident == 0) id = nodes_[id].parent;
  if (id == kRoot) return {};
  KvHit hit;
  hit.tokens = std::min(matched / size, nodes_[id].begin / size + nodes_[id].resident) * size;
  while (id != kRoot && nodes_[id].begin >= hit.tokens) id = nodes_[id].parent;
  hit.node = id;
  for (; id != kRoot && nodes_[id].pins == 0; id = nodes_[id].parent) {
    hit.unpinned += std::min(nodes_[id].end, hit.tokens) / size - nodes_[id].begin / size;
  }
  return hit;
}

bool KvCache::admit(KvChain& chain, const KvContext& context, const KvHit& hit, Tokens tokens) {
  chain = {};
  if (blocks_for(tokens) - hit.tokens / options_.block_size + hit.unpinned > free_blocks()) return false;
  if (hit.tokens > 0) {
    chain.leaf = hit.tokens < nodes_[hit.node].end ? split(hit.node, hit.tokens) : hit.node;
    chain.shared_blocks = hit.tokens / options_.block_size;
    pin(chain.leaf);
  }
  return extend(chain, context, tokens);
}

bool KvCache::extend(KvChain& chain, const KvContext& context, Tokens tokens) {
  const std::int64_t more = blocks_for(tokens) - chain.blocks();
  if (more > free_blocks()) return false;
  if (more > 0) {
    take(more);
    chain.private_blocks += more;
  }
  if (options_.prefix_caching) register_blocks(chain, context, tokens);
  return true;
}

void KvCache::take(std::int64_t blocks) {
  held_private_ += blocks;
  const std::int64_t fresh = std::min(blocks, never_used_);
  never_used_ -= fresh;
  blocks -= fresh;
  for (std::size_t priority = 0; blocks > 0;) {
    if (priority == kKvPriorities) throw sim::InternalError("KV cache: more blocks taken than are free");
    const NodeId id = queues_[priority].first;
    if (id == kNone) {
      ++priority;
      continue;
    }
    Node& node = nodes_[id];
    const std::int64_t evicted = std::min(blocks, node.resident);
    node.resident -= evicted;
    evictable_ -= evicted;
    blocks -= evicted;
    if (node.resident == 0) {
      queue_of(node).remove(nodes_, id);
      drop_if_empty(id);
    }
  }
}

std::int64_t KvCache::bounded_blocks(Tokens context) const {
  if (!options_.bounded) return 0;
  return static_cast<std::int64_t>(
      std::ceil(options_.bounded.tokens(context) / static_cast<double>(options_.block_size)));
}

void KvCache::register_blocks(KvChain& chain, const KvContext& context, Tokens tokens) {
  Tokens position = nodes_[chain.leaf].end;
  if (position >= tokens || chain.private_blocks == 0) return;
  const std::size_t extents = context.size();
  Tokens before = 0;
  for (std::size_t i = 0; i < extents && position < tokens; ++i) {
    const Extent extent = context[i];
    if (extent.content == 0 && context.owner == 0) return;
    for (const Tokens stop = std::min(before + extent.tokens, tokens); position < stop;
         position = nodes_[chain.leaf].end) {
      const ChildKey key = key_of(chain.leaf, extent.content, context.owner, position - before);
      const auto found = children_.find(key);
      if (found == children_.end()) {
        // A node still growing (its prompt is being prefilled in chunks) is lengthened rather than given a child.
        Node& leaf = nodes_[chain.leaf];
        if (chain.leaf != kRoot && leaf.pins == 1 && leaf.children == 0 && leaf.content == key.content &&
            leaf.owned_content == key.owned_content && leaf.offset + (leaf.end - leaf.begin) == key.offset) {
          leaf.end = stop;
        } else {
          const NodeId child = add_child(key, stop - position);
          pin(child);
          if (chain.leaf != kRoot) unpin(chain.leaf);
          chain.leaf = child;
        }
      } else {
        const NodeId child = nodes_[found->second].end > stop ? split(found->second, stop) : found->second;
        pin(child);
        if (chain.leaf != kRoot) unpin(chain.leaf);
        chain.leaf = child;
        // What is cached already is used; the blocks just filled with the same go back.
        const std::int64_t cached = nodes_[child].resident;
        chain.private_blocks -= cached;
        chain.shared_blocks += cached;
        give_back(cached);
      }
      Node& leaf = nodes_[chain.leaf];
      const std::int64_t filled = owned(leaf) - leaf.resident;
      leaf.resident += filled;
      chain.private_blocks -= filled;
      chain.shared_blocks += filled;
      held_private_ -= filled;
    }
    before += extent.tokens;
  }
}

void KvCache::register_output(KvChain& chain, const KvContext& context, Tokens tokens) {
  if (options_.prefix_caching && (context.output.content != 0 || context.owner != 0))
    register_blocks(chain, context, tokens);
}

void KvCache::release(KvChain& chain, const KvContext& context, Tokens tokens) {
  register_output(chain, context, tokens);
  drop(chain);
}

void KvCache::release(KvChain& chain, const KvContext& context, Tokens tokens, KvPriority priority) {
  register_output(chain, context, tokens);
  std::uint8_t least = 0;  // of what goes on from a node: the node has no less
  for (NodeId id = chain.leaf; id != kRoot; id = nodes_[id].parent) {
    const Node& node = nodes_[id];
    set_priority_of(
        id, std::max(least, is_shared_prefix(node.content) && !node.owned_content ? priority.role : priority.own));
    least = nodes_[id].priority;
  }
  drop(chain);
}

void KvCache::drop(KvChain& chain) {
  give_back(chain.private_blocks);
  if (chain.leaf != kRoot) unpin(chain.leaf);
  chain = {};
}

void KvCache::give_back(std::int64_t blocks) {
  held_private_ -= blocks;
  if (blocks == 0) return;
  evictable_ += blocks;
  // Blocks without a name wait in the queue like all others; a nameless node stands for those side by side.
  const NodeId newest = queues_.front().last;
  if (newest != kNone && nodes_[newest].parent == kNone) {
    nodes_[newest].resident += blocks;
    return;
  }
  const NodeId id = new_node();
  nodes_[id] = Node{};
  nodes_[id].resident = blocks;
  queues_.front().append(nodes_, id);
}

void KvCache::pin(NodeId id) {
  while (id != kRoot) {
    Node& node = nodes_[id];
    if (node.pins++ > 0) return;
    if (node.resident > 0) {
      queue_of(node).remove(nodes_, id);
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
      queue_of(node).append(nodes_, id);
      evictable_ += node.resident;
    }
    // Its parent goes next, so it is queued behind: a child is evicted first.
    const bool empty = node.resident == 0;
    if (empty) drop_if_empty(id);
    id = parent;
  }
}

KvCache::NodeId KvCache::split(NodeId id, Tokens at) {
  if (Node& node = nodes_[id]; node.pins == 0 && node.children == 0) {
    // Nothing in memory behind the cut: at most the start of a block, which nobody will find again.
    const Tokens end = std::exchange(node.end, at);
    if (node.resident <= owned(node)) return id;
    node.end = end;
  }
  // The head becomes a new node above: whoever pinned the old one keeps its leaf.
  const NodeId head = new_node();
  Node& tail = nodes_[id];
  Node upper = tail;
  upper.end = at;
  upper.children = 1;
  upper.pins = tail.pins > 0 ? 1 : 0;
  upper.resident = std::min(tail.resident, owned(upper));
  children_[{upper.parent, upper.owned_content, upper.content, upper.offset}] = head;
  tail.parent = head;
  tail.begin = at;
  tail.offset += at - upper.begin;
  tail.resident -= upper.resident;
  nodes_[head] = upper;
  children_[{head, upper.owned_content, upper.content, nodes_[id].offset}] = id;
  if (upper.pins == 0 && upper.resident > 0) {
    // Queued where the whole was, the tail before the head.
    queue_of(upper).insert_behind(nodes_, id, head);
    if (nodes_[id].resident == 0) queue_of(upper).remove(nodes_, id);
  }
  return head;
}

KvCache::NodeId KvCache::add_child(const ChildKey& key, Tokens tokens) {
  const NodeId id = new_node();
  Node node;
  node.content = key.content;
  node.owned_content = key.owned_content;
  node.offset = key.offset;
  node.begin = nodes_[key.parent].end;
  node.end = node.begin + tokens;
  node.parent = key.parent;
  nodes_[id] = node;
  ++nodes_[key.parent].children;
  children_[key] = id;
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
      children_.erase({parent, node.owned_content, node.content, node.offset});
      --nodes_[parent].children;
    }
    spare_.push_back(id);
    id = parent;
  }
}

void KvCache::set_priority(std::uint64_t role, std::uint8_t priority) {
  Tokens into = 0;
  for (NodeId id = kRoot;;) {
    const auto child = children_.find(key_of(id, role, 0, into));
    if (child == children_.end()) return;
    id = child->second;
    into += nodes_[id].end - nodes_[id].begin;
    set_priority_of(id, priority);
  }
}

void KvCache::set_priority_of(NodeId id, std::uint8_t priority) {
  Node& node = nodes_[id];
  if (priority == node.priority || (priority < node.priority && node.children > 0)) return;
  const bool queued = node.pins == 0 && node.resident > 0;
  if (queued) queue_of(node).remove(nodes_, id);
  node.priority = priority;
  if (queued) queue_of(node).append(nodes_, id);
}

void KvCache::check() const {
  std::int64_t queued = 0;
  for (std::size_t priority = 0; priority < kKvPriorities; ++priority) {
    for (NodeId id = queues_[priority].first; id != kNone; id = nodes_[id].next) {
      const Node& node = nodes_[id];
      if (node.pins > 0 || node.resident <= 0) throw sim::InternalError("KV cache: a pinned or empty node is queued");
      if (node.priority != priority)
        throw sim::InternalError("KV cache: a node is queued among those of another priority");
      if (node.parent != kNone && node.parent != kRoot && nodes_[node.parent].priority < priority)
        throw sim::InternalError("KV cache: a prefix has a lower priority than what goes on from it");
      queued += node.resident;
    }
  }
  std::int64_t resident = 0;
  for (const Node& node : nodes_) resident += node.pins > 0 ? node.resident : 0;
  if (queued != evictable_) throw sim::InternalError("KV cache: the queue does not hold what is evictable");
  if (never_used_ + evictable_ + resident + held_private_ != options_.blocks) {
    throw sim::InternalError("KV cache: blocks are lost or made");
  }
}

}  // namespace tokenyard::platforms

#pragma once
/// The KV cache block by block, as vLLM V1 keeps it (v1/core/kv_cache_manager.py, block_pool.py): one hash per full
/// block, chained to the block before; one free queue; reference counts. Slow and plain, to hold KvCache to.

#include <algorithm>
#include <list>
#include <map>
#include <stdexcept>
#include <vector>

#include "platforms/kv/kv_cache.hpp"

namespace tokenyard::platforms {

/// The tokens of a context, as numbers that are equal where the contents are.
inline std::vector<std::uint64_t> tokens_of(const KvContext& context) {
  std::vector<std::uint64_t> tokens;
  for (std::size_t i = 0; i < context.size(); ++i) {
    for (Tokens t = 0; t < context[i].tokens; ++t) {
      const std::uint64_t own = std::uint64_t{1} << 60 | context.owner << 30 | tokens.size();
      // What nobody owns is like nothing else, itself included.
      static std::uint64_t nobody = std::uint64_t{1} << 61;
      const std::uint64_t unnamed = context.owner == 0 ? ++nobody : own;
      tokens.push_back(context[i].content == 0 ? unnamed : context[i].content << 30 | static_cast<std::uint64_t>(t));
    }
  }
  return tokens;
}

class BlockCache {
 public:
  /// `deduplicate`: a block filled while its like is cached is given back, and the cached one used; vLLM keeps both.
  BlockCache(const KvCache::Options& options, bool deduplicate)
      : options_(options), deduplicate_(deduplicate), blocks_(static_cast<std::size_t>(options.blocks)) {
    for (int b = 0; b < static_cast<int>(blocks_.size()); ++b) push(b);
  }

  struct Request {
    std::vector<int> blocks;
    std::size_t cached = 0;  ///< of them, known by their hash
  };

  /// get_computed_blocks(): the first blocks of the tokens that are cached, never with the last token.
  std::vector<int> find(const std::vector<std::uint64_t>& tokens) const {
    std::vector<int> hit;
    if (!options_.prefix_caching || tokens.empty()) return hit;
    std::uint64_t hash = 0;
    for (std::size_t end = size(); end < tokens.size(); end += size()) {
      const auto known = hashes_.find(key(hash, tokens, end));
      if (known == hashes_.end()) break;
      hash = known->second;
      const auto cached = cached_.find(hash);
      if (cached == cached_.end()) break;
      hit.push_back(cached->second.front());
    }
    return hit;
  }
  std::int64_t unpinned(const std::vector<int>& hit) const {
    return std::count_if(hit.begin(), hit.end(), [&](int b) { return at(b).references == 0; });
  }

  /// allocate_slots(): slots for the first `count` tokens, of which `hit` is reused; full blocks are cached at once, up
  /// to `cacheable` tokens. False, with nothing changed, if they do not fit.
  bool allocate(Request& request, const std::vector<int>& hit, const std::vector<std::uint64_t>& tokens,
                std::size_t count, std::size_t cacheable) {
    const std::size_t wanted = (count + size() - 1) / size();
    const std::size_t have = request.blocks.size() + hit.size();
    const std::size_t fresh = wanted > have ? wanted - have : 0;
    if (static_cast<std::int64_t>(fresh) + unpinned(hit) > free_blocks()) return false;
    for (const int b : hit) touch(b);
    request.blocks.insert(request.blocks.end(), hit.begin(), hit.end());
    request.cached += hit.size();
    for (std::size_t i = 0; i < fresh; ++i) request.blocks.push_back(pop());
    cache(request, tokens, std::min(count, cacheable));
    return true;
  }

  /// cache_full_blocks().
  void cache(Request& request, const std::vector<std::uint64_t>& tokens, std::size_t count) {
    if (!options_.prefix_caching) return;
    std::uint64_t hash = request.cached == 0 ? 0 : at(request.blocks[request.cached - 1]).hash;
    for (; (request.cached + 1) * size() <= count; ++request.cached) {
      hash = hashes_.try_emplace(key(hash, tokens, (request.cached + 1) * size()), hashes_.size() + 1).first->second;
      int& block = request.blocks[request.cached];
      const auto known = cached_.find(hash);
      if (known != cached_.end()) {
        ++duplicates_;
        if (deduplicate_) {
          const int twin = known->second.front();
          touch(twin);
          drop(block);
          block = twin;
          continue;
        }
      }
      at(block).hash = hash;
      cached_[hash].push_back(block);
    }
  }

  void free(Request& request) {
    for (auto block = request.blocks.rbegin(); block != request.blocks.rend(); ++block) drop(*block);
    request = {};
  }

  std::int64_t free_blocks() const { return static_cast<std::int64_t>(free_.size()); }
  std::uint64_t duplicates() const { return duplicates_; }

 private:
  struct Block {
    int references = 0;
    std::uint64_t hash = 0;  ///< 0: none
    std::list<int>::iterator place;
  };
  using Key = std::pair<std::uint64_t, std::vector<std::uint64_t>>;
  std::size_t size() const { return static_cast<std::size_t>(options_.block_size); }
  Key key(std::uint64_t before, const std::vector<std::uint64_t>& tokens, std::size_t end) const {
    return {before,
            {tokens.begin() + static_cast<std::ptrdiff_t>(end - size()),
             tokens.begin() + static_cast<std::ptrdiff_t>(end)}};
  }
  Block& at(int block) { return blocks_[static_cast<std::size_t>(block)]; }
  const Block& at(int block) const { return blocks_[static_cast<std::size_t>(block)]; }
  void push(int block) { at(block).place = free_.insert(free_.end(), block); }
  void touch(int block) {
    if (at(block).references++ == 0) free_.erase(at(block).place);
  }
  void drop(int block) {
    if (--at(block).references == 0) push(block);
  }
  int pop() {
    if (free_.empty()) throw std::logic_error("no free block");
    const int block = free_.front();
    free_.pop_front();
    if (at(block).hash != 0) {
      std::vector<int>& twins = cached_[at(block).hash];
      std::erase(twins, block);
      if (twins.empty()) cached_.erase(at(block).hash);
      at(block).hash = 0;
    }
    at(block).references = 1;
    return block;
  }

  KvCache::Options options_;
  bool deduplicate_;
  std::vector<Block> blocks_;
  std::list<int> free_;
  std::map<Key, std::uint64_t> hashes_;
  std::map<std::uint64_t, std::vector<int>> cached_;  ///< first come first
  std::uint64_t duplicates_ = 0;
};

}  // namespace tokenyard::platforms

#include "platforms/kv/kv_cache.hpp"

#include "sim/random/stream.hpp"
#include "tests/platforms/kv/block_cache.hpp"
#include "tests/support/catch.hpp"

using namespace tokenyard::platforms;
using tokenyard::sim::Stream;
using tokenyard::sim::StreamName;

namespace {

Tokens length_of(const KvContext& context) {
  Tokens length = 0;
  for (std::size_t i = 0; i < context.size(); ++i) length += context[i].tokens;
  return length;
}

Tokens lookup(const KvCache& cache, std::span<const Extent> prompt) { return cache.find({.prompt = prompt}).tokens; }

/// One call through a cache of its own: prompt, `output` tokens, the last of which is never computed.
void serve(KvCache& cache, std::span<const Extent> prompt, Extent output) {
  KvContext context{.prompt = prompt};
  KvChain chain;
  REQUIRE(cache.admit(chain, context, cache.find(context), length_of(context)));
  context.output = {output.content, output.tokens - 1};
  const std::int64_t more = cache.blocks_for(length_of(context)) - chain.blocks();
  REQUIRE(more <= cache.free_blocks());
  cache.take(more);
  cache.add_private(chain, more);
  cache.release(chain, context, length_of(context));
  cache.check();
}

/// Calls that come, are prefilled in chunks, decode, are preempted and resumed, and end; on the extents and on the
/// blocks.
class Twins {
 public:
  Twins(std::uint64_t seed, const KvCache::Options& options, bool deduplicate, bool side_by_side)
      : stream_(seed, StreamName("twins"), 0),
        extents_(options),
        blocks_(options, deduplicate),
        side_by_side_(side_by_side) {}

  struct Call {
    std::vector<Extent> prompt;
    Extent output;  ///< content, and tokens made so far
    Tokens asked = 0;
    Tokens computed = 0;
    std::uint64_t owner = 0;
    bool preempted = false;
    bool running = false;
    KvChain chain;
    BlockCache::Request request;

    KvContext context() const { return {.prompt = prompt, .output = output, .owner = preempted ? owner : 0}; }
    KvContext as_owner() const { return {.prompt = prompt, .output = output, .owner = owner}; }
    Tokens prompt_tokens() const { return length_of({.prompt = prompt}); }
    Tokens length() const { return prompt_tokens() + output.tokens; }
  };

  /// One random thing happens. Returns the tokens found by a look-up on each side.
  void act() {
    const std::uint64_t what = stream_.below(10);
    if (what < 3 && calls_.size() < 12) {
      calls_.push_back(arrival());
    } else if (!calls_.empty()) {
      const std::size_t which = stream_.below(calls_.size());
      Call& call = calls_[which];
      if (!call.running) {
        admit(call);
      } else if (call.computed < call.length()) {
        advance(call);
      } else if (what == 9) {
        preempt(call);
      } else if (call.output.tokens >= call.asked) {
        end(which);
      }
    }
  }

  void admit(Call& call) {
    // Side by side: whoever computes the same now is not waited for. Else the second waits until the first is done.
    if (!side_by_side_) {
      for (const Call& other : calls_) {
        if (other.running && other.computed < other.prompt_tokens()) return;
      }
    }
    const std::vector<std::uint64_t> tokens = tokens_of(call.as_owner());
    const KvHit hit = extents_.find(call.context());
    const std::vector<int> found = blocks_.find(tokens);
    hits_agree = hits_agree && hit.tokens == static_cast<Tokens>(found.size()) * extents_.block_size();
    unpinned_agree = unpinned_agree && hit.unpinned == blocks_.unpinned(found);
    Tokens chunk = call.length() - hit.tokens;
    if (stream_.below(2) == 0) chunk = std::min<Tokens>(chunk, 1 + static_cast<Tokens>(stream_.below(40)));
    const bool a = extents_.admit(call.chain, call.context(), hit, hit.tokens + chunk);
    const auto upto = static_cast<std::size_t>(hit.tokens + chunk);
    const bool b = blocks_.allocate(call.request, found, tokens, upto, tokens.size());
    admitted_agree = admitted_agree && a == b;
    if (!a && b) blocks_.free(call.request);
    if (a && !b) extents_.drop(call.chain);
    call.running = a && b;
    if (call.running)
      found_extents += hit.tokens, found_blocks += static_cast<Tokens>(found.size()) * extents_.block_size();
    call.computed = call.running ? hit.tokens + chunk : 0;
  }

  /// The next chunk of its context; at its end a token is made.
  void advance(Call& call) {
    const bool decoding = call.computed + 1 == call.length() && call.output.tokens > 0;
    if (decoding) call.output.tokens += static_cast<Tokens>(stream_.below(12));  // several steps at once
    const std::vector<std::uint64_t> tokens = tokens_of(call.as_owner());
    const Tokens left = call.length() - call.computed;
    const Tokens upto = call.computed + (!decoding && stream_.below(3) == 0 ? std::min<Tokens>(left, 24) : left);
    bool a = false;
    if (decoding) {
      const std::int64_t more = extents_.blocks_for(upto) - call.chain.blocks();
      a = more <= extents_.free_blocks();
      if (a && more > 0) extents_.take(more), extents_.add_private(call.chain, more);
    } else {
      a = extents_.extend(call.chain, call.context(), upto);
    }
    // Output is cached when the call ends; so it is here, unless this is vLLM to the letter.
    const auto cacheable = static_cast<std::size_t>(decoding && !letter ? 0 : upto);
    const bool b = blocks_.allocate(call.request, {}, tokens, static_cast<std::size_t>(upto), cacheable);
    admitted_agree = admitted_agree && a == b;
    if (!a || !b) return preempt(call);
    call.computed = upto;
    if (upto == call.length()) ++call.output.tokens;
  }

  void preempt(Call& call) {
    const std::vector<std::uint64_t> tokens = tokens_of(call.as_owner());
    extents_.release(call.chain, call.as_owner(), call.computed);
    blocks_.cache(call.request, tokens, static_cast<std::size_t>(call.computed));
    blocks_.free(call.request);
    call.preempted = true;
    call.running = false;
    call.computed = 0;
  }

  void end(std::size_t which) {
    Call& call = calls_[which];
    --call.output.tokens;  // the last one is not computed
    const std::vector<std::uint64_t> tokens = tokens_of(call.as_owner());
    extents_.release(call.chain, call.context(), call.length());
    blocks_.cache(call.request, tokens, tokens.size());
    blocks_.free(call.request);
    history_.push_back({call.prompt, call.output});
    if (history_.size() > 20) history_.erase(history_.begin());
    calls_.erase(calls_.begin() + static_cast<std::ptrdiff_t>(which));
  }

  /// A role's prompt, sometimes a document, then a context of its own or the next turn of an earlier one.
  Call arrival() {
    Call call;
    if (!history_.empty() && stream_.below(2) == 0) {
      const auto& [prompt, output] = history_[stream_.below(history_.size())];
      call.prompt = prompt;
      if (output.content != 0 && call.prompt.back().content == output.content) {
        call.prompt.back().tokens += output.tokens + 1 + static_cast<Tokens>(stream_.below(30));
      } else if (output.content != 0) {
        call.prompt.push_back({output.content, output.tokens + 1});
        if (stream_.below(2) == 0) call.prompt.push_back({++contents_, static_cast<Tokens>(1 + stream_.below(30))});
      } else if (stream_.below(2) == 0) {
        call.prompt.push_back({++contents_, static_cast<Tokens>(1 + stream_.below(60))});
      }
    } else {
      call.prompt.push_back({1 + stream_.below(3), static_cast<Tokens>(10 + stream_.below(3) * 43)});
      if (stream_.below(3) == 0)
        call.prompt.push_back({10 + stream_.below(4), static_cast<Tokens>(1 + stream_.below(50))});
      if (stream_.below(4) != 0)
        call.prompt.push_back({stream_.below(8) == 0 ? 0 : ++contents_, static_cast<Tokens>(1 + stream_.below(50))});
    }
    if (call.prompt_tokens() > 300) return arrival();
    const std::uint64_t kind = stream_.below(4);
    call.output.content = kind == 0 ? 0 : kind == 1 ? ++contents_ : call.prompt.back().content;
    call.asked = 1 + static_cast<Tokens>(stream_.below(60));
    call.owner = ++owners_;
    return call;
  }

  void expect_equal() {
    extents_.check();
    REQUIRE(hits_agree);
    REQUIRE(unpinned_agree);
    REQUIRE(admitted_agree);
    REQUIRE(extents_.free_blocks() == blocks_.free_blocks());
    for (const auto& [prompt, output] : history_) {
      const KvContext context{.prompt = prompt, .output = {output.content, output.tokens + 1}};
      REQUIRE(extents_.find(context).tokens ==
              static_cast<Tokens>(blocks_.find(tokens_of(context)).size()) * extents_.block_size());
    }
  }
  std::uint64_t duplicates() const { return blocks_.duplicates(); }
  const KvCache& extents() const { return extents_; }

  bool letter = false;  ///< the blocks do as vLLM does to the letter
  Tokens found_extents = 0, found_blocks = 0;
  bool hits_agree = true, unpinned_agree = true, admitted_agree = true;

 private:
  Stream stream_;
  KvCache extents_;
  BlockCache blocks_;
  bool side_by_side_;
  std::vector<Call> calls_;
  std::vector<std::pair<std::vector<Extent>, Extent>> history_;
  std::uint64_t contents_ = 100, owners_ = 0;
};

}  // namespace

TEST_CASE("Whole blocks are found again, and the last token never") {
  KvCache cache({.blocks = 100, .block_size = 16});
  const Extent prompt[] = {{1, 40}, {2, 24}};  // 64 tokens, 4 blocks
  KvChain chain;
  REQUIRE(lookup(cache, prompt) == 0);
  REQUIRE(cache.admit(chain, {.prompt = prompt}, {}, 64));
  CHECK(cache.used_blocks() == 4);
  cache.release(chain, {.prompt = prompt}, 64);
  CHECK(cache.used_blocks() == 0);
  cache.check();
  CHECK(lookup(cache, prompt) == 48);
  const Extent longer[] = {{1, 40}, {2, 24}, {3, 8}};
  CHECK(lookup(cache, longer) == 64);
  const Extent other[] = {{1, 40}, {9, 24}};
  CHECK(lookup(cache, other) == 32);
}

TEST_CASE("A context that grows as one extent is found again, turn after turn, and stays two nodes long") {
  KvCache cache({.blocks = 1000, .block_size = 16});
  Tokens own = 200;
  for (int turn = 0; turn < 20; ++turn) {
    const Extent prompt[] = {{7, 3600}, {9, own}};
    // All but the 50 new tokens and the last answer's last one.
    CHECK(lookup(cache, prompt) == (turn == 0 ? 0 : (3600 + own - 50 - 1) / 16 * 16));
    serve(cache, prompt, {9, 80});
    CHECK(cache.nodes() <= 4);  // root, role, context; and one for what has no name
    own += 80 + 50;
  }
}

TEST_CASE("An output that is not the prompt's last content begins that content") {
  KvCache cache({.blocks = 1000, .block_size = 16});
  const Extent prompt[] = {{7, 100}, {9, 50}};
  serve(cache, prompt, {8, 43});
  const Extent next[] = {{7, 100}, {9, 50}, {8, 43}, {6, 5}};
  CHECK(lookup(cache, next) == 192);
  const Extent wrong[] = {{7, 100}, {9, 93}};
  CHECK(lookup(cache, wrong) == 144);
}

TEST_CASE(
    "Two tasks share a role's prompt; a third that is preempted finds its own context again, and nobody else does") {
  KvCache cache({.blocks = 100, .block_size = 16});
  const Extent first[] = {{7, 320}, {1, 100}}, second[] = {{7, 320}, {2, 100}}, third[] = {{7, 320}, {0, 100}};
  KvChain a, b, c;
  REQUIRE(cache.admit(a, {.prompt = first}, cache.find({.prompt = first}), 420));
  REQUIRE(lookup(cache, second) == 320);
  REQUIRE(cache.find({.prompt = second}).unpinned == 0);
  REQUIRE(cache.admit(b, {.prompt = second}, cache.find({.prompt = second}), 420));
  REQUIRE(cache.admit(c, {.prompt = third}, cache.find({.prompt = third}), 384));  // partly: 64 of its 100
  CHECK(cache.used_blocks() == 20 + 7 + 7 + 4);
  const KvContext own{.prompt = third, .owner = 3};
  cache.release(c, own, 384);
  cache.check();
  CHECK(cache.used_blocks() == 20 + 7 + 7);
  CHECK(cache.find({.prompt = third}).tokens == 320);
  CHECK(cache.find({.prompt = third, .owner = 4}).tokens == 320);
  CHECK(cache.find(own).tokens == 384);
  CHECK(cache.find(own).unpinned == 4);
  cache.release(a, {.prompt = first}, 420);
  cache.release(b, {.prompt = second}, 420);
  CHECK(cache.find(own).unpinned == 24);
  CHECK(cache.used_blocks() == 0);
}

TEST_CASE("The extents do exactly what blocks do one by one") {
  const bool side_by_side = GENERATE(false, true);
  const std::int64_t blocks = GENERATE(40, 90, 400);
  const std::int64_t block_size = GENERATE(1, 7, 16);
  Tokens found = 0;
  for (std::uint64_t seed = 0; seed < 4; ++seed) {
    Twins twins(seed, {.blocks = blocks * (block_size == 1 ? 10 : 1), .block_size = block_size}, true, side_by_side);
    for (int i = 0; i < 1500; ++i) {
      twins.act();
      twins.expect_equal();
    }
    found += twins.found_extents;
  }
  CHECK(found > 0);
}

TEST_CASE("What the two differences from vLLM are worth") {
  const bool side_by_side = GENERATE(false, true);
  Tokens ours = 0, vllm = 0;
  std::uint64_t duplicates = 0;
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    Twins twins(seed, {.blocks = 90, .block_size = 16}, false, side_by_side);
    twins.letter = true;
    for (int i = 0; i < 2000; ++i) twins.act();
    ours += twins.found_extents;
    vllm += twins.found_blocks;
    duplicates += twins.duplicates();
  }
  CAPTURE(side_by_side, ours, vllm, duplicates);
  CHECK(vllm > 0);
  CHECK(std::abs(static_cast<double>(ours - vllm)) < 0.02 * static_cast<double>(vllm));
}

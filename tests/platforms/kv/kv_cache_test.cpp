#include "platforms/kv/kv_cache.hpp"

#include "sim/random/stream.hpp"
#include "tests/support/catch.hpp"

using namespace tokenyard::platforms;

TEST_CASE("Whole blocks are found again, and the last token never") {
  KvCache cache({.blocks = 100, .block_size = 16});
  const Extent prompt[] = {{1, 40}, {2, 24}};  // 64 tokens, 4 blocks
  KvChain chain;
  REQUIRE(cache.lookup(prompt) == 0);
  REQUIRE(cache.admit(chain, prompt, 64));
  CHECK(cache.used_blocks() == 4);
  cache.release(chain, prompt, {});
  CHECK(cache.used_blocks() == 0);
  cache.check();
  CHECK(cache.lookup(prompt) == 48);
  const Extent longer[] = {{1, 40}, {2, 24}, {3, 8}};
  CHECK(cache.lookup(longer) == 64);
  const Extent other[] = {{1, 40}, {9, 24}};
  CHECK(cache.lookup(other) == 32);
}

TEST_CASE("A context that grows as one extent is found again, turn after turn, and stays two nodes long") {
  KvCache cache({.blocks = 1000, .block_size = 16});
  Tokens own = 200;
  for (int turn = 0; turn < 20; ++turn) {
    const Extent prompt[] = {{7, 3600}, {9, own}};
    const Tokens made = 80;
    if (turn > 0) CHECK(cache.lookup(prompt) == (3600 + own - 50 - 1) / 16 * 16);  // all but the 50 new ones and the last answer's last token
    KvChain chain;
    REQUIRE(cache.admit(chain, prompt, 3600 + own));
    const std::int64_t more = cache.blocks_for(3600 + own + made - 1) - chain.blocks();
    cache.take(more);
    cache.add_private(chain, more);
    cache.release(chain, prompt, {9, made - 1});
    cache.check();
    own += made + 50;
  }
}

TEST_CASE("Random calls keep the books: blocks are free or held, and all come back") {
  tokenyard::sim::Stream stream(5, tokenyard::sim::StreamName("kv"), 0);
  KvCache cache({.blocks = 300, .block_size = 16});
  struct Call {
    std::vector<Extent> prompt;
    KvChain chain;
  };
  std::vector<Call> calls;
  for (int i = 0; i < 5000; ++i) {
    if (stream.below(2) == 0) {
      Call call;
      const std::uint64_t extents = 1 + stream.below(4);
      for (std::uint64_t e = 0; e < extents; ++e) call.prompt.push_back({1 + e * 3 + stream.below(3), static_cast<Tokens>(5 + stream.below(3) * 37)});
      Tokens length = 0;
      for (const Extent& extent : call.prompt) length += extent.tokens;
      if (cache.admit(call.chain, call.prompt, length)) {
        REQUIRE(call.chain.blocks() == cache.blocks_for(length));
        calls.push_back(call);
      }
    } else if (!calls.empty()) {
      const std::size_t which = stream.below(calls.size());
      cache.release(calls[which].chain, calls[which].prompt, {100 + stream.below(5), static_cast<Tokens>(stream.below(3) * 20)});
      calls.erase(calls.begin() + static_cast<std::ptrdiff_t>(which));
    }
    cache.check();
  }
  for (Call& call : calls) cache.release(call.chain, call.prompt, {});
  cache.check();
  CHECK(cache.used_blocks() == 0);
}

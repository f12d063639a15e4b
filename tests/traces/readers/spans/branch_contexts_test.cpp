#include "traces/readers/spans/branch_contexts.hpp"

#include "tests/support/catch.hpp"

using namespace tokenyard;
using namespace tokenyard::traces;
using platforms::Tokens;

namespace {

/// Tokens at the beginning that two prompts have in common.
Tokens shared(const std::vector<platforms::Extent>& a, const std::vector<platforms::Extent>& b) {
  Tokens tokens = 0;
  for (std::size_t i = 0; i < a.size() && i < b.size() && a[i].content == b[i].content; ++i) {
    tokens += std::min(a[i].tokens, b[i].tokens);
    if (a[i].tokens != b[i].tokens) break;
  }
  return tokens;
}

constexpr std::uint32_t kBig = 0, kSmall = 1;

}  // namespace

TEST_CASE("Contexts of a branch: each model's prompts go on with its own, and a shorter one begins anew") {
  BranchContexts contexts(7);
  const auto first = contexts.add(kBig, 5000, -1, 100);
  const auto guard = contexts.add(kSmall, 6000, -1, 5);
  const auto second = contexts.add(kBig, 5300, -1, 100);
  CHECK(shared(first, second) == 5000);
  CHECK(shared(guard, second) == 0);
  const auto shorter = contexts.add(kBig, 1000, -1, 100);
  CHECK(shared(second, shorter) == 0);
  CHECK(shared(shorter, contexts.add(kBig, 1200, 0, 100)) == 1000);  // none cached: the cache may have dropped it
}

TEST_CASE("Contexts of a branch: a prompt of which more was cached than the latest holds goes on with an earlier one") {
  BranchContexts contexts(7);
  const auto first = contexts.add(kBig, 5000, 0, 100);
  const auto aside = contexts.add(kBig, 200, 0, 5);
  const auto second = contexts.add(kBig, 5300, 5088, 100);  // the answer, too, was cached
  CHECK(shared(first, second) == 5000);
  CHECK(shared(aside, contexts.add(kBig, 210, 192, 5)) == 0);  // of two that may be it, the latest
  CHECK(shared(second, contexts.add(kBig, 5600, 5300, 100)) == 5300);
}

TEST_CASE("Contexts of a branch: a compacted prompt keeps what was read from a cache, and so do those that go on") {
  BranchContexts contexts(7);
  const auto full = contexts.add(kBig, 5000, 0, 100);
  const auto compacted = contexts.add(kBig, 2000, 1200, 100);
  CHECK(shared(full, compacted) == 1200);
  CHECK(platforms::tokens_of(compacted) == 2000);
  const auto next = contexts.add(kBig, 2500, -1, 100);
  CHECK(shared(compacted, next) == 2000);
  CHECK(shared(full, next) == 1200);
  const auto again = contexts.add(kBig, 1500, 1300, 100);  // beyond the first extent
  CHECK(shared(next, again) == 1300);
  CHECK(platforms::tokens_of(contexts.add(kBig, 100, 4000, 1)) == 100);  // counted otherwise: less than a prompt
}

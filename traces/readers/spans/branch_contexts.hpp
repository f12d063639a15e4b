#pragma once
/// What the prompts of a branch's calls share, of which spans tell lengths and cached tokens, but no contents.
///
/// Each model has contexts of its own: what another one was asked in between changes nothing. A prompt goes on with the
/// model's latest context and shares all of it with its answer, as far as the shorter of both reaches. Shorter than
/// the prompt before it, it begins a new context (compaction); of the old one it keeps what was read from a cache.
/// More read from a cache than the latest context holds tells that an earlier one goes on: a short call of the same
/// model came between. That nothing was read tells nothing: the cache may have dropped it, or nobody counted.
///
/// Cost: O(contexts of the branch that are kept, at most 64) a call.
///
///   BranchContexts contexts(hash of the branch);
///   const std::vector<platforms::Extent> prompt = contexts.add(model, 5300, 5000, 100);

#include <vector>

#include "platforms/serving/call.hpp"

namespace tokenyard::traces {

class BranchContexts {
 public:
  explicit BranchContexts(std::uint64_t content = 0) : content_(content) {}

  /// The prompt of the branch's next call, of `input` tokens, at least 1; of these `cached` were read from a cache (-1:
  /// not said). The last extent goes on with the answer.
  std::vector<platforms::Extent> add(std::uint32_t model, platforms::Tokens input, platforms::Tokens cached,
                                     platforms::Tokens output);

 private:
  struct Context {
    std::uint32_t model = 0;
    std::vector<platforms::Extent> prompt;  ///< of its last call
    platforms::Tokens input = 0, output = 0;
  };
  /// The context that a call goes on with, or whose beginning it keeps; the end if there is none.
  std::vector<Context>::iterator find(std::uint32_t model, platforms::Tokens cached);

  std::uint64_t content_;
  std::uint32_t opened_ = 0;
  std::vector<Context> contexts_;  ///< the last to be used at the end
};

}  // namespace tokenyard::traces

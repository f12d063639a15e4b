#pragma once
/// What a walk has added to the contexts of its agent: each an ever longer extent of one content.
///
/// A task's contexts grow from its main walk down: a branch sees those of its parent as they were at the fork, adds its
/// own extent behind them, and leaves what it added to the parent at the join. A sub-agent has contexts of its own.
///
/// Contents are numbered within the task as they are first used. Cost: O(depth of branches) for a prompt; no allocation
/// once a walk has been used.

#include <vector>

#include "agents/graph/agent.hpp"
#include "platforms/kv/extent.hpp"
#include "sim/core/short_vector.hpp"

namespace tokenyard::agents {

using Prompt = sim::ShortVector<platforms::Extent, 2>;

/// The numbers of a task's contents.
struct TaskContents {
  std::uint64_t task = 0;
  std::uint32_t used = 0;
};

class Contexts {
 public:
  /// With `parent`, of a branch: it must outlive the branch.
  void reset(std::size_t count, TaskContents& contents, Contexts* parent);

  bool of_branch() const { return parent_ != nullptr; }
  /// Whether its opening tokens are in, here or above.
  bool opened(std::uint32_t context) const;
  void open(std::uint32_t context) { shares_[context].opened = true; }
  void append(std::uint32_t context, Tokens tokens) { shares_[context].tokens += tokens; }
  /// Of this walk's extent alone.
  Tokens tokens(std::uint32_t context) const { return shares_[context].tokens; }
  /// The context is a new one of so many tokens, under another content.
  void replace(std::uint32_t context, Tokens tokens) { shares_[context] = {tokens, 0, shares_[context].opened}; }
  /// What this walk's extent holds: never 0, and never a shared prefix (extent.hpp).
  std::uint64_t content(std::uint32_t context);
  /// Adds the extents of the context, from the walk that owns it down to this one.
  void put(std::uint32_t context, Prompt& prompt);
  /// At the join: the parent has what the branch added.
  void merge_into_parent();

 private:
  struct Share {
    Tokens tokens = 0;
    std::uint32_t content = 0;  ///< number within the task; 0: none yet
    bool opened = false;
  };
  std::vector<Share> shares_;
  TaskContents* contents_ = nullptr;
  Contexts* parent_ = nullptr;
};

}  // namespace tokenyard::agents

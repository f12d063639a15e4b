#pragma once
/// Which KV leaves HBM first, of what nobody holds.
///
/// - lru: what was released longest ago; vLLM's way.
/// - tagged: by what it stands for, as SUTRADHARA tags blocks (arXiv 2601.12967): what nobody will ask for again (no
///   name, or the context of a call after which its task does not come back), then the contexts of tasks that do come
///   back, and last the prefixes of roles: system prompt and tool definitions, which all tasks of a role share. Within
///   each, lru. (SUTRADHARA tells answers, tool results and user messages of a context apart; here those are one
///   extent, whose end is evicted first.)
/// - steps-to-execution: by how many calls are between now and the next that begins so, in the graphs of the tasks in
///   flight, most first (KVFlow, arXiv 2507.07400). A role's prefix counts as far as the nearest task is from it; a
///   task's own context as far as its next call with that prefix, and as the farthest where the task does not come
///   back. What no task in flight is known to need goes before that, what has no name first of all.
///
/// With tiers below HBM (kv_tiers.hpp) it also *prefetches*: when a call comes, the prefixes that its task's next call
/// may begin with are loaded from there beside the batch, as far as blocks are free; a call that asks for one before it
/// is there loads it, too.
///
/// Each of these gives what it retains longer a higher *priority*, of eight: seven calls ahead and more are alike. A
/// prefix is never evicted before what goes on from it.

#include <algorithm>
#include <array>
#include <cstdint>
#include <map>
#include <span>
#include <string_view>
#include <tsl/robin_map.h>

#include "platforms/kv/extent.hpp"

namespace tokenyard::platforms {

enum class KvEviction : std::uint8_t { kLru, kTagged, kStepsToExecution };
inline constexpr std::array<std::string_view, 3> kKvEvictionNames = {"lru", "tagged", "steps-to-execution"};

inline constexpr std::size_t kKvPriorities = 8;  ///< 0 is evicted first

/// Of a context: its role's prefix, and the rest.
struct KvPriority {
  std::uint8_t role = 0, own = 0;
};

/// Of what is needed so many calls ahead; 0 calls: none is known.
constexpr std::uint8_t priority_of_steps(std::uint32_t calls) {
  constexpr std::uint32_t kMost = kKvPriorities - 1;
  return static_cast<std::uint8_t>(calls == 0 ? 1 : kMost + 1 - std::min(calls, kMost));
}

/// With `tagged`, of a context whose task comes back to it or does not.
constexpr KvPriority priority_by_tag(bool comes_back) {
  constexpr std::uint8_t kNobodyAsks = 0, kHistory = 1, kRole = 2;
  return {kRole, comes_back ? kHistory : kNobodyAsks};
}

/// How near the tasks in flight are to each role's prefix, as their last calls said.
class PrefixDistances {
 public:
  /// Calls until the nearest task's call with that prefix; 0: none is known.
  std::uint32_t nearest(std::uint64_t role) const {
    const auto found = roles_.find(role);
    return found == roles_.end() || found->second.empty() ? 0 : found->second.begin()->first;
  }
  /// A call of the task has come, or, without uses, the task has ended. `changed(role)`, for each whose distance that
  /// may change.
  template <typename Changed>
  void on_call(std::uint64_t task, std::span<const NextUse> uses, const Changed& changed) {
    const auto found = tasks_.find(task);
    const std::span<const NextUse> before = found == tasks_.end() ? std::span<const NextUse>() : found->second;
    if (found != tasks_.end()) tasks_.erase(found);
    if (!uses.empty()) tasks_[task] = uses;
    for (const NextUse& use : uses) ++roles_[use.prefix.content][use.calls];
    for (const NextUse& use : before) {
      auto& distances = roles_[use.prefix.content];
      if (--distances[use.calls] == 0) distances.erase(use.calls);
      changed(use.prefix.content);
    }
    for (const NextUse& use : uses) changed(use.prefix.content);
  }

 private:
  std::map<std::uint64_t, std::map<std::uint32_t, std::uint32_t>> roles_;  ///< role -> calls ahead -> tasks
  tsl::robin_map<std::uint64_t, std::span<const NextUse>> tasks_;          ///< in flight
};

}  // namespace tokenyard::platforms

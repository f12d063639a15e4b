#pragma once
/// What the agents floor tells whoever watches: a node's visit ended, a task ended.

#include <cstdint>
#include <optional>
#include <string_view>

#include "platforms/serving/call.hpp"

namespace tokenyard::agents {

/// A task ends in the ways in which a call does: with the call that failed it, if one did.
using TaskStatus = platforms::CallStatus;
inline constexpr const auto& kTaskStatusNames = platforms::kCallStatusNames;

/// What a task has done so far.
struct TaskWork {
  std::uint32_t calls = 0;
  std::uint32_t tool_calls = 0;
  platforms::Tokens prompt_tokens = 0;
  platforms::Tokens cached_tokens = 0;
  platforms::Tokens output_tokens = 0;
  sim::Time served, waited;  ///< of its ended calls, in all: by chips, and in queues

  /// Returns how long the call was served.
  sim::Time add(const platforms::CallRecord& call) {
    ++calls;
    prompt_tokens += call.prompt_tokens;
    cached_tokens += call.cached_tokens;
    output_tokens += call.output_tokens;
    const sim::Time call_served = call.causes.served();
    served += call_served;
    waited += call.causes[platforms::Cause::kQueue];
    return call_served;
  }
};

struct TaskRecord : TaskWork {
  std::uint64_t task = 0;   ///< numbered in the order of arrival, from 0
  std::uint32_t agent = 0;  ///< index of the workload entry
  sim::Time arrival;
  sim::Time finish;
  TaskStatus status = TaskStatus::kUnfinished;
  platforms::CauseTimes causes;  ///< on the critical path; sums to finish - arrival exactly
};

/// One visit of one node by one branch of a task.
struct NodeVisit {
  std::uint64_t task = 0;
  std::uint32_t agent = 0;
  std::uint32_t node = 0;           ///< index in the agent's graph
  std::uint32_t branch = 0;         ///< 0: the main walk
  std::uint32_t parent_branch = 0;  ///< the branch or walk it forked from; of the main walk: itself
  std::string_view name;            ///< of the node
  std::string_view kind;            ///< "llm", "tool", "human", …
  sim::Time begin;
  sim::Time served;  ///< when the service itself began (after waiting for capacity)
  sim::Time end;
  sim::Time startup;                  ///< of a tool or person: what the server of the last to end took to start
  std::optional<std::uint64_t> call;  ///< the last of a node that calls a model
  std::uint32_t tool_calls = 0;       ///< that it made, side by side
};

class TaskObserver {
 public:
  virtual ~TaskObserver() = default;
  virtual void on_task(const TaskRecord&) {}
  virtual void on_node(const NodeVisit&) {}
};

}  // namespace tokenyard::agents

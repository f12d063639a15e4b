#pragma once
/// In which order calls wait for their replica.
///
/// - fcfs: as they came to the replica; vLLM's default.
/// - task-fcfs: by when their task arrived: once begun, it is not overtaken by younger ones between its calls
///   ("program FCFS" in Continuum's ablation, arXiv 2511.02230).
/// - plas: by what their task was served so far, least first: program-level attained service (Autellix, arXiv
///   2502.13965). Served time falls into levels that double, so that like tasks do not overtake each other all the
///   time; within a level, as they came. No promotion of those that starve.
/// - atlas: as plas, but by what the calls on the longest path to this one were served: of branches that ran side by
///   side, the longest counts (Autellix's adaptive thread-level attained service).
/// - remaining-time: by how long tasks went on after calls of the same step of the same agent, in the mean, least first
///   (after Kairos, arXiv 2508.06948, which compares whole distributions). Learned from tasks that ended
///   (remaining_time.hpp).
/// - deadline: by the task's deadline, earliest first (Liu and Layland, 1973, who let it preempt). A task without one
///   comes last.
/// - shortest-first: by the tokens they will make, least first: an oracle, the bound for policies that must guess.
///
/// Nobody who runs gives way to who waits; where KV blocks are short, the one admitted last still does. What served and
/// arrival of a task are, the call brings along (CallRequest). Cost: as many steps as it overtakes calls that wait.

#include <array>
#include <bit>
#include <cstdint>
#include <string_view>

#include "platforms/serving/call.hpp"

namespace tokenyard::platforms {

enum class Scheduling : std::uint8_t { kFcfs, kTaskFcfs, kPlas, kAtlas, kRemainingTime, kDeadline, kShortestFirst };
inline constexpr std::array<std::string_view, 7> kSchedulingNames = {
    "fcfs", "task-fcfs", "plas", "atlas", "remaining-time", "deadline", "shortest-first"};

/// Calls of lower rank go first, calls of one rank as they came.
constexpr std::int64_t rank_of(Scheduling scheduling, const CallRequest& call) {
  constexpr std::int64_t kMillisecond = 1000000;
  const auto level = [](sim::Time served) {
    return static_cast<std::int64_t>(std::bit_width(static_cast<std::uint64_t>(served.ns() / kMillisecond)));
  };
  switch (scheduling) {
    case Scheduling::kFcfs:
      return 0;
    case Scheduling::kTaskFcfs:
      return call.task_arrival.ns();
    case Scheduling::kPlas:
      return level(call.task_served);
    case Scheduling::kAtlas:
      return level(call.path_served);
    case Scheduling::kRemainingTime:
      return call.remaining.ns();
    case Scheduling::kDeadline:
      return call.deadline.ns();
    case Scheduling::kShortestFirst:
      return call.output_tokens;
  }
  return 0;
}

}  // namespace tokenyard::platforms

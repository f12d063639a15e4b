#pragma once
/// In which order calls wait for their replica, and when one that runs gives way.
///
/// - fcfs: as they came to the replica; vLLM's default.
/// - task-fcfs: by when their task arrived: once begun, it is not overtaken by younger ones between its calls
///   ("program FCFS" in Continuum's ablation, arXiv 2511.02230).
/// - plas: by what their task was served so far, least first: program-level attained service (Autellix, arXiv
///   2502.13965). Served time falls into levels that double, so that like tasks do not overtake each other all the
///   time; within a level, as they came.
/// - atlas: as plas, but by what the calls on the longest path to this one were served: of branches that ran side by
///   side, the longest counts (Autellix's adaptive thread-level attained service).
/// - mlfq: as plas, but by what the call itself was served, whatever its task: a multi-level feedback queue, whose
///   quanta double from level to level (Corbato et al., 1962; for LLMs FastServe, arXiv 2305.05920, and the baseline
///   of Autellix). Preemptive always: a call that never gives way is served once and for all.
/// - remaining-time: by how long tasks went on after calls of the same step of the same agent, in the mean, least first
///   (after Kairos, arXiv 2508.06948, which compares whole distributions). Learned from tasks that ended
///   (remaining_time.hpp).
/// - deadline: by the task's deadline, earliest first (Liu and Layland, 1973, who let it preempt). A task without one
///   comes last.
/// - shortest-first: by the tokens they will make, least first: an oracle, the bound for policies that must guess.
///
/// *Preemptive*: before each step, a call that is next in the queue and lacks a seat or KV blocks has those that decode
/// and rank behind it give way, the last in rank first and of like ones the youngest, as under exhaustion: their blocks
/// go, and they wait ahead of their like. Who computes a prompt goes on: each admission makes a token, so that calls
/// that take turns cannot lock each other up. Not preemptive, and where blocks are short for those that run, the one
/// admitted last gives way alone. What runs is demoted as it is served.
///
/// *Promotion* (Autellix's against starvation): a call that waits and has, with its task, waited `promote_at` times as
/// long as it was served is from then on taken for one of a new task: in the first level, nothing served, nothing
/// waited. The paper gives no value.
///
/// What its task was served and made to wait, and when it arrived, the call brings along (CallRequest). Cost: as many
/// steps as it overtakes calls that wait; preemptive, O(batch) per leap; with promotion, O(waiting) when one is due.

#include <array>
#include <bit>
#include <cstdint>
#include <string_view>

#include "platforms/serving/call.hpp"

namespace tokenyard::platforms {

enum class Scheduling : std::uint8_t {
  kFcfs,
  kTaskFcfs,
  kPlas,
  kAtlas,
  kMlfq,
  kRemainingTime,
  kDeadline,
  kShortestFirst
};
inline constexpr std::array<std::string_view, 8> kSchedulingNames = {
    "fcfs", "task-fcfs", "plas", "atlas", "mlfq", "remaining-time", "deadline", "shortest-first"};

struct SchedulingPolicy {
  Scheduling order = Scheduling::kFcfs;
  bool preemptive = false;
  sim::Time quantum = sim::Time::milliseconds(1);  ///< of the first level; assumed
  double promote_at = 0;                           ///< of orders with levels; 0: nobody is promoted

  /// Whether calls take turns, beyond the order in which they wait.
  constexpr bool takes_turns() const { return preemptive || promote_at > 0; }
  /// Whether the order goes by levels of attained service.
  constexpr bool has_levels() const {
    return order == Scheduling::kPlas || order == Scheduling::kAtlas || order == Scheduling::kMlfq;
  }
  /// Calls of lower rank go first, calls of one rank as they came. `served`: the call itself, so far.
  constexpr std::int64_t rank_of(const CallRequest& call, sim::Time served) const;
  /// How long a call that was `served` so far is served more before it ranks behind `rank`; never(): it does not come
  /// to that.
  constexpr sim::Time service_to_pass(std::int64_t rank, const CallRequest& call, sim::Time served) const;
  /// How long a call that was `served` and has `waited` so far waits before it is promoted; never(): it is in the
  /// first level.
  sim::Time wait_to_promotion(const CallRequest& call, sim::Time served, sim::Time waited) const;

 private:
  /// What the order counts as served before this call; of mlfq: nothing, until the call is promoted.
  constexpr sim::Time served_before(const CallRequest& call) const {
    return order == Scheduling::kAtlas ? call.path_served : call.task_served;
  }
};

constexpr std::int64_t SchedulingPolicy::rank_of(const CallRequest& call, sim::Time served) const {
  switch (order) {
    case Scheduling::kFcfs:
      return 0;
    case Scheduling::kTaskFcfs:
      return call.task_arrival.ns();
    case Scheduling::kPlas:
    case Scheduling::kAtlas:
    case Scheduling::kMlfq: {
      const std::int64_t quanta = (served_before(call) + served).ns() / quantum.ns();
      return static_cast<std::int64_t>(std::bit_width(static_cast<std::uint64_t>(quanta)));
    }
    case Scheduling::kRemainingTime:
      return call.remaining.ns();
    case Scheduling::kDeadline:
      return call.deadline.ns();
    case Scheduling::kShortestFirst:
      return call.output_tokens;
  }
  return 0;
}

constexpr sim::Time SchedulingPolicy::service_to_pass(std::int64_t rank, const CallRequest& call,
                                                      sim::Time served) const {
  if (rank_of(call, served) > rank) return {};
  if (!has_levels() || quantum.ns() > sim::Time::never().ns() >> rank) return sim::Time::never();
  return sim::Time::nanoseconds(quantum.ns() << rank) - served_before(call) - served;
}

inline sim::Time SchedulingPolicy::wait_to_promotion(const CallRequest& call, sim::Time served,
                                                     sim::Time waited) const {
  if (promote_at <= 0 || rank_of(call, served) == 0) return sim::Time::never();
  const sim::Time all_served = served_before(call) + served;
  return sim::Time::seconds(promote_at * all_served.seconds()) - call.task_waited - waited;
}

/// From now on nothing was served or waited, of a call that itself was `served` and has `waited`.
constexpr void promote(CallRequest& call, sim::Time served, sim::Time waited) {
  call.task_served = call.path_served = sim::Time() - served;
  call.task_waited = sim::Time() - waited;
}

}  // namespace tokenyard::platforms

#pragma once
/// The users of a closed loop: each begins a task, waits for its end, thinks, and begins the next.
///
/// When a user comes and how long it thinks are functions of (seed, name, user, tasks begun) alone. Cost: O(1) per
/// task; four bytes per user.
///
///   Users users(loop, seed, "support");
///   schedule(user, users.first_date(user));                       // of each, at the start
///   users.begin_task(user);                                       // at that date
///   schedule(user, now + users.think_time(user, entity));         // when the task has ended

#include <string_view>
#include <vector>

#include "sim/random/distribution.hpp"

namespace tokenyard::agents {

/// So many tasks may be under way at one time: each holds a KB or more.
inline constexpr double kMostTasksAtOnce = 8e6;

/// The user of a task that none began.
inline constexpr std::uint32_t kNoUser = 0xffffffff;

struct ClosedLoop {
  std::int64_t users = 1;
  double ramp_s = 0;  ///< within which they come, evenly
  sim::Distribution think_s;

  void read(sim::ObjectReader& reader);
};

class Users {
 public:
  /// `name` is that of their streams.
  Users(const ClosedLoop& loop, std::uint64_t seed, std::string_view name);

  std::uint32_t size() const { return static_cast<std::uint32_t>(begun_.size()); }
  sim::Time first_date(std::uint32_t user) const;
  /// The number of the task that begins now among the user's, from 0.
  std::uint32_t begin_task(std::uint32_t user) { return begun_[user]++; }
  /// From the end of its task to the next. `entity`: who the user is.
  sim::Time think_time(std::uint32_t user, std::uint64_t entity) const;

 private:
  ClosedLoop loop_;
  std::uint64_t seed_;
  sim::StreamName ramp_, think_;
  std::vector<std::uint32_t> begun_;  ///< tasks, by user
};

}  // namespace tokenyard::agents

#include "agents/work/users.hpp"

#include <fmt/format.h>

namespace tokenyard::agents {

using sim::Time;

void ClosedLoop::read(sim::ObjectReader& r) {
  users = r.integer("users", {.minimum = 1, .maximum = kMostTasksAtOnce});
  ramp_s = r.number("ramp_s", {.fallback = 0, .minimum = 0, .maximum = 1e9});
  think_s = sim::read_amount(r, "think_s", 0.0);
}

Users::Users(const ClosedLoop& loop, std::uint64_t seed, std::string_view name)
    : loop_(loop),
      seed_(seed),
      ramp_(fmt::format("{}/ramp", name)),
      think_(fmt::format("{}/think", name)),
      begun_(static_cast<std::size_t>(loop.users)) {}

Time Users::first_date(std::uint32_t user) const {
  sim::Stream ramp(seed_, ramp_, user);
  return Time::seconds(ramp.uniform() * loop_.ramp_s);
}

Time Users::think_time(std::uint32_t user, std::uint64_t entity) const {
  sim::Stream think(seed_, think_, entity, begun_[user]);
  return loop_.think_s.sample_time(think);
}

}  // namespace tokenyard::agents

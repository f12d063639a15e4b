#include "agents/work/service.hpp"

#include <algorithm>
#include <cmath>

namespace tokenyard::agents {

using sim::Time;

namespace {

const Time kDay = Time::seconds(86'400);

Time time_of_day(Time now) { return Time::nanoseconds(now.ns() % kDay.ns()); }

}  // namespace

Service::Service(const ServiceSpec& spec, std::int64_t capacity)
    : spec_(spec),
      interval_(spec.rate_per_s > 0 ? Time::seconds(1 / spec.rate_per_s) : Time()),
      saved_(Time::nanoseconds(interval_.ns() * (spec.burst - 1))),
      capacity_(capacity) {}

std::span<const Service::Begun> Service::begin(Time now) {
  if (waiting_.empty() || !server_free(now) || next_token() > now) return {};
  full_ = std::max(full_, now) + interval_;
  const Time startup = start_server(now), start = now + startup;
  if (spec_.batch == 1) {
    begun_.front() = {waiting_.front().walk, start + waiting_.front().duration, startup};
    waiting_.pop_front();
    return {begun_.data(), 1};
  }
  begun_.clear();
  Time longest;
  while (!waiting_.empty() && static_cast<std::int64_t>(begun_.size()) < spec_.batch) {
    begun_.push_back({waiting_.front().walk, {}, startup, false});
    longest = std::max(longest, waiting_.front().duration);
    waiting_.pop_front();
  }
  for (Begun& begun : begun_) begun.end = start + longest;
  begun_.back().frees = true;
  return begun_;
}

void Service::finish(Time now) {
  --busy_;
  if (spec_.cold_start > Time()) rested_since_.push_back(now);
}

Time Service::start_server(Time now) {
  ++busy_;
  if (spec_.cold_start == Time()) return {};
  const bool warm = !rested_since_.empty() && now - rested_since_.back() <= spec_.stays_warm;
  if (!rested_since_.empty()) rested_since_.pop_back();
  return warm ? Time() : spec_.cold_start;
}

Time Service::due(Time now) const {
  if (waiting_.empty()) return Time::never();
  if (next_token() > now) return next_token();
  if (spec_.shifts.empty()) return Time::never();
  const Time midnight = now - time_of_day(now);
  for (const ServiceSpec::Shift& shift : spec_.shifts) {
    if (midnight + shift.from > now) return midnight + shift.from;
  }
  return midnight + kDay + spec_.shifts.front().from;
}

/// Before the day's first shift the last one is on.
std::int64_t Service::servers(Time now) const {
  double share = spec_.shifts.back().share;
  for (const ServiceSpec::Shift& shift : spec_.shifts) {
    if (shift.from <= time_of_day(now)) share = shift.share;
  }
  return static_cast<std::int64_t>(std::ceil(static_cast<double>(capacity_) * share - 1e-9));
}

}  // namespace tokenyard::agents

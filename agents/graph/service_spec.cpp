#include "agents/graph/service_spec.hpp"

#include <algorithm>

namespace tokenyard::agents {

using sim::Time;

ServiceSpec ServiceSpec::read(const std::string& name, sim::ObjectReader& r) {
  const std::size_t faults = r.faults().size();
  ServiceSpec service;
  service.name = name;
  service.capacity = r.integer("capacity", {.minimum = 1, .maximum = 1e9});
  service.rate_per_s = r.optional_number("rate_per_s", {.minimum = 1e-6, .maximum = 1e9}).value_or(0);
  service.burst = r.integer("burst", {.fallback = 1, .minimum = 1, .maximum = 1000});
  service.cold_start = Time::seconds(r.number("cold_start_s", {.fallback = 0, .minimum = 0, .maximum = 1e6}));
  if (const auto warm_s = r.optional_number("stays_warm_s", {.minimum = 0, .maximum = 1e9}))
    service.stays_warm = Time::seconds(*warm_s);
  service.batch = r.integer("batch", {.fallback = 1, .minimum = 1, .maximum = 1e6});
  r.each("shifts", [&](sim::ObjectReader& s) {
    const double from_h = s.number("from_h", {.minimum = 0, .maximum = 23.999});
    const double share = s.number("share", {.minimum = 0, .maximum = 1});
    const Time from = Time::seconds(from_h * 3600);
    if (!service.shifts.empty() && from <= service.shifts.back().from)
      s.fault("from_h", "an hour that is not after the one before", "shifts in the order of the day");
    service.shifts.push_back({from, share});
  });
  const auto closed = [](const Shift& shift) { return shift.share == 0; };
  if (r.faults().size() == faults && !service.shifts.empty() &&
      std::all_of(service.shifts.begin(), service.shifts.end(), closed))
    r.fault("shifts", "nobody at any hour", "a share above 0 in one of them");
  if (r.has("burst") && service.rate_per_s == 0) r.fault("burst", "no rate_per_s beside it", "only with rate_per_s");
  if (r.has("stays_warm_s") && service.cold_start == Time())
    r.fault("stays_warm_s", "no cold_start_s beside it", "only with cold_start_s");
  r.string("evidence", "");
  r.string("note", "");
  return service;
}

}  // namespace tokenyard::agents

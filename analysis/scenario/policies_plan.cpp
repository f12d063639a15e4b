#include "analysis/scenario/policies_plan.hpp"

#include <fmt/format.h>

#include "sim/input/enum_choice.hpp"

namespace tokenyard::analysis {
namespace {

using platforms::KvEviction;
using platforms::KvRetentionPolicy;
using platforms::Scheduling;
using sim::ObjectReader;

/// Keys that cannot be judged without the policy that they belong to.
void pass_over(ObjectReader& reader, std::initializer_list<const char*> keys) {
  for (const char* key : keys) reader.raw(key);
}

void read_turns(ObjectReader& reader, PoolPlan& pool) {
  platforms::SchedulingPolicy& policy = pool.batching.scheduling;
  const std::string name(platforms::kSchedulingNames[static_cast<std::size_t>(policy.order)]);
  const bool always = policy.order == Scheduling::kMlfq;
  policy.preemptive = reader.boolean("preemptive", always);
  if (policy.preemptive && policy.order == Scheduling::kFcfs)
    reader.fault("preemptive", "true with fcfs, where nobody ranks behind another",
                 "a scheduling that ranks calls, as plas");
  if (!policy.preemptive && always)
    reader.fault("preemptive", "false with mlfq, where calls are ranked as they run",
                 "true; or plas, which ranks those that come");
  const auto of_levels = [&](const char* key, std::optional<double> value) {
    if (value && !policy.has_levels())
      reader.fault(key, fmt::format("a key of levels with {}, which has none", name), "plas, atlas or mlfq with it");
    return value;
  };
  if (const auto quantum_s =
          of_levels("quantum_s", reader.optional_number("quantum_s", {.minimum = 1e-6, .maximum = 1e6})))
    policy.quantum = sim::Time::seconds(*quantum_s);
  if (const auto ratio = of_levels(
          "promote_at", reader.optional_number("promote_at", {.minimum = 0, .maximum = 1e6, .exclusive = true})))
    policy.promote_at = *ratio;
}

void read_kv_retention(ObjectReader& reader, PoolPlan& pool) {
  platforms::KvRetentionOptions& retention = pool.retention;
  const std::size_t faults = reader.faults().size();
  retention.policy = sim::enum_choice<KvRetentionPolicy>(reader, "kv_retention", platforms::kKvRetentionNames, "lru");
  if (reader.faults().size() != faults) return pass_over(reader, {"kv_ttl_s"});
  if (const auto ttl_s = reader.optional_number("kv_ttl_s", {.minimum = 0, .maximum = 1e6, .exclusive = true})) {
    retention.ttl = sim::Time::seconds(*ttl_s);
    if (retention.policy != KvRetentionPolicy::kStaticTtl && retention.policy != KvRetentionPolicy::kContinuumTtl)
      reader.fault("kv_ttl_s", "a time to live that no policy uses",
                   "kv_retention static-ttl or continuum-ttl with it");
  }
  if (retention.policy == KvRetentionPolicy::kLru) return;
  if (!pool.cache.prefix_caching)
    reader.fault("kv_retention", "KV held without prefix caching",
                 "enable_prefix_caching, by which held KV is found again; or lru");
  if (pool.role == platforms::PoolRole::kDecode)
    reader.fault("kv_retention", "KV held in a decode pool",
                 "lru; the pool that prefills a task's next call finds its KV again, if that holds it");
}

void read_kv_eviction(ObjectReader& reader, PoolPlan& pool) {
  pool.eviction = sim::enum_choice<KvEviction>(reader, "kv_eviction", platforms::kKvEvictionNames, "lru");
  if (pool.eviction == KvEviction::kLru || pool.cache.prefix_caching) return;
  reader.fault("kv_eviction", "an order of eviction without prefix caching",
               "enable_prefix_caching, by which KV is found again before it is evicted; or lru");
}

}  // namespace

void read_policies(ObjectReader& reader, PoolPlan& pool) {
  pool.router = sim::enum_choice<platforms::Router>(reader, "router", platforms::kRouterNames, "least-loaded");
  if (const auto tokens = reader.optional_integer("sticky_above", {.minimum = 0, .maximum = 1e9})) {
    pool.sticky_above = *tokens;
    if (pool.router != platforms::Router::kTaskSticky)
      reader.fault("sticky_above", "a size of prompts with a router that does not keep tasks together",
                   "router task-sticky with it");
  }
  const std::size_t faults = reader.faults().size();
  pool.batching.scheduling.order =
      sim::enum_choice<Scheduling>(reader, "scheduling", platforms::kSchedulingNames, "fcfs");
  if (reader.faults().size() == faults) {
    read_turns(reader, pool);
  } else {
    pass_over(reader, {"preemptive", "quantum_s", "promote_at"});
  }
  read_kv_retention(reader, pool);
  read_kv_eviction(reader, pool);
}

}  // namespace tokenyard::analysis

#include "analysis/scenario/kv_tier_plan.hpp"

#include <algorithm>
#include <fmt/format.h>

#include "sim/input/enum_choice.hpp"

namespace tokenyard::analysis {

using platforms::KvTierKind;

std::vector<KvTierPlan> read_kv_tiers(sim::ObjectReader& pool, const platforms::Chip* chip, double offloading_gib) {
  std::vector<KvTierPlan> tiers;
  if (offloading_gib > 0) tiers.push_back({KvTierKind::kHost, offloading_gib, {}});
  const bool host_rate = chip == nullptr || chip->host_bytes_per_s;
  const auto rate_of_host = [&](sim::ObjectReader& at, std::string_view key) {
    at.fault(
        key, "nothing",
        fmt::format("the rate of a chip's link to its host: the catalogue has no host_bytes_per_s for {}", chip->name));
  };
  if (offloading_gib > 0 && !host_rate) rate_of_host(pool, "kv_tiers");
  pool.each("kv_tiers", [&](sim::ObjectReader& at) {
    KvTierPlan tier;
    tier.kind = sim::enum_choice<KvTierKind>(at, "tier", platforms::kKvTierNames, "host");
    tier.gib = at.number("gib", {.minimum = 0, .maximum = 1e9, .exclusive = true});
    tier.bytes_per_s = at.optional_number("bytes_per_s", {.minimum = 1, .maximum = 1e15});
    if (!tier.bytes_per_s && tier.kind == KvTierKind::kSsd)
      at.fault("bytes_per_s", "nothing", "what the SSDs of a node read in a second, together");
    if (!tier.bytes_per_s && tier.kind == KvTierKind::kHost && !host_rate) rate_of_host(at, "bytes_per_s");
    if (std::any_of(tiers.begin(), tiers.end(), [&](const KvTierPlan& other) { return other.kind == tier.kind; })) {
      at.fault("tier", fmt::format("\"{}\"", platforms::kKvTierNames[static_cast<std::size_t>(tier.kind)]),
               offloading_gib > 0 && tier.kind == KvTierKind::kHost
                   ? "no host tier beside the engine's kv_offloading_size, which is one"
                   : "each tier once");
    }
    tiers.push_back(tier);
  });
  std::stable_sort(tiers.begin(), tiers.end(),
                   [](const KvTierPlan& a, const KvTierPlan& b) { return a.kind < b.kind; });
  return tiers;
}

}  // namespace tokenyard::analysis

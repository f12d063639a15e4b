#include "platforms/cost/collective.hpp"

#include <algorithm>

#include "platforms/spec/log2_between_powers.hpp"

namespace tokenyard::platforms {
namespace {
// Of an exchange of tokens among experts: dispatch kernels of DeepEP's low-latency path (aiconfigurator wideep tables)
// begin near 10 us; assumed for others.
constexpr double kExchangeAlpha = 10e-6;
constexpr double kAssumedLink = 10e9;
}  // namespace

double link_bytes_per_s(const Chip& chip) {
  return chip.scale_up.bytes_per_s.value_or(chip.scale_out_bytes_per_s.value_or(kAssumedLink));
}

std::optional<double> all_reduce_s(const Chip& chip, std::int64_t chips, double bytes) {
  const Chip::Collectives& collectives = chip.collectives;
  const std::vector<Chip::AllReduce>& measured = collectives.by_chips;
  if (measured.empty()) {
    if (!collectives.link_efficiency || !collectives.alpha_s || !chip.scale_up.bytes_per_s) return std::nullopt;
    const auto n = static_cast<double>(chips);
    return *collectives.alpha_s +
           2 * (n - 1) / n * bytes /
               (*collectives.link_efficiency * *chip.scale_up.bytes_per_s * chip.scale_up.ring_share(chips));
  }
  const auto above = std::lower_bound(measured.begin(), measured.end(), chips,
                                      [](const Chip::AllReduce& entry, std::int64_t n) { return entry.chips < n; });
  if (above == measured.end()) return measured.back().seconds.at(bytes);
  if (above == measured.begin() || above->chips == chips) return above->seconds.at(bytes);
  const Chip::AllReduce& low = *(above - 1);
  const double share =
      log2_share(static_cast<double>(chips), static_cast<double>(low.chips), static_cast<double>(above->chips));
  return (1 - share) * low.seconds.at(bytes) + share * above->seconds.at(bytes);
}

Collective::Collective(const Chip& chip, std::int64_t chips, const NodeSpan& span)
    : chip_(&chip),
      span_(span),
      group_(chips),
      near_(span.within(chips)),
      exchange_bytes_per_s_(link_bytes_per_s(chip) * chip.scale_up.exchange_share(near_) *
                            chip.collectives.link_efficiency.value_or(1)),
      exchange_alpha_s_(std::max(kExchangeAlpha, chip.collectives.alpha_s.value_or(0))) {}

KernelTime Collective::all_reduce(double bytes) const {
  KernelTime time;
  const double near = near_ > 1 ? all_reduce_s(*chip_, near_, bytes).value_or(0) : 0;
  time[Bound::kNetwork] = near + span_.all_reduce_s(bytes, group_);
  return time;
}

KernelTime Collective::all_to_all(double bytes) const {
  KernelTime time;
  if (group_ > 1)
    time[Bound::kNetwork] =
        exchange_alpha_s_ + std::max(bytes / exchange_bytes_per_s_, span_.all_to_all_s(bytes, group_));
  return time;
}

}  // namespace tokenyard::platforms

#include "platforms/cost/collective.hpp"

#include <algorithm>

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

Collective::Collective(const Chip& chip, std::int64_t chips, const NodeSpan& span)
    : chip_(&chip),
      span_(span),
      group_(chips),
      near_(span.within(chips)),
      link_bytes_per_s_(link_bytes_per_s(chip) * chip.collectives.link_efficiency.value_or(1)),
      exchange_alpha_s_(std::max(kExchangeAlpha, chip.collectives.alpha_s.value_or(0))) {}

KernelTime Collective::all_reduce(double bytes) const {
  KernelTime time;
  const double near = near_ > 1 ? chip_->all_reduce_s(near_, bytes).value_or(0) : 0;
  time[Bound::kNetwork] = near + span_.all_reduce_s(bytes, group_);
  return time;
}

KernelTime Collective::all_to_all(double bytes) const {
  KernelTime time;
  if (group_ > 1)
    time[Bound::kNetwork] = exchange_alpha_s_ + std::max(bytes / link_bytes_per_s_, span_.all_to_all_s(bytes, group_));
  return time;
}

}  // namespace tokenyard::platforms

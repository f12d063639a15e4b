#include "sim/network/flow_network.hpp"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>
#include <tuple>

#include "sim/core/error.hpp"

namespace tokenyard::sim {
namespace {
/// What still fits an unsigned 64-bit count, whatever is merged within reason.
constexpr double kMostBytes = 1e18;
}  // namespace

void FlowNetwork::transfer(const Transfer& transfer) {
  if (!(transfer.bytes >= 0 && transfer.bytes <= kMostBytes)) {
    throw InternalError(fmt::format("network: a transfer of {} bytes", transfer.bytes));
  }
  topology_.route(transfer.from, transfer.to, route_);
  const Time date = simulation_.now() + route_.latency;
  if (route_.links.empty() || transfer.bytes == 0) {
    simulation_.schedule(date, Priority::kDelivery, *transfer.entity, *transfer.on_delivered, transfer.argument);
    return;
  }
  const auto [batch, fresh] = waiting_.try_emplace(date);
  if (fresh) simulation_.schedule(date, Priority::kObserve, starter_, *this);
  batch->second.push_back(transfer);
  batch->second.back().bytes = std::ceil(transfer.bytes);
}

void FlowNetwork::on_event(Time now, std::uint64_t) {
  std::vector<Transfer> batch = std::move(waiting_.extract(now).mapped());
  std::stable_sort(batch.begin(), batch.end(), [](const Transfer& a, const Transfer& b) {
    return std::tie(a.from, a.to) < std::tie(b.from, b.to);
  });
  std::vector<Flow> flows;
  for (const Transfer& transfer : batch) {
    if (flows.empty() || flows.back().from != transfer.from || flows.back().to != transfer.to) {
      flows.push_back({{}, transfer.from, transfer.to, 0, {}});
      topology_.route(transfer.from, transfer.to, flows.back().route);
    }
    flows.back().bytes += transfer.bytes;
    flows.back().transfers.push_back(transfer);
  }
  for (const Flow& flow : flows) count_flow(flow.route, flow.bytes);
  in_flight_ += flows.size();
  peak_ = std::max(peak_, in_flight_);
  start(now, flows);
}

void FlowNetwork::deliver(const Flow& flow, Time date) {
  --in_flight_;
  for (const Transfer& transfer : flow.transfers) {
    simulation_.schedule(date, Priority::kDelivery, *transfer.entity, *transfer.on_delivered, transfer.argument);
  }
}

}  // namespace tokenyard::sim

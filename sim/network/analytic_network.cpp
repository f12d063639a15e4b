#include "sim/network/analytic_network.hpp"

#include <algorithm>
#include <cmath>

namespace tokenyard::sim {
namespace {

/// What a rounding error leaves of a flow, relative to a byte and a nanosecond.
constexpr double kTolerance_s = 1e-12;

/// The first whole nanosecond not before `seconds` from `now`, rounding errors aside.
Time after(Time now, double seconds) {
  return now + Time::nanoseconds(static_cast<std::int64_t>(std::ceil(std::max(0.0, seconds - kTolerance_s) * 1e9)));
}

}  // namespace

void AnalyticNetwork::transfer(const Transfer& transfer) {
  Flow flow{transfer, {}, transfer.bytes, 0};
  topology_.route(transfer.from, transfer.to, flow.route);
  count_flow(flow.route, transfer.bytes);
  peak_ = std::max(peak_, ++in_flight_);
  const Time date = simulation_.now() + flow.route.latency;
  std::uint32_t index = 0;
  if (spare_.empty()) {
    index = static_cast<std::uint32_t>(waiting_.size());
    waiting_.push_back(std::move(flow));
  } else {
    index = spare_.back();
    spare_.pop_back();
    waiting_[index] = std::move(flow);
  }
  simulation_.schedule(date, Priority::kDelivery, entity_, *this, index);
}

void AnalyticNetwork::on_event(Time now, std::uint64_t argument) {
  advance(now);
  if (argument != kWake) {
    Flow flow = std::move(waiting_[argument]);
    spare_.push_back(static_cast<std::uint32_t>(argument));
    if (flow.left <= 0 || flow.route.links.empty()) {
      deliver(flow);
    } else {
      active_.push_back(std::move(flow));
    }
  }
  // What is done, in the order of its start.
  std::vector<Flow> done;
  std::erase_if(active_, [&](Flow& flow) {
    if (flow.left > flow.rate * kTolerance_s) return false;
    done.push_back(flow);
    return true;
  });
  share();
  for (const Flow& flow : done) deliver(flow);
}

/// Moves the bytes of the time since the last change.
void AnalyticNetwork::advance(Time now) {
  const double elapsed = (now - since_).seconds();
  for (Flow& flow : active_) flow.left -= flow.rate * elapsed;
  since_ = now;
}

/// Progressive filling: the link with the least room per flow fixes its flows' rates; and so on without them.
void AnalyticNetwork::share() {
  simulation_.cancel(wake_);
  if (active_.empty()) return;
  struct Load {
    LinkId link;
    double room;
    std::size_t flows;
  };
  std::vector<Load> loads;
  for (const Flow& flow : active_) {
    for (const LinkId link : flow.route.links) {
      const auto it = std::find_if(loads.begin(), loads.end(), [&](const Load& l) { return l.link == link; });
      if (it == loads.end()) {
        loads.push_back({link, topology_.links()[link].bytes_per_s, 1});
      } else {
        ++it->flows;
      }
    }
  }
  std::vector<bool> fixed(active_.size());
  for (;;) {
    const Load* tightest = nullptr;
    for (const Load& load : loads) {
      if (load.flows > 0 && (tightest == nullptr || load.room / static_cast<double>(load.flows) <
                                                         tightest->room / static_cast<double>(tightest->flows))) {
        tightest = &load;
      }
    }
    if (tightest == nullptr) break;
    const LinkId link = tightest->link;
    const double rate = tightest->room / static_cast<double>(tightest->flows);
    for (std::size_t i = 0; i < active_.size(); ++i) {
      Flow& flow = active_[i];
      if (fixed[i] || std::find(flow.route.links.begin(), flow.route.links.end(), link) == flow.route.links.end()) continue;
      fixed[i] = true;
      flow.rate = rate;
      for (Load& load : loads) {
        const auto uses = std::count(flow.route.links.begin(), flow.route.links.end(), load.link);
        load.room = std::max(0.0, load.room - rate * static_cast<double>(uses));
        load.flows -= static_cast<std::size_t>(uses);
      }
    }
  }
  double next_s = 1e300;
  for (const Flow& flow : active_) next_s = std::min(next_s, flow.left / flow.rate);
  wake_ = simulation_.schedule(after(simulation_.now(), next_s), Priority::kDelivery, entity_, *this, kWake);
}

void AnalyticNetwork::deliver(const Flow& flow) {
  --in_flight_;
  simulation_.schedule(simulation_.now(), Priority::kDelivery, *flow.transfer.entity, *flow.transfer.on_delivered, flow.transfer.argument);
}

}  // namespace tokenyard::sim

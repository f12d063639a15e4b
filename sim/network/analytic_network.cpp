#include "sim/network/analytic_network.hpp"

#include <algorithm>

namespace tokenyard::sim {
namespace {

/// Ends closer than this are one (SimGrid's precision is the same 1e-12 s): what rounding errors may add to an end
/// without moving it into the next nanosecond.
constexpr Int128 kSlack = FineTime::kTicksPerNanosecond / 1000;
/// The same for long flows, relative to their duration: a few roundings of a double.
constexpr int kSlackShift = 49;

/// More ticks than a century has.
constexpr double kForever = 4e24;

FineTime duration(double seconds) {
  const double ticks = seconds * FineTime::kTicksPerSecond;
  return FineTime(static_cast<Int128>(std::min(ticks, kForever) + 0.5));
}

struct Later {
  template <class End>
  bool operator()(const End& a, const End& b) const {
    return a.end > b.end || (a.end == b.end && a.ordinal > b.ordinal);
  }
};

/// A link and the share that it would give to each of its flows without a rate.
struct Candidate {
  double share;
  LinkId link;
  bool operator>(const Candidate& other) const {
    return share > other.share || (share == other.share && link > other.link);
  }
};

}  // namespace

AnalyticNetwork::AnalyticNetwork(const Topology& topology, Simulation& simulation)
    : FlowNetwork(topology, simulation), link_state_(topology.links().size()) {}

void AnalyticNetwork::start(Time now, std::vector<Flow>& flows) {
  for (Flow& flow : flows) {
    const Slot slot = active_.take();
    Active& active = active_[slot];
    active.ordinal = ++begun_;
    active.left = flow.bytes;
    active.rate = 0;
    active.since = FineTime(now);
    active.end = FineTime(Int128{-1});  // none noted yet
    active.flow = std::move(flow);
    for (const LinkId link : active.flow.route.links) {
      link_state_[link].flows.push_back(slot);
      changed_.push_back(link);
    }
  }
  share(FineTime(now));
  schedule_wake(now);
}

/// Every flow that ends up to now, each at its own exact date: what it leaves is shared among the others from there.
void AnalyticNetwork::wake(Time now) {
  std::vector<Flow> done;
  for (const End* first = next_end(); first != nullptr && active_[first->slot].published <= now; first = next_end()) {
    const FineTime at = std::min(first->end, FineTime(now));
    const FineTime together = at + FineTime(kSlack);
    do {
      const Slot slot = first->slot;
      remove(slot);
      done.push_back(std::move(active_[slot].flow));
      first = next_end();
    } while (first != nullptr && first->end <= together);
    share(at);
  }
  for (const Flow& flow : done) deliver(flow, now);
  schedule_wake(now);
}

void AnalyticNetwork::remove(Slot slot) {
  Active& active = active_[slot];
  for (const LinkId link : active.flow.route.links) {
    std::vector<Slot>& flows = link_state_[link].flows;
    const auto it = std::find(flows.begin(), flows.end(), slot);
    *it = flows.back();
    flows.pop_back();
    changed_.push_back(link);
  }
  active.ordinal = 0;
  active_.give_back(slot);
}

void AnalyticNetwork::share(FineTime at) {
  ++sharings_;
  reach(at);
  fill();
  for (const Slot slot : reached_flows_) note_end(slot);
}

/// Finds what is connected to the changed links, and moves its bytes up to `at`.
void AnalyticNetwork::reach(FineTime at) {
  reached_links_.clear();
  reached_flows_.clear();
  const auto reach_link = [&](LinkId link) {
    LinkState& state = link_state_[link];
    if (state.reached == sharings_) return;
    state.reached = sharings_;
    state.room = topology_.links()[link].bytes_per_s;
    state.unfilled = state.flows.size();
    reached_links_.push_back(link);
  };
  for (const LinkId link : changed_) reach_link(link);
  changed_.clear();
  for (std::size_t next = 0; next < reached_links_.size(); ++next) {
    for (const Slot slot : link_state_[reached_links_[next]].flows) {
      Active& active = active_[slot];
      if (active.reached == sharings_) continue;
      active.reached = sharings_;
      reached_flows_.push_back(slot);
      active.left = std::max(0.0, active.left - active.rate * (at - active.since).seconds());
      active.since = at;
      for (const LinkId link : active.flow.route.links) reach_link(link);
    }
  }
}

/// Progressive filling: the link with the smallest share fixes the rate of its flows; and so on without them. A link's
/// share only grows as others are fixed, so that a candidate's place in the heap is a lower bound.
void AnalyticNetwork::fill() {
  const auto share_of = [](const LinkState& state) { return state.room / static_cast<double>(state.unfilled); };
  std::vector<Candidate> candidates;
  for (const LinkId link : reached_links_) {
    if (link_state_[link].unfilled > 0) candidates.push_back({share_of(link_state_[link]), link});
  }
  std::make_heap(candidates.begin(), candidates.end(), std::greater<>());
  while (!candidates.empty()) {
    std::pop_heap(candidates.begin(), candidates.end(), std::greater<>());
    Candidate& candidate = candidates.back();
    LinkState& tightest = link_state_[candidate.link];
    if (tightest.unfilled > 0 && share_of(tightest) > candidate.share) {
      candidate.share = share_of(tightest);
      std::push_heap(candidates.begin(), candidates.end(), std::greater<>());
      continue;
    }
    candidates.pop_back();
    if (tightest.unfilled == 0) continue;
    const double rate = share_of(tightest);
    for (const Slot slot : tightest.flows) {
      Active& active = active_[slot];
      if (active.filled == sharings_) continue;
      active.filled = sharings_;
      active.rate = rate;
      for (const LinkId link : active.flow.route.links) {
        link_state_[link].room -= rate;
        --link_state_[link].unfilled;
      }
    }
  }
}

void AnalyticNetwork::note_end(Slot slot) {
  Active& active = active_[slot];
  const FineTime end = active.since + duration(active.left / active.rate);
  const FineTime whole = duration(active.flow.bytes / active.rate);
  const FineTime slack(std::max(kSlack, whole.ticks() >> kSlackShift));
  active.published = end < FineTime(Time::never()) ? (end - slack).published() : Time::never();
  if (end == active.end) return;
  active.end = end;
  ends_.push_back({end, active.ordinal, slot});
  std::push_heap(ends_.begin(), ends_.end(), Later());
}

const AnalyticNetwork::End* AnalyticNetwork::next_end() {
  const auto stale = [&](const End& end) {
    return active_[end.slot].ordinal != end.ordinal || active_[end.slot].end != end.end;
  };
  if (ends_.size() > 64 && ends_.size() > 4 * in_flight_) {
    std::erase_if(ends_, stale);
    std::make_heap(ends_.begin(), ends_.end(), Later());
  }
  while (!ends_.empty() && stale(ends_.front())) {
    std::pop_heap(ends_.begin(), ends_.end(), Later());
    ends_.pop_back();
  }
  return ends_.empty() ? nullptr : &ends_.front();
}

void AnalyticNetwork::schedule_wake(Time now) {
  const End* end = next_end();
  const Time date = end == nullptr ? Time::never() : std::max(now, active_[end->slot].published);
  const bool scheduled = wake_event_.stamp != 0 && wake_date_ > now;
  if (scheduled && date == wake_date_) return;
  simulation_.cancel(wake_event_);
  if (date == Time::never()) return;
  wake_date_ = date;
  wake_event_ = simulation_.schedule(date, Priority::kDelivery, entity_, wake_, 0);
}

}  // namespace tokenyard::sim

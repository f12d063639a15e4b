#include "sim/core/far_events.hpp"

#include <algorithm>
#include <bit>

namespace tokenyard::sim {
namespace {

constexpr std::size_t kOfSpan = 64;  ///< events, about
constexpr std::size_t kFew = 1024;   ///< not worth dividing

constexpr auto kEarlier = [](const Event& a, const Event& b) { return a.key < b.key; };

}  // namespace

void FarEvents::add(const Event& event) {
  const auto span = static_cast<std::uint64_t>(event.date().ns() - begin_ns_) >> shift_;
  (span < spans_.size() ? spans_[span] : beyond_).push_back(event);
}

/// Half of the events lie in the first half of the spans, evenly if they are; the dates of the others may go up to
/// never.
void FarEvents::spread(std::vector<Event> events) {
  const std::size_t half = events.size() / 2;
  std::nth_element(events.begin(), events.begin() + static_cast<std::ptrdiff_t>(half), events.end(), kEarlier);
  begin_ns_ = std::min_element(events.begin(), events.end(), kEarlier)->date().ns();
  const auto of_half = static_cast<std::uint64_t>(events[half].date().ns() - begin_ns_);
  const std::size_t spans = half / kOfSpan + 1;
  shift_ = static_cast<unsigned>(std::bit_width(of_half / spans));
  next_ = 0;
  horizon_ = Event::key_of(Time::nanoseconds(begin_ns_), 0);
  spans_.resize(2 * spans);
  for (const Event& event : events) add(event);
}

const std::vector<Event>& FarEvents::next_span() {
  taken_ = {};
  for (;;) {
    while (next_ < spans_.size() && spans_[next_].empty()) ++next_;
    if (next_ < spans_.size()) {
      taken_ = std::move(spans_[next_++]);  // with its memory: what one span takes says nothing of the next
      const Int128 end_ns = begin_ns_ + (Int128{static_cast<std::int64_t>(next_)} << shift_);
      horizon_ = end_ns < Time::never().ns() ? end_ns << 64 : EventHeap::kNever - 1;
      return taken_;
    }
    if (beyond_.size() <= kFew) {
      taken_.swap(beyond_);
      horizon_ = EventHeap::kNever;
      return taken_;
    }
    std::vector<Event> events;
    events.swap(beyond_);
    spread(std::move(events));
  }
}

}  // namespace tokenyard::sim

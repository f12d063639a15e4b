#pragma once
/// A tool or a team of people that serves so many at a time: first come, first served, with what else its spec asks
/// for (graph/service_spec.hpp).
///
/// - Rate: a beginning needs a token of a bucket that holds `burst` and is filled at `rate_per_s`; a batch is one.
/// - Cold starts: who begins gets the server that rested last, if one is warm, else a cold one.
/// - Batches: a free server takes what waits, up to `batch`; nobody waits for others to come.
/// - Shifts: fewer servers begin less; who is being served when a shift ends is served to the end.
///
/// Capacity 0 means unlimited: every job begins at once. The caller keeps the clock: it asks `begin` until nobody does,
/// tells `finish` when one that `frees` its server ends, and asks again at `due`. O(1) per job, amortised.
///
///   Service desk(spec, spec.capacity);
///   desk.arrive({walk, duration});
///   while (!(begun = desk.begin(now)).empty()) …   // one server's jobs
///   …at the end of one that frees:  desk.finish(now), and begin again

#include <deque>
#include <span>
#include <vector>

#include "agents/graph/service_spec.hpp"

namespace tokenyard::agents {

class Service {
 public:
  struct Job {
    std::uint32_t walk = 0;
    sim::Time duration;
  };
  struct Begun {
    std::uint32_t walk = 0;
    sim::Time end;
    sim::Time startup;  ///< of the time until then, at first: of a server that was cold
    bool frees = true;  ///< its server: of a batch one does
  };

  Service(const ServiceSpec& spec, std::int64_t capacity);

  void arrive(const Job& job) { waiting_.push_back(job); }
  /// What one server begins now; nothing, if none can. Valid until the next call.
  std::span<const Begun> begin(sim::Time now);
  /// A server is free.
  void finish(sim::Time now);
  /// When somebody who waits now may begin though nobody has ended before; never() if that cannot be.
  sim::Time due(sim::Time now) const;

  std::int64_t busy() const { return busy_; }  ///< servers
  std::size_t waiting() const { return waiting_.size(); }
  bool nobody_waits() const { return waiting_.empty(); }
  std::int64_t capacity() const { return capacity_; }

  sim::Time alarm;  ///< the caller's: when it will ask again

 private:
  std::int64_t servers(sim::Time now) const;
  bool server_free(sim::Time now) const {
    return capacity_ == 0 || busy_ < (spec_.shifts.empty() ? capacity_ : servers(now));
  }
  /// Takes the server, and says what it takes longer.
  sim::Time start_server(sim::Time now);
  /// From when on a token is in the bucket.
  sim::Time next_token() const { return full_ - saved_; }

  const ServiceSpec& spec_;
  const sim::Time interval_;  ///< between two beginnings, in the long run
  const sim::Time saved_;     ///< as many of those as a full bucket allows beyond one
  std::int64_t capacity_;
  std::int64_t busy_ = 0;
  std::deque<Job> waiting_;
  std::vector<Begun> begun_{1};
  std::vector<sim::Time> rested_since_;  ///< of free servers that have served, in order of these dates
  sim::Time full_;                       ///< when the bucket is full again
};

}  // namespace tokenyard::agents

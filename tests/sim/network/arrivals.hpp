#pragma once
/// What the tests of both networks share: who notes the arrivals, who sends at given dates, and a source of made-up
/// work.

#include <cstdint>
#include <vector>

#include "sim/network/network.hpp"
#include "sim/random/scatter.hpp"

namespace tokenyard::sim {

/// Notes when transfers arrive: `dates[argument]`.
struct Arrivals final : EventHandler {
  explicit Arrivals(std::size_t count) : dates(count, Time::never()) {}

  void on_event(Time now, std::uint64_t argument) override {
    if (dates[argument] != Time::never()) twice = true;
    dates[argument] = now;
  }
  void send(Network& network, HostId from, HostId to, double bytes, std::uint64_t argument) {
    network.transfer({from, to, bytes, this, argument, &entity});
  }

  std::vector<Time> dates;  ///< never: not yet
  bool twice = false;
  Entity entity{1};
};

/// Sends at a date.
struct Sender final : EventHandler {
  Sender(Simulation& simulation, Network& net, Arrivals& to_note)
      : network(net), arrivals(to_note), clock(simulation) {}

  void at(Time date, HostId from, HostId to, double bytes) {
    plan.push_back({from, to, bytes});
    clock.schedule(date, Priority::kArrival, entity, *this, plan.size() - 1);
  }
  void on_event(Time, std::uint64_t argument) override {
    arrivals.send(network, plan[argument].from, plan[argument].to, plan[argument].bytes, argument);
  }

  struct Planned {
    HostId from, to;
    double bytes;
  };
  Network& network;
  Arrivals& arrivals;
  Simulation& clock;
  std::vector<Planned> plan;
  Entity entity{2};
};

/// SplitMix64 (Steele et al. 2014): enough to make up a workload.
struct SmallRandom {
  std::uint64_t state;
  std::uint64_t next() { return scatter(state += 0x9e3779b97f4a7c15); }
  std::uint64_t below(std::uint64_t limit) { return next() % limit; }
};

}  // namespace tokenyard::sim

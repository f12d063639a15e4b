#pragma once
/// Transfers of bytes between hosts that share links.
///
/// Two implementations give the same dates for one flow and for N equal flows through one link, to the nanosecond:
/// - `AnalyticNetwork` (analytic_network.hpp): max-min fair sharing by progressive filling, no globals; for sweeps in
///   threads and as a test oracle.
/// - `SimgridNetwork` (simgrid/simgrid_network.hpp): SimGrid 3.32; one per process.
///
/// A transfer waits for the latency of its route, then flows at its max-min fair share of each link; its delivery is
/// published at the first whole nanosecond not before its end. Transfers between one host and itself, and of no bytes,
/// take the latency alone and are no flow. Bytes are whole: a fraction is rounded up. Transfers of one source, target
/// and date are merged into one flow, and all of them are delivered at its end. Flows begin after everything else that
/// happens on their date, so that what begins together is solved once.

#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "sim/core/simulation.hpp"
#include "sim/network/topology.hpp"

namespace tokenyard::sim {

struct Transfer {
  HostId from = 0;
  HostId to = 0;
  double bytes = 0;                      ///< at most 1e18
  EventHandler* on_delivered = nullptr;  ///< called with priority kDelivery
  std::uint64_t argument = 0;
  Entity* entity = nullptr;  ///< whose event the delivery is
};

struct LinkUse {
  std::string link;
  double bytes = 0;
};

class Network {
 public:
  virtual ~Network() = default;

  /// Starts now.
  virtual void transfer(const Transfer& transfer) = 0;
  /// Runs the simulation to its end, keeping the network's clock and the simulation's in step.
  virtual void run(Simulation& simulation) = 0;
  /// Up to which transfers have exact dates; a later one throws InputError out of `run`.
  virtual Time last_date() const { return Time::never(); }

  /// Flows in flight up to which each costs a few microseconds; beyond, each costs the more the more there are.
  virtual std::size_t cheap_flows() const { return std::numeric_limits<std::size_t>::max(); }

  /// Of the flows begun so far.
  double bytes_moved() const { return bytes_; }
  std::uint64_t flows() const { return flows_; }
  std::size_t flows_in_flight() const { return in_flight_; }
  std::size_t peak_in_flight() const { return peak_; }
  /// Bytes over each link, greatest first (ties by link order), links without traffic left out.
  std::vector<LinkUse> busiest_links(std::size_t count) const;

 protected:
  explicit Network(const Topology& topology) : topology_(topology), link_bytes_(topology.links().size()) {}
  void count_flow(const Topology::Route& route, double bytes);

  const Topology& topology_;
  double bytes_ = 0;
  std::uint64_t flows_ = 0;
  std::size_t in_flight_ = 0;
  std::size_t peak_ = 0;
  std::vector<double> link_bytes_;
};

/// Makes the network of a simulation, both of which outlive it. Null: the analytic one is meant.
using MakeNetwork = std::function<std::unique_ptr<Network>(const Topology&, Simulation&)>;

}  // namespace tokenyard::sim

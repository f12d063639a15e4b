#include "sim/network/simgrid/simgrid_network.hpp"

#include <cmath>
#include <exception>
#include <fmt/format.h>
#include <limits>

#include "sim/core/error.hpp"
#include "sim/core/slab.hpp"
#include "sim/input/faults.hpp"
#include "sim/network/simgrid/compat.hpp"

namespace tokenyard::sim {
namespace {

InputError too_late(const char* what, double date_s) {
  return InputError(
      {"", "network", fmt::format("a transfer that {} at {} s", what, date_s),
       fmt::format("dates up to {:.0f} s, to which SimGrid's clock resolves a nanosecond, or the analytic "
                   "network",
                   SimgridNetwork::kLastDate.seconds())});
}

/// SimGrid's dates, in nanoseconds, carry the rounding errors of a double in seconds.
double slack_ns(double clock_s) {
  const double ulp = std::nextafter(clock_s, std::numeric_limits<double>::infinity()) - clock_s;
  return std::min(0.5, std::max(1e-3, 2e9 * ulp));
}

/// The first whole nanosecond not before SimGrid's date.
Time published(double clock_s) {
  const double ns = clock_s * 1e9;
  return ns < 9e18 ? Time::nanoseconds(static_cast<std::int64_t>(std::ceil(ns - slack_ns(clock_s)))) : Time::never();
}

/// The last whole nanosecond not after it.
Time passed(double clock_s) {
  return Time::nanoseconds(static_cast<std::int64_t>(std::floor(clock_s * 1e9 + slack_ns(clock_s))));
}

/// A SimGrid zone that has no routes of its own: both networks take those of the topology.
class TopologyZone final : public simgrid::kernel::routing::NetZoneImpl {
 public:
  explicit TopologyZone(const Topology& topology) : NetZoneImpl("tokenyard"), topology_(topology) {}

  /// Hosts and links in the topology's order. Its names need not be unique, SimGrid's must.
  void build(std::vector<compat::s4u::Host*>& hosts) {
    compat::s4u::NetZone& zone = *get_iface();
    for (std::size_t i = 0; i < topology_.hosts(); ++i) hosts.push_back(compat::add_host(zone, fmt::format("h{}", i)));
    for (std::size_t i = 0; i < topology_.links().size(); ++i) {
      links_.push_back(compat::add_link(zone, fmt::format("l{}", i), topology_.links()[i].bytes_per_s));
    }
    zone.seal();
  }

 private:
  void get_local_route(const simgrid::kernel::routing::NetPoint* from, const simgrid::kernel::routing::NetPoint* to,
                       simgrid::kernel::routing::Route* into, double*) override {
    topology_.route(static_cast<HostId>(from->id()), static_cast<HostId>(to->id()), route_);
    for (const LinkId link : route_.links) into->link_list_.push_back(links_[link]);
  }

  const Topology& topology_;
  Topology::Route route_;
  std::vector<simgrid::kernel::resource::StandardLinkImpl*> links_;
};

}  // namespace

/// Keeps the two clocks in step. Everything here runs in SimGrid's maestro: `wake` from the armed timer, `on_end` from
/// the handling of an ended flow.
class SimgridNetwork::Driver {
 public:
  Driver(SimgridNetwork& network, Pace pace);
  ~Driver() { current_ = nullptr; }

  void run();
  void keep(Time date, std::vector<Flow>& flows);

 private:
  struct Running {
    Flow flow;
    compat::s4u::CommPtr comm;
    std::uint32_t slot = 0;
    bool busy = false;
  };

  void wake();
  void advance();
  void begin_kept();
  void on_end(Running& running);
  /// Ends every flow, so that SimGrid has nothing left to simulate.
  void wind_down();
  void arm(double clock_s);
  bool due(Time date) const { return date <= reached_; }
  Time horizon() const;

  static inline Driver* current_ = nullptr;
  static inline bool spent_ = false;

  SimgridNetwork& network_;
  const Pace pace_;
  compat::s4u::Engine* engine_ = nullptr;
  std::vector<compat::s4u::Host*> hosts_;
  Slab<Running> running_;   ///< never moves: SimGrid's activities point here
  std::vector<Flow> kept_;  ///< begin at kept_date_
  Time kept_date_;
  Time reached_;  ///< by SimGrid's clock
  compat::Timer* armed_ = nullptr;
  std::exception_ptr failure_;
  bool ended_ = false;
};

SimgridNetwork::Driver::Driver(SimgridNetwork& network, Pace pace) : network_(network), pace_(pace) {
  if (spent_) throw InternalError("SimGrid's engine is one per process, and this process has had it");
  spent_ = true;
  engine_ = compat::make_engine();
  auto* zone = new TopologyZone(network_.topology_);  // the engine's
  zone->build(hosts_);
  current_ = this;
  compat::on_transfer_end([](const compat::s4u::Activity& activity) {
    auto* running = static_cast<Running*>(activity.get_data<void>());
    if (current_ != nullptr && running != nullptr && running->busy) current_->on_end(*running);
  });
}

void SimgridNetwork::Driver::run() {
  if (ended_) throw InternalError("a SimGrid network runs once");
  const Time first = network_.simulation_.next_date();
  if (first != Time::never()) {
    arm(0);
    const compat::KeepSignals keep;
    engine_->run();
  }
  ended_ = true;
  if (failure_) std::rethrow_exception(failure_);
}

void SimgridNetwork::Driver::keep(Time date, std::vector<Flow>& flows) {
  if (date > kLastDate) {
    throw too_late("begins", date.seconds());
  }
  kept_date_ = date;
  std::move(flows.begin(), flows.end(), std::back_inserter(kept_));
}

void SimgridNetwork::Driver::wake() {
  reached_ = std::max(reached_, passed(compat::s4u::Engine::get_clock()));
  try {
    if (!failure_) advance();
  } catch (...) {
    failure_ = std::current_exception();
  }
  if (failure_ || network_.simulation_.stopped()) wind_down();
}

void SimgridNetwork::Driver::advance() {
  Simulation& simulation = network_.simulation_;
  for (;;) {
    if (!kept_.empty() && due(kept_date_)) begin_kept();
    const Time limit = horizon();
    Time next = simulation.next_date();
    while (next < limit && (kept_.empty() || next <= kept_date_) && (pace_ == Pace::kRunAhead || due(next))) {
      simulation.step();
      next = simulation.next_date();
    }
    if (simulation.stopped()) return;
    if (!kept_.empty()) {
      if (due(kept_date_)) continue;
      return arm(kept_date_.seconds());
    }
    // In lock-step the clock goes to the next own event, unless a flow may end first: then `on_end` calls.
    if (pace_ == Pace::kLockStep && next < limit) arm(next.seconds());
    return;
  }
}

void SimgridNetwork::Driver::begin_kept() {
  for (Flow& flow : kept_) {
    const std::uint32_t slot = running_.take();
    Running& running = running_[slot];
    running.flow = std::move(flow);
    running.slot = slot;
    running.busy = true;
    // It begins when both ends and the bytes are known.
    running.comm = compat::s4u::Comm::sendto_init();
    running.comm->set_data(&running);
    running.comm->set_payload_size(static_cast<std::uint64_t>(running.flow.bytes));
    running.comm->set_source(hosts_[running.flow.from]);
    running.comm->set_destination(hosts_[running.flow.to]);
  }
  kept_.clear();
}

void SimgridNetwork::Driver::on_end(Running& running) {
  const double clock_s = compat::s4u::Engine::get_clock();
  running.busy = false;
  running_.give_back(running.slot);
  if (!ended_ && !failure_) {
    const Time date = published(clock_s);
    if (date > kLastDate) {
      failure_ = std::make_exception_ptr(too_late("ends", clock_s));
    } else {
      network_.deliver(running.flow, std::max(date, network_.simulation_.now()));
    }
    arm(clock_s);  // once all that end now are handled
  }
}

void SimgridNetwork::Driver::wind_down() {
  ended_ = true;
  kept_.clear();
  for (std::uint32_t slot = 0; slot < running_.size(); ++slot) {
    Running& running = running_[slot];
    if (!running.busy) continue;
    running.busy = false;
    running.comm->cancel();
  }
}

void SimgridNetwork::Driver::arm(double clock_s) {
  if (armed_ != nullptr) {
    if (armed_->get_date() <= clock_s) return;
    armed_->remove();
  }
  armed_ = compat::Timer::set(clock_s, [this] {
    armed_ = nullptr;
    wake();
  });
}

Time SimgridNetwork::Driver::horizon() const {
  if (running_.in_use() == 0) return Time::never();
  const double delay_s = compat::until_next_occurrence(*engine_);
  return delay_s < 0 ? Time::never() : published(compat::s4u::Engine::get_clock() + delay_s);
}

SimgridNetwork::SimgridNetwork(const Topology& topology, Simulation& simulation, Pace pace)
    : FlowNetwork(topology, simulation), driver_(std::make_unique<Driver>(*this, pace)) {}

SimgridNetwork::~SimgridNetwork() = default;

void SimgridNetwork::run(Simulation& simulation) {
  if (&simulation != &simulation_) throw InternalError("a SimGrid network runs the simulation it was made for");
  driver_->run();
}

void SimgridNetwork::start(Time now, std::vector<Flow>& flows) { driver_->keep(now, flows); }

}  // namespace tokenyard::sim

#include "sim/network/simgrid/simgrid_network.hpp"

#include <functional>
#include <sys/wait.h>
#include <unistd.h>

#include "sim/input/faults.hpp"
#include "sim/network/analytic_network.hpp"
#include "tests/sim/network/arrivals.hpp"
#include "tests/support/catch.hpp"

using namespace tokenyard::sim;

namespace {

struct Planned {
  Time date;
  HostId from, to;
  double bytes;
};

enum class Kind { kAnalytic, kRunAhead, kLockStep };

std::vector<std::int64_t> play(const Topology& topology, const std::vector<Planned>& plan, Kind kind) {
  Simulation simulation;
  std::unique_ptr<Network> network;
  if (kind == Kind::kAnalytic) {
    network = std::make_unique<AnalyticNetwork>(topology, simulation);
  } else {
    network = std::make_unique<SimgridNetwork>(
        topology, simulation,
        kind == Kind::kRunAhead ? SimgridNetwork::Pace::kRunAhead : SimgridNetwork::Pace::kLockStep);
  }
  Arrivals arrivals(plan.size());
  Sender sender(simulation, *network, arrivals);
  for (const Planned& p : plan) sender.at(p.date, p.from, p.to, p.bytes);
  network->run(simulation);
  std::vector<std::int64_t> dates;
  for (const Time date : arrivals.dates) dates.push_back(date.ns());
  return dates;
}

/// SimGrid's engine is one per process: each simulation gets a process of its own.
std::vector<std::int64_t> in_child(const std::function<std::vector<std::int64_t>()>& work) {
  int ends[2];
  REQUIRE(pipe(ends) == 0);
  const pid_t child = fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    const std::vector<std::int64_t> dates = work();
    std::size_t left = dates.size() * sizeof(std::int64_t);
    const char* at = reinterpret_cast<const char*>(dates.data());
    while (left > 0) {
      const ssize_t written = write(ends[1], at, left);
      if (written <= 0) _exit(1);
      at += written;
      left -= static_cast<std::size_t>(written);
    }
    _exit(0);
  }
  close(ends[1]);
  std::vector<std::int64_t> dates;
  std::int64_t date = 0;
  std::size_t have = 0;
  for (ssize_t got = 0; (got = read(ends[0], reinterpret_cast<char*>(&date) + have, sizeof date - have)) > 0;) {
    have += static_cast<std::size_t>(got);
    if (have == sizeof date) dates.push_back(date), have = 0;
  }
  close(ends[0]);
  int status = 0;
  REQUIRE(waitpid(child, &status, 0) == child);
  REQUIRE(status == 0);
  return dates;
}

std::vector<std::int64_t> play_simgrid(const Topology& topology, const std::vector<Planned>& plan, Kind kind) {
  return in_child([&] { return play(topology, plan, kind); });
}

Topology star(std::uint32_t hosts, double bytes_per_s) {
  Topology topology;
  const ZoneId zone = topology.add_star("star");
  for (std::uint32_t i = 0; i < hosts; ++i) {
    topology.add_host("h" + std::to_string(i), zone, {{bytes_per_s, Time::microseconds(2)}, {}});
  }
  return topology;
}

std::vector<Planned> random_plan(std::uint64_t seed, std::size_t count, std::uint32_t hosts) {
  SmallRandom random{seed};
  std::vector<Planned> plan;
  std::int64_t date = 0;
  for (std::size_t i = 0; i < count; ++i) {
    date += static_cast<std::int64_t>(random.below(2'000'000));
    const auto from = static_cast<HostId>(random.below(hosts));
    const auto to = static_cast<HostId>(random.below(hosts));
    plan.push_back({Time::nanoseconds(date), from, to, static_cast<double>(random.below(400'000'000))});
  }
  return plan;
}

}  // namespace

TEST_CASE("SimGrid and the analytic network agree to the nanosecond for one flow") {
  const Topology topology = star(2, 50e9);
  const std::vector<Planned> plan = {{Time::milliseconds(3), 0, 1, 1e9}};
  const auto dates = play_simgrid(topology, plan, Kind::kRunAhead);
  CHECK(dates == std::vector<std::int64_t>{3'000'000 + 4'000 + 20'000'000});  // latency of two hops, 1 GB at 50 GB/s
  CHECK(dates == play(topology, plan, Kind::kAnalytic));
}

TEST_CASE("SimGrid and the analytic network agree to the nanosecond for N equal flows through one link") {
  for (const std::uint32_t flows : {2u, 3u, 7u, 64u}) {
    const Topology topology = star(flows + 1, 50e9);
    std::vector<Planned> plan;
    for (std::uint32_t i = 0; i < flows; ++i) plan.push_back({Time(), i + 1, 0, 1e9});
    const auto dates = play_simgrid(topology, plan, Kind::kRunAhead);
    CHECK(dates == play(topology, plan, Kind::kAnalytic));
    CHECK(dates.back() == 4'000 + 20'000'000 * std::int64_t{flows});
  }
}

TEST_CASE("Running ahead of SimGrid equals lock-step") {
  const Topology topology = star(12, 50e9);
  for (const std::uint64_t seed : {1u, 2u, 3u}) {
    const std::vector<Planned> plan = random_plan(seed, 3000, 12);
    const auto ahead = play_simgrid(topology, plan, Kind::kRunAhead);
    REQUIRE(ahead.size() == plan.size());
    CHECK(ahead == play_simgrid(topology, plan, Kind::kLockStep));
  }
}

TEST_CASE("On random traffic SimGrid and the analytic network differ by rounding alone") {
  const Topology topology = star(12, 50e9);
  const std::vector<Planned> plan = random_plan(7, 3000, 12);
  const auto simgrid = play_simgrid(topology, plan, Kind::kRunAhead);
  const auto analytic = play(topology, plan, Kind::kAnalytic);
  REQUIRE(simgrid.size() == analytic.size());
  std::int64_t worst = 0;
  for (std::size_t i = 0; i < plan.size(); ++i) worst = std::max(worst, std::abs(simgrid[i] - analytic[i]));
  CHECK(worst <= 5);
}

TEST_CASE("A torus and a fabric of nodes route alike in both networks") {
  Topology topology;
  const ZoneId root = topology.add_star("fabric");
  const ZoneId pod =
      topology.add_torus("pod", {4, 4, 2}, {100e9, Time::microseconds(1)}, root, {{25e9, Time::microseconds(5)}, {}});
  for (int i = 0; i < 32; ++i) topology.add_host("c" + std::to_string(i), pod, {});
  topology.add_host("far", root, {{25e9, Time::microseconds(5)}, {}});
  const std::vector<Planned> plan = random_plan(11, 400, 33);
  const auto simgrid = play_simgrid(topology, plan, Kind::kRunAhead);
  const auto analytic = play(topology, plan, Kind::kAnalytic);
  REQUIRE(simgrid.size() == analytic.size());
  for (std::size_t i = 0; i < plan.size(); ++i) CHECK(std::abs(simgrid[i] - analytic[i]) <= 5);
}

TEST_CASE("A run too long for SimGrid's clock is refused with a message") {
  const Topology topology = star(2, 50e9);
  const auto refused = in_child([&]() -> std::vector<std::int64_t> {
    try {
      play(topology, {{SimgridNetwork::kLastDate + Time::seconds(1), 0, 1, 1e9}}, Kind::kRunAhead);
    } catch (const InputError& error) {
      return {error.faults().front().allowed.find("analytic") != std::string::npos};
    }
    return {0};
  });
  CHECK(refused == std::vector<std::int64_t>{1});
}

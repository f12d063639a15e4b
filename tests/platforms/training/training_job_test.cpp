#include "platforms/training/training_job.hpp"

#include <optional>

#include "sim/network/analytic_network.hpp"
#include "tests/support/catch.hpp"

namespace tokenyard::platforms {
namespace {

using sim::Time;

constexpr double kRate = 1e9;

/// A switch with as many hosts of a GB/s each way.
struct Stand {
  explicit Stand(int count) {
    const sim::ZoneId fabric = topology.add_star("fabric");
    for (int i = 0; i < count; ++i)
      hosts.push_back(topology.add_host("h" + std::to_string(i), fabric, {.inner = {kRate, Time()}, .outer = {}}));
    network.emplace(topology, simulation);
  }
  TrainingJob::Done train(double compute_s, double bytes, double overlap, double until_s) {
    TrainingJob job(simulation, *network,
                    {.name = "job",
                     .hosts = hosts,
                     .step_compute_s = compute_s,
                     .gradient_bytes = bytes,
                     .overlap = overlap,
                     .tokens_per_step = 1000,
                     .until = Time::seconds(until_s)},
                    0);
    job.start();
    network->run(simulation);
    return job.done();
  }
  sim::Topology topology;
  sim::Simulation simulation;
  std::vector<sim::HostId> hosts;
  std::optional<sim::AnalyticNetwork> network;
};

}  // namespace

TEST_CASE("Training: a step is its compute, then the ring's traffic") {
  // Four workers send 2 · 3/4 of 2 GB each, at a GB/s: 3 s after 5 s of compute; the steps that begin before 20 s end.
  const TrainingJob::Done done = Stand(4).train(5, 2e9, 0, 20);
  CHECK(done.steps == 3);
  CHECK(done.time.seconds() == Catch::Detail::Approx(24));
  CHECK(done.exposed.seconds() == Catch::Detail::Approx(9));
  CHECK(done.bytes == Catch::Detail::Approx(3 * 4 * 3e9));
}

TEST_CASE("Training: overlap hides the gradients as far as the compute lasts") {
  CHECK(Stand(4).train(5, 2e9, 0.4, 1).time.seconds() == Catch::Detail::Approx(6));
  const TrainingJob::Done hidden = Stand(4).train(5, 2e9, 1, 1);
  CHECK(hidden.time.seconds() == Catch::Detail::Approx(5));
  CHECK(hidden.exposed == Time());
}

TEST_CASE("Training: one worker has nothing to reduce") {
  const TrainingJob::Done done = Stand(1).train(5, 2e9, 0, 9);
  CHECK(done.steps == 2);
  CHECK(done.time.seconds() == Catch::Detail::Approx(10));
  CHECK(done.bytes == 0);
}

TEST_CASE("Training: other traffic on its links slows it down") {
  Stand stand(4);
  sim::Entity entity{7};
  struct Ignore final : sim::EventHandler {
    void on_event(Time, std::uint64_t) override {}
  } ignore;
  // 30 GB from the first host to the second take half of the link that the ring's flow needs.
  stand.network->transfer(
      {.from = stand.hosts[0], .to = stand.hosts[1], .bytes = 30e9, .on_delivered = &ignore, .entity = &entity});
  CHECK(stand.train(5, 2e9, 0, 1).time.seconds() == Catch::Detail::Approx(5 + 6));
}

}  // namespace tokenyard::platforms

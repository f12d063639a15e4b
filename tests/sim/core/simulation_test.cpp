#include "sim/core/simulation.hpp"

#include "sim/input/faults.hpp"
#include "tests/support/catch.hpp"

using namespace tokenyard::sim;

namespace {

/// Begins again as it ends, after `pause`.
struct Restless final : EventHandler {
  void on_event(Time now, std::uint64_t) override {
    if (++events < most) simulation.schedule(now + pause, Priority::kWake, entity, *this);
  }
  Simulation simulation;
  Entity entity;
  Time pause;
  std::uint64_t events = 0, most = 20'000'000;
};

}  // namespace

TEST_CASE("Time that stands still is told, not waited for") {
  Restless still;
  still.simulation.schedule(Time::seconds(2.5), Priority::kWake, still.entity, still);
  try {
    still.simulation.run();
    FAIL("it ended");
  } catch (const Infeasible& why) {
    CHECK(std::string(why.what()).starts_with("Time stands still at 2.5 s"));
  }
}

TEST_CASE("As many events are no standstill where time passes") {
  Restless slow;
  slow.pause = Time::nanoseconds(1);
  slow.simulation.schedule(Time(), Priority::kWake, slow.entity, slow);
  slow.simulation.run();
  CHECK(slow.events == slow.most);
}

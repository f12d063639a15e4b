#include "platforms/serving/media_queue.hpp"

#include "platforms/serving/fleet.hpp"
#include "platforms/spec/catalog.hpp"
#include "sim/network/analytic_network.hpp"
#include "sim/random/distribution.hpp"
#include "tests/platforms/spec/built_in_catalog.hpp"
#include "tests/support/catch.hpp"

using namespace tokenyard;
using namespace tokenyard::platforms;
using sim::Time;

namespace {

/// A fleet of one media pool, and calls that arrive on their dates.
class MediaStand final : private sim::EventHandler, private CallListener {
 public:
  explicit MediaStand(std::size_t replicas) : network(topology(), simulation) {
    const Catalog& catalog = built_in_catalog();
    PoolOptions pool;
    pool.name = "pictures";
    pool.media = std::make_shared<const MediaCost>(
        MediaSpec{catalog.find_chip("h100-sxm"), catalog.find_media_model("flux.1-dev"), Precision::kBf16, 1});
    pool.hosts.resize(replicas);
    step_s = sim::FineTime(sim::Int128{pool.media->step({1024, 1024, 1}).ticks}).seconds();
    step_flop = pool.media->step({1024, 1024, 1}).flop;
    fleet = std::make_unique<Fleet>(simulation, network, std::vector{pool});
  }

  void arrive(Time at, std::int64_t steps) {
    orders.push_back(steps);
    simulation.schedule(at, sim::Priority::kArrival, entity_, *this, orders.size() - 1);
  }

  static sim::Topology topology() {
    sim::Topology empty;
    return empty;
  }

  sim::Simulation simulation;
  sim::AnalyticNetwork network;
  std::unique_ptr<Fleet> fleet;
  std::vector<std::int64_t> orders;
  std::vector<CallRecord> ended;
  double step_s = 0;
  std::int64_t step_flop = 0;

 private:
  void on_event(Time, std::uint64_t order) override {
    CallRequest request;
    request.output_tokens = 0;
    request.media = {1024, 1024, 1, orders[order]};
    request.listener = this;
    fleet->submit(request);
  }
  void on_call_end(const CallRecord& record, std::uint64_t) override { ended.push_back(record); }
  sim::Entity entity_;
};

}  // namespace

TEST_CASE("Media pool: first come, first served, each call alone on a replica") {
  MediaStand stand(2);
  for (int i = 0; i < 3; ++i) stand.arrive(Time::seconds(1), 10 * (i + 1));
  stand.simulation.run();
  REQUIRE(stand.ended.size() == 3);
  const auto lasts = [&](std::size_t i) { return (stand.ended[i].finish - stand.ended[i].scheduled).seconds(); };
  CHECK(lasts(0) == Approx(10 * stand.step_s));
  CHECK(lasts(1) == Approx(20 * stand.step_s));
  CHECK(stand.ended[2].scheduled == stand.ended[0].finish);  // the third waited for the first replica to be free
  CHECK(stand.ended[2].replica == stand.ended[0].replica);
  for (const CallRecord& r : stand.ended) {
    CHECK(r.status == CallStatus::kCompleted);
    CHECK(r.prompt_tokens + r.output_tokens == 0);
    CHECK(r.first_token == CallRecord::kNoTime);
    CHECK(r.causes[Cause::kQueue] == r.scheduled - r.arrival);
    CHECK(r.causes[Cause::kMedia] == r.finish - r.scheduled);
  }
  const ServingTotals& totals = stand.fleet->tally_of(0).totals;
  CHECK(totals.all_steps().steps == 60);
  CHECK(totals.all_steps().flop == sim::Int128{60} * stand.step_flop);
  CHECK(sim::FineTime(totals.all_steps().busy_ticks).seconds() == Approx(60 * stand.step_s));
}

TEST_CASE("Media pool: waiting is that of M/D/1") {
  MediaStand stand(1);
  const double service = 50 * stand.step_s, load = 0.7;
  sim::Stream gaps(1, sim::StreamName("media-arrivals"), 0);
  double at = 0;
  for (int i = 0; i < 40'000; ++i) {
    at += -std::log(1 - gaps.uniform()) * service / load;
    stand.arrive(Time::seconds(at), 50);
  }
  stand.simulation.run();
  double waited = 0;
  for (const CallRecord& r : stand.ended) waited += (r.scheduled - r.arrival).seconds();
  CHECK(waited / 40'000 == Approx(load / (2 * (1 - load)) * service).epsilon(0.05));
}

TEST_CASE("Media pool: the end of a run finds calls waiting and half made") {
  MediaStand stand(1);
  for (int i = 0; i < 2; ++i) stand.arrive(Time::seconds(0), 100);
  struct Stop final : sim::EventHandler {
    explicit Stop(sim::Simulation& s) : simulation(s) {}
    void on_event(Time, std::uint64_t) override { simulation.stop(); }
    sim::Simulation& simulation;
  } stop(stand.simulation);
  sim::Entity entity;
  const Time half = Time::seconds(50 * stand.step_s);
  stand.simulation.schedule(half, sim::Priority::kStop, entity, stop);
  stand.simulation.run();
  const MediaQueue& pool = *stand.fleet->media(0);
  CHECK(pool.running() == 1);
  CHECK(pool.waiting() == 1);
  const ServingTotals share = pool.share_in_progress();
  CHECK(sim::FineTime(share.all_steps().busy_ticks).seconds() == Approx(half.seconds()));
  CHECK(static_cast<double>(share.all_steps().flop) == Approx(50.0 * static_cast<double>(stand.step_flop)));
  stand.fleet->finish_unfinished();
  REQUIRE(stand.ended.size() == 2);
  for (const CallRecord& r : stand.ended) {
    CHECK(r.status == CallStatus::kUnfinished);
    CHECK(r.causes.sum() == half);
  }
  CHECK(stand.ended[0].causes[Cause::kMedia] == half);
  CHECK(stand.ended[1].causes[Cause::kQueue] == half);
}

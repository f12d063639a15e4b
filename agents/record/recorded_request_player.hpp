#pragma once
/// Plays recorded requests as tasks of one call each.
///
/// The next request is pulled when the one before arrives, so a trace of any length needs the memory of what is in
/// flight. Prompts live in a slab until their call ends.
///
///   RecordedRequestPlayer player(simulation, front_door, source, 0);
///   player.start();   // then simulation.run()

#include <functional>

#include "agents/record/request_source.hpp"
#include "agents/work/workload.hpp"
#include "platforms/serving/front_door.hpp"
#include "sim/core/simulation.hpp"
#include "sim/core/slab.hpp"

namespace tokenyard::agents {

class RecordedRequestPlayer final : public Workload, private sim::EventHandler, private platforms::CallListener {
 public:
  RecordedRequestPlayer(sim::Simulation& simulation, platforms::FrontDoor& door, RequestSource& source,
                        std::uint32_t pool);

  void start() override { pull(); }
  bool arrivals_over() const override { return exhausted_; }
  std::uint64_t tasks_in_flight() const override { return in_flight_; }
  void finish_unfinished() override {}  // the fleet has ended every call, and with it its task
  void set_on_last(const std::function<void()>& on_last) override { on_last_ = on_last; }
  std::vector<std::string> left_out() const override { return in_words(source_.left_out()); }

 private:
  void on_event(sim::Time now, std::uint64_t argument) override;
  void on_call_end(const platforms::CallRecord& record, std::uint64_t cookie) override;
  void pull();

  sim::Simulation& simulation_;
  platforms::FrontDoor& door_;
  RequestSource& source_;
  std::uint32_t pool_;
  sim::Slab<RecordedRequest> requests_;
  std::uint32_t next_ = 0;
  sim::Entity entity_;
  std::uint64_t tasks_ = 0;
  std::uint64_t in_flight_ = 0;
  bool exhausted_ = false;
  std::function<void()> on_last_;
};

}  // namespace tokenyard::agents

#include "analysis/run/measurement.hpp"

#include <algorithm>

namespace tokenyard::analysis {

using sim::Time;

namespace {

/// Of each agent.
std::vector<SloLimits> limits_of(const Slo& slo, const std::vector<std::string>& agents) {
  sim::Faults faults;
  slo.check_agents(agents, "", faults);
  faults.throw_if_any();
  std::vector<SloLimits> limits;
  for (const std::string& agent : agents) limits.push_back(slo.of(agent));
  return limits;
}

}  // namespace

Measurement::Measurement(sim::Simulation& simulation, platforms::Fleet& fleet, agents::Workload& workload,
                         const Scenario& scenario, std::vector<std::string> agents)
    : simulation_(simulation),
      fleet_(fleet),
      workload_(workload),
      scenario_(scenario),
      agents_(std::move(agents)),
      warmup_(Time::seconds(scenario.run.warmup_s)),
      metrics_(limits_of(scenario.slo, agents_), warmup_),
      sampler_(simulation, fleet, scenario, [&workload] { return workload.over(); }),
      begin_(fleet),
      end_(fleet),
      last_(fleet) {
  fleet.add_observer(metrics_);
  workload.add_observer(metrics_);
  begin_.take(Time());
  if (warmup_ > Time()) simulation.schedule(warmup_, sim::Priority::kObserve, opening_, *this, kOpen);
}

void Measurement::end_arrivals(Time date) {
  simulation_.schedule(scenario_.run.drain ? std::max(date, warmup_) : date, sim::Priority::kStop, closing_, *this,
                       kClose);
}

void Measurement::end_with_last_arrival() {
  fleet_.add_observer(*this);
  workload_.add_observer(*this);
  workload_.set_on_last([this] {
    last_arrival_ = simulation_.now();
    if (!scenario_.run.drain || (first_call_ && *first_call_ < *last_arrival_)) end_arrivals(*last_arrival_);
  });
}

/// The run itself goes on to the next sample, which is no time of the work's. Where the warm-up is not over, there is
/// nothing to close.
void Measurement::on_task(const agents::TaskRecord&) {
  const Time now = simulation_.now();
  if (end_.taken() || !all_at_once() || !scenario_.run.drain || now < warmup_ || workload_.tasks_in_flight() > 1)
    return;
  simulation_.schedule(now, sim::Priority::kStop, closing_, *this, kCloseIfOver);
}

void Measurement::on_submit(const platforms::CallRequest&, const platforms::CallRecord& record) {
  if (!first_call_) first_call_ = record.arrival;
}

void Measurement::on_event(Time now, std::uint64_t edge) {
  if (edge == kOpen) {
    begin_.take(now);
    fleet_.forget_itl();
    sampler_.begin_window();
  } else if (edge == kClose || workload_.over()) {
    close(now);
    if (!scenario_.run.drain) simulation_.stop();
  }
}

void Measurement::close(Time now) {
  if (end_.taken()) return;
  end_.take(now);
  metrics_.close_window(now);
  sampler_.end_window();
}

void Measurement::finish() {
  const Time now = simulation_.now();
  close(now);
  if (now < warmup_) begin_.take(now);  // it never opened
  fleet_.finish_unfinished();
  workload_.finish_unfinished();
  last_.take(now);
}

}  // namespace tokenyard::analysis

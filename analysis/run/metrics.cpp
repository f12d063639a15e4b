#include "analysis/run/metrics.hpp"

#include <fmt/format.h>

#include "sim/core/error.hpp"

namespace tokenyard::analysis {

using platforms::CallRecord;
using platforms::CallStatus;
using sim::FineTime;
using sim::Time;

void Metrics::on_call(const CallRecord& r) {
  ++calls[r.status];
  prompt_tokens += r.prompt_tokens;
  cached_tokens += r.cached_tokens;
  const bool completed = r.status == CallStatus::kCompleted;
  output_tokens += r.output_tokens;

  if (r.media_steps > 0) {  // no tokens: the limits and latencies of calls are not its own, but for its queue
    media_steps += completed ? r.media_steps : 0;
    ++media_calls;
    if (in_window(r.arrival) && r.scheduled != CallRecord::kNoTime) queue.add(r.scheduled - r.arrival);
    if (completed && in_window(r.finish)) {
      ++completed_calls;
      ++completed_good_calls;  // no limit that it could miss
    }
    return;
  }
  const bool arrived = in_window(r.arrival);
  bool good = completed;
  Agent& agent = agents[r.agent];
  if (arrived) {
    ++arrived_calls;
    ++agent.arrived_calls;
    if (r.scheduled != CallRecord::kNoTime) queue.add(r.scheduled - r.arrival);
    if (r.first_token != CallRecord::kNoTime) agent.ttft.add(r.first_token - r.arrival);
  }
  if (!completed) return;
  const SloLimits& limits = limits_[r.agent];
  const Time e2e_time = r.finish - r.arrival;
  if (arrived) agent.e2e.add(e2e_time);
  good = good && (!limits.ttft_s || (r.first_token - r.arrival).seconds() <= *limits.ttft_s);
  good = good && (!limits.e2e_s || e2e_time.seconds() <= *limits.e2e_s);
  if (r.output_tokens > 1) {
    const FineTime per_token(FineTime(r.finish - r.first_token).ticks() / (r.output_tokens - 1));
    if (arrived) agent.tpot.add(per_token);
    good = good && (!limits.tpot_s || per_token.seconds() <= *limits.tpot_s);
  }
  if (arrived && good) {
    ++good_calls;
    ++agent.good_calls;
  }
  if (in_window(r.finish)) {
    ++completed_calls;
    completed_good_calls += good ? 1 : 0;
    completed_prompt_tokens += r.prompt_tokens;
  }
}

void Metrics::on_task(const agents::TaskRecord& r) {
  const Time duration = r.finish - r.arrival;
  if (r.causes.sum() != duration) {
    std::string causes_ns;
    for (std::size_t i = 0; i < platforms::kCauses; ++i)
      causes_ns += fmt::format(" {} {}", platforms::kCauseNames[i], r.causes.by_cause[i].ns());
    throw sim::InternalError(fmt::format("task {} of entry {}, {} calls, took {} ns, but its causes sum to {} ns:{}",
                                         r.task, r.agent, r.calls, duration.ns(), r.causes.sum().ns(), causes_ns));
  }
  ++tasks[r.status];
  causes += r.causes;
  const bool completed = r.status == agents::TaskStatus::kCompleted;
  const std::optional<double> limit_s = limits_[r.agent].task_s;
  const bool good = completed && (!limit_s || duration.seconds() <= *limit_s);
  ended_tasks += r.status != agents::TaskStatus::kUnfinished && in_window(r.finish) ? 1 : 0;
  if (completed && in_window(r.finish)) {
    ++completed_tasks;
    completed_good_tasks += good ? 1 : 0;
  }
  Agent& agent = agents[r.agent];
  ++agent.tasks[r.status];
  agent.causes += r.causes;
  if (completed) {
    agent.calls += r.calls;
    agent.tool_calls += r.tool_calls;
    agent.prompt_tokens += r.prompt_tokens;
    agent.cached_tokens += r.cached_tokens;
    agent.output_tokens += r.output_tokens;
  }
  if (!in_window(r.arrival)) return;
  ++arrived_tasks;
  ++agent.arrived;
  good_tasks += good ? 1 : 0;
  agent.good += good ? 1 : 0;
  if (completed) agent.task.add(duration);
}

Metrics::Judged Metrics::judged(bool (SloLimits::*limited)() const, std::uint64_t Agent::*arrived,
                                std::uint64_t Agent::*good) const {
  Judged judged;
  for (std::size_t i = 0; i < agents.size(); ++i) {
    if (!(limits_[i].*limited)()) continue;
    judged.arrived += agents[i].*arrived;
    judged.good += agents[i].*good;
  }
  return judged;
}

sim::QuantileSketch Metrics::all(sim::QuantileSketch Agent::*of) const {
  sim::QuantileSketch all;
  for (const Agent& agent : agents) all.merge(agent.*of);
  return all;
}

}  // namespace tokenyard::analysis

#include "analysis/run/recording.hpp"

#include <cmath>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "agents/record/model_pools.hpp"

namespace tokenyard::analysis {

using sim::Time;

namespace {

void check(const RecordingOptions& options, bool tasks, sim::Faults& faults) {
  if (!(options.speed > 0) || !std::isfinite(options.speed))
    faults.add("", "--speed", fmt::format("{}", options.speed), "a number above 0");
  if (options.users && (*options.users < 1 || static_cast<double>(*options.users) > agents::kMostTasksAtOnce))
    faults.add("", "--users", fmt::format("{}", *options.users),
               fmt::format("a whole number from 1 to {}", agents::kMostTasksAtOnce));
  if (!(options.from_s >= 0) || !(options.to_s > options.from_s)) {
    faults.add("", "--from", fmt::format("{} to {}", options.from_s, options.to_s),
               "seconds from 0, and --to after --from");
  }
  if (!(options.longest_wait_s >= 0))
    faults.add("", "--longest-wait", fmt::format("{}", options.longest_wait_s), "seconds from 0");
  if (options.users && (options.from_s > 0 || std::isfinite(options.to_s))) {
    faults.add("", "--users", "a closed loop of a part of the trace", "either --users or --from and --to");
  }
  if (!tasks && (options.users || !options.pools.empty() || options.from_s > 0 || std::isfinite(options.to_s) ||
                 std::isfinite(options.longest_wait_s))) {
    faults.add("", "--users, --pools, --from, --to or --longest-wait", "a trace of requests",
               "a trace of tasks: `tokenyard catalog formats` lists both");
  }
  if (!tasks && options.block_tokens != RecordingOptions().block_tokens) {
    faults.add("", "--block-tokens", "a trace of requests",
               "a trace of tasks; a Mooncake hash id stands for 512 tokens");
  }
  if (tasks && !options.columns.empty())
    faults.add("", "--map", "columns for a trace of tasks", "columns for a CSV format only");
}

}  // namespace

Recording::Recording(const std::string& path, const std::string& format, const RecordingOptions& options,
                     const Scenario& scenario) {
  const bool tasks = traces::holds_tasks(format);
  sim::Faults faults;
  check(options, tasks, faults);
  if (!tasks) {
    faults.throw_if_any();
    requests_ = traces::open_trace(path, format,
                                   {.speed = options.speed,
                                    .limit = options.limit,
                                    .skip_faulty = options.skip_faulty,
                                    .columns = options.columns,
                                    .seed = scenario.seed});
    replay_.requests = requests_.get();
    return;
  }
  std::vector<agents::ModelPools::Pool> pools;
  for (const PoolPlan& pool : scenario.pools)
    pools.push_back(pool.takes_calls() ? agents::ModelPools::Pool{pool.name, pool.model->name}
                                       : agents::ModelPools::Pool{});
  const agents::ModelPools rules =
      agents::ModelPools::parse(options.pools, std::move(pools), scenario.workload.trace_pool, faults);
  faults.throw_if_any();
  tasks_ = traces::open_tasks(path, format, {options.skip_faulty, options.block_tokens});
  rules.check(tasks_->names().models, faults);
  faults.throw_if_any();
  replay_.tasks = tasks_.get();
  for (const std::string& model : tasks_->names().models) replay_.pools.push_back(rules.pool(model));
  if (options.users) {
    replay_.plan.closed_loop.emplace();
    replay_.plan.closed_loop->users = *options.users;
  }
  replay_.plan.speed = options.speed;
  if (options.limit > 0) replay_.plan.max_tasks = options.limit;
  replay_.plan.from = Time::seconds(options.from_s);
  replay_.plan.to = Time::seconds(options.to_s);
  replay_.plan.longest_wait = Time::seconds(options.longest_wait_s);
}

std::vector<std::string> agents_of(const TraceWorkload& trace) {
  if (!traces::holds_tasks(trace.format)) return {"requests"};
  return traces::open_tasks(trace.path, trace.format)->names().agents;
}

sim::Json simulate_workload(const Scenario& scenario, const SimulateOptions& options) {
  if (!scenario.workload.trace) return simulate(scenario, Replay(), options);
  const TraceWorkload& trace = *scenario.workload.trace;
  const Recording recording(trace.path, trace.format, {.speed = trace.speed}, scenario);
  return simulate(scenario, recording.replay(), options);
}

}  // namespace tokenyard::analysis

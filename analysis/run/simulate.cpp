#include "analysis/run/simulate.hpp"

#include <chrono>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "agents/record/recorded_request_player.hpp"
#include "agents/work/task_player.hpp"
#include "analysis/report/report.hpp"
#include "analysis/run/deployment.hpp"
#include "analysis/run/measurement.hpp"
#include "analysis/run/result_files.hpp"
#include "analysis/run/summary.hpp"
#include "sim/network/analytic_network.hpp"

namespace tokenyard::analysis {
namespace {

using sim::Json;
using sim::Time;

traces::Names names_of(const Scenario& scenario, const Replay& replay) {
  traces::Names names;
  names.agents = agent_names(scenario, replay);
  if (replay.tasks != nullptr) {
    for (const std::vector<agents::RecordedNode>& nodes : replay.tasks->names().nodes) {
      std::vector<std::string>& list = names.nodes.emplace_back();
      for (const agents::RecordedNode& node : nodes) list.push_back(node.name);
    }
  } else if (replay.requests != nullptr) {
    names.nodes = {{"request"}};
  } else {
    for (const agents::WorkloadEntry& entry : scenario.workload.entries)
      names.nodes.push_back(agents::node_names(*entry.agent));
  }
  for (const PoolPlan& plan : scenario.pools) {
    names.pools.push_back(plan.name);
    names.models.push_back(plan.model_name());
  }
  return names;
}

/// Of all steps of a job, from its start.
Json training_json(const Scenario& scenario, const std::vector<std::unique_ptr<platforms::TrainingJob>>& jobs) {
  Json json = Json::object();
  for (std::size_t i = 0; i < jobs.size(); ++i) {
    const platforms::TrainingJob::Done& done = jobs[i]->done();
    const double time_s = done.time.seconds();
    const auto per = [&](double value, double of) { return of > 0 ? Json(value / of) : Json(nullptr); };
    json[scenario.training[i].name] = {
        {"chips", scenario.training[i].chips()},
        {"steps", done.steps},
        {"step_s", per(time_s, static_cast<double>(done.steps))},
        {"tokens_per_s", per(static_cast<double>(done.steps) * scenario.training[i].tokens_per_step, time_s)},
        {"network_share", per(done.exposed.seconds(), time_s)},
        {"bytes", done.bytes}};
  }
  return json;
}

/// What was not played of a replay, and why nothing was measured where nothing was, for the notes of the summary.
void add_notes(const Measurement& measurement, const agents::Workload& workload, Json& notes) {
  const RunControls& run = measurement.scenario().run;
  const Time warmup = Time::seconds(run.warmup_s), end = measurement.last().date;
  const std::optional<Time> last_arrival = measurement.last_arrival();
  if (end < warmup && !last_arrival) {
    notes.push_back(fmt::format("the run ended at {:g} s, before the end of the warm-up, {:g} s: nothing was measured",
                                end.seconds(), warmup.seconds()));
  }
  for (const std::string& left_out : workload.left_out()) notes.push_back(left_out);
  if (last_arrival && (*last_arrival < warmup || (*last_arrival == warmup && !run.drain))) {
    std::string helps;
    if (warmup > Time()) helps = "--set /run/warmup_s=0 measures from the start";
    if (measurement.all_at_once() && !run.drain)
      helps += (helps.empty() ? "" : ", and ") + std::string("--set /run/drain=true until the last has ended");
    notes.push_back(
        fmt::format("nothing arrived in the measured time, from {} s to the last arrival: counts and tables alone tell "
                    "what ran; {}",
                    warmup.seconds(), helps));
  }
}

/// Without traffic both networks are alike, and the analytic one costs nothing.
std::unique_ptr<sim::Network> network_of(const Scenario& scenario, const Replay& replay, const SimulateOptions& options,
                                         const sim::Topology& topology, sim::Simulation& simulation) {
  if (!options.make_network || !moves_bytes(scenario))
    return std::make_unique<sim::AnalyticNetwork>(topology, simulation);
  auto network = options.make_network(topology, simulation);
  if (!replay && Time::seconds(scenario.run.duration_s) > network->last_date()) {
    throw sim::InputError(
        {"", "/run/duration_s", fmt::format("{:g} s over SimGrid's network", scenario.run.duration_s),
         fmt::format("at most {:.0f} s, or --network analytic (in a campaign: \"network\": \"analytic\")",
                     network->last_date().seconds())});
  }
  return network;
}

std::unique_ptr<agents::Workload> make_workload(const Scenario& scenario, const Replay& replay,
                                                sim::Simulation& simulation, platforms::Fleet& fleet) {
  if (replay.tasks != nullptr) {
    return std::make_unique<agents::RecordedTaskPlayer>(simulation, fleet, *replay.tasks, replay.plan, replay.pools,
                                                        scenario.seed);
  }
  if (replay.requests != nullptr) {
    return std::make_unique<agents::RecordedRequestPlayer>(simulation, fleet, *replay.requests,
                                                           scenario.workload.trace_pool);
  }
  return std::make_unique<agents::TaskPlayer>(simulation, fleet, scenario.seed, scenario.workload.entries,
                                              Time::seconds(scenario.run.duration_s));
}

}  // namespace

std::vector<std::string> agent_names(const Scenario& scenario, const Replay& replay) {
  if (replay.tasks != nullptr) return replay.tasks->names().agents;
  if (replay.requests != nullptr) return {"requests"};
  return scenario.workload.agents();
}

Json simulate(const Scenario& scenario, const Replay& replay, const SimulateOptions& options) {
  const auto wall_begin = std::chrono::steady_clock::now();
  const RunFolder folder(options.out);

  const platforms::Placement placement = place(scenario);
  const sim::Topology& topology = placement.topology;
  sim::Simulation simulation;
  const std::unique_ptr<sim::Network> network = network_of(scenario, replay, options, topology, simulation);
  platforms::Fleet fleet(simulation, *network, pool_options(scenario, placement, options.stepwise));

  const std::unique_ptr<agents::Workload> workload = make_workload(scenario, replay, simulation, fleet);
  const auto training = training_jobs(scenario, placement, simulation, *network);

  const traces::Names names = names_of(scenario, replay);
  Measurement measurement(simulation, fleet, *workload, scenario, names.agents);
  ResultFiles files(options, names, Time::seconds(scenario.run.warmup_s));
  files.watch(fleet, *workload, measurement.sampler());
  if (options.watch) options.watch(fleet, *workload, names);
  if (replay) {
    measurement.end_with_last_arrival();
  } else {
    measurement.end_arrivals(Time::seconds(scenario.run.duration_s));
  }
  bool interrupted = false;
  simulation.set_pulse([&](Time now) {
    interrupted = (options.progress && !options.progress(now, *network)) ||
                  (options.undecided && !options.undecided(measurement.metrics()));
    return !interrupted;
  });

  workload->start();
  for (const auto& job : training) job->start();
  network->run(simulation);
  measurement.finish();
  if (options.undecided) options.undecided(measurement.metrics());
  files.commit();

  Json summary = summarize(measurement, *network, interrupted);
  if (!training.empty()) {
    summary["training"] = training_json(scenario, training);
    summary["notes"].push_back("energy and cost are those of the pools: training jobs are not in them");
  }
  add_notes(measurement, *workload, summary["notes"]);
  summary["wall_s"] = std::chrono::duration<double>(std::chrono::steady_clock::now() - wall_begin).count();
  if (!options.out.empty()) {
    write_summary(scenario, options, summary);
    if (options.report) write_report(options.out);
  }
  return summary;
}

}  // namespace tokenyard::analysis

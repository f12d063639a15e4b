#include "analysis/run/simulate.hpp"

#include <chrono>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "agents/record/request_player.hpp"
#include "agents/work/task_player.hpp"
#include "analysis/report/report.hpp"
#include "analysis/run/deployment.hpp"
#include "analysis/run/result_files.hpp"
#include "analysis/run/summary.hpp"
#include "analysis/run/window.hpp"
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

struct FirstCall final : platforms::ServingObserver {
  void on_submit(const platforms::CallRequest&, const platforms::CallRecord& record) override {
    if (!date) date = record.arrival;
  }
  std::optional<Time> date;
};

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

/// What a replay did not play, for the notes of the summary; `player` plays tasks, or is null.
void add_notes(const Replay& replay, const agents::RecordedPlayer* player, Json& notes) {
  for (const agents::LeftOut& left_out : player != nullptr ? replay.tasks->left_out() : replay.requests->left_out()) {
    notes.push_back(fmt::format("left out of the trace: {} {}", left_out.count, left_out.what));
  }
  if (player == nullptr) return;
  if (player->dropped_calls() > 0)
    notes.push_back(fmt::format("{} calls of models without a pool were played as waits", player->dropped_calls()));
  if (player->tasks_outside() > 0)
    notes.push_back(
        fmt::format("{} tasks outside the chosen part of the trace were left out", player->tasks_outside()));
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

}  // namespace

std::vector<std::string> agent_names(const Scenario& scenario, const Replay& replay) {
  if (replay.tasks != nullptr) return replay.tasks->names().agents;
  if (replay.requests != nullptr) return {"requests"};
  std::vector<std::string> names;
  for (const agents::WorkloadEntry& entry : scenario.workload.entries) names.push_back(entry.name);
  return names;
}

Json simulate(const Scenario& scenario, const Replay& replay, const SimulateOptions& options) {
  const auto wall_begin = std::chrono::steady_clock::now();
  const RunFolder folder(options.out);

  const platforms::Placement placement = place(scenario);
  const sim::Topology& topology = placement.topology;
  sim::Simulation simulation;
  const std::unique_ptr<sim::Network> network = network_of(scenario, replay, options, topology, simulation);
  platforms::Fleet fleet(simulation, *network, pool_options(scenario, placement, options.stepwise));

  const Time warmup = Time::seconds(scenario.run.warmup_s);
  const Time duration = Time::seconds(scenario.run.duration_s);
  agents::RequestPlayer* player = nullptr;
  agents::RecordedPlayer* recorded = nullptr;
  std::unique_ptr<agents::Workload> workload;
  if (replay.tasks != nullptr) {
    auto owned = std::make_unique<agents::RecordedPlayer>(simulation, fleet, *replay.tasks, replay.plan, replay.pools,
                                                          scenario.seed);
    recorded = owned.get();
    workload = std::move(owned);
  } else if (replay.requests != nullptr) {
    auto owned =
        std::make_unique<agents::RequestPlayer>(simulation, fleet, *replay.requests, scenario.workload.trace_pool);
    player = owned.get();
    workload = std::move(owned);
  } else {
    workload =
        std::make_unique<agents::TaskPlayer>(simulation, fleet, scenario.seed, scenario.workload.entries, duration);
  }

  const auto training = training_jobs(scenario, placement, simulation, *network);

  const traces::Names names = names_of(scenario, replay);
  Metrics metrics(scenario.slo, names.agents.size(), warmup);
  fleet.add_observer(metrics);
  workload->add_observer(metrics);
  Sampler sampler(simulation, fleet, scenario, [&] { return workload->over(); });
  ResultFiles files(options, names, warmup);
  files.watch(fleet, *workload, sampler);
  if (options.watch) options.watch(fleet, *workload, names);

  Snapshot begin(fleet), end(fleet), last(fleet);
  begin.take(Time());
  EndOfWarmup end_of_warmup(fleet, begin, sampler);
  if (warmup > Time()) simulation.schedule(warmup, sim::Priority::kObserve, end_of_warmup.entity, end_of_warmup);
  EndOfArrivals end_of_arrivals(simulation, end, metrics, sampler, warmup, scenario.run.drain);
  // A trace ends with its last arrival, known when it comes.
  FirstCall first_call;
  if (replay) fleet.add_observer(first_call);
  Time last_arrival;
  const auto on_last = [&] {
    last_arrival = simulation.now();
    // Where all came at once, nothing is measured by then: the measured time goes on to the end of the run.
    if (!scenario.run.drain || (first_call.date && *first_call.date < last_arrival))
      end_of_arrivals.schedule(last_arrival);
  };
  if (recorded != nullptr) {
    recorded->set_on_last(on_last);
  } else if (player != nullptr) {
    player->set_on_last(on_last);
  } else {
    end_of_arrivals.schedule(duration);
  }
  bool interrupted = false;
  simulation.set_pulse([&](Time now) {
    interrupted = (options.progress && !options.progress(now)) || (options.undecided && !options.undecided(metrics));
    return !interrupted;
  });

  workload->start();
  for (const auto& job : training) job->start();
  network->run(simulation);
  end_of_arrivals.close(simulation.now());
  fleet.finish_unfinished();
  workload->finish_unfinished();
  last.take(simulation.now());
  if (options.undecided) options.undecided(metrics);
  files.commit();

  Json summary = summarize({scenario, names.agents, metrics, begin, end, last, sampler, fleet, *network,
                            simulation.events_run(), interrupted});
  if (!training.empty()) {
    summary["training"] = training_json(scenario, training);
    summary["notes"].push_back("energy and cost are those of the pools: training jobs are not in them");
  }
  if (replay) {
    add_notes(replay, recorded, summary["notes"]);
    if (last_arrival < warmup || (last_arrival == warmup && !scenario.run.drain)) {
      summary["notes"].push_back(fmt::format(
          "nothing arrived in the measured time, from {} s to the last arrival: counts and tables alone tell what ran",
          warmup.seconds()));
    }
  }
  summary["wall_s"] = std::chrono::duration<double>(std::chrono::steady_clock::now() - wall_begin).count();
  if (!options.out.empty()) {
    write_summary(scenario, options, summary);
    if (options.report) write_report(options.out);
  }
  return summary;
}

}  // namespace tokenyard::analysis

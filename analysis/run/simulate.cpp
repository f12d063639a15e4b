#include "analysis/run/simulate.hpp"

#include <algorithm>
#include <chrono>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "agents/work/request_player.hpp"
#include "agents/work/task_player.hpp"
#include "analysis/report/report.hpp"
#include "analysis/run/summary.hpp"
#include "platforms/cluster/placement.hpp"
#include "platforms/cost/replica_step_cost.hpp"
#include "platforms/training/training_job.hpp"
#include "sim/network/analytic_network.hpp"
#include "traces/writers/otlp.hpp"
#include "traces/writers/perfetto_json.hpp"
#include "traces/writers/record.hpp"

namespace tokenyard::analysis {
namespace {

using sim::Json;
using sim::Time;

const KvTierPlan* remote_store(const PoolPlan& pool) {
  const bool has = !pool.kv_tiers.empty() && pool.kv_tiers.back().kind == platforms::KvTierKind::kRemote;
  return has ? &pool.kv_tiers.back() : nullptr;
}

/// The pools' replicas on the cluster's chips, and the workers of training jobs on those that are left.
platforms::Placement place(const Scenario& scenario) {
  std::vector<platforms::PlacementRequest> requests;
  for (const PoolPlan& pool : scenario.pools) {
    platforms::PlacementRequest request{pool.name,           pool.chip, pool.replicas, pool.parallelism.chips(),
                                        pool.parallelism.tp, pool.site};
    for (std::size_t other = 0; other < scenario.pools.size(); ++other) {
      if (pool.role == platforms::PoolRole::kPrefill && scenario.pools[other].name == pool.decode_pool)
        request.sends_to = other;
    }
    if (const KvTierPlan* store = remote_store(pool)) request.store_bytes_per_s = store->bytes_per_s.value_or(0);
    requests.push_back(std::move(request));
  }
  for (const TrainingPlan& job : scenario.training)
    requests.push_back(
        {job.name, job.chip, job.workers, job.parallelism.chips(), job.parallelism.tp, job.site, std::nullopt});
  return platforms::place(scenario.cluster, requests);
}

/// The files of a result folder that are written while the simulation runs.
class Tables {
 public:
  Tables(const SimulateOptions& options, const traces::Names& names, Time window_begin) {
    const auto& out = options.out;
    if (out.empty()) return;
    if (options.write.contains("calls")) calls_.emplace(out / "calls.csv", names);
    if (options.write.contains("tasks")) tasks_.emplace(out / "tasks.csv", names);
    if (options.write.contains("series")) series_.emplace(out / "series.csv", names);
    if (options.write.contains("perfetto"))
      timeline_.emplace(out / "trace.perfetto.json.gz", names, traces::TimelineOptions{.window_begin = window_begin});
    if (options.write.contains("record")) record_.emplace(out / "record.jsonl");
    if (options.write.contains("otlp")) spans_.emplace(out / "trace.otlp.jsonl");
    if (record_ || spans_) {
      recorder_.emplace(names, [this](const traces::RanTask& ran, const agents::RecordedNames& recorded) {
        if (record_) record_->add(ran.task, recorded);
        if (spans_) spans_->add(ran, recorded);
      });
    }
  }

  void watch(platforms::Fleet& fleet, agents::Workload& workload, Sampler& sampler) {
    if (calls_) fleet.add_observer(*calls_);
    if (tasks_) workload.add_observer(*tasks_);
    if (series_) sampler.add_sink([this](const traces::SeriesRow& row) { series_->add(row); });
    if (timeline_) {
      fleet.add_observer(*timeline_);
      workload.add_observer(*timeline_);
      sampler.add_sink([this](const traces::SeriesRow& row) { timeline_->add(row); });
    }
    if (recorder_) {
      fleet.add_observer(*recorder_);
      workload.add_observer(*recorder_);
    }
  }

  void commit() {
    if (calls_) calls_->commit();
    if (tasks_) tasks_->commit();
    if (series_) series_->commit();
    if (timeline_) timeline_->commit();
    if (record_) record_->commit();
    if (spans_) spans_->commit();
  }

 private:
  std::optional<traces::CallsTable> calls_;
  std::optional<traces::TasksTable> tasks_;
  std::optional<traces::SeriesTable> series_;
  std::optional<traces::PerfettoJson> timeline_;
  std::optional<traces::RecordFile> record_;
  std::optional<traces::OtlpFile> spans_;
  std::optional<traces::TaskRecorder> recorder_;
};

/// Throws sim::Infeasible if a step with all that it may hold takes longer than can be counted.
void require_countable_steps(const PoolPlan& plan, const platforms::StepCost& cost) {
  const platforms::BatchingOptions& batching = plan.batching;
  const platforms::Tokens memory = plan.cache.blocks * plan.cache.block_size;
  const platforms::Tokens longest = std::min(memory, batching.max_model_len);
  const platforms::Tokens held = std::min(memory, batching.max_num_seqs * longest);
  const platforms::PrefillChunk chunk{std::min(longest, batching.max_num_batched_tokens), longest, true};
  if (cost.piece({batching.max_num_seqs, held}, {&chunk, 1}).counts(held)) return;
  throw sim::Infeasible(fmt::format(
      "pool \"{}\": a step of {} on {} may take more than 500 s. A number of the chip's, the model's or "
      "the engine's entry is not what it should be, or max_model_len or max_num_batched_tokens is too large.",
      plan.name, plan.model->name, plan.chip->name));
}

std::vector<platforms::PoolOptions> pool_options(const Scenario& scenario, const platforms::Placement& placement,
                                                 bool stepwise) {
  std::vector<platforms::PoolOptions> pools;
  for (std::size_t i = 0; i < scenario.pools.size(); ++i) {
    const PoolPlan& plan = scenario.pools[i];
    platforms::PoolOptions pool;
    pool.name = plan.name;
    pool.role = plan.role;
    for (std::uint32_t j = 0; j < scenario.pools.size(); ++j) {
      if (plan.role == platforms::PoolRole::kPrefill && scenario.pools[j].name == plan.decode_pool)
        pool.decode_pool = j;
    }
    pool.hosts = placement.hosts(i);
    if (plan.media != nullptr) {
      pool.media = std::make_shared<const platforms::MediaCost>(plan.media_spec());
      pools.push_back(std::move(pool));
      continue;
    }
    for (std::uint32_t j = 0; j < scenario.pools.size(); ++j) {
      if (std::find(plan.overflow.begin(), plan.overflow.end(), scenario.pools[j].name) != plan.overflow.end())
        pool.overflow.push_back(j);
    }
    pool.overflow_at = plan.overflow_at;
    pool.overflow_by = plan.overflow_by;
    pool.usd_per_s = plan.usd_per_chip_hour.value_or(0) * static_cast<double>(plan.parallelism.chips()) / 3600;
    pool.router = plan.router;
    pool.sticky_above = plan.sticky_above;
    pool.cost = platforms::replica_step_cost(plan.spec_on(scenario.cluster));
    require_countable_steps(plan, *pool.cost);
    pool.batching = plan.batching;
    pool.batching.stepwise = stepwise;
    pool.batching.seed = scenario.seed;
    pool.kv = plan.cache;
    pool.retention = plan.kv_retention;
    pool.more_reuse = plan.more_reuse;
    pool.eviction = plan.kv_eviction;
    pool.read_s_per_token = plan.spec().host.prompt_token_s;
    pool.kv_bytes_per_token = plan.model->kv_bytes_per_token(plan.kv);
    if (!plan.kv_tiers.empty()) {
      pool.tiers = plan.tier_options();
      pool.tier_bytes_per_token = plan.replica_kv_bytes_per_token();
      pool.nodes = placement.nodes(i);
      pool.store = placement.stores[i];
    }
    pools.push_back(std::move(pool));
  }
  return pools;
}

traces::Names names_of(const Scenario& scenario, const Replay& replay) {
  traces::Names names;
  if (replay.tasks != nullptr) {
    const agents::RecordedNames& recorded = replay.tasks->names();
    names.agents = recorded.agents;
    for (const std::vector<agents::RecordedNode>& nodes : recorded.nodes) {
      std::vector<std::string>& list = names.nodes.emplace_back();
      for (const agents::RecordedNode& node : nodes) list.push_back(node.name);
    }
  } else if (replay.requests != nullptr) {
    names.agents = {"requests"};
    names.nodes = {{"request"}};
  } else {
    for (const agents::WorkloadEntry& entry : scenario.workload.entries) {
      names.agents.push_back(entry.name);
      names.nodes.push_back(agents::node_names(*entry.agent));
    }
  }
  for (const PoolPlan& plan : scenario.pools) {
    names.pools.push_back(plan.name);
    names.models.push_back(plan.model_name());
  }
  return names;
}

std::vector<std::unique_ptr<platforms::TrainingJob>> training_jobs(const Scenario& scenario,
                                                                   const platforms::Placement& placement,
                                                                   sim::Simulation& simulation, sim::Network& network) {
  std::vector<std::unique_ptr<platforms::TrainingJob>> jobs;
  for (std::size_t i = 0; i < scenario.training.size(); ++i) {
    const TrainingPlan& plan = scenario.training[i];
    platforms::TrainingOptions options{plan.name,
                                       placement.hosts(scenario.pools.size() + i),
                                       plan.step_compute_s(),
                                       plan.gradient_bytes(),
                                       plan.overlap,
                                       plan.tokens_per_step,
                                       Time::seconds(scenario.run.duration_s)};
    jobs.push_back(std::make_unique<platforms::TrainingJob>(simulation, network, std::move(options), i));
  }
  return jobs;
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

bool moves_bytes(const Scenario& scenario) {
  if (!scenario.training.empty()) return true;
  for (const PoolPlan& pool : scenario.pools) {
    if (pool.role == platforms::PoolRole::kPrefill || remote_store(pool) != nullptr || !pool.overflow.empty())
      return true;
  }
  return false;
}

struct FirstCall final : platforms::ServingObserver {
  void on_submit(const platforms::CallRequest&, const platforms::CallRecord& record) override {
    if (!date) date = record.arrival;
  }
  std::optional<Time> date;
};

/// The window opens at the end of the warm-up.
class EndOfWarmup final : public sim::EventHandler {
 public:
  EndOfWarmup(Snapshot& snapshot, Sampler& sampler) : snapshot_(snapshot), sampler_(sampler) {}
  void on_event(Time now, std::uint64_t) override {
    snapshot_.take(now);
    sampler_.begin_window();
  }
  sim::Entity entity{1};

 private:
  Snapshot& snapshot_;
  Sampler& sampler_;
};

/// What happens when no more work comes: the window closes, and without `drain` so does the run.
class EndOfArrivals final : public sim::EventHandler {
 public:
  EndOfArrivals(sim::Simulation& simulation, Snapshot& snapshot, Metrics& metrics, Sampler& sampler, Time begin,
                bool drain)
      : simulation_(simulation),
        snapshot_(snapshot),
        metrics_(metrics),
        sampler_(sampler),
        begin_(begin),
        drain_(drain) {}

  /// The window closes no earlier than it opens.
  void schedule(Time date) {
    simulation_.schedule(drain_ ? std::max(date, begin_) : date, sim::Priority::kStop, entity_, *this);
  }
  void on_event(Time now, std::uint64_t) override {
    close(now);
    if (!drain_) simulation_.stop();
  }
  void close(Time now) {
    if (snapshot_.taken()) return;
    snapshot_.take(std::max(now, begin_));
    metrics_.close_window(now);
    sampler_.end_window();
  }

 private:
  sim::Simulation& simulation_;
  Snapshot& snapshot_;
  Metrics& metrics_;
  Sampler& sampler_;
  Time begin_;
  bool drain_;
  sim::Entity entity_;
};

void make_folder(const std::filesystem::path& folder) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error)
    throw traces::OutputError(
        fmt::format("{}: {}. Choose another folder with --out.", folder.string(), error.message()));
}

void write_json(const std::filesystem::path& path, const Json& json) {
  traces::OutputFile file(path);
  fmt::format_to(file.out(), "{}\n", json.dump(2));
  file.commit();
}

void write_manifest(const Scenario& scenario, const SimulateOptions& options, const Json& summary) {
  Json inputs = Json::array();
  for (const auto& [path, sha] : options.inputs) inputs.push_back({{"path", path}, {"sha256", sha}});
  write_json(options.out / "manifest.json", {{"schema", "tokenyard.manifest/1"},
                                             {"version", options.version},
                                             {"command", options.command},
                                             {"seed", scenario.seed},
                                             {"inputs", inputs},
                                             {"scenario", Json::parse(options.resolved)},
                                             {"wall_s", summary["wall_s"]},
                                             {"status", summary["status"]}});
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

}  // namespace

Json simulate(const Scenario& scenario, const Replay& replay, const SimulateOptions& options) {
  const auto wall_begin = std::chrono::steady_clock::now();
  if (!options.out.empty()) make_folder(options.out);

  const platforms::Placement placement = place(scenario);
  const sim::Topology& topology = placement.topology;
  sim::Simulation simulation;
  // Without traffic both networks are alike, and the analytic one costs nothing.
  const std::unique_ptr<sim::Network> network = options.make_network && moves_bytes(scenario)
                                                    ? options.make_network(topology, simulation)
                                                    : std::make_unique<sim::AnalyticNetwork>(topology, simulation);
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
  Tables tables(options, names, warmup);
  tables.watch(fleet, *workload, sampler);
  if (options.watch) options.watch(fleet, *workload, names);

  Snapshot begin(fleet), end(fleet), last(fleet);
  begin.take(Time());
  EndOfWarmup end_of_warmup(begin, sampler);
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
  tables.commit();

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
    write_json(options.out / "summary.json", summary);
    write_manifest(scenario, options, summary);  // last: it says that the folder is whole
    if (options.report) write_report(options.out);
  }
  return summary;
}

}  // namespace tokenyard::analysis

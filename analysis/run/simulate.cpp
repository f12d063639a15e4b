#include "analysis/run/simulate.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <nlohmann/json.hpp>

#include "agents/work/generated_requests.hpp"
#include "agents/work/request_player.hpp"
#include "sim/network/analytic_network.hpp"
#include "traces/writers/tables.hpp"

namespace tokenyard::analysis {
namespace {

using platforms::CallRecord;
using platforms::CallStatus;
using sim::FineTime;
using sim::Json;
using sim::QuantileSketch;
using sim::Time;

Json or_null(std::optional<double> value) { return value ? Json(*value) : Json(nullptr); }
Json ratio(double part, double whole) { return whole > 0 ? Json(part / whole) : Json(nullptr); }

Json statistics(const QuantileSketch& sketch) {
  return {{"mean", or_null(sketch.mean_s())}, {"p50", or_null(sketch.quantile_s(0.5))}, {"p90", or_null(sketch.quantile_s(0.9))},
          {"p95", or_null(sketch.quantile_s(0.95))}, {"p99", or_null(sketch.quantile_s(0.99))}, {"max", or_null(sketch.max_s())}};
}

/// Hosts for the replicas: pools take the first free chips of their kind, site by site; a replica that a node can hold is
/// not spread over two.
sim::Topology place(const Scenario& scenario, std::vector<std::vector<sim::HostId>>& hosts) {
  const Cluster& cluster = scenario.cluster;
  sim::Topology topology;
  const sim::ZoneId wan = topology.add_star("wan");
  const sim::LinkSpec wan_link{cluster.wan_bytes_per_s, Time::seconds(cluster.wan_latency_s / 2)};
  struct Node {
    const platforms::Chip* chip;
    std::int64_t chips, free;
    sim::ZoneId zone;
    std::string name;
  };
  std::vector<Node> nodes;
  for (const Site& site : cluster.sites) {
    const sim::ZoneId fabric = topology.add_star(site.name, wan, {wan_link, {}});
    for (const NodeGroup& group : site.nodes) {
      for (std::int64_t i = 0; i < group.count; ++i) {
        std::string name = fmt::format("{}/{}{}", site.name, group.chip->name, nodes.size());
        sim::Ports ports;
        if (cluster.fabric_bytes_per_s) ports.inner = {*cluster.fabric_bytes_per_s, Time::seconds(cluster.fabric_latency_s / 2)};
        const sim::ZoneId zone = topology.add_star(name, fabric, ports);
        nodes.push_back({group.chip, group.chips_per_node, group.chips_per_node, zone, std::move(name)});
      }
    }
  }
  for (const PoolPlan& pool : scenario.pools) {
    std::vector<sim::HostId> of_pool;
    for (std::int64_t r = 0; r < pool.replicas; ++r) {
      std::int64_t left = pool.parallelism.chips();
      const Node* lead = nullptr;
      for (Node& node : nodes) {
        if (left == 0) break;
        const bool whole = node.free >= left || (left > node.chips && node.free == node.chips);
        if (node.chip != pool.chip || !whole) continue;
        const std::int64_t taken = std::min(left, node.free);
        node.free -= taken;
        left -= taken;
        if (lead == nullptr) lead = &node;
      }
      if (left > 0) {
        throw sim::Infeasible(fmt::format("pool \"{}\": replica {} of {} chips finds no node with as many free {} chips; use fewer chips per replica or more nodes",
                                          pool.name, r, pool.parallelism.chips(), pool.chip->name));
      }
      const auto chips = static_cast<double>(pool.parallelism.chips());
      // Chips without a published NIC are given the node's PCIe class of 25 GB/s: it only matters to KV hand-over.
      const double nic = pool.chip->scale_out_bytes_per_s.value_or(25e9) * chips;
      const double up = pool.chip->scale_up.bytes_per_s.value_or(pool.chip->scale_out_bytes_per_s.value_or(25e9)) * chips;
      of_pool.push_back(topology.add_host(fmt::format("{}:{}/{}", lead->name, pool.name, r), lead->zone,
                                          {{up, Time::microseconds(1)}, {nic, Time::seconds(cluster.fabric_latency_s / 2)}}));
    }
    hosts.push_back(std::move(of_pool));
  }
  return topology;
}

/// Sums over a pool's replicas.
struct PoolReading {
  platforms::ReplicaTotals totals;
  std::int64_t running = 0, waiting = 0, used_blocks = 0, blocks = 0;
};

PoolReading read_pool(platforms::Fleet& fleet, std::size_t pool) {
  PoolReading sum;
  for (std::size_t i = 0; i < fleet.replicas(pool); ++i) {
    platforms::Replica& replica = fleet.replica(pool, i);
    replica.settle();
    const platforms::ReplicaTotals& t = replica.totals();
    sum.totals.busy_ticks += t.busy_ticks;
    for (std::size_t b = 0; b < platforms::kBounds; ++b) sum.totals.bound_ticks[b] += t.bound_ticks[b];
    sum.totals.capacity_ticks += t.capacity_ticks;
    sum.totals.flop += t.flop;
    sum.totals.bytes += t.bytes;
    sum.totals.steps += t.steps;
    sum.totals.prefill_tokens += t.prefill_tokens;
    sum.totals.output_tokens += t.output_tokens;
    sum.totals.prompt_tokens += t.prompt_tokens;
    sum.totals.cached_tokens += t.cached_tokens;
    sum.totals.preemptions += t.preemptions;
    sum.running += replica.running();
    sum.waiting += replica.waiting();
    sum.used_blocks += replica.kv_blocks_in_use();
    sum.blocks += replica.kv().total_blocks();
  }
  return sum;
}

double seconds(sim::Int128 ticks) { return FineTime(ticks).seconds(); }

/// Joules of a pool between two readings `span_s` apart: idle power, plus what its work adds; never above TDP while busy.
/// Nothing if the catalogue lacks a coefficient.
std::optional<double> joules(const PoolPlan& pool, const PoolReading& from, const PoolReading& to, double span_s) {
  const platforms::Chip& chip = *pool.chip;
  const auto& p = chip.power;
  if (!p.idle_w || !p.active_w || !p.compute_w || !p.memory_w || !chip.memory_bytes_per_s) return {};
  const double peak = chip.peak_flops_per_s[*chip.compute_precision(pool.weights)].value_or(1);
  const double busy_s = seconds(to.totals.busy_ticks - from.totals.busy_ticks);
  double active = *p.active_w * busy_s + *p.compute_w * static_cast<double>(to.totals.flop - from.totals.flop) / peak +
                  *p.memory_w * static_cast<double>(to.totals.bytes - from.totals.bytes) / *chip.memory_bytes_per_s;
  if (p.tdp_w) active = std::min(active, *p.tdp_w * busy_s);
  const double idle = *p.idle_w * std::max(0.0, span_s * static_cast<double>(pool.replicas) - busy_s);
  return (active + idle) * static_cast<double>(pool.parallelism.chips());
}

/// Watches calls and tasks; the window is [warm-up, end of arrivals).
class Metrics final : public platforms::ServingObserver, public agents::TaskObserver {
 public:
  Metrics(const Scenario& scenario, Time window_begin) : scenario_(scenario), begin_(window_begin) {}

  void on_call(const CallRecord& r) override {
    ++calls[static_cast<std::size_t>(r.status)];
    prompt_tokens += r.prompt_tokens;
    cached_tokens += r.cached_tokens;
    if (r.status == CallStatus::kCompleted) output_tokens += r.output_tokens;
    if (r.arrival < begin_) return;
    ++window_calls;
    if (r.scheduled != CallRecord::kNoTime) queue.add(r.scheduled - r.arrival);
    if (r.first_token != CallRecord::kNoTime) ttft.add(r.first_token - r.arrival);
    if (r.status != CallStatus::kCompleted) return;
    e2e.add(r.finish - r.arrival);
    const Slo& slo = scenario_.slo;
    bool good = !slo.ttft_s || (r.first_token - r.arrival).seconds() <= *slo.ttft_s;
    good = good && (!slo.e2e_s || (r.finish - r.arrival).seconds() <= *slo.e2e_s);
    if (r.output_tokens > 1) {
      const FineTime gap(FineTime(r.finish - r.first_token).ticks() / (r.output_tokens - 1));
      tpot.add(gap);
      good = good && (!slo.tpot_s || gap.seconds() <= *slo.tpot_s);
    }
    good_calls += good ? 1 : 0;
    ++window_completed;
    window_prompt_tokens += r.prompt_tokens;
    window_output_tokens += r.output_tokens;
  }

  void on_task(const agents::TaskRecord& r) override {
    if (r.causes.sum() != r.finish - r.arrival) throw std::logic_error(fmt::format("task {}: its causes do not sum to its duration", r.task));
    ++tasks[static_cast<std::size_t>(r.status)];
    causes += r.causes;
    task_prompt_tokens += r.prompt_tokens;
    task_output_tokens += r.output_tokens;
    if (r.arrival < begin_ || r.status != agents::TaskStatus::kCompleted) return;
    task.add(r.finish - r.arrival);
    ++window_tasks;
    good_tasks += !scenario_.slo.task_s || (r.finish - r.arrival).seconds() <= *scenario_.slo.task_s ? 1 : 0;
  }

  std::array<std::uint64_t, 4> calls{}, tasks{};
  std::int64_t prompt_tokens = 0, cached_tokens = 0, output_tokens = 0, task_prompt_tokens = 0, task_output_tokens = 0;
  std::uint64_t window_calls = 0, window_completed = 0, good_calls = 0, window_tasks = 0, good_tasks = 0;
  std::int64_t window_prompt_tokens = 0, window_output_tokens = 0;
  QuantileSketch queue, ttft, tpot, e2e, task;
  platforms::CauseTimes causes;

 private:
  const Scenario& scenario_;
  Time begin_;
};

/// Reads the pools at fixed dates: the series, and the readings that bound the window.
class Sampler final : public sim::EventHandler {
 public:
  Sampler(sim::Simulation& simulation, platforms::Fleet& fleet, const Scenario& scenario, std::function<bool()> done)
      : simulation_(simulation), fleet_(fleet), scenario_(scenario), done_(std::move(done)), interval_(Time::seconds(scenario.run.series_interval_s)),
        last_(scenario.pools.size()), kv_sum_(scenario.pools.size()) {
    simulation_.schedule(interval_, sim::Priority::kObserve, entity_, *this);
  }

  void on_event(Time now, std::uint64_t) override {
    for (std::uint32_t p = 0; p < last_.size(); ++p) {
      const PoolReading reading = read_pool(fleet_, p);
      const PoolPlan& pool = scenario_.pools[p];
      const double span = interval_.seconds();
      traces::SeriesRow row{now, p, reading.running, reading.waiting};
      row.kv_utilization = static_cast<double>(reading.used_blocks) / static_cast<double>(reading.blocks);
      row.busy = seconds(reading.totals.busy_ticks - last_[p].totals.busy_ticks) / (span * static_cast<double>(pool.replicas));
      row.output_tokens_per_s = static_cast<double>(reading.totals.output_tokens - last_[p].totals.output_tokens) / span;
      row.batch_tokens_per_s = row.output_tokens_per_s + static_cast<double>(reading.totals.prefill_tokens - last_[p].totals.prefill_tokens) / span;
      if (const auto energy = joules(pool, last_[p], reading, span)) row.power_w = *energy / span;
      if (table != nullptr) table->add(row);
      kv_sum_[p] += row.kv_utilization;
      last_[p] = reading;
    }
    ++samples_;
    if (!done_()) simulation_.schedule(now + interval_, sim::Priority::kObserve, entity_, *this);
  }

  std::optional<double> mean_kv(std::size_t pool) const {
    if (samples_ == 0) return {};
    return kv_sum_[pool] / static_cast<double>(samples_);
  }
  traces::SeriesTable* table = nullptr;

 private:
  sim::Simulation& simulation_;
  platforms::Fleet& fleet_;
  const Scenario& scenario_;
  std::function<bool()> done_;
  Time interval_;
  std::vector<PoolReading> last_;
  std::vector<double> kv_sum_;
  std::uint64_t samples_ = 0;
  sim::Entity entity_;
};

/// Keeps the readings at one instant.
class Snapshot final : public sim::EventHandler {
 public:
  Snapshot(platforms::Fleet& fleet) : fleet_(fleet) {}
  void on_event(Time now, std::uint64_t) override { take(now); }
  void take(Time now) {
    date = now;
    readings.clear();
    for (std::size_t p = 0; p < fleet_.pools(); ++p) readings.push_back(read_pool(fleet_, p));
  }
  std::vector<PoolReading> readings;
  Time date;
  sim::Entity entity{1};

 private:
  platforms::Fleet& fleet_;
};

}  // namespace

Json simulate(const Scenario& scenario, agents::RequestSource* source, const SimulateOptions& options) {
  const auto wall_begin = std::chrono::steady_clock::now();
  std::error_code error;
  std::filesystem::create_directories(options.out, error);
  if (error) throw traces::OutputError(fmt::format("{}: {}. Choose another folder with --out.", options.out.string(), error.message()));

  std::vector<std::vector<sim::HostId>> hosts;
  const sim::Topology topology = place(scenario, hosts);
  sim::Simulation simulation;
  sim::AnalyticNetwork network(topology, simulation);
  std::vector<platforms::PoolOptions> pools;
  traces::Names names{{"requests"}, {{"request"}}, {}, {}};
  for (std::size_t i = 0; i < scenario.pools.size(); ++i) {
    const PoolPlan& plan = scenario.pools[i];
    platforms::PoolOptions pool;
    pool.name = plan.name;
    pool.role = plan.role;
    for (std::uint32_t j = 0; j < scenario.pools.size(); ++j) {
      if (plan.role == platforms::PoolRole::kPrefill && scenario.pools[j].name == plan.decode_pool) pool.decode_pool = j;
    }
    pool.router = plan.router;
    pool.cost = std::make_shared<platforms::Roofline>(plan.spec());
    pool.batching = plan.batching;
    pool.batching.stepwise = options.stepwise;
    pool.kv = plan.cache;
    pool.kv_bytes_per_token = plan.model->kv_bytes_per_token(plan.kv);
    pool.hosts = hosts[i];
    names.pools.push_back(plan.name);
    names.models.push_back(plan.model->name);
    pools.push_back(std::move(pool));
  }
  platforms::Fleet fleet(simulation, network, std::move(pools));

  const Time warmup = Time::seconds(scenario.run.warmup_s);
  const Time duration = Time::seconds(scenario.run.duration_s);
  std::optional<agents::GeneratedRequests> generated;
  if (source == nullptr) {
    const RequestsWorkload& requests = scenario.requests.value();
    generated.emplace(scenario.seed, requests.rate_per_s.value(), duration, requests.prompt_tokens, requests.output_tokens);
  }
  agents::RequestPlayer player(simulation, fleet, source == nullptr ? *generated : *source, 0);

  Metrics metrics(scenario, warmup);
  fleet.add_observer(metrics);
  player.add_observer(metrics);
  std::optional<traces::CallsTable> calls;
  std::optional<traces::TasksTable> tasks;
  std::optional<traces::SeriesTable> series;
  if (options.write.contains("calls")) fleet.add_observer(calls.emplace(options.out / "calls.csv", names));
  if (options.write.contains("tasks")) player.add_observer(tasks.emplace(options.out / "tasks.csv", names));
  if (options.write.contains("series")) series.emplace(options.out / "series.csv", names);

  Snapshot begin(fleet), end(fleet);
  begin.take(Time());
  if (warmup > Time()) simulation.schedule(warmup, sim::Priority::kObserve, begin.entity, begin);
  const auto finished = [&] { return player.exhausted() && fleet.calls_in_flight() == 0; };
  Sampler sampler(simulation, fleet, scenario, finished);
  sampler.table = series ? &*series : nullptr;
  if (source == nullptr) {
    simulation.schedule(duration, sim::Priority::kObserve, end.entity, end);
  }
  bool interrupted = false;
  simulation.set_pulse([&](Time now) {
    interrupted = options.progress && !options.progress(now);
    // A trace ends with its last arrival, known only once it has been read.
    return !interrupted;
  });

  player.start();
  // To the end of arrivals; then to the end of the work.
  while (!player.exhausted() && simulation.step()) {
  }
  if (source != nullptr) end.take(simulation.now());
  if (scenario.run.drain && !simulation.stopped()) {
    network.run(simulation);
  } else {
    while (source == nullptr && !simulation.stopped() && simulation.next_date() <= duration && simulation.step()) {
    }
  }
  if (end.readings.empty()) end.take(simulation.now());
  const Time simulated = simulation.now();
  fleet.finish_unfinished();

  for (auto commit : {std::function<void()>([&] { if (calls) calls->commit(); }), std::function<void()>([&] { if (tasks) tasks->commit(); }),
                      std::function<void()>([&] { if (series) series->commit(); })}) {
    commit();
  }

  const double window_s = (end.date - begin.date).seconds();
  const auto total = [](const std::array<std::uint64_t, 4>& by_status) { return by_status[0] + by_status[1] + by_status[2] + by_status[3]; };
  std::int64_t steps = 0, preemptions = 0;
  QuantileSketch itl;
  Json pool_json = Json::object();
  double joules_total = 0, usd = 0;
  bool energy_known = true, cost_known = true;
  Json notes = Json::array();
  for (const std::string& warning : scenario.warnings) notes.push_back(warning);
  for (std::size_t p = 0; p < scenario.pools.size(); ++p) {
    const PoolPlan& plan = scenario.pools[p];
    const PoolReading now = read_pool(fleet, p);
    steps += now.totals.steps;
    preemptions += now.totals.preemptions;
    for (std::size_t i = 0; i < fleet.replicas(p); ++i) itl.merge(fleet.replica(p, i).gaps());
    const PoolReading& a = begin.readings[p];
    const PoolReading& b = end.readings[p];
    const double replica_s = window_s * static_cast<double>(plan.replicas);
    const double busy_s = seconds(b.totals.busy_ticks - a.totals.busy_ticks);
    const double capacity_s = seconds(b.totals.capacity_ticks - a.totals.capacity_ticks);
    // Time in which calls waited for KV memory counts as capacity, whatever the steps were bound by.
    const double rest = busy_s > 0 ? 1 - capacity_s / busy_s : 0;
    const auto bound = [&](platforms::Bound which) {
      const auto i = static_cast<std::size_t>(which);
      return ratio(seconds(b.totals.bound_ticks[i] - a.totals.bound_ticks[i]) * rest, replica_s);
    };
    const double peak = plan.chip->peak_flops_per_s[*plan.chip->compute_precision(plan.weights)].value_or(0);
    pool_json[plan.name] = {
        {"chip", plan.chip->name}, {"model", plan.model->name}, {"replicas", plan.replicas}, {"chips", plan.chips()}, {"busy", ratio(busy_s, replica_s)},
        {"mfu", ratio(static_cast<double>(b.totals.flop - a.totals.flop), peak * replica_s)},
        {"mbu", ratio(static_cast<double>(b.totals.bytes - a.totals.bytes), plan.chip->memory_bytes_per_s.value_or(0) * replica_s)},
        {"kv_utilization", or_null(sampler.mean_kv(p))},
        {"prefix_hit_rate", ratio(static_cast<double>(b.totals.cached_tokens - a.totals.cached_tokens), static_cast<double>(b.totals.prompt_tokens - a.totals.prompt_tokens))},
        {"bound", {{"compute", bound(platforms::Bound::kCompute)}, {"bandwidth", bound(platforms::Bound::kBandwidth)}, {"capacity", ratio(capacity_s, replica_s)},
                   {"network", bound(platforms::Bound::kNetwork)}, {"host", bound(platforms::Bound::kHost)}, {"idle", ratio(replica_s - busy_s, replica_s)}}}};
    if (const auto energy = joules(plan, a, b, window_s)) {
      joules_total += *energy;
    } else {
      energy_known = false;
      notes.push_back(fmt::format("energy is unknown: the catalogue has no power figures for {}", plan.chip->name));
    }
    if (plan.chip->price.usd_per_hour) {
      usd += *plan.chip->price.usd_per_hour * static_cast<double>(plan.chips()) * window_s / 3600;
    } else {
      cost_known = false;
      notes.push_back(fmt::format("cost is unknown: the catalogue has no price for {}", plan.chip->name));
    }
  }
  const double window_output = static_cast<double>(metrics.window_output_tokens);
  Json causes = Json::object();
  for (std::size_t i = 0; i < platforms::kCauses; ++i) causes[std::string(platforms::kCauseNames[i])] = metrics.causes.by_cause[i].seconds();
  Json links = Json::array();
  for (const sim::LinkUse& use : network.busiest_links(5)) links.push_back({{"link", use.link}, {"bytes", use.bytes}});
  const std::uint64_t task_count = total(metrics.tasks);
  const Json attainment = ratio(static_cast<double>(metrics.good_calls), static_cast<double>(metrics.window_calls));
  const double wall_s = std::chrono::duration<double>(std::chrono::steady_clock::now() - wall_begin).count();

  Json summary = {
      {"schema", "tokenyard.summary/1"}, {"name", scenario.name}, {"seed", scenario.seed}, {"status", interrupted ? "partial" : "complete"},
      {"simulated_s", simulated.seconds()}, {"wall_s", wall_s},
      {"counts", {{"tasks", task_count}, {"tasks_completed", metrics.tasks[0]}, {"tasks_failed", metrics.tasks[1]}, {"tasks_rejected", metrics.tasks[2]},
                  {"tasks_unfinished", metrics.tasks[3]}, {"calls", total(metrics.calls)}, {"calls_completed", metrics.calls[0]},
                  {"calls_failed", metrics.calls[1]}, {"calls_rejected", metrics.calls[2]}, {"calls_unfinished", metrics.calls[3]},
                  {"prompt_tokens", metrics.prompt_tokens}, {"cached_tokens", metrics.cached_tokens}, {"output_tokens", metrics.output_tokens},
                  {"steps", steps}, {"events", simulation.events_run()}, {"preemptions", preemptions}}},
      {"latency", {{"ttft_s", statistics(metrics.ttft)}, {"tpot_s", statistics(metrics.tpot)}, {"itl_s", statistics(itl)}, {"e2e_s", statistics(metrics.e2e)},
                   {"queue_s", statistics(metrics.queue)}, {"task_s", statistics(metrics.task)}}},
      {"throughput", {{"calls_per_s", ratio(static_cast<double>(metrics.window_completed), window_s)}, {"tasks_per_s", ratio(static_cast<double>(metrics.window_tasks), window_s)},
                      {"output_tokens_per_s", ratio(window_output, window_s)},
                      {"total_tokens_per_s", ratio(window_output + static_cast<double>(metrics.window_prompt_tokens), window_s)}}},
      {"slo", {{"attainment", attainment}, {"goodput_calls_per_s", ratio(static_cast<double>(metrics.good_calls), window_s)},
               {"goodput_tasks_per_s", ratio(static_cast<double>(metrics.good_tasks), window_s)},
               {"met", attainment.is_null() ? Json(nullptr) : Json(attainment.get<double>() >= scenario.slo.attainment)}}},
      {"pools", pool_json},
      {"agents", {{"requests", {{"tasks", task_count}, {"task_s", statistics(metrics.task)}, {"calls_per_task", ratio(static_cast<double>(total(metrics.calls)), static_cast<double>(task_count))},
                                {"prompt_tokens_per_task", ratio(static_cast<double>(metrics.task_prompt_tokens), static_cast<double>(task_count))},
                                {"output_tokens_per_task", ratio(static_cast<double>(metrics.task_output_tokens), static_cast<double>(task_count))}}}}},
      {"causes_s", causes},
      {"network", {{"bytes", network.bytes_moved()}, {"flows", network.flows()}, {"busiest_links", links}}},
      {"energy", {{"joules", energy_known ? Json(joules_total * scenario.cluster.pue) : Json(nullptr)},
                  {"joules_per_output_token", energy_known ? ratio(joules_total * scenario.cluster.pue, window_output) : Json(nullptr)},
                  {"watts_mean", energy_known ? ratio(joules_total * scenario.cluster.pue, window_s) : Json(nullptr)}, {"pue", scenario.cluster.pue}}},
      {"cost", {{"usd", cost_known ? Json(usd) : Json(nullptr)}, {"usd_per_million_output_tokens", cost_known ? ratio(usd * 1e6, window_output) : Json(nullptr)},
                {"usd_per_completed_task", cost_known ? ratio(usd, static_cast<double>(metrics.window_tasks)) : Json(nullptr)}}},
      {"notes", notes}};

  traces::OutputFile summary_file(options.out / "summary.json");
  fmt::format_to(summary_file.out(), "{}\n", summary.dump(2));
  summary_file.commit();
  Json inputs = Json::array();
  for (const auto& [path, sha] : options.inputs) inputs.push_back({{"path", path}, {"sha256", sha}});
  const Json manifest = {{"schema", "tokenyard.manifest/1"}, {"version", options.version}, {"command", options.command}, {"seed", scenario.seed},
                         {"inputs", inputs}, {"scenario", Json::parse(options.resolved)}, {"wall_s", wall_s}, {"status", summary["status"]}};
  traces::OutputFile manifest_file(options.out / "manifest.json");  // last: it says that the folder is whole
  fmt::format_to(manifest_file.out(), "{}\n", manifest.dump(2));
  manifest_file.commit();
  return summary;
}

}  // namespace tokenyard::analysis

#include "analysis/scenario/scenario.hpp"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "analysis/scenario/name.hpp"
#include "analysis/scenario/pool_checks.hpp"
#include "analysis/scenario/seed.hpp"
#include "platforms/cost/replica_memory.hpp"

namespace tokenyard::analysis {

using sim::Faults;
using sim::ObjectReader;

namespace {

/// Where arrivals are rare, the time between two of them is walked change by change.
void check_changes_of_rate(ObjectReader& reader, std::string_view key, const WorkloadPlan& workload,
                           double duration_s) {
  constexpr double kMost = 1e8;
  for (const agents::WorkloadEntry& entry : workload.entries) {
    const double changes = entry.closed_loop ? 0 : entry.arrivals.changes_in(duration_s);
    if (changes <= kMost) continue;
    reader.fault(
        key, fmt::format("{:g} s, in which the rate of \"{}\" changes {:.2g} times", duration_s, entry.name, changes),
        fmt::format("at most {:g} changes: a shorter duration_s, or a longer period_s or mean_burst_s of the arrivals",
                    kMost));
  }
}

/// More work than anybody can wait for, or hold the queue of.
void check_amount(ObjectReader& reader, const WorkloadPlan& workload, double duration_s) {
  constexpr double kMost = 1e11;
  for (const agents::WorkloadEntry& entry : workload.entries) {
    const double tasks = entry.closed_loop ? 0 : entry.arrivals.rate_per_s * duration_s;
    if (tasks <= kMost) continue;
    reader.fault("workload", fmt::format("\"{}\": {:g} tasks in {:g} s", entry.name, tasks, duration_s),
                 fmt::format("at most {:g}: a lower rate_per_s or a shorter duration_s", kMost));
  }
}

/// What a pool asks for and cannot get as asked, though it can be simulated.
void warn(const PoolPlan& pool, std::vector<std::string>& warnings) {
  if (pool.model == nullptr) return;
  const platforms::Parallelism& p = pool.parallelism;
  if (pool.batching.max_model_len > pool.model->max_context) {
    warnings.push_back(
        fmt::format("pool \"{}\": max_model_len is {}, but {} takes {} tokens: what lies beyond is extrapolated",
                    pool.name, pool.batching.max_model_len, pool.model->name, pool.model->max_context));
  }
  const platforms::Tokens room = pool.cache.blocks * pool.cache.block_size;
  const auto compiled = [&] {
    const platforms::Tokens length = pool.batching.max_model_len;
    return static_cast<double>(pool.batching.max_num_seqs) *
           (static_cast<double>(length) + platforms::bounded_kv(pool.spec()).tokens(length));
  };
  if (pool.engine->static_shapes && pool.chip != nullptr && room > 0 && compiled() > static_cast<double>(room)) {
    warnings.push_back(
        fmt::format("pool \"{}\": {} compiles places for {} calls of {} tokens, but the KV of {} fits: lower "
                    "max_num_seqs or max_model_len",
                    pool.name, pool.engine->name, pool.batching.max_num_seqs, pool.batching.max_model_len, room));
  }
  const std::int64_t heads = pool.model->heads, kv = pool.model->kv_heads;
  if (heads % p.tp != 0 || (kv > 0 && kv % p.tp != 0 && p.tp % kv != 0)) {
    warnings.push_back(fmt::format(
        "pool \"{}\": tp is {}, which does not divide the {} heads, {} of them cached, of {}: engines refuse "
        "that; it is simulated as if the chip with most of them were every chip",
        pool.name, p.tp, heads, kv, pool.model->name));
  }
  const std::int64_t chips = p.tp * p.dp;
  if (pool.model->moe && p.ep <= chips && (chips % p.ep != 0 || pool.model->moe->experts % p.ep != 0)) {
    warnings.push_back(fmt::format(
        "pool \"{}\": ep is {}, which does not divide {} chips and {} experts: engines refuse that; it is simulated as "
        "if fractions of experts could be placed",
        pool.name, p.ep, chips, pool.model->moe->experts));
  }
  if (p.ep > 1 && !pool.model->moe) {
    warnings.push_back(fmt::format("pool \"{}\": ep is {}, but {} has no experts: it changes nothing", pool.name, p.ep,
                                   pool.model->name));
  } else if (p.ep > p.expert_ranks()) {
    warnings.push_back(
        fmt::format("pool \"{}\": ep is {}, but a stage of its replicas has tp · dp = {} chips: experts are "
                    "divided among those",
                    pool.name, p.ep, p.expert_ranks()));
  }
}

/// Under a name that no other has: `others` end with the one just read, at `reader`.
template <typename Named>
void check_name(ObjectReader& reader, const std::vector<Named>& others, const char* allowed) {
  for (std::size_t i = 0; i + 1 < others.size(); ++i) {
    if (others[i].name == others.back().name) reader.fault("name", '"' + others[i].name + '"', allowed);
  }
}

/// `cluster_known`: it was read without a fault. Else nothing is said of what pools ask of it: what it lacks may follow
/// from its faults.
void read_pools(ObjectReader& reader, const platforms::Catalog& catalog, bool cluster_known, Scenario& scenario,
                std::vector<std::string>& infeasible) {
  const platforms::Cluster none;
  reader.each(
      "pools",
      [&](ObjectReader& r) {
        PoolPlan& pool = scenario.pools.emplace_back(PoolPlan::read(r, catalog, scenario.pools.size()));
        check_pool(pool, cluster_known ? scenario.cluster : none, r.file(), r.pointer(), r.faults(), infeasible);
        check_name(r, scenario.pools, "a name that no other pool has");
        warn(pool, scenario.warnings);
      },
      true);
  if (reader.has("pools") && scenario.pools.empty() && reader.faults().empty())
    reader.fault("pools", "[]", "at least one pool");
  std::vector<PoolPlan> asking = scenario.pools;
  for (PoolPlan& pool : asking) {
    if (cluster_known) break;
    pool.chip = nullptr;
    pool.site.clear();
  }
  check_pools(asking, scenario.cluster, reader.file(), reader.faults());
}

void read_training(ObjectReader& reader, const platforms::Catalog& catalog, bool cluster_known, Scenario& scenario) {
  reader.each("training", [&](ObjectReader& r) {
    scenario.training.push_back(TrainingPlan::read(r, catalog));
    check_name(r, scenario.training, "a name that no other job has");
    const std::string& site = scenario.training.back().site;
    if (cluster_known && !site.empty() && !scenario.cluster.has_site(site))
      r.fault("site", '"' + site + '"',
              "a site of the cluster" + sim::did_you_mean(site, scenario.cluster.site_names()));
  });
}

void read_workload_of(ObjectReader& reader, const agents::AgentCatalog& agents, bool needed, Scenario& scenario) {
  std::vector<PoolName> pools;
  for (const PoolPlan& pool : scenario.pools) pools.push_back({pool.name, pool.takes_calls(), pool.media != nullptr});
  if (!scenario.pools.empty() &&
      std::none_of(pools.begin(), pools.end(), [](const PoolName& p) { return p.takes_calls || p.media; })) {
    reader.fault("pools", "decode pools alone", "a mixed pool, or a prefill pool that hands over to the decode pool");
  }
  if (needed || reader.has("workload")) {
    const bool given =
        reader.object("workload", [&](ObjectReader& r) { scenario.workload = read_workload(r, agents, pools); });
    if (!given) reader.fault("workload", "nothing", R"(a workload: {"agents": […]}, {"requests": …} or {"trace": …})");
  } else {
    reader.raw("workload");
    const auto first = std::find_if(pools.begin(), pools.end(), [](const PoolName& p) { return p.takes_calls; });
    if (first != pools.end()) scenario.workload.trace_pool = static_cast<std::uint32_t>(first - pools.begin());
  }
}

/// A second entry of an agent without a name of its own is called "sales-2": a level of "sales" alone would let its
/// work off unnoticed.
void check_second_entries(ObjectReader& reader, const WorkloadPlan& workload, const Slo& slo) {
  const sim::Json& written = reader.value()["workload"];
  if (!written.contains("agents")) return;
  std::size_t e = 0;
  for (const sim::Json& entry : written["agents"]) {
    const std::string& name = workload.entries[e].name;
    const std::string agent = entry["agent"].get<std::string>();
    if (!entry.contains("name") && name != agent && slo.own(agent) != nullptr && slo.own(name) == nullptr) {
      reader.faults().add(
          reader.file(), "/slo/agents",
          fmt::format("\"{}\", but not \"{}\", as /workload/agents/{} is called", agent, name, e),
          fmt::format("a level of \"{}\", too, or a \"name\" of that entry's own, to judge it with all work", name));
    }
    ++e;
  }
}

/// `generated`: the work ends with the run, not with a trace.
RunControls read_run(ObjectReader& reader, bool generated) {
  RunControls run;
  run.duration_s = reader.number("duration_s", {.fallback = 3600, .minimum = 0, .maximum = 3e9, .exclusive = true});
  run.warmup_s = reader.number("warmup_s", {.fallback = 0, .minimum = 0, .maximum = 3e9});
  run.drain = reader.boolean("drain", true);
  run.series_interval_s = reader.number("series_interval_s", {.fallback = 1, .minimum = 1e-3, .maximum = 1e9});
  if (generated && run.warmup_s >= run.duration_s) {
    reader.fault("warmup_s", fmt::format("{}", run.warmup_s), fmt::format("less than duration_s = {}", run.duration_s));
  }
  const double shortest_s = run.duration_s / RunControls::kMostSamples;
  if (generated && run.series_interval_s < shortest_s) {
    reader.fault("series_interval_s", fmt::format("{} s in a run of {:g} s", run.series_interval_s, run.duration_s),
                 fmt::format("at least {:.3g} s: more samples are no use", std::ceil(shortest_s * 100) / 100));
  }
  return run;
}

/// Of simulations that take the run's duration and warm-up where the plan has none of its own.
DemandPlan read_demand(ObjectReader& reader, const RunControls& run) {
  DemandPlan plan = DemandPlan::read(reader);
  const double duration_s = plan.duration_s.value_or(run.duration_s), warmup_s = plan.warmup_s.value_or(run.warmup_s);
  if ((plan.duration_s || plan.warmup_s) && warmup_s >= duration_s) {
    reader.fault(plan.warmup_s ? "warmup_s" : "duration_s",
                 fmt::format("{} s of warm-up in {} s", warmup_s, duration_s),
                 "a warm-up that is shorter than the simulation");
  }
  return plan;
}

}  // namespace

Scenario Scenario::read(const sim::JsonFile& file, const Catalogs& catalogs, bool needs_workload, Faults& faults) {
  Scenario scenario;
  std::vector<std::string> infeasible;
  ObjectReader reader = file.root(faults);
  reader.choice("schema", {"tokenyard.scenario/1"}, "tokenyard.scenario/1");
  reader.raw("description");
  scenario.name = read_name(reader, "scenario");
  scenario.seed = static_cast<std::uint64_t>(
      reader.integer("seed", {.fallback = 1, .minimum = 0, .maximum = static_cast<double>(kLargestSeed)}));

  const std::size_t faults_before = faults.size();
  scenario.cluster = platforms::Cluster::read(reader, "cluster", catalogs.platforms);
  const bool cluster_known = faults.size() == faults_before;
  scenario.warnings = scenario.cluster.warnings;
  read_pools(reader, catalogs.platforms, cluster_known, scenario, infeasible);
  read_training(reader, catalogs.platforms, cluster_known, scenario);
  read_workload_of(reader, catalogs.agents, needs_workload, scenario);

  reader.object("slo", [&](ObjectReader& r) { scenario.slo = Slo::read(r); });
  const bool generated = needs_workload && !scenario.workload.trace;
  if (generated && !scenario.workload.entries.empty())
    scenario.slo.check_agents(scenario.workload.agents(), file.name(), faults);
  if (generated && faults.empty()) check_second_entries(reader, scenario.workload, scenario.slo);
  reader.object("run", [&](ObjectReader& r) { scenario.run = read_run(r, generated); });
  check_changes_of_rate(reader, "run", scenario.workload, scenario.run.duration_s);
  check_amount(reader, scenario.workload, scenario.run.duration_s);
  reader.object("demand", [&](ObjectReader& r) { scenario.demand = read_demand(r, scenario.run); });
  if (scenario.demand.duration_s)
    check_changes_of_rate(reader, "demand", scenario.workload, *scenario.demand.duration_s);

  reader.finish();
  if (faults.empty() && !infeasible.empty())
    throw sim::Infeasible(fmt::format("{}: {}", file.name(), fmt::join(infeasible, "\n")));
  return scenario;
}

}  // namespace tokenyard::analysis

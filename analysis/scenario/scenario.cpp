#include "analysis/scenario/scenario.hpp"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "analysis/scenario/name.hpp"
#include "analysis/scenario/policies_plan.hpp"
#include "analysis/scenario/speculation_plan.hpp"
#include "platforms/spec/catalog_entry.hpp"
#include "sim/input/enum_choice.hpp"

namespace tokenyard::analysis {

using platforms::Catalog;
using platforms::CatalogKind;
using sim::Faults;
using sim::NumberRule;
using sim::ObjectReader;

namespace {

/// Returns the GiB of the engine's own host tier.
double read_engine(ObjectReader& reader, PoolPlan& pool, const Catalog& catalog) {
  const platforms::EngineDefaults& defaults = *pool.engine;
  pool.batching.max_num_seqs = static_cast<std::int32_t>(reader.integer(
      "max_num_seqs", {.fallback = static_cast<double>(defaults.max_num_seqs), .minimum = 1, .maximum = 1e6}));
  pool.batching.max_num_batched_tokens =
      reader.integer("max_num_batched_tokens",
                     {.fallback = static_cast<double>(defaults.max_num_batched_tokens), .minimum = 1, .maximum = 1e7});
  pool.batching.speculation = read_speculation(reader, pool.model, catalog);
  const std::int64_t queries = pool.batching.speculation.queries();
  if (pool.batching.max_num_batched_tokens < pool.batching.max_num_seqs * queries) {
    reader.fault("max_num_batched_tokens", std::to_string(pool.batching.max_num_batched_tokens),
                 queries == 1
                     ? fmt::format("at least max_num_seqs = {}: every running call makes a token per step",
                                   pool.batching.max_num_seqs)
                     : fmt::format("at least max_num_seqs = {} times the {} tokens of a call that a step checks",
                                   pool.batching.max_num_seqs, queries));
  }
  if (pool.batching.speculation.drafter != nullptr && pool.parallelism.pp > 1) {
    reader.fault("speculative_config", fmt::format("a drafter beside pp {}", pool.parallelism.pp),
                 "pp 1, or method ngram: a drafter is not divided into stages");
  }
  pool.cache.block_size = reader.integer(
      "block_size", {.fallback = static_cast<double>(defaults.block_size), .minimum = 1, .maximum = 4096});
  const bool chunked = reader.boolean("chunked_prefill", defaults.enable_chunked_prefill);
  pool.batching.chunked_prefill = reader.boolean("enable_chunked_prefill", chunked);
  const bool caching = reader.boolean("prefix_caching", defaults.enable_prefix_caching);
  pool.cache.prefix_caching = reader.boolean("enable_prefix_caching", caching);
  pool.batching.async_scheduling = reader.boolean("async_scheduling", defaults.async_scheduling);
  pool.gpu_memory_utilization =
      reader.number("gpu_memory_utilization",
                    {.fallback = defaults.gpu_memory_utilization, .minimum = 0, .maximum = 1, .exclusive = true});
  pool.batching.long_prefill_token_threshold =
      reader.integer("long_prefill_token_threshold", {.fallback = 0, .minimum = 0, .maximum = 1e7});
  pool.batching.scheduler_reserve_full_isl =
      reader.boolean("scheduler_reserve_full_isl", defaults.scheduler_reserve_full_isl);
  pool.batching.mixed_chunk = reader.boolean("enable_mixed_chunk", defaults.enable_mixed_chunk);
  pool.batching.watermark = reader.number("watermark", {.fallback = 0, .minimum = 0, .maximum = 1});
  if (const auto blocks = reader.optional_integer("num_gpu_blocks_override", {.minimum = 1, .maximum = 1e12})) {
    pool.cache.blocks = *blocks;
    pool.blocks_overridden = true;
  }
  if (const auto length = reader.optional_integer("max_model_len", {.minimum = 1, .maximum = 1e9})) {
    pool.batching.max_model_len = *length;
  } else if (pool.model != nullptr) {
    pool.batching.max_model_len = pool.model->max_context;
  }
  return reader.number("kv_offloading_size", {.fallback = 0, .minimum = 0, .maximum = 1e9});
}

/// What a pool of a media model has none of.
void refuse_serving_keys(ObjectReader& reader, const PoolPlan& pool) {
  for (const char* key :
       {"role", "decode_pool", "engine", "router", "scheduling", "preemptive", "quantum_s", "promote_at", "kv_tiers",
        "kv_retention", "kv_ttl_s", "kv_eviction", "overflow", "overflow_at"}) {
    if (reader.raw(key) != nullptr)
      reader.fault(key, fmt::format("a pool of {}, which makes pictures", pool.media->name),
                   "no such key: each replica makes one picture at a time, first come, first served");
  }
  const platforms::Parallelism& p = pool.parallelism;
  if (p.pp * p.dp * p.ep != 1)
    reader.fault("parallelism", fmt::format("pp {}, dp {}, ep {}", p.pp, p.dp, p.ep),
                 "tp alone: the chips that make one picture together");
}

PoolPlan read_pool(ObjectReader& reader, const Catalog& catalog, std::size_t index) {
  PoolPlan pool;
  pool.name = read_name(reader, fmt::format("pool{}", index));
  const std::size_t before = reader.faults().size();
  const std::string model = reader.string("model");
  pool.media = catalog.find_media_model(model);
  if (pool.media == nullptr) pool.model = catalog.find_model(model);
  if (pool.media == nullptr && pool.model == nullptr && reader.faults().size() == before) {
    std::vector<std::string> names = catalog.names(CatalogKind::kModel);
    for (std::string& name : catalog.names(CatalogKind::kMediaModel)) names.push_back(std::move(name));
    reader.fault("model", '"' + model + '"', "a model of the catalogue" + sim::did_you_mean(model, names));
  }
  pool.chip = platforms::catalog_entry(reader, "chip", CatalogKind::kChip, catalog, &Catalog::find_chip);
  pool.site = reader.string("site", "");
  pool.replicas = reader.integer("replicas", {.fallback = 1, .minimum = 1, .maximum = 1e6});
  reader.object("parallelism", [&](ObjectReader& p) {
    const NumberRule rule{.fallback = 1, .minimum = 1, .maximum = 4096};
    pool.parallelism = {p.integer("tp", rule), p.integer("pp", rule), p.integer("dp", rule), p.integer("ep", rule)};
  });
  const auto precision = [&](ObjectReader& p, std::string_view key) {
    return platforms::precision_from_name(p.choice(key, platforms::precision_names(), "bf16"))
        .value_or(platforms::Precision::kBf16);
  };
  reader.object("precision", [&](ObjectReader& p) {
    pool.weights = precision(p, "weights");
    pool.kv = precision(p, "kv");
  });
  pool.usd_per_chip_hour = reader.optional_number("usd_per_chip_hour", {.minimum = 0, .maximum = 1e6});
  if (!pool.usd_per_chip_hour && pool.chip != nullptr) pool.usd_per_chip_hour = pool.chip->price.usd_per_hour;
  if (pool.media != nullptr) {
    refuse_serving_keys(reader, pool);
    return pool;
  }
  pool.role = sim::enum_choice<platforms::PoolRole>(reader, "role", platforms::kPoolRoleNames, "mixed");
  pool.decode_pool = reader.string("decode_pool", "");
  pool.engine = catalog.find_engine("vllm");
  double offloading_gib = 0;
  if (reader.raw("engine") != nullptr) {
    reader.object("engine", [&](ObjectReader& engine) {
      const auto* found =
          platforms::catalog_entry(engine, "name", CatalogKind::kEngine, catalog, &Catalog::find_engine, "vllm");
      if (found != nullptr) pool.engine = found;
      offloading_gib = read_engine(engine, pool, catalog);
    });
  } else {
    const sim::JsonFile empty = sim::JsonFile::from(sim::Json::object(), reader.file());
    ObjectReader none(empty.value(), reader.file(), reader.pointer_to("engine"), reader.faults());
    read_engine(none, pool, catalog);
  }
  pool.kv_tiers = read_kv_tiers(reader, pool.chip, offloading_gib);
  if (!pool.kv_tiers.empty() && !pool.cache.prefix_caching) {
    reader.fault("kv_tiers", "tiers without prefix caching",
                 "enable_prefix_caching, by which KV is found again; or no kv_tiers and no kv_offloading_size");
  }
  read_policies(reader, pool);
  pool.overflow = reader.strings("overflow");
  pool.overflow_at = reader.integer(
      "overflow_at", {.fallback = static_cast<double>(pool.batching.max_num_seqs), .minimum = 1, .maximum = 1e9});
  return pool;
}

/// What one pool needs beyond its own keys; KV blocks from the memory.
void check_pool(PoolPlan& pool, const platforms::Cluster& cluster, const std::string& file, const std::string& place,
                Faults& faults, std::vector<std::string>& infeasible) {
  if (pool.chip == nullptr) return;
  if (pool.media != nullptr) {
    for (const std::string& missing : platforms::missing_numbers(pool.media_spec())) {
      faults.add(file, place, missing + " is unknown",
                 "a chip and media model whose catalogue entries have it, or a --catalog that supplies it");
    }
    if (pool.chip->memory_bytes && platforms::weight_bytes(pool.media_spec()) > *pool.chip->memory_bytes) {
      infeasible.push_back(fmt::format(
          "{}: pool \"{}\": {} in {} has {:.1f} GB of weights; {} has {:.1f} GB. Use a "
          "smaller precision, or a chip with more memory.",
          place, pool.name, pool.media->name, platforms::name_of(pool.weights),
          platforms::weight_bytes(pool.media_spec()) / 1e9, pool.chip->name, *pool.chip->memory_bytes / 1e9));
    }
    return;
  }
  if (pool.model == nullptr) return;
  for (const std::string& missing : platforms::missing_numbers(pool.spec_on(cluster))) {
    faults.add(file, place, missing + " is unknown",
               "a chip and model whose catalogue entries have it, or a --catalog that supplies it");
  }
  if (!pool.model->missing().empty() || !pool.chip->memory_bytes || pool.blocks_overridden) return;
  pool.size_cache();
  if (pool.cache.blocks <= 0) {
    infeasible.push_back(
        fmt::format("{}: pool \"{}\": {} in {} needs {:.1f} GB of weights on each of {} chips; {} has {:.1f} GB, of "
                    "which {:.0f} % may be used. "
                    "Use more chips per replica (parallelism), a smaller precision, or a chip with more memory.",
                    place, pool.name, pool.model->name, platforms::name_of(pool.weights),
                    platforms::weight_bytes_per_chip(pool.spec()) / 1e9, pool.parallelism.chips(), pool.chip->name,
                    *pool.chip->memory_bytes / 1e9, pool.gpu_memory_utilization * 100));
  }
}

/// A call may run in any pool that its own overflows into.
void check_overflow(const Scenario& scenario, const std::string& file, Faults& faults) {
  for (std::size_t i = 0; i < scenario.pools.size(); ++i) {
    const PoolPlan& pool = scenario.pools[i];
    std::vector<std::string> fitting;
    for (const PoolPlan& other : scenario.pools) {
      if (&other != &pool && other.role == platforms::PoolRole::kMixed && other.model == pool.model)
        fitting.push_back(other.name);
    }
    if (!pool.overflow.empty() && pool.role != platforms::PoolRole::kMixed)
      faults.add(file, fmt::format("/pools/{}/overflow", i), "an overflow of a pool that is not mixed",
                 "a mixed pool, whose calls run in one place");
    for (std::size_t j = 0; j < pool.overflow.size(); ++j) {
      if (std::find(fitting.begin(), fitting.end(), pool.overflow[j]) != fitting.end()) continue;
      faults.add(file, fmt::format("/pools/{}/overflow/{}", i, j), '"' + pool.overflow[j] + '"',
                 "the name of another mixed pool of the same model" + sim::did_you_mean(pool.overflow[j], fitting));
    }
  }
}

/// What the pools ask of the cluster: sites, chips, ways out of a node.
void check_cluster(const Scenario& scenario, const std::string& file, Faults& faults) {
  const platforms::Cluster& cluster = scenario.cluster;
  std::int64_t nodes = 0;
  for (const platforms::Site& site : cluster.sites) nodes += site.nodes();
  for (std::size_t i = 0; i < scenario.pools.size(); ++i) {
    const PoolPlan& pool = scenario.pools[i];
    if (!pool.site.empty() && !cluster.has_site(pool.site)) {
      faults.add(file, fmt::format("/pools/{}/site", i), '"' + pool.site + '"',
                 "a site of the cluster" + sim::did_you_mean(pool.site, cluster.site_names()));
      continue;
    }
    if (pool.chip == nullptr) continue;
    std::int64_t used = pool.chips();
    for (std::size_t j = 0; j < i; ++j) {
      const bool beside = pool.site.empty() || scenario.pools[j].site == pool.site;
      used += beside && scenario.pools[j].chip == pool.chip ? scenario.pools[j].chips() : 0;
    }
    const std::int64_t have = cluster.chips_of(*pool.chip, pool.site);
    if (used > have) {
      faults.add(file, fmt::format("/pools/{}/replicas", i),
                 fmt::format("{} chips {} with the pools before it", used, pool.chip->name),
                 fmt::format("at most the {} that {} has", have,
                             pool.site.empty() ? "the cluster" : "site \"" + pool.site + '"'));
    }
    const bool remote = !pool.kv_tiers.empty() && pool.kv_tiers.back().kind == platforms::KvTierKind::kRemote;
    if (remote && !cluster.knows_rate_of(*pool.chip, pool.site)) {
      faults.add(file, fmt::format("/pools/{}/kv_tiers", i),
                 fmt::format("a remote store for {}, whose scale_out_bytes_per_s is unknown", pool.chip->name),
                 "a cluster whose fabric has bytes_per_s, or a chip with a known NIC");
    }
    const bool hands_over = pool.role != platforms::PoolRole::kMixed || !pool.overflow.empty();
    if (hands_over && nodes > 1 && !cluster.knows_rate_of(*pool.chip, pool.site)) {
      faults.add(file, fmt::format("/pools/{}/chip", i),
                 fmt::format("{}, whose scale_out_bytes_per_s is unknown", pool.chip->name),
                 "a cluster whose fabric has bytes_per_s, or a chip with a known NIC: the pool's KV or text moves "
                 "between nodes");
    }
  }
}

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

}  // namespace

platforms::ReplicaSpec PoolPlan::spec_on(const platforms::Cluster& cluster) const {
  platforms::ReplicaSpec result = spec();
  result.span = cluster.span(*chip, parallelism.chips(), parallelism.tp, site);
  return result;
}

void PoolPlan::size_cache() {
  const double tokens = platforms::kv_capacity_tokens(spec(), gpu_memory_utilization, engine->reserved_bytes);
  cache.blocks = static_cast<std::int64_t>(std::floor(tokens / static_cast<double>(cache.block_size)));
}

double PoolPlan::replica_kv_bytes_per_token() const {
  return platforms::kv_bytes_per_token_per_chip(spec()) * static_cast<double>(parallelism.chips());
}

std::vector<platforms::KvTierOptions> PoolPlan::tier_options() const {
  std::vector<platforms::KvTierOptions> options;
  for (const KvTierPlan& tier : kv_tiers) {
    const double tokens = tier.gib * 1073741824.0 / replica_kv_bytes_per_token();
    const auto blocks = static_cast<std::int64_t>(std::floor(tokens / static_cast<double>(cache.block_size)));
    double rate = tier.bytes_per_s.value_or(0);
    if (tier.kind == platforms::KvTierKind::kHost) {
      rate = tier.bytes_per_s ? *tier.bytes_per_s : chip->host_bytes_per_s.value_or(0);
      rate *= static_cast<double>(parallelism.chips());
    }
    options.push_back({tier.kind, blocks, rate});
  }
  return options;
}

Scenario Scenario::read(const sim::JsonFile& file, const Catalogs& catalogs, bool needs_workload, Faults& faults) {
  const Catalog& catalog = catalogs.platforms;
  Scenario scenario;
  std::vector<std::string> infeasible;
  ObjectReader reader = file.root(faults);
  reader.raw("schema");
  reader.raw("description");
  scenario.name = read_name(reader, "scenario");
  scenario.seed =
      static_cast<std::uint64_t>(reader.integer("seed", {.fallback = 1, .minimum = 0, .maximum = 9007199254740992.0}));

  scenario.cluster = platforms::Cluster::read(reader, "cluster", catalog);
  scenario.warnings = scenario.cluster.warnings;

  reader.each(
      "pools",
      [&](ObjectReader& r) {
        PoolPlan& pool = scenario.pools.emplace_back(read_pool(r, catalog, scenario.pools.size()));
        check_pool(pool, scenario.cluster, file.name(), r.pointer(), faults, infeasible);
        for (std::size_t i = 0; i + 1 < scenario.pools.size(); ++i) {
          if (scenario.pools[i].name == scenario.pools.back().name)
            r.fault("name", '"' + scenario.pools[i].name + '"', "a name that no other pool has");
        }
      },
      true);
  if (reader.has("pools") && scenario.pools.empty() && faults.empty()) reader.fault("pools", "[]", "at least one pool");
  for (std::size_t i = 0; i < scenario.pools.size(); ++i) {
    const PoolPlan& pool = scenario.pools[i];
    if (pool.role != platforms::PoolRole::kPrefill) continue;
    const auto target = std::find_if(scenario.pools.begin(), scenario.pools.end(),
                                     [&](const PoolPlan& p) { return p.name == pool.decode_pool; });
    if (target == scenario.pools.end() || target->role != platforms::PoolRole::kDecode) {
      faults.add(file.name(), fmt::format("/pools/{}/decode_pool", i), '"' + pool.decode_pool + '"',
                 "the name of a pool whose role is \"decode\"");
    }
  }
  check_overflow(scenario, file.name(), faults);
  check_cluster(scenario, file.name(), faults);
  reader.each("training", [&](ObjectReader& r) {
    scenario.training.push_back(TrainingPlan::read(r, catalog));
    for (std::size_t i = 0; i + 1 < scenario.training.size(); ++i) {
      if (scenario.training[i].name == scenario.training.back().name)
        r.fault("name", '"' + scenario.training[i].name + '"', "a name that no other job has");
    }
    const std::string& site = scenario.training.back().site;
    if (!site.empty() && !scenario.cluster.has_site(site))
      r.fault("site", '"' + site + '"',
              "a site of the cluster" + sim::did_you_mean(site, scenario.cluster.site_names()));
  });

  std::vector<PoolName> pools;
  for (const PoolPlan& pool : scenario.pools) {
    const bool media = pool.media != nullptr;
    pools.push_back({pool.name, !media && pool.role != platforms::PoolRole::kDecode, media});
  }
  if (!scenario.pools.empty() &&
      std::none_of(pools.begin(), pools.end(), [](const PoolName& p) { return p.takes_calls || p.media; })) {
    reader.fault("pools", "decode pools alone", "a mixed pool, or a prefill pool that hands over to the decode pool");
  }
  if (needs_workload || reader.has("workload")) {
    const bool given = reader.object(
        "workload", [&](ObjectReader& r) { scenario.workload = read_workload(r, catalogs.agents, pools); });
    if (!given) reader.fault("workload", "nothing", R"(a workload: {"agents": […]}, {"requests": …} or {"trace": …})");
  } else {
    reader.raw("workload");
    const auto first = std::find_if(pools.begin(), pools.end(), [](const PoolName& p) { return p.takes_calls; });
    if (first != pools.end()) scenario.workload.trace_pool = static_cast<std::uint32_t>(first - pools.begin());
  }

  reader.object("slo", [&](ObjectReader& r) {
    const NumberRule positive{.minimum = 0, .exclusive = true};
    scenario.slo.ttft_s = r.optional_number("ttft_s", positive);
    scenario.slo.tpot_s = r.optional_number("tpot_s", positive);
    scenario.slo.e2e_s = r.optional_number("e2e_s", positive);
    scenario.slo.task_s = r.optional_number("task_s", positive);
    scenario.slo.attainment = r.number("attainment", {.fallback = 0.95, .minimum = 0, .maximum = 1});
  });
  reader.object("run", [&](ObjectReader& r) {
    scenario.run.duration_s =
        r.number("duration_s", {.fallback = 3600, .minimum = 0, .maximum = 3e9, .exclusive = true});
    scenario.run.warmup_s = r.number("warmup_s", {.fallback = 0, .minimum = 0, .maximum = 3e9});
    scenario.run.drain = r.boolean("drain", true);
    scenario.run.series_interval_s = r.number("series_interval_s", {.fallback = 1, .minimum = 1e-3, .maximum = 1e9});
    if (needs_workload && !scenario.workload.trace && scenario.run.warmup_s >= scenario.run.duration_s) {
      r.fault("warmup_s", fmt::format("{}", scenario.run.warmup_s),
              fmt::format("less than duration_s = {}", scenario.run.duration_s));
    }
    const double shortest_s = scenario.run.duration_s / RunControls::kMostSamples;
    if (needs_workload && !scenario.workload.trace && scenario.run.series_interval_s < shortest_s) {
      r.fault("series_interval_s",
              fmt::format("{} s in a run of {:g} s", scenario.run.series_interval_s, scenario.run.duration_s),
              fmt::format("at least {:.3g} s: more samples are no use", std::ceil(shortest_s * 100) / 100));
    }
  });
  check_changes_of_rate(reader, "run", scenario.workload, scenario.run.duration_s);
  reader.object("demand", [&](ObjectReader& r) {
    scenario.demand = DemandPlan::read(r);
    const DemandPlan& plan = scenario.demand;
    const double duration_s = plan.duration_s.value_or(scenario.run.duration_s),
                 warmup_s = plan.warmup_s.value_or(scenario.run.warmup_s);
    if ((plan.duration_s || plan.warmup_s) && warmup_s >= duration_s) {
      r.fault(plan.warmup_s ? "warmup_s" : "duration_s", fmt::format("{} s of warm-up in {} s", warmup_s, duration_s),
              "a warm-up that is shorter than the simulation");
    }
  });
  if (scenario.demand.duration_s)
    check_changes_of_rate(reader, "demand", scenario.workload, *scenario.demand.duration_s);
  reader.finish();
  if (faults.empty() && !infeasible.empty())
    throw sim::Infeasible(fmt::format("{}: {}", file.name(), fmt::join(infeasible, "\n")));
  return scenario;
}

}  // namespace tokenyard::analysis

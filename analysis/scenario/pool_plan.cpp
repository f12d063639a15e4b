#include "analysis/scenario/pool_plan.hpp"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "analysis/scenario/name.hpp"
#include "analysis/scenario/policies_plan.hpp"
#include "analysis/scenario/speculation_plan.hpp"
#include "platforms/cost/replica_memory.hpp"
#include "platforms/spec/catalog_entry.hpp"
#include "sim/input/enum_choice.hpp"

namespace tokenyard::analysis {

using platforms::Catalog;
using platforms::CatalogKind;
using sim::NumberRule;
using sim::ObjectReader;

namespace {

/// Under its own name or, as vLLM has it, with "enable_" before.
bool read_enabled(ObjectReader& reader, const std::string& name, bool fallback) {
  const bool enabled = reader.boolean(name, fallback), by_vllm = reader.boolean("enable_" + name, enabled);
  if (reader.raw(name) != nullptr && enabled != by_vllm)
    reader.fault(name, fmt::format("{} beside enable_{} {}", enabled, name, by_vllm), "one of the two");
  return by_vllm;
}

/// Returns the GiB of the engine's own host tier.
double read_engine(ObjectReader& reader, PoolPlan& pool, const Catalog& catalog) {
  const platforms::EngineDefaults& defaults = *pool.engine;
  pool.batching.max_num_seqs = static_cast<std::int32_t>(reader.integer(
      "max_num_seqs", {.fallback = static_cast<double>(defaults.max_num_seqs), .minimum = 1, .maximum = 1e6}));
  pool.batching.speculation = read_speculation(reader, pool.model, catalog);
  const std::int64_t queries = pool.batching.speculation.queries();
  const std::int64_t budget = pool.chip != nullptr ? defaults.budget_on(*pool.chip) : defaults.max_num_batched_tokens;
  pool.batching.max_num_batched_tokens =
      reader.integer("max_num_batched_tokens",
                     {.fallback = static_cast<double>(std::max(budget, pool.batching.max_num_seqs * queries)),
                      .minimum = 1,
                      .maximum = 1e7});
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
  pool.batching.chunked_prefill = read_enabled(reader, "chunked_prefill", defaults.enable_chunked_prefill);
  pool.cache.prefix_caching = read_enabled(reader, "prefix_caching", defaults.enable_prefix_caching);
  pool.batching.async_scheduling = reader.boolean("async_scheduling", defaults.host.asynchronous);
  pool.gpu_memory_utilization =
      reader.number("gpu_memory_utilization",
                    {.fallback = defaults.gpu_memory_utilization, .minimum = 0, .maximum = 1, .exclusive = true});
  pool.batching.long_prefill_token_threshold =
      reader.integer("long_prefill_token_threshold", {.fallback = 0, .minimum = 0, .maximum = 1e7});
  pool.batching.output_reserve = defaults.output_reserve;
  pool.batching.scheduler_reserve_full_isl =
      reader.boolean("scheduler_reserve_full_isl", defaults.scheduler_reserve_full_isl);
  pool.batching.mixed_chunk = reader.boolean("enable_mixed_chunk", defaults.enable_mixed_chunk);
  pool.batching.watermark = reader.number("watermark", {.fallback = 0, .minimum = 0, .maximum = 1});
  if (const auto blocks = reader.optional_integer("num_gpu_blocks_override", {.minimum = 1, .maximum = 1e12})) {
    pool.cache.blocks = *blocks;
    pool.blocks_overridden = true;
  }
  pool.batching.one_prompt = defaults.static_shapes;
  if (pool.model != nullptr)
    pool.batching.max_model_len =
        std::min(pool.model->max_context, defaults.max_model_len.value_or(pool.model->max_context));
  if (const auto length = reader.optional_integer("max_model_len", {.minimum = 1, .maximum = 1e9}))
    pool.batching.max_model_len = *length;
  for (const auto& [key, on] : {std::pair{"enable_chunked_prefill", pool.batching.chunked_prefill},
                                std::pair{"enable_mixed_chunk", pool.batching.mixed_chunk},
                                std::pair{"enable_prefix_caching", pool.cache.prefix_caching}}) {
    if (defaults.static_shapes && on)
      reader.fault(key, "true", fmt::format("false: {} computes a prompt at a time, whole and alone", defaults.name));
  }
  return reader.number("kv_offloading_size", {.fallback = 0, .minimum = 0, .maximum = 1e9});
}

/// What a pool of a media model has none of.
void refuse_serving_keys(ObjectReader& reader, const PoolPlan& pool) {
  for (const char* key : {"role", "decode_pool", "engine", "router", "sticky_above", "scheduling", "preemptive",
                          "quantum_s", "promote_at", "kv_tiers", "kv_retention", "kv_ttl_s", "kv_eviction", "overflow",
                          "overflow_at", "overflow_by"}) {
    if (reader.raw(key) != nullptr)
      reader.fault(key, fmt::format("a pool of {}, which makes pictures", pool.media->name),
                   "no such key: each replica makes one picture at a time, first come, first served");
  }
  const platforms::Parallelism& p = pool.parallelism;
  if (p.pp * p.dp * p.ep != 1)
    reader.fault("parallelism", fmt::format("pp {}, dp {}, ep {}", p.pp, p.dp, p.ep),
                 "tp alone: the chips that make one picture together");
}

}  // namespace

PoolPlan PoolPlan::read(ObjectReader& reader, const Catalog& catalog, std::size_t index) {
  PoolPlan pool;
  pool.name = read_name(reader, fmt::format("pool{}", index));
  if (const std::optional<std::string> model = reader.valid_string("model")) {
    pool.media = catalog.find_media_model(*model);
    if (pool.media == nullptr) pool.model = catalog.find_model(*model);
    if (pool.media == nullptr && pool.model == nullptr) {
      std::vector<std::string> names = catalog.names(CatalogKind::kModel);
      for (std::string& name : catalog.names(CatalogKind::kMediaModel)) names.push_back(std::move(name));
      reader.fault("model", '"' + *model + '"',
                   "a model of the catalogue" + sim::did_you_mean(*model, names) + ", or of yours (--catalog DIR)");
    }
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
    reader.object("engine", [&](ObjectReader& options) {
      const auto* found =
          platforms::catalog_entry(options, "name", CatalogKind::kEngine, catalog, &Catalog::find_engine, "vllm");
      if (found != nullptr) pool.engine = found;
      offloading_gib = read_engine(options, pool, catalog);
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
  pool.overflow_by =
      sim::enum_choice<platforms::OverflowBy>(reader, "overflow_by", platforms::kOverflowByNames, "load");
  for (const char* key : {"overflow_at", "overflow_by"}) {
    if (pool.overflow.empty() && reader.raw(key) != nullptr)
      reader.fault(key, "no overflow beside it", "the pools to share with, in overflow");
  }
  const auto built_in = [&](CatalogKind kind, const auto* entry) {
    return entry != nullptr && catalog.is_built_in(kind, entry->name);
  };
  pool.built_in = built_in(CatalogKind::kChip, pool.chip) && built_in(CatalogKind::kModel, pool.model) &&
                  built_in(CatalogKind::kEngine, pool.engine);
  return pool;
}

platforms::ReplicaSpec PoolPlan::spec_on(const platforms::Cluster& cluster) const {
  platforms::ReplicaSpec result = spec();
  result.span = cluster.span(*chip, parallelism.chips(), parallelism.tp, site);
  return result;
}

bool PoolPlan::size_cache() {
  if (blocks_overridden) return platforms::weight_bytes_per_chip(spec()) <= *chip->memory_bytes;
  const double tokens = platforms::kv_capacity_tokens(spec(), gpu_memory_utilization, engine->reserved_bytes);
  cache.blocks = static_cast<std::int64_t>(std::floor(tokens / static_cast<double>(cache.block_size)));
  return cache.blocks > 0;
}

double PoolPlan::rank_kv_bytes_per_token() const {
  return platforms::kv_bytes_per_token_per_chip(spec()) * static_cast<double>(parallelism.chips_of_rank());
}

std::vector<platforms::KvTierOptions> PoolPlan::tier_options() const {
  std::vector<platforms::KvTierOptions> options;
  for (const KvTierPlan& tier : kv_tiers) {
    const bool shared = tier.kind == platforms::KvTierKind::kRemote;
    const double gib = shared ? tier.gib : tier.gib / static_cast<double>(parallelism.dp);
    const double tokens = gib * 1073741824.0 / rank_kv_bytes_per_token();
    const auto blocks = static_cast<std::int64_t>(std::floor(tokens / static_cast<double>(cache.block_size)));
    double rate = tier.bytes_per_s.value_or(0);
    if (tier.kind == platforms::KvTierKind::kHost) {
      rate = tier.bytes_per_s ? *tier.bytes_per_s : chip->host_bytes_per_s.value_or(0);
      rate *= static_cast<double>(parallelism.chips_of_rank());
    }
    options.push_back({tier.kind, blocks, rate});
  }
  return options;
}

const PoolPlan* find_pool(const std::vector<PoolPlan>& pools, const std::string& name) {
  const auto found = std::find_if(pools.begin(), pools.end(), [&](const PoolPlan& pool) { return pool.name == name; });
  return found == pools.end() ? nullptr : &*found;
}

}  // namespace tokenyard::analysis

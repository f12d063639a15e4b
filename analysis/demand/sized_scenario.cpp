#include "analysis/demand/sized_scenario.hpp"

#include <cmath>

namespace tokenyard::analysis {
namespace {

using sim::Json;

/// Nodes that hold a pool, no other pool's replica beside its own.
std::int64_t nodes_of(const Sizing::Pool& pool, std::int64_t chips_per_node) {
  const std::int64_t each = pool.parallelism.chips(), side_by_side = chips_per_node / each;
  const auto parts = [](std::int64_t whole, std::int64_t of) { return (whole + of - 1) / of; };
  return side_by_side > 0 ? parts(pool.replicas, side_by_side) : pool.replicas * parts(each, chips_per_node);
}

/// What a replica has of its nodes' memory and SSDs for KV: as much for each chip (candidate.hpp).
void scale_kv_tiers(Json& pool, double more) {
  const auto scale = [&](Json& object, const char* key) {
    if (object.contains(key)) object[key] = object[key].get<double>() * more;
  };
  if (more == 1) return;
  if (pool.contains("engine")) scale(pool["engine"], "kv_offloading_size");
  if (!pool.contains("kv_tiers")) return;
  for (Json& tier : pool["kv_tiers"]) {
    if (tier.value("tier", "host") != "remote") scale(tier, "gib");
  }
}

}  // namespace

std::optional<Json> sized_scenario(Json document, const Scenario& scenario, const DemandEntry& entry) {
  const Deployment& found = entry.deployment;
  const double rate = rate_of(scenario);
  const bool as_given = rate == 0 || std::abs(found.cell_tasks_per_s / rate - 1) < 1e-9;
  if (!found.cell.met || found.cells != 1 || !as_given || !document["cluster"].is_object()) return {};

  std::int64_t nodes = 0;
  for (std::size_t p = 0; p < found.cell.pools.size(); ++p) {
    const Sizing::Pool& size = found.cell.pools[p];
    const platforms::Parallelism& way = size.parallelism;
    Json& pool = document["pools"][p];
    pool["chip"] = entry.chip->name;
    pool["replicas"] = size.replicas;
    scale_kv_tiers(pool, static_cast<double>(way.chips()) / static_cast<double>(scenario.pools[p].parallelism.chips()));
    pool["parallelism"] = {{"tp", way.tp}, {"pp", way.pp}, {"dp", way.dp}, {"ep", way.ep}};
    if (scenario.pools[p].media == nullptr) pool["engine"]["max_num_seqs"] = size.max_num_seqs;
    for (const char* key : {"site", "usd_per_chip_hour"}) pool.erase(key);  // of the chips and the place it had
    const Sourced& price = entry.prices.usd_per_chip_hour;
    if (price.value && price.source != "catalogue") pool["usd_per_chip_hour"] = *price.value;
    nodes += nodes_of(size, found.cell.chips_per_node);
  }
  Json& sites = document["cluster"]["sites"];
  sites = Json::array({sites[0]});
  sites[0]["nodes"] = {{{"chip", entry.chip->name}, {"count", nodes}, {"chips_per_node", found.cell.chips_per_node}}};
  document["run"]["duration_s"] = found.cell.duration_s;
  document["run"]["warmup_s"] = found.cell.warmup_s;
  if (const auto& trace = scenario.workload.trace)
    document["workload"]["trace"]["path"] = std::filesystem::absolute(trace->path).string();
  return document;
}

}  // namespace tokenyard::analysis

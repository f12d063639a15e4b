#pragma once
/// Measured serving points (TTFT and TPOT of a model on some chips at some concurrency), and their simulation.
///
/// Tables in the format of aiconfigurator's silicon samples: backend, backend_version, model_path, system, precision,
/// mode, isl, osl, batch_size (the client's concurrency), tp_size, moe_ep_size, attention_dp_size, silicon_ttft_ms,
/// silicon_tpot_ms. A closed loop: every user sends the next request when the last one ends. How server and client were
/// set up follows from silicon_data_source, where known: it decides most of the time to first token.
///
/// Points fall into two halves by system, model and tensor parallelism, never by row: figures fitted on one are judged
/// on the other.

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "analysis/measured/serving_bench.hpp"
#include "platforms/cost/replica_spec.hpp"
#include "platforms/spec/catalog.hpp"

namespace tokenyard::analysis {

struct ServingPoint {
  std::string system, engine, version, model, precision;  ///< as the table writes them
  const platforms::EngineDefaults* defaults = nullptr;
  platforms::ReplicaSpec spec;
  ServingBench bench;  ///< without its cost
  BenchLoad load;
  double ttft_s = 0, tpot_s = 0;
  bool second_half = false;
  std::string group() const { return system + " " + engine + " " + version + " " + model + " " + precision; }
};

struct ServingTable {
  std::vector<ServingPoint> points;
  std::map<std::string, int> left_out;  ///< reason → rows
};

/// Sets up the server of a point whose chips, model and engine are known: host times, batching and KV cache, in such a
/// share of memory if not in the engine's. Empty, or the reason why there can be none.
std::string set_up(ServingPoint& point, std::optional<double> memory_utilization = {});

/// Leaves out, with the reason: disaggregated rows; the two sets that the table's notes call physically impossible;
/// models, chips and number formats that the catalogue cannot time; and what does not fit into memory as labelled.
ServingTable read_serving_table(const std::filesystem::path& path, const platforms::Catalog& catalog);

/// Over all calls, as a client's report has them.
struct ServedMeans {
  double ttft_s = 0, tpot_s = 0, e2e_s = 0;
};
ServedMeans means_of(const ServingResult& result);
ServingResult serve(const ServingPoint& point, const platforms::EngineDefaults::Host& host);
ServedMeans simulate_point(const ServingPoint& point, const platforms::EngineDefaults::Host& host);

}  // namespace tokenyard::analysis

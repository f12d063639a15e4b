#pragma once
/// The `training` of a scenario: jobs that train models on chips of the same cluster, beside its pools.
///
///   {"name": "pretrain", "model": "llama-3.1-70b", "chip": "h100-sxm", "workers": 8, "parallelism": {"tp": 8},
///    "tokens_per_step": 4e6, "mfu": 0.4, "overlap": 0.5, "gradient_bytes_per_parameter": 2}
///
/// A worker is a data-parallel copy of the model on tp · pp chips; it computes in bf16. Jobs take the chips that the
/// pools leave. Steps begin until the arrivals end (platforms/training/training_job.hpp).

#include <string>
#include <vector>

#include "platforms/cost/replica_spec.hpp"
#include "platforms/spec/catalog.hpp"
#include "sim/input/json_reader.hpp"

namespace tokenyard::analysis {

struct TrainingPlan {
  std::string name;
  const platforms::Chip* chip = nullptr;
  const platforms::ModelArchitecture* model = nullptr;
  std::int64_t workers = 1;
  platforms::Parallelism parallelism;  ///< of a worker
  std::string site;                    ///< empty: any
  double tokens_per_step = 4e6;
  double mfu = 0.4;      ///< measured for Llama 3 405B on up to 16,384 H100: 0.38 to 0.43 (arXiv 2407.21783)
  double overlap = 0.5;  ///< assumed: the share of the compute that may hide the all-reduce
  double gradient_bytes_per_parameter = 2;  ///< bf16

  std::int64_t chips() const { return workers * parallelism.chips(); }
  double step_compute_s() const;
  double gradient_bytes() const;

  static TrainingPlan read(sim::ObjectReader& reader, const platforms::Catalog& catalog);
};

}  // namespace tokenyard::analysis

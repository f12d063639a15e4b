#include "analysis/run/validity.hpp"

#include <fmt/format.h>

namespace tokenyard::analysis {
namespace {

/// Whether step times come from a measured profile: not with drafts, which no profile has.
bool profiled(const PoolPlan& pool) {
  return pool.model != nullptr && pool.batching.speculation.drafts() == 0 &&
         pool.chip->profile(pool.model->name, pool.parallelism.tp, pool.weights, pool.kv) != nullptr;
}

}  // namespace

std::optional<double> step_time_uncertainty(const PoolPlan& pool) {
  return profiled(pool) ? std::nullopt : pool.chip->step_time_uncertainty;
}

std::vector<std::string> validity_notes(const PoolPlan& pool) {
  const platforms::Chip& chip = *pool.chip;
  std::vector<std::string> notes;
  if (const auto uncertainty = step_time_uncertainty(pool)) {
    notes.push_back(
        fmt::format("extrapolated: no kernel data for {}; step times ±{:.0f} %", chip.name, 100 * *uncertainty));
  } else if (!profiled(pool)) {
    const auto compute = chip.compute_precision(pool.weights);
    if (compute && chip.is_assumed("efficiency/gemm_compute/" + std::string(platforms::name_of(*compute)))) {
      notes.push_back(fmt::format("{} products on {} are not fitted: their share of the peak is assumed",
                                  platforms::name_of(*compute), chip.name));
    }
    if (pool.model != nullptr && pool.model->moe && chip.moe_residual(pool.weights).empty() &&
        chip.is_assumed("efficiency/moe_compute")) {
      notes.push_back(fmt::format("experts on {} are not fitted: their share of the peak is assumed", chip.name));
    }
  }
  if (chip.is_assumed("power/active_w"))
    notes.push_back(fmt::format("power of {} in steps is not measured: it is transferred", chip.name));
  return notes;
}

}  // namespace tokenyard::analysis

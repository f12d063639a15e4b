#include "analysis/run/validity.hpp"

#include <fmt/format.h>
#include <vector>

#include "platforms/cost/replica_step_cost.hpp"

namespace tokenyard::analysis {
namespace {

/// Whether step times come from a measured profile.
bool profiled(const PoolPlan& pool) { return pool.model != nullptr && platforms::profile_of(pool.spec()) != nullptr; }

}  // namespace

std::optional<double> step_time_uncertainty(const PoolPlan& pool) {
  return profiled(pool) ? std::nullopt : pool.chip->step_time_uncertainty;
}

std::string validity_note(const PoolPlan& pool) {
  const platforms::Chip& chip = *pool.chip;
  std::vector<std::string> says;
  if (const auto uncertainty = step_time_uncertainty(pool)) {
    says.push_back(fmt::format("no kernel data, step times ±{:.0f} % (extrapolated)", 100 * *uncertainty));
  } else if (!profiled(pool)) {
    const auto compute = chip.compute_precision(pool.weights);
    if (compute && chip.is_assumed("efficiency/gemm_compute/" + std::string(platforms::name_of(*compute))))
      says.push_back(fmt::format("share of the peak of {} products assumed, not fitted", platforms::name_of(*compute)));
    if (pool.model != nullptr && pool.model->moe && chip.experts(pool.weights) == nullptr)
      says.emplace_back("kernels of experts transferred, not fitted");
    if (pool.model != nullptr && pool.model->sparse)
      says.emplace_back("kernels of sparse attention from public benchmarks, not fitted");
  }
  if (pool.model != nullptr && !pool.engine->runs_on(chip))
    says.push_back(
        fmt::format("engine {} does not run on chips of {}, simulated as if it did", pool.engine->name, chip.vendor));
  if (chip.is_assumed("power/active_w")) says.emplace_back("power in steps transferred, not measured");
  return says.empty() ? std::string() : fmt::format("{}: {}", chip.name, fmt::join(says, "; "));
}

}  // namespace tokenyard::analysis

#pragma once
/// Where a run leaves what was calibrated: how far its step times are to be trusted, and why.
///
/// A chip without kernel data carries `step_time_uncertainty`; a figure that its entry marks as assumed (a number
/// format's share of the peak, the experts', the power) was transferred from somewhere else. A kernel profile of the
/// pool's model is data.

#include <optional>
#include <string>
#include <vector>

#include "analysis/scenario/scenario.hpp"

namespace tokenyard::analysis {

/// Relative, of the pool's step times; nothing where they are fitted to kernel data: docs/fidelity.md has those errors.
std::optional<double> step_time_uncertainty(const PoolPlan& pool);

/// "extrapolated: no kernel data for tpu-v7; step times ±25 %". Empty: the pool is within what was calibrated.
std::vector<std::string> validity_notes(const PoolPlan& pool);

}  // namespace tokenyard::analysis

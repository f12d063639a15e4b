#pragma once
/// Where a run leaves what was calibrated: how far its step times are to be trusted, and why.
///
/// A chip without kernel data carries `step_time_uncertainty`; a figure that its entry marks as assumed (a number
/// format's share of the peak, the experts', the power) was transferred from somewhere else. A kernel profile of the
/// pool's model is data.

#include <optional>
#include <string>

#include "analysis/scenario/scenario.hpp"

namespace tokenyard::analysis {

/// Relative, of the pool's step times; nothing where they are fitted to kernel data: docs/fidelity.md has those errors.
std::optional<double> step_time_uncertainty(const PoolPlan& pool);

/// "tpu-v7: no kernel data, step times ±25 % (extrapolated); power in steps transferred, not measured": all that is to
/// be said of the pool's chip. Empty: the pool is within what was calibrated.
std::string validity_note(const PoolPlan& pool);

}  // namespace tokenyard::analysis

#pragma once
/// What the summary says of a pool: how busy it was, what bound it, where it stands under its chip's roofline, and
/// where its prompts were found.

#include <optional>

#include "analysis/run/pool_reading.hpp"

namespace tokenyard::analysis {

/// Between two readings `window_s` apart; `mean_kv`: the mean share of KV blocks in use; `mean_full`: of ranks whose
/// calls waited for a seat.
sim::Json pool_summary(const PoolPlan& plan, const PoolReading& from, const PoolReading& to, double window_s,
                       std::optional<double> mean_kv, std::optional<double> mean_full);

}  // namespace tokenyard::analysis

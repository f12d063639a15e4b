#pragma once
/// Fits an engine's host times (platforms/cost/host_time.hpp) to measured serving points: the times with which
/// simulated TPOT and, with half the weight, TTFT come closest to the points', in mean |log|. A point's error counts up
/// to a cap, and a time that the points do not show stays what engines usually take.
///
///   const platforms::EngineDefaults::Host host = fit_host(read_serving_table(path, catalog).points);

#include <span>
#include <vector>

#include "analysis/measured/serving_table.hpp"

namespace tokenyard::analysis {

/// How far simulated TPOT and, with half the weight, TTFT are from the points': mean |log|, capped.
double mean_error(std::span<const ServingPoint> points, const platforms::EngineDefaults::Host& host);

/// `points`: of one engine, at least one. Seconds to minutes.
platforms::EngineDefaults::Host fit_host(const std::vector<ServingPoint>& points);

}  // namespace tokenyard::analysis

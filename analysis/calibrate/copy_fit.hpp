#pragma once
/// The link between a chip and its host, from measured copies: one of n bytes takes start_s + n / bytes_per_s. Least
/// squares on relative errors.
///
/// Tables as measure_gpu.py writes them: direction, segment_bytes, segments (copied one after the other), seconds of
/// all of them. Rows of the direction "both", in which as many go the other way meanwhile, are not used.

#include <filesystem>

#include "analysis/measured/fit_error.hpp"

namespace tokenyard::analysis {

struct CopyFit {
  double start_s = 0, bytes_per_s = 0;
  FitError fitted;
};

/// Throws sim::InputError for a table that no such line fits: fewer than two sizes, or longer copies in less time.
CopyFit fit_copies(const std::filesystem::path& path);

}  // namespace tokenyard::analysis

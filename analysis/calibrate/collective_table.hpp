#pragma once
/// Measured all-reduces, taken as they are: by number of chips, seconds over bytes.
///
/// Tables in the format of aiconfigurator: num_gpus, message_size in elements of two bytes, latency in ms; of one with
/// op_name and nccl_dtype the rows all_reduce and half; of one with backend the rows measured in a captured graph.
/// Where a size was measured several times, the median counts. From 4 KiB to 256 MiB: what steps send.

#include <filesystem>
#include <map>

#include "analysis/measured/fit_error.hpp"
#include "platforms/spec/kernel_profile.hpp"

namespace tokenyard::analysis {

using CollectiveTable = std::map<std::int64_t, platforms::ProfileCurve>;  ///< chips → seconds by bytes

CollectiveTable read_all_reduce(const std::filesystem::path& path);

/// At each size the lower of the two, as an engine has it that chooses between them by size.
CollectiveTable lower_of(const CollectiveTable& a, const CollectiveTable& b);

/// How far each size but the first and the last is from what its neighbours say.
FitError error_between_sizes(const CollectiveTable& table);

}  // namespace tokenyard::analysis

#pragma once
/// Which keys of a summary a campaign may name, judged before anything runs: by the summary's schema, dotted, as in
/// "latency.ttft_s.p95". What has names of its own there (pools, agents, …) may have any: the cells differ in them.
///
///   check_summary_key("latency.ttft_s.p9", SummaryKey::kNumber, reader.file(), "/repetitions/metric", faults);

#include <cstdint>
#include <string>

#include "sim/input/faults.hpp"

namespace tokenyard::analysis {

enum class SummaryKey : std::uint8_t { kNumber, kNumbers };

/// Adds a fault, with the nearest key, where no summary has one number under the key (true and false count), or at
/// least one.
void check_summary_key(const std::string& key, SummaryKey wanted, const std::string& file, const std::string& place,
                       sim::Faults& faults);

}  // namespace tokenyard::analysis

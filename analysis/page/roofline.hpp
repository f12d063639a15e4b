#pragma once
/// The pools under their chips' rooflines, as the report of a run and the page of its bottleneck show them.

#include <string>

#include "sim/input/json_reader.hpp"

namespace tokenyard::analysis {

/// Where the steps of each pool that computed prompts stand under its chip's roofline, and those that only decoded,
/// from its `roofline`.
std::string roofline_html(const sim::Json& pools);

}  // namespace tokenyard::analysis

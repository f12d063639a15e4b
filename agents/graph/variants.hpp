#pragma once
/// Variants of an agent: the same process with other numbers (another trade, another model, reasoning switched on).
///
/// An agent file offers them by name, each a merge patch (RFC 7386) of the agent: a member replaces the agent's, an
/// object is merged into the agent's, null takes a member away. Edges are patched by their ends, since a list has no
/// names:
///
///   "variants": {
///     "voice": {
///       "title": "Customer service, by telephone",
///       "nodes": {"customer": {"latency_s": {"dist": "lognormal", "median": 4, "sigma": 0.6}}},
///       "edges": {"agent>lookup": {"count": {"dist": "poisson", "mean": 4.5}}, "agent>transfer": null}
///     }
///   }
///
/// A patch with "dist" replaces a distribution as a whole. An edge that the agent lacks is added after the others.
/// Several variants apply one after the other. Faults of a patched agent point into the agent as patched; the file's
/// name says by what.

#include <string>
#include <string_view>
#include <vector>

#include "sim/input/json_reader.hpp"

namespace tokenyard::agents {

/// The names that an agent's file offers, in the order of the file.
std::vector<std::string> variant_names(const sim::JsonFile& agent);

/// The agent as patched by one of its variants.
sim::JsonFile with_variant(const sim::JsonFile& agent, std::string_view variant, sim::Faults& faults);

}  // namespace tokenyard::agents
